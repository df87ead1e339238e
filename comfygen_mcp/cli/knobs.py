"""Options that several commands share, described once."""

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[str | None, typer.Option("--model", "--backend", "-m", help="Name from `comfygen models`.")]
Negative = Annotated[str | None, typer.Option("--negative", "--negative-prompt", help="What to avoid.")]
SizeText = Annotated[str | None, typer.Option(help="1216x832, 16:9, square, portrait, landscape ...")]
Seed = Annotated[str | None, typer.Option(help="Repeat a result; default: a new one.")]
Steps = Annotated[int | None, typer.Option(help="Sampling steps; default: the model's own.")]
Cfg = Annotated[float | None, typer.Option(help="Guidance; default: the model's own.")]
Lora = Annotated[
    list[str] | None, typer.Option("--lora", help="NAME or NAME:STRENGTH; may be given several times.")
]
LoraPreset = Annotated[str | None, typer.Option(help="LoRA preset from `comfygen presets`.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Copy the file there as well.")]
Metadata = Annotated[bool, typer.Option("--metadata/--no-metadata", help="Write the sidecar.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the graph and check it; send nothing.")]
