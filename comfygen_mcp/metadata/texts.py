"""The graph that a film or a sound carries, as ComfyUI and its node packs write it."""

import json
from pathlib import Path
from typing import Any, BinaryIO, cast

from comfygen_mcp.graph.carried import Carried
from comfygen_mcp.metadata import flac, webm
from comfygen_mcp.metadata.flac import texts_in_flac
from comfygen_mcp.metadata.mp4 import is_mp4, texts_in_mp4
from comfygen_mcp.metadata.webm import texts_in_webm
from comfygen_mcp.models import JsonValue


def graph_in_recording(path: Path) -> Carried | None:
    """Return what the film or sound *path* carries, None without a graph; raises ValueError when damaged."""
    with path.open("rb") as file:
        texts = _texts(file)
    # One widespread node pack puts both into a comment, as JSON inside JSON.
    texts |= {key: value for key, value in (_object(texts.get("comment")) or {}).items() if key not in texts}
    graph, editor = _object(texts.get("prompt")), _object(texts.get("workflow"))
    return Carried(graph=graph, editor=editor) if graph or editor else None


def _texts(file: BinaryIO) -> dict[str, Any]:
    beginning = file.read(16)
    if is_mp4(beginning):
        return {**texts_in_mp4(file)}
    if beginning.startswith(webm.SIGNATURE):
        return {**texts_in_webm(file)}
    return {**texts_in_flac(file)} if beginning.startswith(flac.SIGNATURE) else {}


def _object(value: JsonValue) -> dict[str, JsonValue] | None:
    """Return a JSON object, or the one that a text holds."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return cast("dict[str, JsonValue]", value) if isinstance(value, dict) else None
