"""The HTTP and WebSocket doors of the engine: every route also answers below /api."""

from starlette.routing import BaseRoute, Route, WebSocketRoute

from comfygen_mcp.engine.options import Dialect
from comfygen_mcp.engine.routes import (
    catalogue,
    files,
    history,
    jobs,
    model_metadata,
    prompts,
    queue,
    sockets,
    uploads,
)

PLAIN = (
    ("GET", "/prompt", prompts.get_prompt),
    ("POST", "/prompt", prompts.post_prompt),
    ("GET", "/queue", queue.get_queue),
    ("POST", "/queue", queue.post_queue),
    ("POST", "/interrupt", queue.post_interrupt),
    ("POST", "/free", queue.post_free),
    ("GET", "/history", history.get_history),
    ("POST", "/history", history.post_history),
    ("GET", "/history/{prompt_id}", history.get_entry),
    ("GET", "/view", files.get_view),
    ("GET", "/view_metadata/{folder}", model_metadata.get_view_metadata),
    ("POST", "/upload/image", uploads.post_image),
    ("GET", "/models", catalogue.get_folders),
    ("GET", "/models/{folder}", catalogue.get_models),
    ("GET", "/embeddings", catalogue.get_embeddings),
    ("GET", "/object_info", catalogue.get_object_info),
    ("GET", "/object_info/{class_type}", catalogue.get_object_info),
    ("GET", "/system_stats", catalogue.get_system_stats),
    ("GET", "/features", catalogue.get_features),
)
JOBS = (
    ("GET", "/api/jobs", jobs.get_jobs),
    ("POST", "/api/jobs/cancel", jobs.post_cancel_many),
    ("GET", "/api/jobs/{prompt_id}", jobs.get_job),
    ("POST", "/api/jobs/{prompt_id}/cancel", jobs.post_cancel),
)


def routes(dialect: Dialect) -> list[BaseRoute]:
    table = [*PLAIN, *(JOBS if dialect.has_jobs else ())]
    found: list[BaseRoute] = []
    for prefix in ("", "/api"):
        found.append(WebSocketRoute(f"{prefix}/ws", sockets.join))
        found.extend(Route(prefix + path, answer, methods=[method]) for method, path, answer in table)
    return found
