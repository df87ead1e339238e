"""One bucket of an S3 server, through the `minio` SDK: blocking calls with full object names."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, TypeVar
from urllib.parse import quote, urlsplit

from comfygen_mcp.stores.s3_connections import open_pool
from comfygen_mcp.stores.s3_errors import trouble_of
from comfygen_mcp.stores.s3_policy import allows_public_read, with_public_read

if TYPE_CHECKING:
    from minio import Minio
    from minio.datatypes import Object

PART_SIZE = 8 << 20
"""Bytes of a part of a big file: what one upload holds in memory."""
PAGE = 1000
"""Objects that S3 lists at once."""

MISSING, CONFLICT = 404, 409

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class S3Options:
    """Which bucket of which server; URLs have no trailing slash, *prefix* is empty or ends with one."""

    url: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    prefix: str = ""
    public_url: str | None = None
    region: str = "us-east-1"
    public_read: bool = False
    connect_s: float = 3.0
    read_s: float = 15.0


class S3Bucket:
    """Every method may raise the SDK's errors and those of its HTTP library."""

    def __init__(self, options: S3Options) -> None:
        self._options = options
        self._pool = open_pool(connect_s=options.connect_s, read_s=options.read_s)
        self._policy_is_due = options.public_read
        self.notes: tuple[str, ...] = ()

    def put(
        self,
        name: str,
        opened: Callable[[], BinaryIO],
        *,
        size: int,
        mime: str,
        metadata: Mapping[str, str],
    ) -> None:
        """Store *size* bytes of what *opened* returns; the bucket is made when it is missing."""
        if self._policy_is_due:
            self._make()
            self._open_to_the_public()
        ascii_only = {key: quote(value, safe=" !#$&'()*+,/:;=?@[]") for key, value in metadata.items()}

        def put() -> bool:
            with opened() as data:
                self._client.put_object(
                    bucket_name=self._options.bucket,
                    object_name=name,
                    data=data,
                    length=size,
                    content_type=mime,
                    metadata={**ascii_only},
                    part_size=PART_SIZE,
                    # One after the other in this thread: memory stays small, and a cut reaches every part.
                    num_parallel_uploads=1,
                )
            return True

        if not _found(put):
            # A PUT finds nothing only when there is no bucket.
            self._make()
            put()

    def read(self, name: str) -> bytes | None:
        """Return the bytes of an object, or None when there is none."""
        return _found(lambda: self._read(name))

    def stat(self, name: str) -> "Object | None":
        return _found(lambda: self._client.stat_object(bucket_name=self._options.bucket, object_name=name))

    def pages(self, prefix: str, start_after: str) -> "Iterator[list[Object]]":
        """Yield the objects below *prefix* after *start_after*, page by page; a missing bucket has none."""
        found = self._client.list_objects(
            bucket_name=self._options.bucket,
            prefix=prefix,
            recursive=True,
            start_after=start_after or None,
        )
        while page := _found(lambda: list(islice(found, PAGE))):
            yield page

    def delete(self, name: str) -> None:
        # rclone takes the folder along when what is deleted does not exist: a file of the folder's name.
        if self.stat(name) is not None:
            self._client.remove_object(bucket_name=self._options.bucket, object_name=name)

    def sign(self, name: str, expires_s: int) -> str:
        """Return a signed URL for reading an object; nothing is sent."""
        return self._public_client.presigned_get_object(
            bucket_name=self._options.bucket, object_name=name, expires=timedelta(seconds=expires_s)
        )

    def close(self) -> None:
        self._pool.clear()

    def _read(self, name: str) -> bytes:
        response = self._client.get_object(bucket_name=self._options.bucket, object_name=name)
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()

    @cached_property
    def _client(self) -> "Minio":
        return self._client_of(self._options.url)

    @cached_property
    def _public_client(self) -> "Minio":
        # The host is part of what is signed: links for others need their own name of the server.
        return self._client_of(self._options.public_url or self._options.url)

    def _client_of(self, url: str) -> "Minio":
        from minio import Minio

        return Minio(
            endpoint=urlsplit(url).netloc,
            access_key=self._options.access_key,
            secret_key=self._options.secret_key,
            session_token=self._options.session_token,
            secure=url.startswith("https:"),
            # Without a region the SDK asks the server for it, even to sign a link.
            region=self._options.region,
            http_client=self._pool,
        )

    def _make(self) -> None:
        """Make the bucket unless it is there; another process may be faster."""
        from minio.error import MinioException

        if self._client.bucket_exists(bucket_name=self._options.bucket):
            return
        try:
            self._client.make_bucket(bucket_name=self._options.bucket)
        except MinioException as error:
            if trouble_of(error).status != CONFLICT:
                raise

    def _open_to_the_public(self) -> None:
        """Add our statement to the bucket's policy; where that fails, a note says so and writing goes on."""
        from minio.error import MinioException

        place = self._options.bucket, self._options.prefix
        self._policy_is_due = False
        try:
            policy = _found(lambda: self._client.get_bucket_policy(bucket_name=self._options.bucket))
            if not allows_public_read(policy, *place):
                wanted = with_public_read(policy, *place)
                self._client.set_bucket_policy(bucket_name=self._options.bucket, policy=wanted)
                policy = self._client.get_bucket_policy(bucket_name=self._options.bucket)
            reason = "" if allows_public_read(policy, *place) else "it does not keep bucket policies"
        except (MinioException, ValueError, SyntaxError) as error:
            reason = trouble_of(error).reason
        if reason:
            note = (
                f"s3.public_read has no effect on {self._options.url}: {reason}. "
                "Signed download links work all the same."
            )
            _log.warning("%s", note)
            self.notes = (note,)


def _found(ask: Callable[[], T]) -> T | None:
    """Return what *ask* returns, or None when the server answers that there is no such thing."""
    from minio.error import MinioException

    try:
        return ask()
    except MinioException as error:
        if trouble_of(error).status == MISSING:
            return None
        raise
