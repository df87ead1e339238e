"""One open file of an embedded index: connections that read, and the one that writes."""

import contextlib
import sqlite3
import time
from collections.abc import Generator
from pathlib import Path

from comfygen_mcp.index.facets import folded
from comfygen_mcp.index.sqlite_schema import created
from comfygen_mcp.index.sqlite_terms import Terms
from comfygen_mcp.index.sqlite_vocabulary import Vocabulary

_WRITER_CACHE_KB, _READER_CACHE_KB = 65_536, 16_384
_LOG_BYTES = 64 * 2**20
_STEPS_BETWEEN_LOOKS = 20_000
"""Steps of SQLite's machine between two looks at the clock: well below a millisecond."""


class IndexFile:
    """Connections to the file at *path*; each is used by one thread at a time."""

    def __init__(self, path: Path, *, busy_s: float) -> None:
        self.path = path
        self._busy_s = busy_s
        self.terms = Terms()
        self.vocabulary = Vocabulary()
        self._readers: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        self._given_up = False

    def usable(self) -> bool:
        """Make the tables where there are none; False when the file is not ours, or of another version."""
        try:
            self._writer = self._writer or _connected(self.path, _WRITER_CACHE_KB, self._busy_s)
            return created(self._writer)
        except sqlite3.Error as error:
            self.close()
            if is_damage(error):
                return False
            raise

    @contextlib.contextmanager
    def reading(self, within_s: float | None) -> Generator[sqlite3.Connection]:
        """Yield a connection that sees one moment; what takes longer than *within_s* is interrupted."""
        connection = self._reader()
        try:
            if within_s is not None:
                ends = time.monotonic() + within_s
                connection.set_progress_handler(lambda: time.monotonic() > ends, _STEPS_BETWEEN_LOOKS)
            connection.execute("BEGIN")
            yield connection
            connection.set_progress_handler(None, 0)
            connection.execute("ROLLBACK")
        except BaseException:
            connection.close()
            raise
        self._readers.append(connection)
        self._close_if_given_up()

    @contextlib.contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """Yield the connection that writes, in a transaction that ends with the block."""
        connection = self._writer or _connected(self.path, _WRITER_CACHE_KB, self._busy_s)
        # Nobody else may close what is in use.
        self._writer = None
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            self.terms.forget()
            self.vocabulary.forget()
            connection.close()
            raise
        self._writer = connection
        self._close_if_given_up()

    def close(self) -> None:
        """Close what is not in use; the rest is closed when its use ends."""
        self._given_up = True
        self._close_if_given_up()

    def _reader(self) -> sqlite3.Connection:
        try:
            return self._readers.pop()
        except IndexError:
            return _connected(self.path, _READER_CACHE_KB, self._busy_s)

    def _close_if_given_up(self) -> None:
        if not self._given_up:
            return
        while self._readers:
            self._readers.pop().close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def is_damage(error: sqlite3.Error) -> bool:
    """Tell an error that a new file would mend from one that the disk or another process causes."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    told = ("no such table", "Could not decode to UTF-8")
    return code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or any(t in str(error) for t in told)


def is_interruption(error: sqlite3.Error) -> bool:
    """Tell whether the time was up."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT


def _connected(path: Path, cache_kb: int, busy_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
    try:
        _set_log_ahead(connection, busy_s)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{cache_kb}")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA secure_delete = FAST")
        connection.create_function("folded", 1, folded, deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_log_ahead(connection: sqlite3.Connection, busy_s: float) -> None:
    """Set the write-ahead log; SQLite's own waiting does not cover two processes that do it at once."""
    ends = time.monotonic() + busy_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > ends:
                raise
            time.sleep(0.01)
        else:
            return
