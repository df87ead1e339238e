"""ComfyUI's validation of a graph: the same walk, the same errors, blamed on the same nodes."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from comfygen_mcp.engine.descent import Visit, descend
from comfygen_mcp.engine.folders import Folders
from comfygen_mcp.engine.input_checks import checked_value, error, links_fit
from comfygen_mcp.engine.json_shapes import as_list
from comfygen_mcp.engine.nodes.spec import Input, Listing, Node
from comfygen_mcp.engine.options import Dialect
from comfygen_mcp.engine.replies import MALFORMED

_Judged: TypeAlias = tuple[bool, list[dict[str, Any]]]
"""Whether a node and all upstream of it is valid, and the errors of the node itself."""


@dataclass
class Verdict:
    """Either *error* is None and *outputs* are to be run, or nothing is. *node_errors* may come with both."""

    error: dict[str, Any] | None
    outputs: list[str] = field(default_factory=list[str])
    node_errors: dict[str, Any] = field(default_factory=dict[str, Any])


class Validation:
    """Validates one graph, and writes coerced values into it."""

    def __init__(
        self, graph: dict[str, Any], nodes: dict[str, Node], *, listing: Listing, folders: Folders
    ) -> None:
        self._graph = graph
        self._nodes = nodes
        self._listing = listing
        self._folders = folders
        self._results: dict[str, _Judged] = {}
        self._visiting: list[str] = []

    def verdict(self, dialect: Dialect, targets: list[str] | None = None) -> Verdict:
        if missing := self._missing_type(dialect):
            return Verdict(missing)
        outputs = [
            node_id
            for node_id, node in self._graph.items()
            if self._nodes[node["class_type"]].output_node and (targets is None or node_id in targets)
        ]
        if not outputs:
            return Verdict(error("prompt_no_outputs", "Prompt has no outputs", "", {}))
        return self._of_outputs(outputs)

    def _missing_type(self, dialect: Dialect) -> dict[str, Any] | None:
        for node_id, node in self._graph.items():
            if "class_type" not in node:
                return _no_class_type(node_id, node, dialect)
            if node["class_type"] not in self._nodes:
                return _unknown_class_type(node_id, node, dialect)
        return None

    def _of_outputs(self, outputs: list[str]) -> Verdict:
        good: list[str] = []
        failed: list[dict[str, Any]] = []
        node_errors: dict[str, Any] = {}
        for output in outputs:
            valid, reasons = self._of_output(output)
            if valid:
                good.append(output)
                continue
            failed.extend(reasons)
            self._collect(node_errors, output)
        if good:
            return Verdict(None, good, node_errors)
        details = "\n".join(f"{reason['message']}: {reason['details']}" for reason in failed)
        message = "Prompt outputs failed validation"
        return Verdict(error("prompt_outputs_failed_validation", message, details, {}), [], node_errors)

    def _of_output(self, output: str) -> _Judged:
        try:
            return descend(output, self._of_node, passed_on=MALFORMED)
        except MALFORMED as exception:
            extra: dict[str, Any] = {"exception_type": type(exception).__name__, "traceback": []}
            message = "Exception when validating node"
            reasons = [error("exception_during_validation", message, str(exception), extra)]
            self._results[output] = (False, reasons)
            return self._results[output]

    def _collect(self, node_errors: dict[str, Any], output: str) -> None:
        """Add what is known so far; like in ComfyUI, earlier errors get this output as a dependent too."""
        for node_id, (valid, reasons) in self._results.items():
            if valid or not reasons:
                continue
            class_type = self._graph[node_id]["class_type"]
            entry = {"errors": reasons, "dependent_outputs": [], "class_type": class_type}
            node_errors.setdefault(node_id, entry)["dependent_outputs"].append(output)

    def _of_node(self, node_id: str) -> Visit[str, _Judged]:
        if node_id in self._results:
            return self._results[node_id]
        if node_id in self._visiting:
            return self._cycle(node_id)
        given: dict[str, Any] = self._graph[node_id]["inputs"]
        node = self._nodes[self._graph[node_id]["class_type"]]
        self._visiting.append(node_id)
        try:
            declared = node.declared(given)
            checks: list[dict[str, Any] | bool] = []
            for name, spec in declared.items():
                checks.append((yield from self._of_input(spec, given, name, node.custom_input)))
        finally:
            self._visiting.pop()
        errors = [found for found in checks if isinstance(found, dict)]
        errors.extend(self._of_custom_rule(node, given))
        # A cycle found on the way has already passed its sentence on this node.
        return self._results.setdefault(node_id, (not errors and all(checks), errors))

    def _of_input(
        self, spec: Input, given: dict[str, Any], name: str, custom: str | None
    ) -> Generator[str, _Judged, dict[str, Any] | bool]:
        """Return the error of one input, or whether everything upstream of it is valid."""
        if name not in given:
            missing = error("required_input_missing", "Required input is missing", name, {"input_name": name})
            return True if spec.optional else missing
        value = given[name]
        link = as_list(value)
        if link is not None:
            return (yield from self._of_link(spec, name, link))
        return checked_value(spec, name, given, self._listing, custom=name == custom)

    def _of_link(
        self, spec: Input, name: str, link: list[Any]
    ) -> Generator[str, _Judged, dict[str, Any] | bool]:
        config = spec.wire(self._listing)
        about = {"input_name": name, "input_config": config}
        if len(link) != 2:
            message = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            return error("bad_linked_input", message, name, {**about, "received_value": link})
        source: str = self._graph[link[0]]["class_type"]
        slot: int = link[1]
        received = self._nodes[source].outputs[slot].type
        wanted = config[0]
        if not links_fit(received, wanted):
            details = f"{name}, received_type({received}) mismatch input_type({wanted})"
            extra = {**about, "received_type": received, "linked_node": link}
            message = "Return type mismatch between linked nodes"
            return error("return_type_mismatch", message, details, extra)
        return (yield from self._upstream(link, about))

    def _upstream(self, link: list[Any], about: dict[str, Any]) -> Generator[str, _Judged, bool]:
        try:
            return (yield link[0])[0]
        except MALFORMED as exception:
            extra = {
                **about,
                "exception_message": str(exception),
                "exception_type": type(exception).__name__,
                "traceback": [],
                "linked_node": link,
            }
            message = "Exception when validating inner node"
            reason = error("exception_during_inner_validation", message, str(exception), extra)
            self._results[link[0]] = (False, [reason])
            return False

    def _cycle(self, node_id: str) -> _Judged:
        nodes = self._visiting[self._visiting.index(node_id) :]
        path = " -> ".join(f"{n} ({self._graph[n]['class_type']})" for n in [*nodes, node_id])
        for member in nodes:
            extra = {"node_id": member, "cycle_nodes": nodes}
            reason = error("dependency_cycle", "Dependency cycle detected", path, extra)
            self._results[member] = (False, [reason])
        return self._results[node_id]

    def _of_custom_rule(self, node: Node, given: dict[str, Any]) -> list[dict[str, Any]]:
        name = node.custom_input
        if name is None or name not in given or isinstance(given[name], list):
            return []
        if self._folders.input_image(str(given[name])) is not None:
            return []
        details = f"{name} - Invalid image file: {given[name]}"
        message = "Custom validation failed for node"
        return [error("custom_validation_failed", message, details, {"input_name": name})]


def _no_class_type(node_id: str, node: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    details = f"Node ID '#{node_id}'"
    if not dialect.names_missing_node_type:
        message = "Cannot execute because a node is missing the class_type property."
        return error("invalid_prompt", message, details, {})
    title = node.get("_meta", {}).get("title")
    message = (
        f"Node '{title or f'ID #{node_id}'}' has no class_type. "
        "The workflow may be corrupted or a custom node is missing."
    )
    extra = {"node_id": node_id, "class_type": None, "node_title": title}
    return error("missing_node_type", message, details, extra)


def _unknown_class_type(node_id: str, node: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    details = f"Node ID '#{node_id}'"
    class_type = node["class_type"]
    if not dialect.names_missing_node_type:
        message = f"Cannot execute because node {class_type} does not exist."
        return error("invalid_prompt", message, details, {})
    title = node.get("_meta", {}).get("title", class_type)
    message = f"Node '{title}' not found. The custom node may not be installed."
    extra = {"node_id": node_id, "class_type": class_type, "node_title": title}
    return error("missing_node_type", message, details, extra)
