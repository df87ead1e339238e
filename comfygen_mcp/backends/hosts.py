"""Which ComfyUI a backend talks to: a configured address, or the usual one with the engine behind it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from comfygen_mcp.models import Host

if TYPE_CHECKING:
    from comfygen_mcp.comfyui.client import ComfyUI

IMPLICIT_URL = "http://127.0.0.1:8188"
"""Where ComfyUI listens when nobody configured anything."""


class HostSource(Protocol):
    """Names the host of the next job."""

    @property
    def address(self) -> str:
        """The address as people know it, for listings and messages."""
        ...

    @property
    def configured(self) -> bool:
        """True when somebody named this host; then nothing else ever stands in for it."""
        ...

    async def host(self) -> Host: ...

    async def present(self) -> Host | None:
        """Return the host as it is, starting nothing; None when the engine would be started."""
        ...


class ConfiguredHost:
    """A host that the file or the environment names; asleep, slow or wrong, it stays the one."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def address(self) -> str:
        return self._host.url

    @property
    def configured(self) -> bool:
        return True

    async def host(self) -> Host:
        return self._host

    async def present(self) -> Host | None:
        return self._host


class ImplicitHost:
    """127.0.0.1:8188 when something listens there; the embedded engine when the connection is refused."""

    def __init__(
        self,
        *,
        refused: Callable[[str], Awaitable[bool]],
        engine: Callable[[], Awaitable[Host]],
        url: str = IMPLICIT_URL,
    ) -> None:
        self._refused = refused
        self._engine = engine
        self._url = url

    @property
    def address(self) -> str:
        return self._url

    @property
    def configured(self) -> bool:
        return False

    async def host(self) -> Host:
        if await self._refused(self._url):
            return await self._engine()
        return Host(url=self._url)

    async def present(self) -> Host | None:
        return None if await self._refused(self._url) else Host(url=self._url)


class Clients:
    """One ComfyUI client per host, opened when first asked for and closed together.

    Two hosts at one address that sign in differently are two: none ever speaks with another's credentials.
    """

    def __init__(self, open_client: "Callable[[Host], ComfyUI]") -> None:
        self._open_client = open_client
        self._clients: dict[_Key, ComfyUI] = {}

    def of(self, host: Host) -> "ComfyUI":
        key = _key(host)
        if key not in self._clients:
            self._clients[key] = self._open_client(host)
        return self._clients[key]

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()


_Key: TypeAlias = tuple[str, tuple[tuple[str, str], ...], str | None]


def _key(host: Host) -> _Key:
    return host.url, tuple(sorted(host.headers.items())), host.wake_hint
