"""How a route reaches the engine."""

from starlette.requests import HTTPConnection

from comfygen_mcp.engine.core import Engine


def engine_of(connection: HTTPConnection) -> Engine:
    engine: Engine = connection.app.state.engine
    return engine


def listing_of(engine: Engine, folder: str) -> list[str]:
    """Return what a combo of *folder* offers; `input` is the folder of uploads."""
    return engine.folders.input_names() if folder == "input" else engine.models.names(folder)
