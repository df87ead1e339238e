"""From the arguments of run_workflow to a request: whose graph it is, what each parameter is for."""

from collections.abc import Mapping
from functools import partial

from pydantic import Field

from comfygen_mcp.config import Settings
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.catalogue import Catalogue, InputSpec
from comfygen_mcp.graph.declared import declared_input
from comfygen_mcp.graph.files import folder_of
from comfygen_mcp.graph.library import Workflow, WorkflowLibrary
from comfygen_mcp.graph.overrides import input_at, placed, with_overrides
from comfygen_mcp.graph.parameter_values import checked_value, unknown_parameter
from comfygen_mcp.graph.parameters import Parameter, parameters
from comfygen_mcp.graph.shown import bare, listed
from comfygen_mcp.graph.template import placeholders
from comfygen_mcp.models import Graph, JsonValue, LoraUse, Record
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.names import nearest_names
from comfygen_mcp.services.node_policy import check_allowed
from comfygen_mcp.services.request_values import by_placeholder
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
    owner: str | None = None


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
        params = by_placeholder(call.params, workflow.graph)
        if call.name is None:
            check_allowed(workflow.graph, self._settings, http=http)
            await self._graphs.check(workflow.graph)
        else:
            check_allowed(_chosen_classes(workflow, params), self._settings, http=http)
        judge = partial(sorted_values, params, workflow)
        pictures, values = await self._graphs.judged(workflow.graph, judge)
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
            owner=call.owner,
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
            return await self._graphs.of_picture(call.from_image, any_path=any_path, visible_to=call.owner)
        return self._library.load(call.name or "", allow_paths=any_path, files_first=any_path)


def sorted_values(
    params: Mapping[str, JsonValue], workflow: Workflow, catalogue: Catalogue
) -> tuple[dict[str, str], dict[str, JsonValue]]:
    """Return the references to pictures and the other values among *params*, each by name.

    Raises BadRequest for a name that *workflow* does not have, and for a value that does not fit.
    """
    known = {parameter.name: parameter for parameter in parameters(workflow, catalogue)}
    named = placeholders(workflow.graph)
    pictures: dict[str, str] = {}
    values: dict[str, JsonValue] = {}
    inputs: dict[str, JsonValue] = {}
    for name, value in params.items():
        parameter = known.get(name)
        if parameter is None and input_at(name, workflow.graph) is None:
            raise unknown_parameter(name, known, workflow.name)
        fitting = value
        if parameter is not None and not isinstance(value, list | dict):
            if parameter.picture and _is_reference(value, parameter, workflow.graph, catalogue):
                pictures[name] = str(value)
                continue
            _check_media(parameter, value, workflow.graph, catalogue)
            fitting = checked_value(parameter, value)
        (values if name in named else inputs)[name] = fitting
    return pictures, {**values, **_fitting(inputs, workflow.graph, catalogue)}


def _fitting(values: Mapping[str, JsonValue], graph: Graph, catalogue: Catalogue) -> dict[str, JsonValue]:
    """Return *values* as their inputs take them; raises BadRequest for one that does not fit.

    Names of model files are left to the server, which tells where a missing one comes from.
    """
    places = {address: place for address in values if (place := input_at(address, graph))}
    files = {at for at, (node, name) in places.items() if folder_of(graph[node]["class_type"], name)}
    checked = {at: value for at, value in values.items() if at not in files or not isinstance(value, str)}
    left = {at: value for at, value in values.items() if at not in checked}
    changed = placed(with_overrides(graph, checked, catalogue), left)
    return {at: changed[node]["inputs"][name] for at, (node, name) in places.items()}


def _is_reference(value: JsonValue, parameter: Parameter, graph: Graph, catalogue: Catalogue) -> bool:
    """Tell whether *value* names a picture of the caller's, and not a file that the server has already."""
    if not isinstance(value, str) or value.endswith(_SERVER_FILE_MARKS):
        return False
    specs = _declared(parameter, graph, catalogue)
    return not any(value in (wanted.options or ()) for wanted in specs)


def _check_media(parameter: Parameter, value: JsonValue, graph: Graph, catalogue: Catalogue) -> None:
    """Refuse a video or a sound that the server does not have: only pictures are sent along."""
    if parameter.media is None or str(value).endswith(_SERVER_FILE_MARKS):
        return
    lists = [wanted.options for wanted in _declared(parameter, graph, catalogue) if wanted.complete]
    if not lists or any(value in (options or ()) for options in lists):
        return
    there = [str(option) for options in lists for option in options or ()]
    near = nearest_names(str(value), there) or there
    raise BadRequest(
        f"{bare(parameter.name)}={str(value)[:80]!r}: only pictures are sent to the server from here. Copy "
        f"the {parameter.media} into ComfyUI's input folder and give its name, or 'folder/name [input]'. "
        f"It has: {listed(near, 5) or 'none so far'}."
    )


def _declared(parameter: Parameter, graph: Graph, catalogue: Catalogue) -> list[InputSpec]:
    """Return what the classes say of the inputs that *parameter* fills."""
    places = (input_at(address, graph) for address in parameter.places or (parameter.name,))
    specs = (declared_input(graph[place[0]], place[1], catalogue) for place in places if place)
    return [spec for spec in specs if spec is not None]


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
