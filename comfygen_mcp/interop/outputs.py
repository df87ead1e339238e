"""Checks that run model-free graphs: every kind of output is made, listed, fetched and looked into."""

import secrets
from functools import partial

from comfygen_mcp.errors import UnexpectedReply
from comfygen_mcp.interop import graphs, media
from comfygen_mcp.interop.bench import Bench, Finished
from comfygen_mcp.interop.findings import Check, Finding, Passed, Skipped
from comfygen_mcp.models import MediaType, Output

TEXT = "comfygen-check: naïve café, 3 > 2"
ODD_NAME = "ünusual näme (1) & 50%"
"""Spaces, accents and signs that must survive a URL."""

AUDIO_SAVERS = ("SaveAudio", "SaveAudioAdvanced")
"""The first one is deprecated, and all that older servers have."""


def random_colour() -> int:
    """Return a colour that nobody used before, so that no cache answers for the server."""
    return secrets.randbelow(1 << 24)


async def image(bench: Bench, *, name: str = "image") -> Finding:
    colour = random_colour()
    finished = await bench.run(graphs.saved_image(bench.prefix(name), colour))
    (output,) = expect(finished, "image", 1)
    media.expect_colour(output, colour, edge=graphs.EDGE)
    return Passed(f"{output.filename}, {output.size_bytes} bytes, the right pixels")


async def batch(bench: Bench) -> Finding:
    colour = random_colour()
    finished = await bench.run(graphs.saved_image(bench.prefix("batch"), colour, count=3))
    outputs = expect(finished, "image", 3)
    for output in outputs:
        media.expect_colour(output, colour, edge=graphs.EDGE)
    return Passed(", ".join(output.filename for output in outputs))


async def preview(bench: Bench) -> Finding:
    colour = random_colour()
    (output,) = expect(await bench.run(graphs.previewed_image(colour)), "image", 1)
    if not output.temporary:
        raise UnexpectedReply(f"PreviewImage's {output.filename} is not in the server's temp folder.")
    media.expect_colour(output, colour, edge=graphs.EDGE)
    return Passed("a temporary picture, fetched")


async def animated_webp(bench: Bench) -> Finding:
    colour = random_colour()
    colours = colour, colour ^ 0x808080
    finished = await bench.run(graphs.animated_webp(bench.prefix("animated"), colours))
    (output,) = expect(finished, "image", 1)
    frames = media.expect_colour(output, colour, edge=graphs.EDGE).frames
    if frames != 2:
        raise UnexpectedReply(f"{output.filename} has {frames} frames; the graph makes 2.")
    return Passed(f"{output.filename}, {frames} frames")


async def mp4(bench: Bench) -> Finding:
    finished = await bench.run(graphs.video(bench.prefix("video"), random_colour()))
    (output,) = expect(finished, "video", 1)
    boxes = media.expect_mp4(output)
    return Passed(f"{output.filename}, {output.size_bytes} bytes, boxes {boxes}")


async def audio(bench: Bench) -> Finding:
    saver = next((name for name in AUDIO_SAVERS if bench.lacking((name,)) is None), None)
    if saver is None:
        return Skipped(f"server has neither {' nor '.join(AUDIO_SAVERS)}")
    (output,) = expect(await bench.run(graphs.audio(bench.prefix("audio"), saver)), "audio", 1)
    return Passed(f"{output.filename}, {media.expect_flac(output, rate=44100, seconds=1.0)}, by {saver}")


async def shown_text(bench: Bench) -> Finding:
    (output,) = expect(await bench.run(graphs.shown_text(TEXT)), "text", 1)
    if output.text != TEXT:
        raise UnexpectedReply(f"PreviewAny shows {output.text!r}; the graph gives it {TEXT!r}.")
    return Passed(f"{TEXT!r}")


async def saved_text(bench: Bench) -> Finding:
    (output,) = expect(await bench.run(graphs.saved_text(bench.prefix("text"), TEXT)), "text", 1)
    found = output.path.read_text(encoding="utf-8", errors="replace").strip()
    if found != TEXT:
        raise UnexpectedReply(f"{output.filename} holds {found[:80]!r}; the graph gives it {TEXT!r}.")
    return Passed(f"{output.filename}, the right words")


def expect(finished: Finished, kind: MediaType, count: int) -> tuple[Output, ...]:
    """Return the outputs when there are *count* of that *kind* under different names, and no others."""
    outputs = finished.outputs
    names = {output.filename for output in outputs}
    if len(outputs) != count or len(names) != count or any(output.media != kind for output in outputs):
        found = ", ".join(f"{output.filename} ({output.media})" for output in outputs) or "nothing"
        raise UnexpectedReply(f"The graph makes {count} outputs of kind {kind}; the server lists {found}.")
    return outputs


_WEBP = graphs.classes_of(graphs.animated_webp("", (0, 0)))
_TEXT_FILE = graphs.classes_of(graphs.saved_text("", ""))

CHECKS = (
    Check("output: image", image, ("EmptyImage", "SaveImage")),
    Check("output: batch of 3", batch, ("EmptyImage", "SaveImage")),
    Check("output: odd file name", partial(image, name=ODD_NAME), ("EmptyImage", "SaveImage")),
    Check("output: preview", preview, ("EmptyImage", "PreviewImage")),
    Check("output: animated WebP", animated_webp, _WEBP),
    Check("output: MP4", mp4, graphs.classes_of(graphs.video("", 0))),
    Check("output: audio", audio, ("EmptyAudio",)),
    Check("output: text", shown_text, graphs.classes_of(graphs.shown_text(""))),
    Check("output: text file", saved_text, _TEXT_FILE),
)
