"""`/metrics`: what happened, for Prometheus; labels have few values and hold nothing private."""

from collections import Counter as Tally

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from starlette.requests import Request
from starlette.responses import Response

from comfygen_mcp import __version__
from comfygen_mcp.errors import ComfygenError, StoreFailed
from comfygen_mcp.jobs.base import JobState
from comfygen_mcp.server.calls import EndedCall
from comfygen_mcp.server.requests import EndedRequest
from comfygen_mcp.server.shared import SharedApp

JOB_SECONDS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800)
CALL_SECONDS = (0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 45, 60)


class Metrics:
    """One registry per service; whoever notices something tells it here."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        build = Gauge("comfygen_build_info", "Which comfygen this is.", ["version"], registry=registry)
        build.labels(__version__).set(1)
        self._jobs = Counter(
            "comfygen_jobs", "Jobs that have ended.", ["backend", "status"], registry=registry
        )
        self._job_seconds = Histogram(
            "comfygen_job_seconds",
            "From a job's start to its end.",
            ["backend"],
            buckets=JOB_SECONDS,
            registry=registry,
        )
        self._active = Gauge(
            "comfygen_jobs_active", "Jobs that wait in a queue, or run.", ["state"], registry=registry
        )
        self._calls = Counter(
            "comfygen_tool_calls", "Tool calls answered.", ["tool", "outcome"], registry=registry
        )
        self._call_seconds = Histogram(
            "comfygen_tool_call_seconds",
            "Time to answer a tool call.",
            ["tool"],
            buckets=CALL_SECONDS,
            registry=registry,
        )
        self._requests = Counter(
            "comfygen_http_requests", "HTTP requests.", ["method", "route", "status"], registry=registry
        )
        self._store_errors = Counter(
            "comfygen_store_errors", "Failures of the store.", ["operation"], registry=registry
        )

    def job_ended(self, state: JobState) -> None:
        self._jobs.labels(state.job.backend, state.status).inc()
        if state.started_at and state.finished_at:
            seconds = (state.finished_at - state.started_at).total_seconds()
            self._job_seconds.labels(state.job.backend).observe(seconds)
        if state.error_type == StoreFailed.__name__:
            self.store_failed("keep")

    def call_ended(self, call: EndedCall) -> None:
        self._calls.labels(call.tool, call.outcome).inc()
        self._call_seconds.labels(call.tool).observe(call.seconds)
        if call.error_type == StoreFailed.__name__:
            self.store_failed("read")

    def request_ended(self, request: EndedRequest) -> None:
        self._requests.labels(request.method, request.route, str(request.status)).inc()

    def store_failed(self, operation: str) -> None:
        self._store_errors.labels(operation).inc()

    def page(self, states: list[JobState]) -> bytes:
        """Return the page; *states* are the jobs of now, of which the unfinished are counted."""
        active = Tally(_state_of(state) for state in states if not state.finished)
        for name in ("queued", "running"):
            self._active.labels(name).set(active[name])
        return generate_latest(self.registry)


class MetricsPage:
    """The endpoint; it answers also while the app cannot be opened."""

    def __init__(self, metrics: Metrics, shared: SharedApp) -> None:
        self._metrics = metrics
        self._shared = shared

    async def __call__(self, _: Request) -> Response:
        try:
            states = await (await self._shared()).status.jobs()
        except ComfygenError:
            states = []
        return Response(self._metrics.page(states), media_type=CONTENT_TYPE_LATEST)


def _state_of(state: JobState) -> str:
    waiting = state.status == "queued" or (state.progress is not None and state.progress.phase == "queued")
    return "queued" if waiting else "running"
