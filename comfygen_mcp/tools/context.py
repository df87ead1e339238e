"""What tools receive besides their arguments: the app, and who is calling; both invisible to the model."""

from collections.abc import Awaitable, Callable
from typing import Annotated, cast

from mcp.server.mcpserver import Context, Resolve

from comfygen_mcp.app import App

OpenApp = Callable[[Context], Awaitable[App]]
"""The server's lifespan value: opens the app when the first tool needs it, then returns the same one,
as the caller of this request is to see it."""


async def the_app(ctx: Context) -> App:
    open_app = cast("OpenApp", ctx.request_context.lifespan_context)
    return await open_app(ctx)


async def the_caller(ctx: Context) -> str | None:
    """Return the name that the client gave itself, for the record."""
    params = ctx.session.client_params
    return params.client_info.name if params is not None else None


TheApp = Annotated[App, Resolve(the_app)]
TheCaller = Annotated[str | None, Resolve(the_caller)]
