"""Opens the gallery's index that the settings name, and the gallery over it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from comfygen_mcp.config import Settings
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.index.base import Index
from comfygen_mcp.services.gallery import Gallery
from comfygen_mcp.stores.base import Store


@asynccontextmanager
async def open_index(settings: Settings, store: Store) -> AsyncGenerator[Index]:
    """Yield the index of *store*; nothing is opened before it is first used."""
    index = _index(settings, store.name)
    try:
        yield index
    finally:
        await index.aclose()


@asynccontextmanager
async def open_gallery(settings: Settings, store: Store, index: Index) -> AsyncGenerator[Gallery]:
    gallery = Gallery(store, index, settings=settings, now=lambda: datetime.now(UTC))
    try:
        yield gallery
    finally:
        await gallery.aclose()


def _index(settings: Settings, store_name: str) -> Index:
    if settings.index_database is not None:
        return _shared_index(settings.index_database.get_secret_value(), store_name)
    from comfygen_mcp.index.sqlite import SqliteIndex

    return SqliteIndex(settings.index, store_name)


def _shared_index(url: str, store_name: str) -> Index:
    try:
        from comfygen_mcp.index.postgres import PostgresIndex
    except ImportError as error:
        raise BadConfiguration(
            "index_database needs the `postgres` extra: pip install 'comfygen-mcp[postgres]'. "
            "Without the setting, the index is a file of this machine."
        ) from error
    return PostgresIndex(url, store_name)
