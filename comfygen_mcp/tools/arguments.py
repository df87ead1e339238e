"""Arguments that several tools share, described once; every byte of them is read with every conversation."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, WithJsonSchema

MAX_WAIT_S = 45
"""Clients cut a call at about 60 s: a tool answers before that, with the result or a job id."""

WaitSeconds = Annotated[
    float | None,
    Field(ge=0, le=MAX_WAIT_S),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "null"}]}),
]
"""The bounds are told by get_job, and by the error of one who does not keep them."""
Preview: TypeAlias = Literal["small", "none"] | None
"""None means small: a default that is written costs bytes with every tool."""
DryRun: TypeAlias = bool | None
Model = Annotated[str | None, Field(description="From list_models")]
Picture = Annotated[str, Field(description="Path, URL or generation_id")]
Negative = Annotated[str | None, Field(description="What to avoid")]
Seed: TypeAlias = int | str | None
"""Described once, by generate_image."""
Steps: TypeAlias = int | None
Loras = Annotated[
    list[str | dict[str, Any]] | None,
    Field(description="'name:0.7' or {name, strength, strength_clip, target}"),
]
SameLoras = Annotated[
    list[str | dict[str, Any]] | None,
    WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]}),
    Field(description="'name:0.7'"),
]
"""The same, described by generate_image in full."""
Size = Annotated[str | None, Field(description="'1216x832', '16:9', square, portrait, landscape, wide, tall")]
