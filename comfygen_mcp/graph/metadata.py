"""What a workflow file says about itself in `_workflow_metadata`; never sent to ComfyUI."""

from typing import Literal, TypeAlias

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from comfygen_mcp.graph.knobs import wrong_knob
from comfygen_mcp.models import JsonValue, Kind, Limits, Record, RequiredFile, Scalar

Architecture: TypeAlias = Literal[
    "sd15", "sdxl", "sd3", "flux1", "flux2", "qwen-image", "z-image", "wan21", "wan22-14b", "wan22-5b", "ltxv"
]
"""Model families whose LoRAs do not fit one another."""
Prose: TypeAlias = str | tuple[str, ...] | dict[str, JsonValue]
"""Text for people: one sentence, several, or one per key."""


def prose(text: Prose) -> str:
    """Return *text* as one line."""
    match text:
        case str():
            return text
        case dict():
            return "; ".join(f"{key}: {value}" for key, value in text.items())
        case _:
            return "; ".join(text)


class Difference(Record):
    """One place where the graph differs from the one that a real ComfyUI accepted.

    *input* is None where the whole node was added, or has another class.
    """

    node: str
    input: str | None = None
    why: str


class Condition(Record):
    """What a value must be like; every condition that is given must hold."""

    below: float | None = None
    above: float | None = None
    matches: str | None = None
    one_of: tuple[Scalar, ...] | None = None


class Advice(Record):
    """A note for the caller when all of *when* holds: placeholder → value, or → Condition.

    Besides the placeholders there is `pixels`, the width times the height.
    """

    when: dict[str, Scalar | Condition]
    note: str


class LoraAnchors(Record):
    """The links that LoRAs are put behind, for graphs whose types do not tell."""

    model: tuple[tuple[str, int], ...] = ()
    clip: tuple[tuple[str, int], ...] = ()


class WorkflowMetadata(Record):
    """All of it is optional: a file without metadata is a workflow named after itself.

    It is one for text to image when it takes a prompt, and of kind `other` when it does not.
    Workflows of one *family* are the same model for different kinds of task; without one, a workflow is a
    family of its own. *architecture* is what LoRAs must be made for. Placeholders in *optional* may be left
    without a value: their nodes are then bypassed. *good_at* are keywords that recommendations match.
    """

    workflow_name: str = ""
    description: str = ""
    model: str = ""
    input_requirements: Prose = ""
    output_resolution: Prose = ""
    use_case: Prose = ""
    estimated_time: Prose = ""
    nodes: int | Prose = ""

    kind: Kind = "txt2img"
    family: str = ""
    architecture: Architecture | None = None
    optional: tuple[str, ...] = ()
    good_at: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    rank: int = 1000
    distilled: bool = False
    requires: tuple[RequiredFile, ...] = ()
    defaults: dict[str, Scalar] = Field(default_factory=dict)
    limits: Limits = Limits()
    advice: tuple[Advice, ...] = ()
    prompt_tips: tuple[str, ...] = ()
    license: str = ""
    vram_gb: str = ""
    checked_with: str = ""
    differences: tuple[Difference, ...] = ()
    lora: LoraAnchors | None = None

    @field_validator("defaults")
    @classmethod
    def _numbers_are_numbers(cls, defaults: dict[str, Scalar]) -> dict[str, Scalar]:
        for name, value in defaults.items():
            if wrong := wrong_knob(name, value):
                problem = f"{name} is {repr(value)[:60]}, but it {wrong}"
                raise PydanticCustomError("wrong_knob", "{problem}", {"problem": problem})
        return defaults
