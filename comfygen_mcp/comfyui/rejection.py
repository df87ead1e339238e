"""Why ComfyUI refused a graph, read from every shape in which it says so."""

from collections.abc import Iterator, Mapping
from typing import Any

from comfygen_mcp.comfyui.shapes import choices, items, mapping, text
from comfygen_mcp.comfyui.wording import first_line
from comfygen_mcp.graph.files import folder_of
from comfygen_mcp.models import Graph, JsonValue, Record


class Problem(Record):
    """One complaint about one node; *config* is the input's declaration where the server sends it."""

    node_id: str
    class_type: str
    type: str
    message: str
    details: str
    title: str | None = None
    input_name: str | None = None
    value: JsonValue = None
    config: JsonValue = None

    @property
    def folder(self) -> str | None:
        """The model folder, when the complaint is that a model file is not there."""
        if self.type != "value_not_in_list" or self.input_name is None:
            return None
        return folder_of(self.class_type, self.input_name)

    @property
    def choices(self) -> tuple[JsonValue, ...]:
        """The valid values, where the reply lists them."""
        return choices(self.config)


class Rejection(Record):
    """A refused graph: one summary, and the problems of its nodes (none for some reasons)."""

    summary: str
    problems: tuple[Problem, ...] = ()


def read_rejection(status: int, body: JsonValue, graph: Graph) -> Rejection | None:
    """Return why `/prompt` refused *graph*; None when it accepted all of it.

    *body* is the reply's JSON, or its text. A 200 that names node errors has dropped outputs.
    """
    reply = mapping(body)
    problems = tuple(_problems(mapping(reply.get("node_errors")), graph))
    if status == 200 and not problems and not reply.get("error"):
        return None
    if not reply:
        return Rejection(summary=_plain_summary(status, body))
    return Rejection(summary=_summary(status, reply.get("error"), graph), problems=problems)


def _plain_summary(status: int, body: JsonValue) -> str:
    words = first_line(body) if isinstance(body, str) else ""
    if status == 413:
        return (
            f"the request is larger than the server takes ({words or 'HTTP 413'}): send less, or start "
            "ComfyUI with a larger --max-upload-size"
        )
    if status >= 500:
        return (
            f"the server failed inside while it looked at the graph (HTTP {status}: {words or 'no text'}). "
            "Its log says why: mostly a custom node that breaks, or more nodes in a row than it can follow. "
            "Update or remove that node, or send a smaller graph"
        )
    return f"the server could not read it (HTTP {status}: {words or 'no text'})"


def _summary(status: int, error: Any, graph: Graph) -> str:
    if not error:
        return "part of its outputs cannot run" if status == 200 else f"HTTP {status}"
    if isinstance(error, str):
        return first_line(error)
    said = mapping(error)
    message = first_line(text(said.get("message")) or text(said.get("type")) or "no reason given")
    details = first_line(text(said.get("details")) or "")
    words = f"{message} ({details})" if details and details != message else message
    return words.rstrip(".") + _advice(text(said.get("type")), message, graph)


def _advice(kind: str | None, message: str, graph: Graph) -> str:
    if kind == "missing_node_type" or (kind == "invalid_prompt" and "does not exist" in message):
        return ". Install the custom node on the server, update ComfyUI, or use another workflow"
    if kind == "prompt_no_outputs":
        return f". None of its {len(graph)} nodes saves or shows a result: add a SaveImage node"
    return ""


def _problems(node_errors: Mapping[str, Any], graph: Graph) -> Iterator[Problem]:
    for node_id, entry in node_errors.items():
        for error in items(mapping(entry).get("errors")):
            yield _problem(node_id, mapping(entry), mapping(error), graph)


def _problem(node_id: str, entry: Mapping[str, Any], error: Mapping[str, Any], graph: Graph) -> Problem:
    node = graph.get(node_id)
    extra = mapping(error.get("extra_info"))
    input_name = text(extra.get("input_name"))
    given = node["inputs"].get(input_name) if node and input_name else None
    return Problem(
        node_id=node_id,
        class_type=text(entry.get("class_type")) or (node["class_type"] if node else "unknown class"),
        title=text(mapping((node or {}).get("_meta")).get("title")),
        type=text(error.get("type")) or "unknown",
        message=first_line(text(error.get("message")) or "refused"),
        details=first_line(text(error.get("details")) or ""),
        input_name=input_name,
        value=extra.get("received_value", given),
        config=extra.get("input_config"),
    )
