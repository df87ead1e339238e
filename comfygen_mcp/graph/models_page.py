"""Renders docs/models.md from the metadata of the bundled workflows."""

from collections.abc import Iterable, Mapping, Sequence

from comfygen_mcp.graph.metadata import WorkflowMetadata, prose
from comfygen_mcp.graph.parse import Workflow
from comfygen_mcp.models import Kind, RequiredFile

_HEAD = """\
# Models

<!-- Made by scripts/generate-docs from the files in workflows/; change those, then run it again. -->

Put each file into the named folder below ComfyUI's `models/`. Older servers call `diffusion_models` `unet`
and `text_encoders` `clip`. A model is offered as soon as its files are installed; to use another file of
the same kind, name it in a backend's block (see [workflows.md](workflows.md)).

VRAM is what the files of the table want without offloading; ComfyUI runs them in less, slower. A licence is
that of the model's files, not of this program: those marked non-commercial need a licence of their maker's
for commercial use, whatever the server.
"""

_TASKS: Mapping[Kind, str] = {
    "txt2img": "picture from text",
    "img2img": "picture from a picture",
    "inpaint": "repaint a part",
    "edit": "edit by instruction",
    "upscale": "enlarge",
    "txt2video": "video from text",
    "img2video": "video from a picture",
    "other": "other",
}


def models_page(workflows: Iterable[Workflow]) -> str:
    """Return the page: a table of all models, then one section each."""
    pages = list(workflows)
    head = ["| model | what for | task | VRAM (GB) | steps | licence |", "|---|---|---|---|---|---|"]
    table = "\n".join([*head, *(_row(workflow) for workflow in pages)])
    return "\n".join([_HEAD, table, *(_section(workflow, pages) for workflow in pages)])


def _row(workflow: Workflow) -> str:
    meta = workflow.metadata
    cells = (
        f"[`{workflow.name}`](#{workflow.name})",
        prose(meta.use_case),
        _TASKS[meta.kind],
        meta.vram_gb,
        str(meta.defaults.get("steps", "")),
        meta.license,
    )
    return f"| {' | '.join(cells)} |"


def _section(workflow: Workflow, pages: Sequence[Workflow]) -> str:
    meta = workflow.metadata
    title = f"\n## {workflow.name}\n"
    parts = [title, f"{meta.workflow_name}. {meta.description}", _facts(workflow, pages)]
    if meta.requires:
        rows = [_file_row(needed) for needed in meta.requires]
        parts.append("\n".join(["| folder | file | size |", "|---|---|---|", *rows]))
    parts += [_bullets("Prompts", meta.prompt_tips), _settings(meta)]
    parts.append(_bullets(f"Differs from the graph that {meta.checked_with} accepted", _differences(meta)))
    return "\n\n".join(part for part in parts if part).replace("\n\n\n", "\n\n")


def _facts(workflow: Workflow, pages: Sequence[Workflow]) -> str:
    meta = workflow.metadata
    family = [other.name for other in pages if other.family == workflow.family and other != workflow]
    facts = {
        "Task": _TASKS[meta.kind],
        "Model": meta.model,
        "Also called": _code(meta.aliases),
        "For other tasks": _code(family),
        "Wants": prose(meta.input_requirements),
        "Makes": prose(meta.output_resolution),
        "Time": prose(meta.estimated_time),
        "VRAM": f"{meta.vram_gb} GB" if meta.vram_gb else "",
        "LoRAs made for": meta.architecture,
        "Distilled": "yes; presets made for SD-class models leave its sampling alone"
        if meta.distilled
        else "",
        "Licence": meta.license,
    }
    return "\n".join(f"- {name}: {text}" for name, text in facts.items() if text)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


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
