"""The database of a shared index: connections, transactions, and PostgreSQL's errors in our own words."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from comfygen_mcp.errors import BadConfiguration, BadRequest, IndexFailed
from comfygen_mcp.index.postgres_schema import Connection, lock_of, prepare, schema_of

CONNECTIONS = 4
CONNECT_S = 10
"""How long the server may take to let us in."""
STATEMENT_S = 60
"""Longest work of one statement that is no search."""

_NO_MATTER_OF_CONNECTION = (
    *(psycopg.errors.QueryCanceled, psycopg.errors.ProgramLimitExceeded, psycopg.errors.DiskFull),
    PoolTimeout,
)
"""Operational errors that a new connection would only meet again."""

T = TypeVar("T")


class Database:
    """Runs work on the schema of *store_name*; connects when first used. Raises IndexFailed."""

    def __init__(self, url: str, store_name: str) -> None:
        self._schema = schema_of(store_name)
        self._opening = asyncio.Lock()
        self._pool: AsyncConnectionPool[Connection] | None = None
        try:
            self._place = conninfo_to_dict(url, connect_timeout=CONNECT_S)
        except psycopg.ProgrammingError as error:
            raise BadConfiguration(
                "index_database cannot be read. It looks like postgresql://user:password@host:5432/database."
            ) from error
        self._url = url

    @property
    def name(self) -> str:
        place = self._place
        return f"PostgreSQL at {place.get('host', 'this machine')}, database {place.get('dbname', 'default')}"

    async def read(self, work: Callable[[Connection], Awaitable[T]], *, within_s: float = STATEMENT_S) -> T:
        """Return what *work* finds at one moment; a statement that takes longer is stopped."""

        async def inside(connection: Connection) -> T:
            async with connection.transaction():
                bound = sql.SQL("SET LOCAL statement_timeout TO {}").format(sql.Literal(int(within_s * 1000)))
                await connection.execute(bound)
                return await work(connection)

        return await self._connected(inside)

    async def write(self, work: Callable[[Connection], Awaitable[None]]) -> None:
        """Do *work* in one transaction, while nobody else changes this index."""

        async def inside(connection: Connection) -> None:
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock_of(self._schema),))
                await work(connection)

        await self._connected(inside)

    async def aclose(self) -> None:
        """Close all connections; they are opened again when it is used again."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def _connected(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run *work*; once more when the connection is dead, as after a restart of the server."""
        try:
            try:
                return await self._once(work)
            except (psycopg.OperationalError, psycopg.errors.UndefinedTable) as error:
                if isinstance(error, _NO_MATTER_OF_CONNECTION):
                    raise
                await self.aclose()
                return await self._once(work)
        except psycopg.errors.QueryCanceled as error:
            raise BadRequest(
                "The search took too long and found nothing so far. Narrow it: by words in `text` (they are "
                "indexed, pieces of words in `contains` are not), by a model, a tag or a time span."
            ) from error
        except psycopg.Error as error:
            raise IndexFailed(f"The gallery's index cannot be used: {_reason(error)}") from error

    async def _once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        pool = await self._opened()
        async with pool.connection() as connection:
            return await work(connection)

    async def _opened(self) -> AsyncConnectionPool[Connection]:
        async with self._opening:
            if self._pool is None:
                # One connection by hand first: its error tells the reason, a pool's only that it took long.
                first = await psycopg.AsyncConnection.connect(
                    self._url, connect_timeout=CONNECT_S, autocommit=True
                )
                async with first:
                    await prepare(first, self._schema)
                self._pool = self._new_pool()
                await self._pool.open()
            return self._pool

    def _new_pool(self) -> "AsyncConnectionPool[Connection]":
        return AsyncConnectionPool(
            self._url,
            min_size=0,
            max_size=CONNECTIONS,
            timeout=CONNECT_S,
            max_idle=60,
            open=False,
            kwargs={
                "autocommit": True,
                "connect_timeout": CONNECT_S,
                "options": f"-c search_path={self._schema} -c statement_timeout={STATEMENT_S * 1000}",
            },
        )


_NO_LOGIN = "PostgreSQL does not accept the user or password of index_database."
_NO_DATABASE = "the database of index_database does not exist. Make it with CREATE DATABASE."
_REASONS: tuple[tuple[type[psycopg.Error], str], ...] = (
    (
        psycopg.errors.InsufficientPrivilege,
        "the user of index_database may not make a schema: GRANT CREATE ON DATABASE to it.",
    ),
    (psycopg.errors.ProgramLimitExceeded, "PostgreSQL does not take an entry, because it is too large."),
    (psycopg.errors.DiskFull, "PostgreSQL's disk is full."),
    (PoolTimeout, "PostgreSQL is busy: no connection became free. Try again."),
    (
        psycopg.OperationalError,
        "PostgreSQL does not answer. Check index_database, and whether the server runs.",
    ),
)
"""Error → what is wrong and what to do; PostgreSQL's own words name hosts and users."""
_FATAL: tuple[tuple[str, str], ...] = (
    ('FATAL:  database "', _NO_DATABASE),
    ('FATAL:  role "', _NO_LOGIN),
    ("authentication failed", _NO_LOGIN),
    ("no password supplied", _NO_LOGIN),
    ("pg_hba.conf", _NO_LOGIN),
)
"""Part of the text by which a server turns a client away, which has no code in psycopg → the same."""


def _reason(error: psycopg.Error) -> str:
    told = str(error)
    turned_away = (reason for part, reason in _FATAL if part in told)
    known = (reason for kind, reason in _REASONS if isinstance(error, kind))
    unknown = f"PostgreSQL reports {type(error).__name__}. Build it again with `comfygen gallery reindex`."
    return next(turned_away, None) or next(known, unknown)
