"""Refuses requests that no workflow can run, before anything is looked up or sent."""

import math
from collections.abc import Mapping
from typing import Any, cast

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.shown import bare
from comfygen_mcp.models import SEED_MAX, JsonValue
from comfygen_mcp.models_request import GenerateRequest

MAX_PROMPT_BYTES = 256 * 1024
"""Longest prompt that is sent on; text encoders read some hundred words of it at most."""


def check_request(request: GenerateRequest, *, prompt_wanted: bool = True) -> None:
    """Raise BadRequest for values that no workflow can use; upscaling and its like need no prompt."""
    if prompt_wanted:
        check_prompt(request.prompt)
    check_text("prompt", request.prompt)
    check_text("negative prompt", request.negative or "")
    for node_id, node in (request.graph or {}).items():
        check_texts({f"{node_id}.{name}": value for name, value in node["inputs"].items()})
    check_numbers(request)


def check_prompt(prompt: str) -> None:
    """Raise BadRequest for a prompt that is empty or too long to be meant."""
    if not prompt.strip():
        raise BadRequest(
            "The prompt is empty. Describe the picture in words, for example 'a red fox in snow'."
        )


def check_text(what: str, text: str) -> None:
    """Raise BadRequest for a text that no encoder reads: far too long, or with a NUL in it."""
    size = len(text.encode("utf-8", errors="replace"))
    if size > MAX_PROMPT_BYTES:
        raise BadRequest(
            f"The {what} has {size:,} bytes; at most {MAX_PROMPT_BYTES:,} are accepted. "
            "Text encoders read only the first few hundred words: send a shorter description."
        )
    if "\x00" in text:
        raise BadRequest(f"The {what} holds a NUL character. Send plain text.")


def check_texts(values: Mapping[str, JsonValue]) -> None:
    """Raise BadRequest as `check_text` does for any text in *values*, inside lists and objects too."""
    for name, value in values.items():
        waiting = [value]
        while waiting:
            inside = waiting.pop()
            if isinstance(inside, str):
                check_text(f"text for {bare(name)}", inside)
            elif isinstance(inside, dict):
                waiting += cast("dict[str, Any]", inside).values()
            elif isinstance(inside, list):
                waiting += cast("list[Any]", inside)


def check_numbers(request: GenerateRequest) -> None:
    """Raise BadRequest for steps or cfg that no sampler accepts."""
    if request.steps is not None and not 1 <= request.steps <= 10_000:
        raise BadRequest(f"steps={request.steps} is not possible: use 1 to 10000 (4 to 50 are usual).")
    if request.cfg is not None and not (math.isfinite(request.cfg) and 0 <= request.cfg <= 100):
        raise BadRequest(f"cfg={request.cfg} is not possible: use 0 to 100 (1 to 12 are usual).")
    if request.denoise is not None and not 0 < request.denoise <= 1:
        raise BadRequest(
            f"denoise={request.denoise} is not possible: use 0.3 for a subtle change, 0.5 moderate, "
            "0.7 strong, 0.9 mostly new, at most 1."
        )
    if request.fps is not None and not 1 <= request.fps <= 120:
        raise BadRequest(f"fps={request.fps} is not possible: use 1 to 120 (16 and 24 are usual).")


def parse_seed(seed: int | str | None) -> int | None:
    """Return the explicit seed, or None for 0, -1 and nothing, which all mean: draw one.

    Raises BadRequest for anything that is not a whole number from 0 to 2**64 - 1.
    """
    if seed is None:
        return None
    try:
        value = int(seed) if isinstance(seed, int) else int(seed.strip(), 10)
    except ValueError:
        raise BadRequest(
            f"seed={str(seed)[:40]!r} is not a whole number. "
            f"Use 1 to {SEED_MAX}, or leave it out for a new one."
        ) from None
    if value in (0, -1):
        return None
    if not 0 < value <= SEED_MAX:
        raise BadRequest(
            f"seed={value} is out of range. Use 1 to {SEED_MAX}; 0, -1 or nothing draws a new one."
        )
    return value
