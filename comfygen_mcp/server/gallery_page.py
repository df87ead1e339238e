"""`/gallery`: the gallery for people in a browser, a page without data, and the data it then asks for."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from comfygen_mcp.app import App
from comfygen_mcp.errors import BadConfiguration, BadRequest, ComfygenError, UnknownName
from comfygen_mcp.server.page import Document, document
from comfygen_mcp.server.privacy import Hide
from comfygen_mcp.server.refusal import refused
from comfygen_mcp.server.shared import SharedApp
from comfygen_mcp.services.gallery_search import Filters

PATH = "/gallery"
API = f"{PATH}/api/"
"""Answers only to the token; the page itself holds nothing that anybody might not see."""

_KEPT = "private, max-age=31536000, immutable"
"""A small picture never changes: stored files are never written twice."""
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True)
class GalleryPage:
    """The endpoints; *for_caller* turns the app into what the sender of these headers may see of it."""

    shared: SharedApp
    for_caller: Callable[[App, Mapping[str, str]], App]
    hide: Hide
    on_failure: Callable[[], None] = lambda: None

    def routes(self) -> dict[str, Callable[[Request], Awaitable[Response]]]:
        """Return the endpoints by path."""
        return {
            PATH: page,
            f"{PATH}/": without_slash,
            f"{API}cards": self._answering(cards),
            f"{API}facets": self._answering(all_facets),
            f"{API}recipes/{{generation_id}}": self._answering(one_recipe),
            f"{API}pictures/{{generation_id}}": self._answering(picture),
        }

    def _answering(
        self, answer: "Callable[[App, Request], Awaitable[Response]]"
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                app = self.for_caller(await self.shared(), request.headers)
                return await answer(app, request)
            except UnknownName as reason:
                return refused(404, self.hide(str(reason)), _SAFE)
            except BadRequest as reason:
                return refused(400, self.hide(str(reason)), _SAFE)
            except BadConfiguration:
                return refused(503, "The server is not ready. Its /ready page says why.", _SAFE)
            except ComfygenError as reason:
                self.on_failure()
                return refused(503, self.hide(str(reason)), _SAFE)

        return endpoint


async def page(_: Request) -> Response:
    """Return the page: one file that may run only its own script, and talk only to this server."""
    found = document("site")
    headers = {**_SAFE, "Cache-Control": "no-cache", "Content-Security-Policy": policy(found)}
    return HTMLResponse(found.html, headers=headers)


def policy(found: Document) -> str:
    """Return the Content-Security-Policy under which the page runs."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{found.script_digest}'",
            f"style-src '{found.style_digest}'",
            "connect-src 'self'",
            # Its own icon; pictures are painted on canvases from bytes, and need no permission.
            "img-src data:",
            "media-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )


async def without_slash(_: Request) -> Response:
    """Lead to the page's own address, from which its parts are named."""
    return RedirectResponse("../gallery", status_code=308)


async def cards(app: App, request: Request) -> Response:
    """Return a page of the search in the query."""
    from comfygen_mcp.tools.app_search import card_page

    query = request.query_params
    limit = whole_number(query, "limit", 60)
    found = await card_page(app, filters_in(query), limit=limit, cursor=query.get("cursor"))
    return _json(found.model_dump(mode="json"))


async def all_facets(app: App, _: Request) -> Response:
    """Return what can be filtered by."""
    from comfygen_mcp.tools.app_search import facets

    found = await facets(app)
    return _json({name: [count.model_dump() for count in counts] for name, counts in found.items()})


async def one_recipe(app: App, request: Request) -> Response:
    """Return all that made one file."""
    from comfygen_mcp.tools.app_search import recipe

    found = await recipe(app, request.path_params["generation_id"])
    return _json(found.model_dump(mode="json"))


async def picture(app: App, request: Request) -> Response:
    """Return a small picture of one file."""
    from comfygen_mcp.services.thumbnails import MIME, edge_for, tag_of
    from comfygen_mcp.tools.app_search import small

    entry = await app.gallery.entry(request.path_params["generation_id"], visible_to=app.owner)
    edge = edge_for(whole_number(request.query_params, "edge", 512))
    headers = {
        **_SAFE,
        "Cache-Control": _KEPT,
        "ETag": f'"{tag_of(entry, edge)[:32]}"',
        "Vary": "Authorization",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    data = await small(app, entry, edge)
    if data is None:
        return refused(404, f"There is no small picture of a file of type {entry.mime}.", _SAFE)
    return Response(data, media_type=MIME, headers=headers)


def filters_in(query: QueryParams) -> Filters:
    """Return what is searched for; raises BadRequest for a value of the wrong form."""
    names = set(Filters.model_fields) - {"tags"}
    unknown = sorted(set(query) - names - {"tag", "cursor", "limit"})
    if unknown:
        raise BadRequest(f"There is no filter {unknown[0][:60]!r}. Known: {', '.join(sorted(names))}, tag.")
    given = {name: query[name] for name in names if query.get(name)}
    try:
        return Filters.model_validate({**given, "tags": tuple(query.getlist("tag"))})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise BadRequest(
            f"{first['loc'][0]} cannot be {str(first['input'])[:60]!r}: {first['msg']}."
        ) from error


def whole_number(query: QueryParams, name: str, default: int) -> int:
    """Return a number of the query; raises BadRequest when it is none."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise BadRequest(f"{name}={text[:60]!r} is no whole number.")
    return int(text)


def _json(value: Any) -> Response:
    # Escaped to ASCII: stored text may hold halves of characters that have no UTF-8.
    data = json.dumps(value, separators=(",", ":"))
    return Response(data, media_type="application/json", headers={**_SAFE, "Cache-Control": "no-store"})
