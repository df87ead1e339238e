"""Renders docs/models.md from the metadata of the bundled workflows."""

from collections.abc import Iterable

from comfygen_mcp.graph.metadata import Prose, WorkflowMetadata
from comfygen_mcp.graph.parse import Workflow
from comfygen_mcp.models import RequiredFile

_HEAD = """\
# Models

<!-- Made by scripts/generate-docs from the files in workflows/; change those, then run it again. -->

Put each file into the named folder below ComfyUI's `models/`. Older servers call `diffusion_models` `unet`
and `text_encoders` `clip`. A model is offered as soon as its files are installed; to use another file of
the same kind, name it in a backend's block (see [workflows.md](workflows.md)).
"""


def models_page(workflows: Iterable[Workflow]) -> str:
    """Return the page: a table of all models, then one section each."""
    pages = list(workflows)
    rows = [_row(workflow) for workflow in pages]
    table = "\n".join(["| model | what for | VRAM (GB) | steps | licence |", "|---|---|---|---|---|", *rows])
    return "\n".join([_HEAD, table, *(_section(workflow) for workflow in pages)])


def _row(workflow: Workflow) -> str:
    meta = workflow.metadata
    cells = (
        f"[`{workflow.name}`](#{workflow.name})",
        _prose(meta.use_case),
        meta.vram_gb,
        str(meta.defaults.get("steps", "")),
        meta.license,
    )
    return f"| {' | '.join(cells)} |"


def _section(workflow: Workflow) -> str:
    meta = workflow.metadata
    parts = [f"\n## {workflow.name}\n", f"{meta.workflow_name}. {meta.description}", _facts(meta)]
    if meta.requires:
        rows = [_file_row(needed) for needed in meta.requires]
        parts.append("\n".join(["| folder | file | size |", "|---|---|---|", *rows]))
    parts += [_bullets("Prompts", meta.prompt_tips), _settings(meta)]
    parts.append(_bullets(f"Differs from the graph that {meta.checked_with} accepted", _differences(meta)))
    return "\n\n".join(part for part in parts if part).replace("\n\n\n", "\n\n")


def _facts(meta: WorkflowMetadata) -> str:
    aliases = ", ".join(f"`{alias}`" for alias in meta.aliases)
    facts = {
        "Model": meta.model,
        "Also called": aliases,
        "Wants": _prose(meta.input_requirements),
        "Makes": _prose(meta.output_resolution),
        "Time": _prose(meta.estimated_time),
        "VRAM": f"{meta.vram_gb} GB" if meta.vram_gb else "",
        "Distilled": "yes; presets made for SD-class models leave its sampling alone"
        if meta.distilled
        else "",
        "Licence": meta.license,
    }
    return "\n".join(f"- {name}: {text}" for name, text in facts.items() if text)


def _file_row(needed: RequiredFile) -> str:
    name = f"[{needed.file}]({needed.url})" if needed.url else needed.file
    size = f"{needed.size_bytes / 1e9:.2f} GB" if needed.size_bytes else ""
    return f"| `{needed.folder}` | {name} | {size} |"


def _settings(meta: WorkflowMetadata) -> str:
    settings = ", ".join(f"`{name}: {value}`" for name, value in meta.defaults.items() if value != "")
    return f"Settings: {settings}." if settings else ""


def _differences(meta: WorkflowMetadata) -> list[str]:
    return [
        f"node {entry.node}{f', {entry.input}' if entry.input else ''}: {entry.why}"
        for entry in meta.differences
    ]


def _bullets(title: str, lines: Iterable[str]) -> str:
    items = [f"- {line}" for line in lines]
    return "\n".join([f"{title}:\n", *items]) if items else ""


def _prose(text: Prose) -> str:
    match text:
        case str():
            return text
        case dict():
            return "; ".join(f"{key}: {value}" for key, value in text.items())
        case _:
            return "; ".join(text)
