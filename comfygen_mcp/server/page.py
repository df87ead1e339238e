"""The gallery page as one document: its sources put together, everything inline, nothing fetched."""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

from comfygen_mcp import __version__

Place: TypeAlias = Literal["app", "site"]
"""Where the page stands: inside an MCP host, or in a browser at `/gallery`."""

STYLES = ("theme", "frame", "grid", "entry", "work")
SCRIPTS = (
    *("dom", "words", "icons", "queue", "pictures", "host", "tools_source", "http_source"),
    *("tiles", "keys", "fit", "recipe", "entry", "progress", "sheet", "results", "selection", "tile_pages"),
    *("app_page", "filters", "days", "site_entry", "sign_in", "site_page", "main"),
)
"""In this order: what a file uses stands before it."""

_ICON = (
    '<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns=\'http://www.w3.org/2000/svg\' '
    "viewBox='0 0 24 24' fill='none' stroke='%235b85f0' stroke-width='2.4'%3E"
    "%3Cpath d='M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h6v6h-6z'/%3E%3C/svg%3E\">\n"
)
_IMPORT = re.compile(r"^import [^;]*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Document:
    """A page, and the digests by which a Content-Security-Policy lets in exactly its own parts."""

    html: str
    script_digest: str
    style_digest: str


@cache
def document(place: Place) -> Document:
    """Return the page for *place*."""
    style = "\n".join(_source(f"{name}.css") for name in STYLES)
    script = "\n".join(_as_part(_source(f"{name}.js")) for name in SCRIPTS)
    icon = _ICON if place == "site" else ""
    values = {"place": place, "version": __version__, "icon": icon, "style": style, "script": script}
    html = re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], _source("page.html"))
    return Document(html, _digest(script), _digest(style))


def _as_part(module: str) -> str:
    """Return a module as a part of the one script: what it imports stands above it."""
    return _EXPORT.sub("", _IMPORT.sub("", module))


def _source(name: str) -> str:
    return (files("comfygen_mcp") / "web_app" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
