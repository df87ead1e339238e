"""Reads the LoRAs that a caller wrote: `name`, `name:0.7` or an object."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, cast, get_args

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.models import LoraTarget, LoraUse
from comfygen_mcp.names import nearest_names

STRENGTH_LIMIT = 100.0
"""ComfyUI takes strengths from -100 to 100; most LoRAs are made for 0.3 to 1.2."""

_EXAMPLES = (
    "Write 'name', 'name:0.7', 'name:0.7:0.5' (model and text encoder apart) or "
    '{"name": "name", "strength": 0.7, "strength_clip": 0.5, "target": "high"}.'
)
_KEYS = tuple(LoraUse.model_fields)
_TARGETS: tuple[str, ...] = get_args(LoraTarget)
_FILE = re.compile(r"[\\/]|\.(safetensors|sft|ckpt|pt|pth|bin|gguf)$", re.IGNORECASE)
"""What follows a colon belongs to the name when it looks like this: `C:\\loras\\fox.safetensors`."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_PROMPT_TAG = re.compile(r"<lora:(.*)>", re.IGNORECASE)
"""How other programs write a LoRA inside a prompt."""


def parse_loras(written: object) -> tuple[LoraUse, ...]:
    """Return the LoRAs of a list, or of a single one; None is none. Raises BadRequest and says how."""
    if written is None:
        return ()
    if isinstance(written, Sequence) and not isinstance(written, str | bytes):
        return tuple(parse_lora(item) for item in cast("Sequence[object]", written))
    return (parse_lora(written),)


def parse_lora(written: object) -> LoraUse:
    """Return one LoRA with its strengths; the name is left as it is, for the installed ones to answer to."""
    match written:
        case LoraUse():
            return _checked(written)
        case str():
            return _checked(_from_text(written))
        case Mapping():
            return _checked(_from_object(cast("Mapping[object, object]", written)))
        case _:
            return _refuse(written, "is no LoRA")


def _from_text(written: str) -> LoraUse:
    tag = _PROMPT_TAG.fullmatch(written.strip())
    name, strengths = _split(tag[1] if tag else written)
    if len(strengths) > 2:
        _refuse(written, "has more than two strengths")
    numbers = [_number(text, written) for text in strengths]
    return LoraUse(
        name=name.strip(),
        strength=numbers[0] if numbers else 1.0,
        strength_clip=numbers[1] if len(numbers) == 2 else None,
    )


def _split(written: str) -> tuple[str, list[str]]:
    """Split strengths off from the right, until what stands there can only be part of a name."""
    name, strengths = written, list[str]()
    while ":" in name:
        head, _, tail = name.rpartition(":")
        if _FILE.search(tail):
            break
        name, strengths = head, [tail, *strengths]
    return name, strengths


def _from_object(written: Mapping[object, object]) -> LoraUse:
    for key in written:
        if key not in _KEYS:
            near = nearest_names(str(key), _KEYS) or _KEYS
            _refuse(written, f"has the unknown key {str(key)[:40]!r} (known: {', '.join(near)})")
    name = written.get("name")
    if not isinstance(name, str):
        _refuse(written, "has no name")
    given = {key: value for key, value in written.items() if value is not None and key != "name"}
    numbers = {str(key): _number(value, written) for key, value in given.items() if key != "target"}
    update: dict[str, Any] = {**numbers, **_target(given.get("target"), written)}
    return _from_text(name).model_copy(update=update)


def _target(target: object, written: object) -> dict[str, object]:
    if target is not None and target not in _TARGETS:
        _refuse(written, f"has the unknown target {str(target)[:40]!r} (known: {', '.join(_TARGETS)})")
    return {"target": target}


def _number(value: object, written: object) -> float:
    number = float(value) if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) else value
    if isinstance(number, bool) or not isinstance(number, int | float):
        _refuse(written, f"has the strength {str(value)[:40]!r}, which is no number")
    if not abs(number) <= STRENGTH_LIMIT:
        _refuse(written, "has a strength outside -100 to 100")
    return float(number)


def _checked(use: LoraUse) -> LoraUse:
    if not use.name:
        _refuse(use.name, "has no name")
    for strength in (use.strength, use.strength_clip):
        if strength is not None:
            _number(strength, use)
    return use


def _refuse(written: object, problem: str) -> NoReturn:
    shown = repr(written)
    shown = shown if len(shown) <= 100 else shown[:97] + "..."
    raise BadRequest(f"LoRA {shown} {problem}. {_EXAMPLES}")
