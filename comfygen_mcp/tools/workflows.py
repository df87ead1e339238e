"""Tools for any workflow: which there are, what each takes, and running one or a graph of one's own."""

from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, TextContent
from pydantic import Field

from comfygen_mcp.graph.parameters import Parameter
from comfygen_mcp.loras import parse_loras
from comfygen_mcp.services.workflows import WorkflowCall, WorkflowDescription, WorkflowRow
from comfygen_mcp.tools.arguments import DryRun, Preview, SameLoras, WaitSeconds
from comfygen_mcp.tools.context import TheApp, TheCaller
from comfygen_mcp.tools.job_views import JobView
from comfygen_mcp.tools.results import structured
from comfygen_mcp.tools.running import run_request
from comfygen_mcp.tools.views import View

OPTIONS_SHOWN = 40
"""Choices of one parameter in the structure; more are counted. In the text there are fewer."""
OPTIONS_TOLD = 8
INPUTS_SHOWN = 40
"""Inputs of nodes that are listed of a large workflow; the others can be set all the same."""


class WorkflowsView(View):
    """The workflows; of one that was named also what can be set, placeholders first, then `node.input`."""

    workflows: list[dict[str, Any]]
    parameters: list[dict[str, Any]]


async def list_workflows(
    app: TheApp, name: Annotated[str | None, Field(description="Tell what can be set in it")] = None
) -> Annotated[CallToolResult, WorkflowsView]:
    """List the workflows: kind, ready or not. With a name: the typed parameters that run_workflow takes."""
    if name is not None:
        found = await app.workflows.describe(name)
        return _result(description_text(found), [found.row], found.parameters)
    rows = await app.workflows.list()
    return _result("\n".join(row_text(row) for row in rows), rows, ())


async def run_workflow(  # noqa: PLR0913, PLR0917 - each argument is one part of the call
    app: TheApp,
    caller: TheCaller,
    ctx: Context,
    name: Annotated[str | None, Field(description="From list_workflows")] = None,
    graph: Annotated[
        dict[str, Any] | None, Field(description="Or your own ComfyUI JSON, API or editor format")
    ] = None,
    from_image: Annotated[str | None, Field(description="Or a picture that carries its graph")] = None,
    params: Annotated[
        dict[str, Any] | None,
        Field(description="By name, any input as 'node.input'; pictures as path, URL or id"),
    ] = None,
    loras: SameLoras = None,
    dry_run: DryRun = None,
    wait_s: WaitSeconds = None,
    preview: Preview = None,
) -> Annotated[CallToolResult, JobView]:
    """Run a workflow, a ComfyUI graph of your own, or the one that made a picture; store what comes out."""
    call = WorkflowCall(
        name=name,
        graph=graph,
        from_image=from_image,
        params=params or {},
        loras=parse_loras(loras),
        caller=caller,
        owner=app.owner,
    )
    request = await app.workflows.request_of(call, http=app.file_url is not None)
    return await run_request(app, ctx, request, wait_s=wait_s, preview=preview, dry_run=dry_run)


def row_text(row: WorkflowRow) -> str:
    """Return a workflow in one line."""
    reason = f" - {row.reason}" if row.reason and row.state != "unreachable" else ""
    return f"{row.name} ({row.kind or 'unreadable'}): {row.state}{reason}"


def description_text(found: WorkflowDescription) -> str:
    """Return what can be set in a workflow, a line each."""
    named = [known for known in found.parameters if "." not in known.name]
    others = [known for known in found.parameters if "." in known.name]
    lines = [row_text(found.row), *filter(None, [found.row.description])]
    lines += [parameter_text(known) for known in named]
    if others:
        inputs = "1 input of a node" if len(others) == 1 else f"{len(others)} inputs of nodes"
        lines.append(f"And {inputs}, such as {others[0].name}.")
    lines += [f"Tip: {tip}" for tip in found.prompt_tips]
    return "\n".join([*lines, f"Licence: {found.license}"] if found.license else lines)


def parameter_text(known: Parameter) -> str:
    """Return a parameter in one line: `steps: integer, default 4, 1 to 100 - Sampling steps`."""
    parts = [known.type, "required" if known.required else ""]
    parts.append(f"default {known.default!r}" if known.default not in (None, "") else "")
    if known.minimum is not None and known.maximum is not None:
        parts.append(f"{known.minimum} to {known.maximum}")
    if known.options:
        told = ", ".join(str(option) for option in known.options[:OPTIONS_TOLD])
        more = len(known.options) - OPTIONS_TOLD
        parts.append(f"one of {told}" + (f" and {more} more" if more > 0 else ""))
    meaning = f" - {known.description}" if known.description else ""
    return f"{known.name}: {', '.join(filter(None, parts))}{meaning}"


def _result(text: str, rows: list[WorkflowRow], parameters: tuple[Parameter, ...]) -> CallToolResult:
    named = [known for known in parameters if "." not in known.name]
    others = [known for known in parameters if "." in known.name][:INPUTS_SHOWN]
    view = WorkflowsView(
        workflows=[row.model_dump(mode="json", exclude_defaults=True) for row in rows],
        parameters=[_parameter_view(known) for known in (*named, *others)],
    )
    return structured([TextContent(type="text", text=text)], view)


def _parameter_view(known: Parameter) -> dict[str, Any]:
    shown = known.model_dump(mode="json", exclude_defaults=True)
    if known.options and len(known.options) > OPTIONS_SHOWN:
        shown["options"] = list(known.options[:OPTIONS_SHOWN])
        shown["more_options"] = len(known.options) - OPTIONS_SHOWN
    return shown
