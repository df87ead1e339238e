"""Video nodes: frames put together with their rate, and written as MP4, MKV or WebM."""

from typing import Any

from comfygen_mcp.engine.encoders import Container, SoundTrack, Track, write_video
from comfygen_mcp.engine.nodes.limits import check_frames
from comfygen_mcp.engine.nodes.saving import HIDDEN_V3, about, each, prefix_input, target
from comfygen_mcp.engine.nodes.spec import Node, choice, integer, link, maybe, number, slots
from comfygen_mcp.engine.nodes.video_formats import Encoding, chosen, codec_input, format_input
from comfygen_mcp.engine.options import Dialect
from comfygen_mcp.engine.task import Shown, Task
from comfygen_mcp.engine.values import Frames, Sound, Video

MODULE = "comfy_extras.nodes_video"
VP9 = {"deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
AV1 = {"preset": "12"}


def create(
    _: Task, *, images: Frames, fps: float, audio: Sound | None = None, bit_depth: int = 8
) -> tuple[Video]:
    del bit_depth
    return (Video(images, fps, audio),)


def save(task: Task, *, video: Video, filename_prefix: str, **given: Any) -> Shown:
    return Shown((video,), _written(task, video, filename_prefix, chosen(given)))


def save_webm(
    task: Task, *, images: Frames, filename_prefix: str, codec: str, fps: float, crf: float
) -> Shown:
    quality = {"crf": f"{crf:g}", "b": "0"}
    encoder, options = ("libvpx-vp9", VP9) if codec == "vp9" else ("libsvtav1", AV1)
    encoding = Encoding("webm", "webm", encoder, {**options, **quality})
    return Shown((images,), _written(task, Video(images, fps), filename_prefix, encoding))


def _written(task: Task, video: Video, prefix: str, encoding: Encoding) -> dict[str, Any]:
    count, height, width = video.frames.shape[:3]
    check_frames(width, height, count)
    path, listed = target(task, "output", prefix, (width, height)).file(f"_.{encoding.ending}")
    write_video(
        Container(path, encoding.muxer, about(task)),
        Track(encoding.encoder, width, height, video.fps, encoding.options),
        each(video.frames),
        sound=_sound_track(video.sound, encoding.ending),
        check_interrupt=task.check_interrupt,
    )
    return {"images": [listed], "animated": [True]}


def _sound_track(sound: Sound | None, ending: str) -> SoundTrack | None:
    return sound and SoundTrack("libopus" if ending == "webm" else "aac", sound)


CREATE = Node(
    "CreateVideo",
    "Create Video",
    "video",
    {
        "images": link("IMAGE", "The images to create a video from."),
        "fps": number(30.0, 1.0, 120.0, step=1.0),
        "audio": maybe(link("AUDIO", "The audio to add to the video.")),
        "bit_depth": maybe(integer(8, 8, 10, step=2)),
    },
    slots("VIDEO"),
    create,
    description="Create a video from images.",
    module=MODULE,
    streamed=frozenset({"images"}),
)
PREFIX = prefix_input("video/ComfyUI")
VIDEO = link("VIDEO", "The video to save.")


def _saver(name: str, title: str, inputs: dict[str, Any], run: Any, output: str, **more: Any) -> Node:
    return Node(
        name, title, "video", inputs, slots(output), run,
        module=MODULE, output_node=True, hidden=HIDDEN_V3, streamed=frozenset({"images"}), **more,
    )  # fmt: skip


SAVE = _saver(
    "SaveVideo",
    "Save Video",
    {
        "video": VIDEO,
        "filename_prefix": PREFIX,
        "format": format_input(),
        "codec": maybe(codec_input("h264", "av1", hidden=True)),
    },
    save,
    "VIDEO:video",
    description="Saves the input videos to your ComfyUI output directory.",
)
OLD_SAVE = _saver(
    "SaveVideo",
    "Save Video",
    {
        "video": VIDEO,
        "filename_prefix": PREFIX,
        "format": choice("auto", "mp4", form="v3", default="auto"),
        "codec": choice("auto", "h264", form="v3", default="auto"),
    },
    save,
    "VIDEO:video",
    description="Saves the input images to your ComfyUI output directory.",
)
SAVE_WEBM = _saver(
    "SaveWEBM",
    "Save WEBM",
    {
        "images": link("IMAGE"),
        "filename_prefix": prefix_input(tooltip=None),
        "codec": choice("vp9", "av1", form="v3"),
        "fps": number(24.0, 0.01, 1000.0, step=0.01),
        "crf": number(
            32.0, 0, 63.0, step=1,
            tooltip="Higher crf means lower quality with a smaller file size, lower crf means higher quality "
            "higher filesize.",
        ),
    },
    save_webm,
    "IMAGE:images",
    experimental=True,
)  # fmt: skip

NODES = (CREATE, SAVE, SAVE_WEBM)


def old_nodes(dialect: Dialect) -> tuple[Node, ...]:
    """Return the nodes that were declared otherwise in that version."""
    return (OLD_SAVE,) if dialect.old else ()
