"""The gallery as an MCP App: a page that hosts show beside results; other clients see nothing of it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from mcp.server.apps import APP_MIME_TYPE, Apps, ResourceCsp, client_supports_apps
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.resources import FunctionResource

from comfygen_mcp import __version__

if TYPE_CHECKING:
    from comfygen_mcp.tools import ToolEntry

URI = f"ui://comfygen/gallery-{__version__}.html"
"""With the version in it: hosts keep what they once read."""
SHOWN_BY_PAGE = frozenset(
    {
        *("generate_image", "edit_image", "upscale_image", "generate_video", "run_workflow"),
        *("compare_models", "search_gallery", "get_job", "get_generation", "regenerate"),
    }
)
"""Tools whose results are pictures."""
ONLY_FOR_PAGE = frozenset({"gallery_picture", "gallery_cards", "gallery_recipe", "gallery_job"})
"""Tools that the page calls, and no model."""
CSP = ResourceCsp(connect_domains=[], resource_domains=["blob:"], frame_domains=[], base_uri_domains=[])
"""Nothing from any network; `blob:` is what a video is played from, where the host grants it."""


def app_extension() -> Apps:
    """Return the SDK's extension with our one page, which is read when the first host asks for it."""
    apps = Apps()
    apps.add_resource(
        FunctionResource(
            uri=URI,
            name=_NAME,
            title=_TITLE,
            description=_DESCRIPTION,
            mime_type=APP_MIME_TYPE,
            meta=_META,
            fn=_page,
        )
    )
    return apps


def _page() -> str:
    from comfygen_mcp.server.page import document

    return document("app").html


def app_only_tools() -> "tuple[ToolEntry, ...]":
    """Return the tools that only the page calls."""
    from mcp.types import ToolAnnotations

    from comfygen_mcp.tools import ToolEntry
    from comfygen_mcp.tools.app_only import gallery_cards, gallery_job, gallery_picture, gallery_recipe

    reading = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    functions: tuple[Callable[..., Any], ...] = (gallery_picture, gallery_cards, gallery_recipe, gallery_job)
    return tuple(ToolEntry(function, "For the gallery page", reading) for function in functions)


async def for_hosts_only(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: tools are bound to the page for clients that can show it; the others do not hear of it."""
    result = await call_next(ctx)
    if ctx.method not in {"tools/list", "resources/list"} or not isinstance(result, Mapping):
        return result
    listed = dict(cast("Mapping[str, Any]", result))
    hosts = client_supports_apps(ctx)
    if ctx.method == "tools/list":
        listed["tools"] = [tool for entry in listed["tools"] if (tool := _tool(entry, hosts=hosts))]
    else:
        first = hosts and not (ctx.params or {}).get("cursor")
        others = [found for found in listed["resources"] if not _is_page(found)]
        listed["resources"] = [_LISTED, *others] if first else others
    return listed


def _tool(tool: dict[str, Any], *, hosts: bool) -> dict[str, Any] | None:
    name = tool["name"]
    if name in ONLY_FOR_PAGE:
        ui = {"resourceUri": URI, "visibility": ["app"]}
        return {**tool, "_meta": {**tool.get("_meta", {}), "ui": ui}} if hosts else None
    if name in SHOWN_BY_PAGE and hosts:
        return {**tool, "_meta": {**tool.get("_meta", {}), "ui": {"resourceUri": URI}}}
    return tool


def _is_page(resource: dict[str, Any]) -> bool:
    return str(resource["uri"]).startswith("ui://")


_NAME, _TITLE = "gallery", "Gallery"
_DESCRIPTION = "Shows pictures, comparisons and running jobs"
_META: dict[str, Any] = {
    "ui": {"csp": CSP.model_dump(by_alias=True, exclude_none=True), "prefersBorder": False}
}
_LISTED: dict[str, Any] = {
    "uri": URI,
    "name": _NAME,
    "title": _TITLE,
    "description": _DESCRIPTION,
    "mimeType": APP_MIME_TYPE,
    "_meta": _META,
}
"""The page in a listing of resources, whose pages hold stored files."""
