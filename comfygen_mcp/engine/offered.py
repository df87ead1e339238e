"""The model names that an engine offers when it is told nothing else."""

import json
from pathlib import Path
from typing import Any


def bundled_models() -> dict[str, tuple[str, ...]]:
    """Return folder → files for everything that the bundled workflows require."""
    from comfygen_mcp.graph.library import WorkflowLibrary

    found: dict[str, set[str]] = {}
    for workflow in WorkflowLibrary().all():
        for required in workflow.metadata.requires:
            found.setdefault(required.folder, set()).add(required.file)
    return {folder: tuple(sorted(names)) for folder, names in sorted(found.items())}


def models_from(file: Path) -> dict[str, tuple[str, ...]]:
    """Return folder → files from a JSON file of that shape; raises ValueError when it has another."""
    data: Any = json.loads(file.read_text(encoding="utf-8"))
    try:
        return {str(folder): tuple(str(name) for name in names) for folder, names in data.items()}
    except (AttributeError, TypeError) as error:
        raise ValueError(f'{file.name} must look like {{"checkpoints": ["a.safetensors"]}}') from error
