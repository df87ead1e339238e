"""What keeps results small: graphs and their differences, cut to what a model can read."""

import json
from collections.abc import Sequence
from typing import Any, cast

from comfygen_mcp.graph.diff import Change
from comfygen_mcp.models import Graph, JsonValue

LONGEST_TEXT = 2_000
"""Characters of a text in a graph that is too large to be shown as it is."""
LARGEST_GRAPH = 100_000
"""Bytes of a graph in a result; a usual one has some thousand."""
LARGEST_CHANGES = 50_000


def bounded_graph(graph: Graph, *, largest: int = LARGEST_GRAPH) -> tuple[Graph | None, str]:
    """Return *graph*, with long texts shortened or left out where it is large, and what was done to it."""
    size = _size(graph)
    if size <= largest:
        return graph, ""
    short = cast("Graph", shortened_texts(graph))
    if _size(short) <= largest:
        return short, f"Texts of more than {LONGEST_TEXT:,} characters in the graph are shortened here."
    return None, f"The graph has {len(graph):,} nodes and {size:,} bytes: it is left out here."


def bounded_changes(changes: Sequence[Change], *, largest: int = LARGEST_CHANGES) -> list[Change]:
    """Return the first of *changes*, as many as a result has room for, with their texts shortened."""
    shown: list[Change] = []
    room = largest
    for change in changes:
        values = {"before": shortened_texts(change.before), "after": shortened_texts(change.after)}
        room -= _size(values) + 200
        if room < 0:
            break
        shown.append(change.model_copy(update=values))
    return shown


def shortened_texts(value: JsonValue) -> JsonValue:
    """Return *value* with every text in it cut to LONGEST_TEXT characters."""
    match value:
        case str() if len(value) > LONGEST_TEXT:
            return f"{value[:LONGEST_TEXT]}... ({len(value):,} characters in all)"
        case list():
            return [shortened_texts(item) for item in cast("list[Any]", value)]
        case dict():
            return {key: shortened_texts(item) for key, item in cast("dict[str, Any]", value).items()}
        case _:
            return value


def _size(value: JsonValue) -> int:
    return len(json.dumps(value))
