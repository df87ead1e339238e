"""The outputs that a history lists: files of any kind, and texts."""

from collections.abc import Iterator
from typing import Any, TypeAlias

from comfygen_mcp.comfyui.shapes import items, mapping, strings, text
from comfygen_mcp.models import JsonValue, MediaType, Record

FILE_KINDS: dict[str, tuple[MediaType, str]] = {
    "png": ("image", "image/png"),
    "jpg": ("image", "image/jpeg"),
    "jpeg": ("image", "image/jpeg"),
    "webp": ("image", "image/webp"),
    "gif": ("image", "image/gif"),
    "avif": ("image", "image/avif"),
    "bmp": ("image", "image/bmp"),
    "tif": ("image", "image/tiff"),
    "tiff": ("image", "image/tiff"),
    "exr": ("image", "image/x-exr"),
    "svg": ("image", "image/svg+xml"),
    "mp4": ("video", "video/mp4"),
    "m4v": ("video", "video/x-m4v"),
    "webm": ("video", "video/webm"),
    "mkv": ("video", "video/x-matroska"),
    "mov": ("video", "video/quicktime"),
    "avi": ("video", "video/x-msvideo"),
    "flac": ("audio", "audio/flac"),
    "mp3": ("audio", "audio/mpeg"),
    "opus": ("audio", "audio/opus"),
    "ogg": ("audio", "audio/ogg"),
    "wav": ("audio", "audio/wav"),
    "m4a": ("audio", "audio/mp4"),
    "aac": ("audio", "audio/aac"),
    "txt": ("text", "text/plain"),
    "md": ("text", "text/markdown"),
    "json": ("text", "application/json"),
    "csv": ("text", "text/csv"),
}
"""Extension → media kind and MIME type; ComfyUI lists an mp4 under "images", so its keys decide nothing."""


class RemoteFile(Record):
    """One file on the server, as `/view` wants it named."""

    node_id: str
    filename: str
    subfolder: str = ""
    type: str = "output"

    @property
    def media(self) -> MediaType:
        return file_kind(self.filename)[0]

    @property
    def mime(self) -> str:
        return file_kind(self.filename)[1]


class RemoteText(Record):
    """One text output, which has no file on the server."""

    node_id: str
    text: str


Remote: TypeAlias = RemoteFile | RemoteText


def list_outputs(outputs: dict[str, JsonValue]) -> list[Remote]:
    """List the outputs of all nodes, each once; previews only where nothing was saved."""
    files = list(dict.fromkeys(file for node, output in outputs.items() for file in _files(node, output)))
    saved = [file for file in files if file.type == "output"] or [f for f in files if f.type == "temp"]
    texts = [entry for node, output in outputs.items() for entry in _texts(node, output)]
    return [*_named_once(saved), *texts]


def file_kind(filename: str) -> tuple[MediaType, str]:
    """Return media kind and MIME type by the extension of *filename*."""
    return FILE_KINDS.get(filename.rpartition(".")[2].lower(), ("other", "application/octet-stream"))


def _files(node_id: str, output: Any) -> Iterator[RemoteFile]:
    for entry in (mapping(entry) for entries in mapping(output).values() for entry in items(entries)):
        if filename := text(entry.get("filename")):
            yield RemoteFile(
                node_id=node_id,
                filename=filename,
                subfolder=text(entry.get("subfolder")) or "",
                type=text(entry.get("type")) or "output",
            )


def _texts(node_id: str, output: Any) -> list[RemoteText]:
    """List the texts of a node; one that saves its text as a file shows it here a second time."""
    if any(file.media == "text" for file in _files(node_id, output)):
        return []
    return [RemoteText(node_id=node_id, text=value) for value in strings(mapping(output).get("text"))]


def _named_once(files: list[RemoteFile]) -> list[RemoteFile]:
    """Two equal save nodes share one cache entry, and with it one file."""
    by_name = {(file.type, file.subfolder, file.filename): file for file in reversed(files)}
    return [file for file in files if by_name[file.type, file.subfolder, file.filename] is file]
