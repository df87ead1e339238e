"""Opens the store that the settings name: a folder, or S3 behind a spool."""

import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from comfygen_mcp.config import Settings, is_s3, s3_keys, s3_place
from comfygen_mcp.stores.base import Store


@asynccontextmanager
async def open_store(settings: Settings, environ: Mapping[str, str]) -> AsyncGenerator[Store]:
    """Yield the store; raises BadConfiguration when its keys are not set. Nothing is asked of a server."""
    if is_s3(settings.store):
        async with _open_s3(settings, environ) as store:
            yield store
    else:
        from comfygen_mcp.stores.local import LocalStore

        yield LocalStore(Path(settings.store))


@asynccontextmanager
async def _open_s3(settings: Settings, environ: Mapping[str, str]) -> AsyncGenerator[Store]:
    from comfygen_mcp.stores.s3 import S3Store
    from comfygen_mcp.stores.s3_bucket import S3Options
    from comfygen_mcp.stores.spool import SpooledStore

    place, keys, s3 = s3_place(settings.store), s3_keys(settings.s3, environ), settings.s3
    options = S3Options(
        url=s3.url or "",
        bucket=place.bucket,
        prefix=place.prefix,
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        session_token=keys.session_token,
        public_url=s3.public_url,
        region=s3.region,
        public_read=s3.public_read,
        connect_s=s3.connect_timeout_s,
        read_s=s3.read_timeout_s,
    )
    remote = S3Store(options)
    spool = settings.spool / _spool_name(options.url, options.bucket, options.prefix)
    try:
        async with SpooledStore(remote, spool, spool_after_s=s3.spool_after_s).delivering() as store:
            yield store
    finally:
        remote.close()


def _spool_name(*place: str) -> str:
    """Return a folder name of this place's own: what waits for one server must not reach another."""
    digest = hashlib.sha256("\0".join(place).encode()).hexdigest()
    return f"{place[1]}-{digest[:12]}"
