"""Old recipes by today's light: is their workflow the same, their style known, are their nodes allowed."""

from collections.abc import Mapping

from comfygen_mcp.config import Settings
from comfygen_mcp.errors import BadRequest, BadWorkflow
from comfygen_mcp.graph.build import build_graph
from comfygen_mcp.graph.catalogue import shipped_catalogue
from comfygen_mcp.graph.hash import graph_sha256
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.parse import Workflow, custom_workflow
from comfygen_mcp.models import Generation, Graph, Job
from comfygen_mcp.presets import Style, apply_style
from comfygen_mcp.services.node_policy import check_allowed

_OWN_CLASSES = frozenset({"LoraLoader", "LoraLoaderModelOnly"})
"""Node classes that this program puts into graphs itself."""


class Recipes:
    """Looks at stored recipes; *http* says that graphs are held to the listed node classes."""

    def __init__(
        self, *, library: WorkflowLibrary, styles: Mapping[str, Style], settings: Settings, http: bool
    ) -> None:
        self._library = library
        self._styles = styles
        self._settings = settings
        self._http = http

    def template(self, original: Generation) -> Workflow | None:
        """Return the workflow that still makes the stored graph from the recorded values, if there is one."""
        job = original.job
        try:
            template = self._workflow(job)
            built = build_graph(
                job.model_copy(update={"verbatim": False, "graph": None}), template, shipped_catalogue()
            )
        except (BadRequest, BadWorkflow):
            return None
        return template if graph_sha256(built) == graph_sha256(original.graph) else None

    def check_allowed(self, graph: Graph, job: Job) -> None:
        """Hold *graph* to the listed node classes, but for those of the known workflow that *job* is of."""
        try:
            own = self._library.load(job.workflow, allow_paths=False).graph
        except (BadRequest, BadWorkflow):
            own = {}
        trusted = _OWN_CLASSES | {node["class_type"] for node in own.values()} if own else frozenset[str]()
        foreign = {at: node for at, node in graph.items() if node["class_type"] not in trusted}
        check_allowed(foreign, self._settings, http=self._http)

    def prompt(self, original: Generation, new: str | None) -> tuple[str, tuple[str, ...]]:
        """Return the prompt to use, a *new* one in the style of the original; and notes on that."""
        if new is None:
            return original.prompt, ()
        if original.style is None:
            return new, ()
        style = self._styles.get(original.style)
        if style is None:
            return new, (f"Style {original.style!r} is no longer known: the new prompt stands as it is.",)
        return apply_style(style, new)[0], ()

    def _workflow(self, job: Job) -> Workflow:
        if job.graph is not None and not job.verbatim:
            return custom_workflow(job.graph)
        return self._library.load(job.workflow, allow_paths=False)
