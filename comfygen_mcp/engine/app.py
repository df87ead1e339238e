"""The engine as an ASGI application."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from comfygen_mcp.engine.core import Engine
from comfygen_mcp.engine.guard import BodyLimit, OriginGuard
from comfygen_mcp.engine.options import EngineOptions
from comfygen_mcp.engine.replies import Trouble, not_found, trouble
from comfygen_mcp.engine.routes import routes

__all__ = ["EngineOptions", "create_app"]


def create_app(options: EngineOptions) -> Starlette:
    """Return the application; the engine is its `state.engine` and works while its lifespan lasts."""
    engine = Engine(options)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with engine.running():
            yield

    app = Starlette(
        routes=routes(options.dialect),
        lifespan=lifespan,
        middleware=[
            Middleware(engine.activity.counted),
            Middleware(OriginGuard, loopback_only=options.loopback_only),
            Middleware(BodyLimit),
        ],
        exception_handlers={404: _empty_404, 405: _empty_404, Trouble: _plain_500},
    )
    app.router.redirect_slashes = False
    app.state.engine = engine
    return app


async def _empty_404(_: Request, __: Exception) -> Response:
    return not_found()


async def _plain_500(_: Request, __: Exception) -> Response:
    return trouble()
