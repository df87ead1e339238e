"""Arguments that several tools share, described once; every byte of them is read with every conversation."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

MAX_WAIT_S = 45
"""Clients cut a call at about 60 s: a tool answers before that, with the result or a job id."""

WaitSeconds = Annotated[float | None, Field(ge=0, le=MAX_WAIT_S)]
Preview: TypeAlias = Literal["small", "none"]
DryRun = Annotated[bool, Field(description="Send nothing")]
Model = Annotated[str | None, Field(description="From list_models; default: best ready")]
Picture = Annotated[str, Field(description="Path, URL, data URI or generation_id")]
Negative = Annotated[str | None, Field(description="What to avoid")]
Seed = Annotated[int | str | None, Field(description="Repeats a result; text above 2^53")]
Steps: TypeAlias = int | None
Loras = Annotated[
    list[str | dict[str, Any]] | None,
    Field(description="'name:0.7' or {name, strength, strength_clip, target}"),
]
Size = Annotated[
    str | None, Field(description="'1216x832', '16:9', square, portrait, landscape, wide or tall")
]
