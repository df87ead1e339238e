"""/api/jobs: one view of queue and history, and cancelling."""

import uuid
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from comfygen_mcp.engine.core import Engine
from comfygen_mcp.engine.job_views import STATUSES, all_jobs, summary
from comfygen_mcp.engine.json_shapes import as_dict, as_list
from comfygen_mcp.engine.replies import json_reply, read_json
from comfygen_mcp.engine.routes.door import engine_of

SORTS = ("created_at", "execution_duration")


class _BadQuery(Exception):
    pass


async def get_jobs(request: Request) -> Response:
    engine = engine_of(request)
    try:
        return json_reply(_page(engine, request.query_params))
    except _BadQuery as error:
        return json_reply({"error": str(error)}, 400)


async def get_job(request: Request) -> Response:
    wanted = request.path_params["prompt_id"]
    for job in all_jobs(engine_of(request).queue):
        if job["id"] == wanted:
            return json_reply(job)
    return json_reply({"error": "Job not found"}, 404)


async def post_cancel(request: Request) -> Response:
    return json_reply({"cancelled": _cancel(engine_of(request), request.path_params["prompt_id"])})


async def post_cancel_many(request: Request) -> Response:
    body = await read_json(request)
    job_ids = as_list((as_dict(body) or {}).get("job_ids"))
    if not job_ids:
        return json_reply({"error": "job_ids must be a non-empty list"}, 400)
    invalid = [str(job_id) for job_id in job_ids if not _is_uuid(job_id)]
    if invalid:
        return json_reply({"error": "job_ids contains invalid id(s)", "invalid_ids": invalid}, 400)
    engine = engine_of(request)
    cancelled = [_cancel(engine, job_id) for job_id in job_ids]
    return json_reply({"cancelled": any(cancelled)})


def _cancel(engine: Engine, prompt_id: str) -> bool:
    return engine.queue.delete(prompt_id) or engine.interrupt(prompt_id)


def _page(engine: Engine, query: QueryParams) -> dict[str, Any]:
    limit, offset = _limit(query.get("limit")), _offset(query.get("offset", "0"))
    wanted = _statuses(query.get("status"))
    workflow = query.get("workflow_id")
    jobs = [
        summary(job)
        for job in all_jobs(engine.queue)
        if job["status"] in wanted and workflow in {None, "", job.get("workflow_id")}
    ]
    _sort(jobs, query.get("sort_by", "created_at"), query.get("sort_order", "desc"))
    shown = jobs[offset:] if limit is None else jobs[offset : offset + limit]
    has_more = offset + len(shown) < len(jobs)
    pagination = {"offset": offset, "limit": limit, "total": len(jobs), "has_more": has_more}
    return {"jobs": shown, "pagination": pagination}


def _sort(jobs: list[dict[str, Any]], by: str, order: str) -> None:
    if by not in SORTS:
        raise _BadQuery(f"sort_by must be one of: {', '.join(SORTS)}")
    if order not in {"asc", "desc"}:
        raise _BadQuery("sort_order must be 'asc' or 'desc'")
    jobs.sort(key=_created if by == "created_at" else _duration, reverse=order == "desc")


def _created(job: dict[str, Any]) -> float:
    return job.get("create_time") or 0


def _duration(job: dict[str, Any]) -> float:
    return job.get("execution_end_time", 0) - job.get("execution_start_time", 0)


def _statuses(given: str | None) -> set[str]:
    if not given:
        return set(STATUSES)
    names = [name.strip().lower() for name in given.split(",") if name.strip()]
    unknown = [name for name in names if name not in STATUSES]
    if unknown:
        valid = ", ".join(STATUSES)
        raise _BadQuery(f"Invalid status value(s): {', '.join(unknown)}. Valid values: {valid}")
    return set(names)


def _limit(given: str | None) -> int | None:
    if given is None:
        return None
    if not given.isdecimal() or int(given) < 1:
        raise _BadQuery("limit must be a positive integer")
    return int(given)


def _offset(given: str) -> int:
    return int(given) if given.isdecimal() else 0


def _is_uuid(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(uuid.UUID(value))
    except ValueError:
        return False
