"""The check of a regeneration: whether it came out as the original did, and what was different about it."""

import json
import math
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Literal, TypeAlias

from anyio import to_thread

from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.models import Generation, Job, Record
from comfygen_mcp.services.regeneration_pixels import MOST_FRAMES, mean_difference

Outcome: TypeAlias = Literal["identical bytes", "identical pixels", "different", "not compared"]
Read: TypeAlias = Callable[[Generation], Awaitable[bytes]]

MAX_BYTES = 64_000_000
"""Larger files are not read just to be compared."""

_COMPARED = (
    *("prompt", "negative_prompt", "seed", "steps", "cfg", "sampler", "scheduler", "width", "height"),
    *("denoise", "count", "frames", "fps", "model", "backend", "workflow"),
)


_HIDDEN = ("", "")
"""Stands for two hosts of which one was left out of a record that was handed on."""


class Reproduction(Record):
    """How an exact repetition came out. *mean_difference* is that of the pixels, of 255.

    *original_id* is None where the original is not the caller's to see.
    *differences* are what was not as the first time, by which other pixels may be explained.
    """

    original_id: str | None
    outcome: Outcome
    mean_difference: float | None = None
    differences: tuple[str, ...] = ()


async def reproduction_of(original: Generation, again: Generation, read: Read) -> Reproduction:
    """Compare *again*, made from the graph of *original*, with it; *read* returns a stored file."""
    differences = circumstances(original, again)
    if original.sha256 == again.sha256:
        return Reproduction(original_id=original.id, outcome="identical bytes", differences=differences)
    mean, why = await _compared(original, again, read)
    if mean is None:
        return Reproduction(original_id=original.id, outcome="not compared", differences=(*differences, why))
    outcome: Outcome = "different" if mean else "identical pixels"
    return Reproduction(
        original_id=original.id,
        outcome=outcome,
        mean_difference=round(mean, 4) if math.isfinite(mean) else None,
        differences=differences,
    )


def circumstances(original: Generation, again: Generation) -> tuple[str, ...]:
    """Return what was not as the first time: who made it, where, with which version."""
    engines = {True: "the preview engine", False: "a diffusion model"}
    pairs = {
        "Made by": (engines[original.preview_engine], engines[again.preview_engine]),
        "Host": _HIDDEN if "unknown" in {original.host, again.host} else (original.host, again.host),
        "ComfyUI": (original.comfyui_version, again.comfyui_version),
        "Size": (_size(original), _size(again)),
        "File type": (original.mime, again.mime),
    }
    return tuple(
        f"{name}: {was or 'unknown'}, now {now or 'unknown'}"
        for name, (was, now) in pairs.items()
        if was != now
    )


def changes_between(original: Job, job: Job) -> tuple[str, ...]:
    """Return how the recipe of *job* differs from that of *original*: `steps: 20, now 8`."""
    pairs = {name: (_text(getattr(original, name)), _text(getattr(job, name))) for name in _COMPARED}
    for name in ("prompt", "negative_prompt"):
        pairs[name] = (_quoted(getattr(original, name)), _quoted(getattr(job, name)))
    pairs["loras"] = (_loras(original), _loras(job))
    return tuple(
        name if len(was) + len(now) > 120 else f"{name}: {was}, now {now}"
        for name, (was, now) in pairs.items()
        if was != now
    )


async def _compared(original: Generation, again: Generation, read: Read) -> tuple[float | None, str]:
    """Return the difference of the pixels, or None and why there is none to tell."""
    if original.media != "image" or again.media != "image":
        return None, "The bytes differ; a file of this kind holds its name and graph, and is not looked into"
    if max(original.size_bytes, again.size_bytes) > MAX_BYTES:
        return None, "The bytes differ; the files are too large to be compared pixel by pixel"
    try:
        first, second = await read(original), await read(again)
    except StoreFailed:
        return None, "The bytes differ; a file is not in the store, so the pixels cannot be compared"
    mean = await to_thread.run_sync(partial(mean_difference, first, second))
    return mean, f"The bytes differ; a file is no readable picture, or has more than {MOST_FRAMES} frames"


def _quoted(text: str) -> str:
    """Return a text that somebody wrote as one line in quotes that it cannot close."""
    return json.dumps(text, ensure_ascii=False) if text else "none"


def _loras(job: Job) -> str:
    return ", ".join(f"{use.name}:{use.strength:g}" for use in job.loras) or "none"


def _size(generation: Generation) -> str:
    return f"{generation.width}x{generation.height}" if generation.width else ""


def _text(value: object) -> str:
    match value:
        case None | "":
            return "none"
        case _:
            return str(value)
