"""From the arguments of run_workflow to a request: whose graph it is, what each parameter is for."""

from collections.abc import Mapping

from pydantic import Field

from comfygen_mcp.config import Settings
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.catalogue import Catalogue
from comfygen_mcp.graph.library import Workflow, WorkflowLibrary
from comfygen_mcp.graph.parameter_values import checked_value, unknown_parameter
from comfygen_mcp.graph.parameters import Parameter, parameters
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import Graph, JsonValue, LoraUse, Record
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.node_policy import check_allowed
from comfygen_mcp.services.workflow_graphs import CallersGraphs

_IMAGES = ("image", "image2", "image3")
_SERVER_FILE_MARKS = (" [input]", " [output]", " [temp]")
"""How ComfyUI marks a file in one of its own folders."""


class WorkflowCall(Record):
    """What is to be run: a workflow by *name*, a *graph* of the caller's, or the one that an image carries.

    *params* are placeholders, or single inputs as `node.input`.
    """

    name: str | None = None
    graph: dict[str, JsonValue] | None = None
    from_image: str | None = None
    params: dict[str, JsonValue] = Field(default_factory=dict)
    loras: tuple[LoraUse, ...] = ()
    caller: str | None = None


class WorkflowRequests:
    """Turns calls into requests; what a caller brings along is checked against the host first."""

    def __init__(self, *, library: WorkflowLibrary, graphs: CallersGraphs, settings: Settings) -> None:
        self._library = library
        self._graphs = graphs
        self._settings = settings

    async def request_of(
        self, call: WorkflowCall, *, http: bool = False, any_path: bool = False
    ) -> GenerateRequest:
        """Return the request of *call*; *any_path* lets names and pictures be files of this machine.

        Raises BadRequest, UnknownName or BadWorkflow.
        """
        workflow = await self._workflow(call, any_path=any_path)
        if call.name is None:
            check_allowed(workflow.graph, self._settings, http=http)
            await self._graphs.check(workflow.graph)
        else:
            check_allowed(_chosen_classes(workflow, call.params), self._settings, http=http)
        catalogue = await self._graphs.known(workflow.graph)
        pictures, values = sorted_values(call.params, workflow, catalogue)
        images = tuple(pictures.pop(name) for name in _leading(_IMAGES, pictures))
        own = call.name is None
        return GenerateRequest(
            workflow=None if own else call.name,
            graph=workflow.graph if own else None,
            images=images,
            mask=pictures.pop("mask", None) if images else None,
            uploads=pictures,
            values={**_defaults(workflow), **values} if own else values,
            loras=call.loras,
            caller=call.caller,
        )

    async def _workflow(self, call: WorkflowCall, *, any_path: bool) -> Workflow:
        if sum(part is not None for part in (call.name, call.graph, call.from_image)) != 1:
            raise BadRequest(
                "Give exactly one of name (from list_workflows), graph (API or editor JSON) and from_image "
                "(a picture that carries its graph)."
            )
        if call.graph is not None:
            return await self._graphs.read(call.graph)
        if call.from_image is not None:
            return await self._graphs.of_picture(call.from_image, any_path=any_path)
        return self._library.load(call.name or "", allow_paths=any_path, files_first=any_path)


def sorted_values(
    params: Mapping[str, JsonValue], workflow: Workflow, catalogue: Catalogue
) -> tuple[dict[str, str], dict[str, JsonValue]]:
    """Return the references to pictures and the other values among *params*, each by name.

    Raises BadRequest for a name that *workflow* does not have, and for a value of a wrong type.
    """
    known = {parameter.name: parameter for parameter in parameters(workflow, catalogue)}
    pictures: dict[str, str] = {}
    values: dict[str, JsonValue] = {}
    for name, value in params.items():
        parameter = known.get(name)
        if parameter is None and not _is_input(name, workflow.graph):
            raise unknown_parameter(name, known, workflow.name)
        if parameter is None or isinstance(value, list | dict):
            values[name] = value
        elif parameter.picture and _is_reference(value, parameter, workflow.graph, catalogue):
            pictures[name] = str(value)
        else:
            values[name] = checked_value(parameter, value)
    return pictures, values


def _is_input(name: str, graph: Graph) -> bool:
    """Tell whether *name* addresses an input of an existing node; which inputs it has is seen later."""
    node, dot, below = name.partition(".")
    return bool(dot and below) and node in graph


def _is_reference(value: JsonValue, parameter: Parameter, graph: Graph, catalogue: Catalogue) -> bool:
    """Tell whether *value* names a picture of the caller's, and not a file that the server has already."""
    if not isinstance(value, str) or value.endswith(_SERVER_FILE_MARKS):
        return False
    for place in parameter.places or (parameter.name,):
        node, _, name = place.partition(".")
        spec = catalogue.get(graph[node]["class_type"])
        wanted = spec.inputs.get(name) if spec else None
        if wanted and value in (wanted.options or ()):
            return False
    return True


def _leading(names: tuple[str, ...], given: Mapping[str, str]) -> tuple[str, ...]:
    """Return the first of *names* that are given without a gap: a list of images has none."""
    count = next((at for at, name in enumerate(names) if name not in given), len(names))
    return names[:count]


def _chosen_classes(workflow: Workflow, params: Mapping[str, JsonValue]) -> Graph:
    """Return nodes of the classes that *params* put into placeholders: those are the caller's choice."""
    return {
        f"{place.node}.{name}": {"class_type": str(params[name]), "inputs": {}}
        for name, places in placeholders(workflow.graph).items()
        if name in params
        for place in places
        if place.input == "class_type"
    }


def _defaults(workflow: Workflow) -> dict[str, JsonValue]:
    """Return what a caller's own template says about its placeholders, which has no file to be found in."""
    wanted = placeholders(workflow.graph)
    return {name: value for name, value in workflow.metadata.defaults.items() if name in wanted}
