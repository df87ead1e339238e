"""The kinds of index that the contract is tested with, and what a test looks for in them."""

from contextlib import asynccontextmanager

import pytest

from comfygen_mcp.index.base import Query
from comfygen_mcp.index.postgres import PostgresIndex
from comfygen_mcp.index.sqlite import SqliteIndex

KINDS = ("sqlite", "postgres")


@pytest.fixture
def opened(request, tmp_path):
    """Return a function: kind → a fresh index as a context, closed at its end."""

    @asynccontextmanager
    async def opened(kind):
        if kind == "sqlite":
            index = SqliteIndex(tmp_path / "index", "a store of tests")
        else:
            index = PostgresIndex(request.getfixturevalue("postgres").new_database(), "a store of tests")
        try:
            yield index
        finally:
            await index.aclose()

    return opened


@pytest.fixture(params=KINDS)
async def index(request, opened):
    async with opened(request.param) as index:
        yield index


@pytest.fixture
def ids(index):
    """Return a function: filters → ids of the first page."""

    async def ids(limit=50, **filters):
        return [entry.id for entry in (await index.search(Query(**filters), limit=limit)).entries]

    return ids
