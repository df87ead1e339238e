"""The options that say which pictures of the gallery are meant, the same for `search` and `export`."""

from collections.abc import Iterable
from typing import Annotated

import typer

Contains = Annotated[str | None, typer.Option(help="Any piece of the prompt.")]
Model = Annotated[str | None, typer.Option("--model", "-m", help="Model file, or name.")]
Backend = Annotated[str | None, typer.Option(help="Name that the model was asked for by.")]
WorkflowName = Annotated[str | None, typer.Option(help="Workflow.")]
Lora = Annotated[str | None, typer.Option(help="LoRA.")]
Preset = Annotated[str | None, typer.Option(help="Preset.")]
KindName = Annotated[str | None, typer.Option(help="txt2img, img2img, inpaint, edit, upscale ...")]
Tags = Annotated[list[str] | None, typer.Option(help="Tag; of several, a,b or given again: all of them.")]
SeedRange = Annotated[str | None, typer.Option(help="One, or a range: 100-200.")]
MinScore = Annotated[float | None, typer.Option(help="Lowest score.")]
Since = Annotated[str | None, typer.Option(help="Date, time in UTC, or how long ago: 12h, 7d, 2w.")]
Until = Annotated[str | None, typer.Option(help="The same; a day is included.")]
Group = Annotated[str | None, typer.Option(help="Id of a comparison, or at least 8 digits of its beginning.")]
Parent = Annotated[str | None, typer.Option(help="Only what was made from this one.")]


def each(written: Iterable[str] | None) -> tuple[str, ...]:
    """Return the values of an option that may be given again, and may hold several with commas between."""
    return tuple(word for text in written or () for part in text.split(",") if (word := part.strip()))
