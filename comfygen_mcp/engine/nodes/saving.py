"""Names and metadata of saved files, as ComfyUI gives them."""

import json
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from comfygen_mcp.engine.film import Film, Picture
from comfygen_mcp.engine.folders import OutsideFolder
from comfygen_mcp.engine.nodes.spec import Input, text
from comfygen_mcp.engine.task import NodeFailure, Task
from comfygen_mcp.engine.values import Frames, Pictures

PNG_LEVEL = 1
"""Level 1 is four times as fast as ComfyUI's 4, and the files are a fifth larger."""
HIDDEN = {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"}
HIDDEN_V3 = {name: [kind] for name, kind in HIDDEN.items()}
PREFIX_TOOLTIP = (
    "The prefix for the file to save. This may include formatting information such as %date:yyyy-MM-dd% or "
    "%Empty Latent Image.width% to include values from nodes."
)

Listed: TypeAlias = dict[str, str]
"""A file as `executed` and history show it."""


@dataclass(frozen=True)
class Target:
    """Where the files of one save go: the folder is there, *counter* is the first free number."""

    kind: str
    folder: Path
    subfolder: str
    stem: str
    counter: int

    def file(self, ending: str, index: int = 0) -> tuple[Path, Listed]:
        """Return the path of one file and how it is listed; *ending* is what follows the number."""
        stem = self.stem.replace("%batch_num%", str(index))
        name = f"{stem}_{self.counter + index:05}{ending}"
        listed = {"filename": name, "subfolder": self.subfolder, "type": self.kind}
        return self.folder / name, listed


def target(task: Task, kind: str, prefix: str, size: tuple[int, int] = (0, 0)) -> Target:
    """Return where a save with this prefix goes; *size* is the width and height that it may name."""
    expanded = os.path.normpath(_expanded(prefix, *size))
    subfolder, stem = os.path.split(expanded)
    folder = _folder(task, kind, subfolder)
    return Target(kind, folder, subfolder, stem, _next_counter(folder, stem))


def save_pictures(task: Task, pictures: Frames, kind: str, prefix: str) -> dict[str, Any]:
    """Write a batch below the folder *kind*; return what `executed` and history show of it."""
    height, width = pictures.shape[1:3]
    place = target(task, kind, prefix, (width, height))
    images: list[Listed] = []
    for index, picture in enumerate(each(pictures)):
        task.check_interrupt()
        path, listed = place.file("_.png", index)
        _write_png(picture, path, task)
        images.append(listed)
    return {"images": images}


def each(pictures: Frames) -> Iterator[Picture]:
    return iter(pictures) if isinstance(pictures, Film) else (picture for picture in pictures)


def about(task: Task) -> dict[str, str]:
    """Return what a file says of itself: who made it, and from which graph."""
    more = {key: json.dumps(value) for key, value in task.extra_pnginfo.items()}
    return {"comfygen_engine": "procedural", "prompt": json.dumps(task.graph), **more}


def prefix_input(default: str = "ComfyUI", tooltip: str | None = PREFIX_TOOLTIP) -> Input:
    """Return the file name prefix of a node of the newer form."""
    return text(default, multiline=False, tooltip=tooltip)


def _folder(task: Task, kind: str, subfolder: str) -> Path:
    try:
        folder = task.folders.inside(kind, subfolder)
    except OutsideFolder as error:
        raise NodeFailure(
            "**** ERROR: Saving image outside the output folder is not allowed.\n"
            f" full_output_folder: {subfolder}\n         output_dir: {kind}"
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _next_counter(folder: Path, stem: str) -> int:
    """Return one more than the highest number in use, by looking at the folder."""
    start = f"{stem}_"
    names = [entry.name for entry in folder.iterdir()]
    numbers = [re.split("[_.]", name[len(start) :])[0] for name in names if name.startswith(start)]
    return max((int(number) for number in numbers if number.isdecimal()), default=0) + 1


def _expanded(prefix: str, width: int, height: int) -> str:
    if "%" not in prefix:
        return prefix
    now = time.localtime()
    values = {
        "%width%": str(width),
        "%height%": str(height),
        "%year%": str(now.tm_year),
        "%month%": f"{now.tm_mon:02}",
        "%day%": f"{now.tm_mday:02}",
        "%hour%": f"{now.tm_hour:02}",
        "%minute%": f"{now.tm_min:02}",
        "%second%": f"{now.tm_sec:02}",
    }
    for name, value in values.items():
        prefix = prefix.replace(name, value)
    return prefix


def _write_png(picture: Pictures, path: Path, task: Task) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    for key, value in about(task).items():
        text.add_text(key, value)
    Image.fromarray(picture).save(path, pnginfo=text, compress_level=PNG_LEVEL)
