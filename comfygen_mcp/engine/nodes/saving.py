"""Names and metadata of saved pictures, as ComfyUI gives them."""

import json
import os
import time
from pathlib import Path
from typing import Any

from comfygen_mcp.engine.folders import OutsideFolder
from comfygen_mcp.engine.task import NodeFailure, Task
from comfygen_mcp.engine.values import Pictures

PNG_LEVEL = 1
"""Level 1 is four times as fast as ComfyUI's 4, and the files are a fifth larger."""


def save_pictures(task: Task, pictures: Pictures, kind: str, prefix: str) -> dict[str, Any]:
    """Write a batch below the folder *kind*; return what `executed` and history show of it."""
    height, width = pictures.shape[1:3]
    expanded = os.path.normpath(_expanded(prefix, width, height))
    subfolder, stem = os.path.split(expanded)
    folder = _folder(task, kind, subfolder)
    counter = _next_counter(folder, stem)
    images: list[dict[str, str]] = []
    for index in range(len(pictures)):
        name = f"{stem.replace('%batch_num%', str(index))}_{counter + index:05}_.png"
        _write_png(pictures[index], folder / name, task)
        images.append({"filename": name, "subfolder": subfolder, "type": kind})
    return {"images": images}


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
    numbers = [name[len(start) :].split("_")[0] for name in names if name.startswith(start)]
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
    text.add_text("comfygen_engine", "procedural")
    text.add_text("prompt", json.dumps(task.graph))
    for key, value in task.extra_pnginfo.items():
        text.add_text(key, json.dumps(value))
    Image.fromarray(picture).save(path, pnginfo=text, compress_level=PNG_LEVEL)
