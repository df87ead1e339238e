"""Fetches the URL of a caller, and nothing that the caller could not reach without us."""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from comfygen_mcp import __version__
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.web_addresses import is_metadata, is_public

if TYPE_CHECKING:
    import httpx

Resolve: TypeAlias = Callable[[str, int], Awaitable[list[str]]]
"""Host name and port → its addresses; none when there is no such host."""

MAX_REDIRECTS = 5
CONNECT_S = 10.0
"""Longest wait for one address, and for the next bytes."""

_ADDRESSES_TRIED = 3
_PORTS = {80, 443, *range(1024, 65_536)}
"""Below 1024 are other services, which must not be sent what looks like their commands."""
_HOST = re.compile(rb"[A-Za-z0-9._:-]+")
_HEADERS = {
    "User-Agent": f"comfygen-mcp/{__version__}",
    "Accept": "image/png, image/jpeg, image/webp, image/*;q=0.8, */*;q=0.1",
    # What is not packed cannot unfold to gigabytes.
    "Accept-Encoding": "identity",
}


async def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses of *host* as this machine resolves it, IPv4 first."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    ordered = sorted(found, key=lambda entry: entry[0] != socket.AF_INET)
    return list(dict.fromkeys(str(entry[4][0]) for entry in ordered))


async def fetch(
    url: str,
    *,
    max_bytes: int,
    timeout_s: float,
    allow_private: bool = False,
    resolve: Resolve = addresses_of,
) -> bytes:
    """Return the body of *url*; raises BadRequest for every reason why there is none.

    A connection goes to the very address that was checked, so that a name cannot change between the two;
    each redirect is checked anew. Without *allow_private* only public addresses are fetched.
    """
    fetching = _Fetch(max_bytes=max_bytes, allow_private=allow_private, resolve=resolve)
    try:
        async with asyncio.timeout(timeout_s):
            return await fetching.body(url)
    except TimeoutError:
        raise BadRequest(
            f"{shown(url)} did not arrive within {timeout_s:g} s. Give the file itself, or another URL."
        ) from None


def shown(url: str) -> str:
    """Return *url* for messages: without user, password and query, which may be secret, and not too long."""
    try:
        parts = urlsplit(url)
        text = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    except ValueError:
        text = "the URL"
    return "".join(c if c.isprintable() else "?" for c in (text if len(text) <= 100 else f"{text[:97]}..."))


class _Fetch:
    """One fetch with its bounds; every hop of it has a client of its own, which keeps no cookie."""

    def __init__(self, *, max_bytes: int, allow_private: bool, resolve: Resolve) -> None:
        self._max_bytes = max_bytes
        self._allow_private = allow_private
        self._resolve = resolve

    async def body(self, url: str) -> bytes:
        here = _checked(url)
        for _ in range(MAX_REDIRECTS + 1):
            found = await self._hop(here)
            if isinstance(found, bytes):
                return found
            here = _checked(found, here)
        raise BadRequest(f"{shown(url)} redirects more than {MAX_REDIRECTS} times. Give its final address.")

    async def _hop(self, url: "httpx.URL") -> bytes | str:
        """Return the body, or what the answer redirects to."""
        import httpx

        context = await asyncio.to_thread(_trust, url.scheme)
        addresses = await self._addresses(url)
        reason = ""
        for address in addresses[:_ADDRESSES_TRIED]:
            try:
                return await self._answer(url, address, context)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                reason = _cause(error)
            except httpx.HTTPError as error:
                reason = _cause(error)
                break
        raise BadRequest(f"{shown(str(url))} could not be fetched: {reason}. Check the address.")

    async def _addresses(self, url: "httpx.URL") -> list[str]:
        host, port = url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80)
        found = await self._resolve(host, port)
        allowed = [a for a in found if not is_metadata(a) and (self._allow_private or is_public(a))]
        # One wrong address among right ones is a trick, or soon to be the only one.
        if not found or len(allowed) < len(found):
            raise BadRequest(_not_public(host, self._allow_private))
        return found

    async def _answer(self, url: "httpx.URL", address: str, context: ssl.SSLContext) -> bytes | str:
        import httpx

        # trust_env: a proxy of the environment would resolve the name by itself.
        client = httpx.AsyncClient(
            verify=context, trust_env=False, follow_redirects=False, timeout=CONNECT_S, headers=_HEADERS
        )
        async with (
            client,
            client.stream(
                "GET",
                url.copy_with(host=address),
                headers={"Host": url.netloc.decode("ascii")},
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            ) as response,
        ):
            if response.has_redirect_location:
                return response.headers["location"]
            self._check(url, response)
            return await self._read(url, response)

    def _check(self, url: "httpx.URL", response: "httpx.Response") -> None:
        where = shown(str(url))
        if response.status_code != 200:
            raise BadRequest(
                f"{where} answers HTTP {response.status_code}. Check the address, and whether it opens "
                "without a login: none is sent. Or give the file itself."
            )
        coding = response.headers.get("content-encoding", "identity").strip().casefold()
        if coding not in ("", "identity"):
            raise BadRequest(
                f"{where} sends compressed data ({coding[:20]!r}) though none was asked for. "
                "Give the file itself, or another URL."
            )
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            raise BadRequest(self._too_large(url))

    async def _read(self, url: "httpx.URL", response: "httpx.Response") -> bytes:
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > self._max_bytes:
                raise BadRequest(self._too_large(url))
        return bytes(body)

    def _too_large(self, url: "httpx.URL") -> str:
        return (
            f"{shown(str(url))} is larger than {self._max_bytes / 1e6:g} MB, the most that is fetched. "
            "Give a smaller picture; max_input_mb in comfygen.yaml sets the limit."
        )


def _checked(url: str, base: "httpx.URL | None" = None) -> "httpx.URL":
    """Return *url*, which may be relative to *base*; raises BadRequest for one that is not fetched."""
    import httpx

    try:
        parsed = base.join(url) if base else httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise BadRequest(f"{shown(url)!r} is not a URL that can be fetched.") from error
    if parsed.scheme not in ("http", "https") or not _HOST.fullmatch(parsed.raw_host):
        raise BadRequest(f"{shown(url)!r} is not an http or https URL.")
    if parsed.userinfo:
        raise BadRequest(
            f"{shown(url)} holds a user name or password, which are not sent. Give a URL without them."
        )
    if parsed.port is not None and parsed.port not in _PORTS:
        raise BadRequest(
            f"{shown(url)} has port {parsed.port}, where no web server is. Use 80, 443, or 1024 to 65535."
        )
    return parsed


def _trust(scheme: str) -> ssl.SSLContext:
    """Return whose certificates are believed; http asks for none, and loading them takes a while."""
    import certifi

    if scheme == "http":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _not_public(host: str, allow_private: bool) -> str:
    """Return one text for a missing and for a private host: a caller learns nothing about inner names."""
    if allow_private:
        return f"The host {host[:80]!r} of the URL is not known, or is not fetched from. Check the address."
    return (
        f"The host {host[:80]!r} of the URL has no public address, and no others are fetched. Check the "
        "address, or give the file itself; allow_private_urls in comfygen.yaml allows hosts of your network."
    )


def _cause(error: "httpx.HTTPError") -> str:
    """Say in a few words what went wrong, without the words of libraries."""
    import httpx

    reason: BaseException | None = error
    while reason is not None:
        if isinstance(reason, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({reason.verify_message})"
        reason = reason.__cause__ or reason.__context__
    match error:
        case httpx.TimeoutException():
            return f"it did not answer within {CONNECT_S:g} s"
        case httpx.ConnectError():
            return "no connection"
        case httpx.ProtocolError():
            return "it does not speak HTTP, or broke off"
        case _:
            return "the connection broke off"
