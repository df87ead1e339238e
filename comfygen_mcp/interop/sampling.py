"""Checks with a real model on the server: a sampler run, image to image from its picture, and a LoRA."""

import asyncio

from comfygen_mcp.comfyui.shapes import items, mapping
from comfygen_mcp.errors import UnexpectedReply
from comfygen_mcp.interop import graphs, media
from comfygen_mcp.interop.bench import Bench, Finished
from comfygen_mcp.interop.findings import Check, Finding, Passed, Skipped
from comfygen_mcp.interop.graphs import BIG_SEED, Sampling
from comfygen_mcp.interop.outputs import expect
from comfygen_mcp.models import LoraUse, Output


async def sampler(bench: Bench) -> Finding:
    """Draw with the model that was named; every step must be told, and the largest seed arrive intact."""
    checkpoint = await _installed(bench, "checkpoints", bench.plan.model, "--model")
    if isinstance(checkpoint, Skipped):
        return checkpoint
    run = Sampling(checkpoint=checkpoint, prefix=bench.prefix("sampler"))
    finished = await bench.run(graphs.sampled(run))
    output = _drawn(finished, run)
    await _expect_seed(bench, finished)
    bench.sampled = output
    steps = sorted({step.step for step in finished.progress if step.step is not None})
    if not steps:
        raise UnexpectedReply("The picture came, but no step of the sampler was told on the WebSocket.")
    return Passed(f"{output.filename}, {run.edge}x{run.edge}, steps {steps[0]} to {steps[-1]} of {run.steps}")


async def img2img(bench: Bench) -> Finding:
    """Upload the sampler's picture and change it."""
    checkpoint = await _installed(bench, "checkpoints", bench.plan.model, "--model")
    if isinstance(checkpoint, Skipped):
        return checkpoint
    if bench.sampled is None:
        return Skipped("not run: the sampler run gave no picture to start from")
    data = await asyncio.to_thread(bench.sampled.path.read_bytes)
    picture = await bench.upload(data, "sampled.png")
    run = Sampling(checkpoint=checkpoint, prefix=bench.prefix("img2img"), picture=picture)
    output = _drawn(await bench.run(graphs.sampled(run)), run)
    if _same_pixels(output, bench.sampled):
        raise UnexpectedReply(f"{output.filename} has the very pixels of the picture that it started from.")
    return Passed(f"{output.filename}, changed from the sampler's picture")


async def lora(bench: Bench) -> Finding:
    """Draw the sampler's picture again with a LoRA; a LoRA of another architecture changes nothing."""
    checkpoint = await _installed(bench, "checkpoints", bench.plan.model, "--model")
    file = await _installed(bench, "loras", bench.plan.lora, "--lora")
    for name in (checkpoint, file):
        if isinstance(name, Skipped):
            return name
    run = Sampling(
        checkpoint=str(checkpoint), prefix=bench.prefix("lora"), lora=LoraUse(name=str(file), strength=0.8)
    )
    output = _drawn(await bench.run(graphs.sampled(run)), run)
    if bench.sampled is None:
        return Passed(f"{output.filename}; not compared, for want of the sampler's picture")
    same = _same_pixels(output, bench.sampled)
    effect = "NO pixel changed: made for another architecture?" if same else "the pixels changed"
    return Passed(f"{output.filename}; {effect}")


async def _installed(bench: Bench, folder: str, wanted: str | None, option: str) -> str | Skipped:
    """Return the file as the server names it."""
    if wanted is None:
        return Skipped(f"not run: no {option} FILE was given")
    names = await bench.client.models(folder)
    if wanted in names:
        return wanted
    here = ", ".join(names[:10]) or "nothing"
    return Skipped(f"not run: server has no {wanted!r} in models/{folder}; it has {here}")


def _drawn(finished: Finished, run: Sampling) -> Output:
    (output,) = expect(finished, "image", 1)
    picture = media.decoded(output)
    if (picture.width, picture.height) != (run.edge, run.edge):
        raise UnexpectedReply(
            f"{output.filename} is {picture.width}x{picture.height}; the graph makes {run.edge}x{run.edge}."
        )
    if picture.uniform:
        raise UnexpectedReply(f"{output.filename} is one even colour: the sampler drew nothing.")
    return output


async def _expect_seed(bench: Bench, finished: Finished) -> None:
    entry = mapping(mapping(await bench.http.get(f"/history/{finished.prompt_id}")).get(finished.prompt_id))
    graph = mapping([*items(entry.get("prompt")), None, None, None][2])
    seed = mapping(mapping(graph.get("sampler")).get("inputs")).get("seed")
    if seed != BIG_SEED:
        raise UnexpectedReply(
            f"The seed {BIG_SEED} arrived as {seed!r}: something on the way rounds numbers."
        )


def _same_pixels(one: Output, other: Output) -> bool:
    return media.decoded(one).pixels == media.decoded(other).pixels


_RUN = Sampling(checkpoint="", prefix="")
_TEXT = graphs.classes_of(graphs.sampled(_RUN))
_PICTURE = graphs.classes_of(graphs.sampled(_RUN.model_copy(update={"picture": ""})))
_LORA = graphs.classes_of(graphs.sampled(_RUN.model_copy(update={"lora": LoraUse(name="")})))

CHECKS = (
    Check("model: sampler", sampler, _TEXT),
    Check("model: image to image", img2img, _PICTURE),
    Check("model: LoRA", lora, _LORA),
)
