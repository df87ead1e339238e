"""Puts together what can be asked for: configured hosts, or the one that stands in for them."""

from collections.abc import Mapping
from pathlib import Path

from comfygen_mcp import __version__
from comfygen_mcp.backends.hosts import ConfiguredHost, HostSource, ImplicitHost
from comfygen_mcp.config import Settings, host_of
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.models import Host
from comfygen_mcp.services.offers import Offers


def open_offers(settings: Settings, library: WorkflowLibrary, environ: Mapping[str, str]) -> Offers:
    """Return everything that can be asked for; nobody is asked yet."""
    configured: dict[str, HostSource] = {
        name: ConfiguredHost(host_of(block, environ)) for name, block in settings.backends.items()
    }
    default = _default_source(settings, configured)
    return Offers(settings=settings, library=library, configured=configured, default=default)


def _default_source(settings: Settings, configured: Mapping[str, HostSource]) -> HostSource:
    """The host of everything that has no block of its own."""
    if settings.comfyui_url is not None:
        known = (source for source in configured.values() if source.address == settings.comfyui_url)
        return next(known, ConfiguredHost(Host(url=settings.comfyui_url)))
    if configured:
        return configured.get(settings.default_backend or "", next(iter(configured.values())))
    return implicit_host(settings)


def implicit_host(settings: Settings) -> ImplicitHost:
    """Return ComfyUI's usual address, with the embedded engine standing in when nothing listens there."""
    from comfygen_mcp.comfyui.embedded import ensure_engine, refused

    async def engine() -> Host:
        return await ensure_engine(
            Path(settings.engine.folder), idle_s=settings.engine.idle_s, version=__version__
        )

    return ImplicitHost(refused=refused, engine=engine)
