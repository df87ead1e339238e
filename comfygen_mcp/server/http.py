"""The HTTP service: streamable HTTP (or legacy SSE), file links, probes and metrics behind one guard."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from starlette.types import ASGIApp

from comfygen_mcp.app import App, open_app
from comfygen_mcp.config import HttpSettings, Settings
from comfygen_mcp.server.build import build_server
from comfygen_mcp.server.calls import Calls
from comfygen_mcp.server.files import Files
from comfygen_mcp.server.gallery_page import GalleryPage
from comfygen_mcp.server.hardening import HardenedServer
from comfygen_mcp.server.health import Ready, health
from comfygen_mcp.server.host_check import HostCheck, security_of, shown_host
from comfygen_mcp.server.limits import BodyLimit, Throttle, TokenBuckets
from comfygen_mcp.server.links import PATH as FILES_PATH
from comfygen_mcp.server.links import FileLinks
from comfygen_mcp.server.listener import FLUSH_S, Listener, listening_socket, until
from comfygen_mcp.server.metrics import Metrics, MetricsPage
from comfygen_mcp.server.privacy import Hide, hiding_folders
from comfygen_mcp.server.requests import RequestLog
from comfygen_mcp.server.shared import SharedApp
from comfygen_mcp.server.token import Holder, TokenCheck, check_address, tokens_of
from comfygen_mcp.signals import on_signal

_log = logging.getLogger(__name__)


async def serve_http(
    settings: Settings, environ: Mapping[str, str], *, sse: bool, announce: Callable[[str], None]
) -> None:
    """Serve until SIGTERM or Ctrl-C; raises BadConfiguration when the address cannot or must not be bound."""
    check_address(settings.http)
    listening = listening_socket(settings.http.host, settings.http.port)
    bound = settings.http.model_copy(update={"port": listening.getsockname()[1]})
    service = HttpService(settings.model_copy(update={"http": bound}), environ, sse=sse)
    url = f"http://{shown_host(bound.host)}:{bound.port}{'/sse' if sse else bound.path}"
    listener = Listener(service.app, service.drain, on_start=partial(announce, url))
    with on_signal(listener.stop, afterwards=0):
        try:
            await listener.serve(sockets=[listening])
        finally:
            await service.shared.aclose()
            listening.close()


class HttpService:
    """Everything that one address serves; *settings* name the port that is really bound."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], *, sse: bool = False) -> None:
        check_address(settings.http)
        self._settings = settings.http
        self._tokens = tokens_of(settings.http)
        self.metrics = Metrics()
        self.calls = Calls(self.metrics.call_ended)
        self.shared = SharedApp(
            partial(open_app, settings, environ, on_job_end=self.metrics.job_ended, http=True)
        )
        secret = settings.http.file_secret
        self._links = FileLinks(
            secret.get_secret_value() if secret else None, valid_s=settings.http.file_link_s
        )
        server = build_server(
            self.shared.borrowed,
            settings=lambda: settings,
            calls=self.calls,
            hide=hiding_folders(settings),
            for_caller=self._for_caller,
        )
        self._add_routes(server, hiding_folders(settings))
        self.app = self._guarded(_transport(server, settings.http, sse=sse))

    async def drain(self, forced: Callable[[], bool]) -> None:
        """Refuse new calls, wait for the running ones within the bound, then stop what still runs."""
        _log.info("shutting down with %d tool call(s) running", self.calls.running)
        self.calls.close()
        await until(lambda: not self.calls.running or forced(), within_s=self._settings.shutdown_s)
        await self.shared.aclose()
        # The calls whose jobs were just cancelled answer now.
        await until(lambda: not self.calls.running or forced(), within_s=FLUSH_S)

    def _for_caller(self, app: App, headers: Mapping[str, str] | None) -> App:
        """Give a caller elsewhere links in place of paths, at the address by which it reached us.

        Whose token it came with says what it may see; a stranger that got so far sees what is shared.
        """
        holder = self._tokens.holder((headers or {}).get("authorization", "").encode()) or Holder("")
        own = f"{shown_host(self._settings.host)}:{self._settings.port}"
        base = self._settings.public_url or f"http://{(headers or {}).get('host', own)}"
        return replace(app, owner=holder.name, file_url=partial(self._links.url, base))

    def _add_routes(self, server: HardenedServer, hide: Hide) -> None:
        failed = self.metrics.store_failed
        reading = ["GET", "HEAD"]
        files = Files(self.shared, self._links, partial(failed, "serve"))
        ready = Ready(self.shared, self.calls, on_store_failure=partial(failed, "probe"))
        server.custom_route(FILES_PATH + "{key:path}", reading)(files.__call__)
        gallery = GalleryPage(self.shared, self._for_caller, hide, partial(failed, "gallery"))
        for path, endpoint in gallery.routes().items():
            server.custom_route(path, reading)(endpoint)
        server.custom_route("/health", reading)(health)
        server.custom_route("/ready", reading)(ready.__call__)
        server.custom_route("/metrics", ["GET"])(MetricsPage(self.metrics, self.shared).__call__)

    def _guarded(self, app: ASGIApp) -> ASGIApp:
        settings = self._settings
        buckets = TokenBuckets(per_minute=settings.requests_per_minute, burst=settings.request_burst)
        app = Throttle(BodyLimit(app, settings.max_body_bytes), buckets)
        app = HostCheck(TokenCheck(app, self._tokens), security_of(settings))
        return RequestLog(app, settings.path, self.metrics.request_ended)


def _transport(server: HardenedServer, settings: HttpSettings, *, sse: bool) -> ASGIApp:
    """Return the SDK's app; its own checks stay on behind ours."""
    security = security_of(settings)
    if sse:
        return server.sse_app(
            transport_security=security, host=settings.host, max_request_body_size=settings.max_body_bytes
        )
    return server.streamable_http_app(
        streamable_http_path=settings.path,
        transport_security=security,
        host=settings.host,
        max_request_body_size=settings.max_body_bytes,
    )
