"""Workflows as a choice: which there are, whether each can run now, and what can be set in one."""

from comfygen_mcp.graph.library import Workflow, WorkflowLibrary
from comfygen_mcp.graph.parameters import Parameter, parameters
from comfygen_mcp.graph.parse import Source
from comfygen_mcp.models import Kind, Record, RequiredFile
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.catalogue import Catalogue, Readiness, State
from comfygen_mcp.services.offers import Offers
from comfygen_mcp.services.workflow_checks import WorkflowCheck, WorkflowChecks
from comfygen_mcp.services.workflow_graphs import CallersGraphs
from comfygen_mcp.services.workflow_requests import WorkflowCall, WorkflowRequests

__all__ = ["WorkflowCall", "WorkflowDescription", "WorkflowRow", "WorkflowService"]


class WorkflowRow(Record):
    """One workflow in a list; *reason* says why it cannot run now."""

    name: str
    state: State
    kind: Kind | None = None
    family: str = ""
    source: Source = "user"
    description: str = ""
    reason: str = ""


class WorkflowDescription(Record):
    """One workflow with everything that can be set in it: placeholders first, then `node.input`."""

    row: WorkflowRow
    parameters: tuple[Parameter, ...]
    missing: tuple[RequiredFile, ...] = ()
    prompt_tips: tuple[str, ...] = ()
    license: str = ""


class WorkflowService:
    """The workflows of the user's folders and the bundled ones, and graphs that callers bring along."""

    def __init__(
        self,
        *,
        library: WorkflowLibrary,
        offers: Offers,
        catalogue: Catalogue,
        graphs: CallersGraphs,
        requests: WorkflowRequests,
        checks: WorkflowChecks,
    ) -> None:
        self._library = library
        self._offers = offers
        self._catalogue = catalogue
        self._graphs = graphs
        self._requests = requests
        self._checks = checks

    async def list(self) -> "list[WorkflowRow]":
        """Return every workflow, the preferred ones first, and the broken files last."""
        workflows = self._library.all()
        states = await self._catalogue.readiness_of_all([self._offers.of_workflow(w) for w in workflows])
        rows = [_row(*pair) for pair in zip(workflows, states, strict=True)]
        broken = self._library.broken()
        return rows + [WorkflowRow(name=file.file, state="broken", reason=file.reason) for file in broken]

    async def describe(self, name: str, *, any_path: bool = False) -> WorkflowDescription:
        """Return what can be set in the workflow *name*; raises UnknownName, BadRequest or BadWorkflow."""
        workflow = self._library.load(name, allow_paths=any_path, files_first=any_path)
        readiness = await self._catalogue.readiness(self._offers.of_workflow(workflow))
        known = await self._graphs.known(workflow.graph)
        return WorkflowDescription(
            row=_row(workflow, readiness),
            parameters=parameters(workflow, known),
            missing=readiness.missing,
            prompt_tips=workflow.metadata.prompt_tips,
            license=workflow.metadata.license,
        )

    async def check_all(self) -> "list[WorkflowCheck]":
        """Return what the default host says to every workflow; raises BackendUnreachable without one."""
        return await self._checks.check_all()

    async def request_of(
        self, call: WorkflowCall, *, http: bool = False, any_path: bool = False
    ) -> GenerateRequest:
        """Return the request of a call; see WorkflowRequests."""
        return await self._requests.request_of(call, http=http, any_path=any_path)


def _row(workflow: Workflow, readiness: Readiness) -> WorkflowRow:
    return WorkflowRow(
        name=workflow.name,
        state=readiness.state,
        kind=workflow.metadata.kind,
        family=workflow.family,
        source=workflow.source,
        description=workflow.metadata.description,
        reason=readiness.reason,
    )
