"""A store in an S3 bucket: the bucket's blocking calls in threads, each bounded, its errors in words."""

import io
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import anyio
from anyio import to_thread

from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.stores.base import Condition, StoredFile
from comfygen_mcp.stores.keys import checked_key, is_key, mime_of
from comfygen_mcp.stores.s3_bucket import S3Bucket, S3Options
from comfygen_mcp.stores.s3_connections import CONCURRENCY, Operation
from comfygen_mcp.stores.s3_errors import Trouble, trouble_of

if TYPE_CHECKING:
    from minio.datatypes import Object

ANSWER_S = 60.0
"""Longest time for one operation, however slowly the server drips ..."""
SLOWEST_BYTES_S = 250_000
"""... with a second more for so many bytes to write ..."""
READ_S = 600.0
"""... and this for reading one object."""

_UNKNOWN_MIME = "application/octet-stream"

T = TypeVar("T")


class S3Store:
    """A Store in a bucket, which is made by the first write when it is missing."""

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._bucket = S3Bucket(options)
        self._limiter = anyio.CapacityLimiter(CONCURRENCY)

    @property
    def name(self) -> str:
        place = f"{self._options.bucket}/{self._options.prefix}".rstrip("/")
        return f"S3 bucket {place} at {self._options.url}"

    async def put_file(
        self, key: str, path: Path, *, mime: str, metadata: Mapping[str, str] | None = None
    ) -> None:
        name = self._name(key)
        try:
            size = (await to_thread.run_sync(path.stat)).st_size
        except OSError as error:
            raise _unreadable(key, error) from error
        opened = partial(path.open, "rb")
        work = partial(self._bucket.put, name, opened, size=size, mime=mime, metadata=metadata or {})
        await self._call("write", key, work, within_s=ANSWER_S + size / SLOWEST_BYTES_S)

    async def put_bytes(self, key: str, data: bytes, *, mime: str) -> None:
        size = len(data)
        opened = partial(io.BytesIO, data)
        work = partial(self._bucket.put, self._name(key), opened, size=size, mime=mime, metadata={})
        await self._call("write", key, work, within_s=ANSWER_S + size / SLOWEST_BYTES_S)

    async def read(self, key: str) -> bytes:
        data = await self._call("read", key, partial(self._bucket.read, self._name(key)), within_s=READ_S)
        if data is None:
            raise StoreFailed(f"Cannot read {key!r} in the {self.name}: nothing is stored under this key.")
        return data

    async def stat(self, key: str) -> StoredFile | None:
        found = await self._call("look up", key, partial(self._bucket.stat, self._name(key)))
        return self._stored(found) if found else None

    async def list(self, prefix: str = "", *, start_after: str = "") -> AsyncGenerator[StoredFile]:
        """Yield in key order, one page in memory at a time; what has no key of our form is left out."""
        if not _may_begin_a_key(prefix):
            return
        own = self._options.prefix
        pages = await self._call(
            "list", prefix, lambda: self._bucket.pages(own + prefix, own + start_after if start_after else "")
        )
        while page := await self._call("list", prefix, lambda: next(pages, None)):
            for found in page:
                if is_key((found.object_name or "").removeprefix(own)):
                    yield self._stored(found)

    async def delete(self, key: str) -> None:
        await self._call("delete", key, partial(self._bucket.delete, self._name(key)))

    def url(self, key: str) -> str:
        base = self._options.public_url or self._options.url
        return f"{base}/{self._options.bucket}/{quote(self._name(key), safe='/~')}"

    async def link(self, key: str, *, expires_s: int) -> str:
        """Return a signed URL; it is made here, so it is no proof that *key* is there."""
        return await to_thread.run_sync(self._bucket.sign, self._name(key), expires_s)

    async def writable(self) -> None:
        """Write a tiny object and remove it; raises StoreFailed with the reason when that does not work."""
        probe = f"probe-{datetime.now(UTC):%Y%m%d%H%M%S%f}"
        await self.put_bytes(probe, b"", mime=_UNKNOWN_MIME)
        await self.delete(probe)

    def local_path(self, key: str) -> Path | None:
        checked_key(key)
        return None

    def is_waiting(self, key: str) -> bool:
        checked_key(key)
        return False

    async def condition(self) -> Condition:
        return Condition(notes=self._bucket.notes)

    def close(self) -> None:
        """Close idle connections; those in use end with the calls that use them."""
        self._bucket.close()

    async def _call(self, verb: str, key: str, work: Callable[[], T], *, within_s: float = ANSWER_S) -> T:
        """Run *work* in a thread; it is cut off when its time is over or nobody waits any more."""
        operation = Operation()

        def run() -> T:
            with operation.running():
                return self._translated(verb, key, work)

        try:
            with anyio.fail_after(within_s):
                return await to_thread.run_sync(run, abandon_on_cancel=True, limiter=self._limiter)
        except TimeoutError as error:
            trouble = Trouble(None, f"not done after {within_s:.0f} s", "Check the server and the network.")
            raise self._failed(verb, key, trouble) from error
        finally:
            operation.cut()

    def _translated(self, verb: str, key: str, work: Callable[[], T]) -> T:
        from minio.error import MinioException
        from urllib3.exceptions import HTTPError

        try:
            return work()
        # The SDK raises ValueError, or its XML parser's SyntaxError, for answers that it cannot read.
        except (MinioException, HTTPError, ValueError, SyntaxError) as error:
            raise self._failed(verb, key, trouble_of(error)) from error
        except OSError as error:
            raise _unreadable(key, error) from error

    def _failed(self, verb: str, key: str, trouble: Trouble) -> StoreFailed:
        return StoreFailed(f"Cannot {verb} {key!r} in the {self.name}: {trouble.reason}. {trouble.advice}")

    def _name(self, key: str) -> str:
        return f"{self._options.prefix}{checked_key(key)}"

    def _stored(self, found: "Object") -> StoredFile:
        key = (found.object_name or "").removeprefix(self._options.prefix)
        mime = found.content_type
        return StoredFile(
            key=key,
            size_bytes=found.size or 0,
            modified=found.last_modified or datetime.fromtimestamp(0, tz=UTC),
            # Listings have no types, and some servers forget them.
            mime=mime if mime and mime != _UNKNOWN_MIME else mime_of(key),
        )


def _may_begin_a_key(prefix: str) -> bool:
    folder, slash, _ = prefix.rpartition("/")
    return not slash or is_key(folder)


def _unreadable(key: str, error: OSError) -> StoreFailed:
    reason = error.strerror or str(error) or type(error).__name__
    return StoreFailed(f"Cannot write {key!r}: {reason}. Check the file to store.")
