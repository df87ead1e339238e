"""Runs one prompt, node by node, in the worker's thread."""

from threading import Event
from typing import Any

from comfygen_mcp.engine.events import Interrupted, RunEvents
from comfygen_mcp.engine.film import whole
from comfygen_mcp.engine.folders import Folders
from comfygen_mcp.engine.json_shapes import as_dict, link_of
from comfygen_mcp.engine.node_cache import Entry, NodeCache
from comfygen_mcp.engine.nodes.spec import Node
from comfygen_mcp.engine.prompt_queue import QueueItem
from comfygen_mcp.engine.schedule import Schedule
from comfygen_mcp.engine.task import NodeFailure, Shown, Task


class Executor:
    def __init__(self, nodes: dict[str, Node], folders: Folders, *, step_s: float) -> None:
        self._nodes = nodes
        self._folders = folders
        self._step_s = step_s
        self.cache = NodeCache()
        self.interrupt = Event()
        self._closing = False

    def close(self) -> None:
        """Stop what is running, and let nothing run any more."""
        self._closing = True
        self.interrupt.set()

    def run(self, item: QueueItem, events: RunEvents, *, previews: bool) -> dict[str, Any]:
        """Run the prompt to its end, whichever it is, and return its entry of the history."""
        self.interrupt.clear()
        if self._closing:
            self.interrupt.set()
        events.milestone("execution_start", {})
        run = _Run(self, item, events, previews=previews)
        completed = run.to_the_end()
        events.last_node = None
        return {
            "outputs": run.shown,
            "status": {
                "status_str": "success" if completed else "error",
                "completed": completed,
                "messages": events.kept,
            },
            "meta": {node_id: _meta(node_id) for node_id in run.shown},
        }

    def check_interrupt(self) -> None:
        if self.interrupt.is_set():
            raise Interrupted

    def node_of(self, graph: dict[str, Any], node_id: str) -> Node:
        return self._nodes[graph[node_id]["class_type"]]

    def task(self, item: QueueItem, node_id: str, events: RunEvents, *, previews: bool) -> Task:
        return Task(
            node_id=node_id,
            graph=item.graph,
            extra_pnginfo=item.extra_data.get("extra_pnginfo") or {},
            folders=self._folders,
            events=events,
            interrupt=self.interrupt,
            step_s=self._step_s,
            wants_previews=previews,
        )

    def stamp_changes(self, graph: dict[str, Any]) -> None:
        """Write what a node depends on besides its inputs (a file's content) into the graph."""
        for node in graph.values():
            changed = self._nodes[node["class_type"]].changed
            if changed is not None:
                node["is_changed"] = [changed(self._folders, as_dict(node.get("inputs")) or {})]


class _Run:
    """The state of one prompt while it runs."""

    def __init__(self, executor: Executor, item: QueueItem, events: RunEvents, *, previews: bool) -> None:
        self._executor = executor
        self._cache = executor.cache
        self._item = item
        self._graph = item.graph
        self._events = events
        self._previews = previews
        self._executed: list[str] = []
        self.shown: dict[str, dict[str, Any]] = {}

    def to_the_end(self) -> bool:
        self._executor.stamp_changes(self._graph)
        self._cache.begin(self._graph)
        cached = [node_id for node_id in self._graph if self._cache.get(node_id)]
        self._events.milestone("execution_cached", {"nodes": cached})
        schedule = Schedule(
            self._graph,
            lambda node_id: self._cache.get(node_id) is not None,
            lambda node_id: self._executor.node_of(self._graph, node_id).output_node,
        )
        for output in self._item.outputs:
            schedule.add(output)
        while (node_id := schedule.next()) is not None:
            if not self._completes(node_id):
                return False
            schedule.finish(node_id)
        self._events.milestone("execution_success", {})
        return True

    def _completes(self, node_id: str) -> bool:
        if (entry := self._cache.get(node_id)) is not None:
            self._show(node_id, entry)
            self._events.executed(node_id, entry.ui)
            self._events.finish_node(node_id)
            return True
        self._events.start_node(node_id)
        inputs: dict[str, Any] = {}
        try:
            inputs = self._inputs(node_id)
            self._execute(node_id, inputs)
        except Interrupted:
            self._report("execution_interrupted", node_id, {}, broadcast=True)
            return False
        except Exception as error:  # noqa: BLE001 - whatever a node raises fails its prompt, not the worker
            self._report("execution_error", node_id, self._failure(error, inputs))
            return False
        return True

    def _execute(self, node_id: str, inputs: dict[str, Any]) -> None:
        task = self._executor.task(self._item, node_id, self._events, previews=self._previews)
        task.check_interrupt()
        result = self._executor.node_of(self._graph, node_id).run(task, **inputs)
        entry = Entry(result.values, result.ui) if isinstance(result, Shown) else Entry(result, None)
        self._cache.set(node_id, entry)
        self._show(node_id, entry)
        if entry.ui is not None:
            self._events.executed(node_id, entry.ui)
        self._executed.append(node_id)
        self._events.finish_node(node_id)

    def _inputs(self, node_id: str) -> dict[str, Any]:
        """Return the values of the declared inputs; extra ones are ignored."""
        given: dict[str, Any] = self._graph[node_id]["inputs"]
        node = self._executor.node_of(self._graph, node_id)
        values = {name: self._value(given[name]) for name in node.declared(given) if name in given}
        check = self._executor.check_interrupt
        return {name: v if name in node.streamed else whole(v, check) for name, v in values.items()}

    def _value(self, value: Any) -> Any:
        link = link_of(value)
        if link is None:
            return value
        entry = self._cache.get(link[0])
        if entry is None:
            raise NodeFailure(f"Node {link[0]!r} gave no result to link to.")
        return entry.values[link[1]]

    def _show(self, node_id: str, entry: Entry) -> None:
        if entry.ui is not None:
            self.shown[node_id] = entry.ui

    def _failure(self, error: Exception, inputs: dict[str, Any]) -> dict[str, Any]:
        return {
            "exception_message": f"{_message(error)}\n",
            "exception_type": error.kind if isinstance(error, NodeFailure) else type(error).__name__,
            "traceback": [],
            "current_inputs": {name: [_printable(value)] for name, value in inputs.items()},
            "current_outputs": list(self._graph),
        }

    def _report(self, kind: str, node_id: str, details: dict[str, Any], *, broadcast: bool = False) -> None:
        class_type = self._graph[node_id]["class_type"]
        about = {"node_id": node_id, "node_type": class_type, "executed": self._executed, **details}
        self._events.milestone(kind, about, broadcast=broadcast)


def _message(error: Exception) -> str:
    # The text of an OSError names a path of this machine.
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


def _printable(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else f"<{type(value).__name__}>"


def _meta(node_id: str) -> dict[str, Any]:
    return {"node_id": node_id, "display_node": node_id, "parent_node": None, "real_node_id": node_id}
