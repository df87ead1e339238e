"""The embedded index on the disk: its file, several processes, damage, and bounds."""

import asyncio
import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from index_entries import edit, entry
from index_worker import STORE

from comfygen_mcp.errors import BadRequest, IndexFailed
from comfygen_mcp.index.base import COUNTED, Query, Reading
from comfygen_mcp.index.sqlite import SqliteIndex
from comfygen_mcp.index.sqlite_match import MOST_BEGINNING
from comfygen_mcp.index.sqlite_schema import VERSION
from comfygen_mcp.index.sqlite_vocabulary import Vocabulary, words_beginning

pytestmark = pytest.mark.anyio

WORKER = Path(__file__).parent.parent / "index_worker.py"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "index"


@pytest.fixture
async def index(folder):
    index = SqliteIndex(folder, STORE)
    yield index
    await index.aclose()


@pytest.fixture
def file(folder):
    """Return a function: the one file of the index."""

    def file():
        (found,) = folder.glob("*.db")
        return found

    return file


def rows(path, sql):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


# One file


async def test_nothing_is_made_before_the_index_is_used(index, folder):
    assert str(folder) in index.name
    await index.aclose()
    assert not folder.exists()

    await index.add([entry(1)])

    assert [path.suffix for path in folder.iterdir() if path.suffix == ".db"] == [".db"]


async def test_what_was_added_is_there_after_closing(index):
    await index.add([entry(1)])
    await index.aclose()
    await index.aclose()

    assert await index.get(entry(1).id) == entry(1)


async def test_stores_have_files_of_their_own(index, folder):
    other = SqliteIndex(folder, "another store")
    await index.add([entry(1)])
    await other.add([entry(2), entry(3)])

    assert (await index.size(), await other.size()) == (1, 2)
    assert len(list(folder.glob("*.db"))) == 2
    await other.aclose()


async def test_nothing_is_left_of_what_was_deleted_or_replaced(index, file):
    entries = [entry(n, prompt=f"castle {n}", tags=("a", f"b{n}"), score=0.5) for n in range(20)]
    await index.add(entries)
    await index.add([e.model_copy(update={"prompt": "bridge", "tags": ()}) for e in entries])
    await index.edit([edit(e, 1, tags=("c",), validation_score=0.7) for e in entries])

    await index.edit([edit(e, 2, deleted=True) for e in entries])
    await index.aclose()

    assert rows(file(), "SELECT count(*) FROM entry") == [(0,)]
    assert rows(file(), "SELECT count(*) FROM words_docsize") == [(0,)]
    assert rows(file(), "SELECT count(*) FROM tally WHERE entries <> 0") == [(0,)]
    assert rows(file(), "SELECT rowid FROM words WHERE words MATCH 'castle OR bridge OR c OR a'") == []


async def test_full_text_is_one_piece_when_the_store_was_read_to_its_end(index, file):
    for start in range(0, 600, 10):
        await index.add([entry(n, prompt=f"castle {n}") for n in range(start, start + 10)])
    await index.set_reading(Reading(generations_until="g/x"))
    pieces = "SELECT count(DISTINCT segid) FROM words_idx"
    assert rows(file(), pieces)[0][0] > 1

    await index.set_reading(Reading(generations_until="g/x", complete=True))
    await index.add([entry(1000, prompt="castle")])
    await index.set_reading(Reading(generations_until="g/y", complete=True))

    assert rows(file(), pieces) == [(2,)]
    assert (await index.search(Query(text="castle"), limit=1, count=True)).total == 601
    assert await index.reading() == Reading(generations_until="g/y", complete=True)


async def test_an_entry_of_a_newer_program_is_shown_as_it_is(index, file):
    await index.add([entry(1)])
    connection = sqlite3.connect(file(), isolation_level=None)
    connection.execute("UPDATE entry SET kind = 'hologram'")
    connection.close()

    assert (await index.get(entry(1).id)).kind == "hologram"
    assert [e.kind for e in (await index.search(Query(), limit=1)).entries] == ["hologram"]


async def test_numbers_beyond_64_bits_and_none_at_all_do_no_harm(index):
    odd = entry(1, steps=2**80, width=-(2**80), size_bytes=2**64, cfg=float("nan"), score=float("inf"))

    await index.add([odd])

    found = await index.get(odd.id)
    assert (found.steps, found.width, found.size_bytes) == (2**63 - 1, -(2**63) + 1, 2**63 - 1)
    assert (found.cfg, found.score) == (None, float("inf"))


# Several at once


async def test_searches_and_changes_of_one_process_run_side_by_side(index):
    await index.add([entry(n) for n in range(100)])

    async def search():
        return len((await index.search(Query(text="picture"), limit=50)).entries)

    found = await asyncio.gather(
        *(search() for _ in range(30)), *(index.add([entry(200 + n)]) for n in range(30))
    )

    assert found[:30] == [50] * 30
    assert await index.size() == 130


def worker(folder, *words):
    command = [sys.executable, str(WORKER), str(folder), *(str(word) for word in words)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def finished(processes):
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors


async def test_processes_write_and_search_one_index_at_the_same_time(index, folder, file):
    finished([*(worker(folder, "add", 100 * n, 60) for n in range(3)), worker(folder, "search", 0, 40)])

    expected = sorted(100 * n + m for n in range(3) for m in range(60))
    page = await index.search(Query(text="castle"), limit=200, count=True)
    assert page.total == await index.size() == len(expected)
    assert sorted(e.seed for e in page.entries) == expected
    tagged = await index.search(Query(tags=("third",)), limit=200)
    assert {e.seed for e in tagged.entries} == {n for n in expected if n % 3 == 0}
    assert [(c.value, c.entries) for c in await index.counts("tag")] == [("third", len(tagged.entries))]
    assert rows(file(), "PRAGMA integrity_check") == [("ok",)]


async def test_two_processes_that_build_it_again_end_with_the_same(index, folder, file):
    await index.add([entry(n, prompt="of before") for n in range(1000, 1100)])

    finished(
        [
            worker(folder, "reindex", 0, 150),
            worker(folder, "reindex", 0, 150),
            worker(folder, "search", 0, 40),
        ]
    )

    assert await index.size() == 150
    assert [e.seed async for e in index.all_entries(Query(text="castle"))] == list(range(149, -1, -1))
    assert [(c.value, c.entries) for c in await index.counts("tag")] == [("third", 50)]
    assert (await index.search(Query(text="before"), limit=5)).entries == ()
    assert await index.reading() == Reading(complete=True)
    assert rows(file(), "PRAGMA integrity_check") == [("ok",)]


# Damage


def all_garbage(path):
    path.write_bytes(b"\x7fgarbage" * 4096)


def cut_short(path):
    with path.open("r+b") as file:
        file.truncate(5000)


def garbage_after_the_first_page(path):
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))


def emptied(path):
    path.write_bytes(b"")


def without_tables(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TABLE entry")
    connection.close()


def of_another_version(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()


def of_another_program(path):
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE song(title)")
    connection.close()


@pytest.mark.parametrize(
    "harm",
    [
        all_garbage,
        cut_short,
        garbage_after_the_first_page,
        emptied,
        without_tables,
        of_another_version,
        of_another_program,
    ],
)
async def test_a_file_that_cannot_be_used_is_built_again(index, file, folder, harm):
    await index.add([entry(n, prompt=f"castle {n}") for n in range(200)])
    await index.set_reading(Reading(complete=True))
    await index.aclose()
    harm(file())

    assert (await index.search(Query(text="castle"), limit=5)).entries == ()
    assert await index.reading() == Reading()
    await index.add([entry(1, prompt="castle")])
    assert (await index.search(Query(text="castle"), limit=5)).entries == (entry(1, prompt="castle"),)
    await index.aclose()
    assert rows(file(), "PRAGMA integrity_check") == [("ok",)]
    assert len(list(folder.iterdir())) == 1


async def test_damage_under_an_open_index_is_survived_and_another_process_follows(
    index, folder, file, caplog
):
    caplog.set_level(logging.WARNING)
    other = SqliteIndex(folder, STORE)
    entries = [entry(n, prompt=f"castle {n} " + "word " * 300) for n in range(3000)]
    await index.add(entries)
    assert await other.size() == 3000
    damaged = file()
    await index.aclose()
    rows(damaged, "PRAGMA wal_checkpoint(TRUNCATE)")
    garbage_after_the_first_page(damaged)

    assert [e async for e in index.all_entries(Query(text="castle"))] == []
    await index.add(entries[:10])

    assert "damaged; it is built again" in caplog.text
    assert not damaged.exists()
    assert await other.size() == 10
    assert await other.reading() == Reading()
    await other.add(entries[10:12])
    await other.aclose()
    assert await index.size() == 12


async def test_searches_that_meet_damage_together_all_get_an_answer(index, file):
    await index.add([entry(n, prompt=f"castle {n}") for n in range(200)])
    await index.aclose()
    garbage_after_the_first_page(file())

    found = await asyncio.gather(*(index.search(Query(text="castle"), limit=5) for _ in range(12)))

    assert {page.entries for page in found} == {()}


async def test_a_state_of_reading_that_nobody_can_read_means_not_read_at_all(index, file):
    await index.set_reading(Reading(complete=True))
    connection = sqlite3.connect(file(), isolation_level=None)
    connection.execute("UPDATE reading SET state = 'nonsense'")
    connection.close()

    assert await index.reading() == Reading()


async def test_files_of_older_versions_are_removed_and_those_of_newer_ones_are_not(index, file, folder):
    await index.add([entry(1)])
    await index.aclose()
    name = file().name
    older = folder / name.replace(f".v{VERSION}.1.", f".v{VERSION - 1}.7.")
    newer = folder / name.replace(f".v{VERSION}.1.", f".v{VERSION + 1}.1.")
    for path in (older, older.with_name(f"{older.name}-wal"), newer):
        path.write_bytes(b"x")

    assert await index.size() == 1

    assert newer.exists()
    assert not older.exists()
    assert not older.with_name(f"{older.name}-wal").exists()


# Disks, bounds, and words by the hundred thousand


async def test_a_folder_that_cannot_be_made_is_an_error_without_its_path(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    index = SqliteIndex(tmp_path / "file" / "index", STORE)

    with pytest.raises(IndexFailed, match="set another folder as `index` in comfygen") as failed:
        await index.add([entry(1)])
    with pytest.raises(IndexFailed):
        await index.search(Query(), limit=1)
    assert str(tmp_path) not in str(failed.value)


async def test_a_file_that_cannot_be_opened_is_an_error_and_works_again_later(index, folder, file):
    await index.size()
    await index.aclose()
    path = file()
    path.unlink()
    path.mkdir()

    with pytest.raises(IndexFailed, match="cannot be opened"):
        await index.size()

    path.rmdir()
    assert await index.size() == 0


async def test_a_full_disk_is_an_error_and_what_was_there_stays(index):
    await index.add([entry(n) for n in range(50)])
    # A disk of a few pages: SQLite has a switch for it, and only the index knows its connection.
    pages = index._database._file._writer.execute("PRAGMA page_count").fetchone()[0]
    index._database._file._writer.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(IndexFailed, match="the disk is full"):
        await index.add([entry(n, prompt="a long story " * 500) for n in range(100, 300)])

    assert await index.size() == 50
    assert (await index.search(Query(text="story"), limit=1)).entries == ()
    await index.add([entry(400, prompt="a short story", model="new.safetensors")])
    assert [
        e.seed for e in (await index.search(Query(text="story", model="new.safetensors"), limit=5)).entries
    ] == [400]


async def test_another_process_that_writes_for_ever_is_an_error_and_searches_go_on(folder, file):
    index = SqliteIndex(folder, STORE, busy_s=0.05)
    await index.add([entry(1)])
    other = sqlite3.connect(file(), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(IndexFailed, match="another process is writing"):
        await index.add([entry(2)])
    assert await index.size() == 1

    other.execute("ROLLBACK")
    other.close()
    await index.add([entry(2)])
    assert await index.size() == 2
    await index.aclose()


async def test_a_file_that_another_program_holds_alone_is_an_error(folder, file):
    index = SqliteIndex(folder, STORE, busy_s=0.05)
    await index.size()
    await index.aclose()
    other = sqlite3.connect(file(), isolation_level=None)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(IndexFailed, match="another process is writing"):
        await index.size()

    other.close()
    assert await index.size() == 0
    await index.aclose()


async def test_a_search_that_takes_too_long_is_stopped_and_says_what_helps(folder):
    index = SqliteIndex(folder, STORE, time_limit_s=0)
    await index.add([entry(n, prompt="castle" if n < 9000 else "castle //") for n in range(9003)])

    with pytest.raises(BadRequest, match="took too long and found nothing so far"):
        await index.search(Query(contains="??"), limit=5)
    page = await index.search(Query(contains="//"), limit=5, count=True)

    assert [e.seed for e in page.entries] == [9002, 9001]
    assert (page.total, page.more) == (COUNTED, True)
    with pytest.raises(BadRequest, match="took too long"):
        await index.search(Query(contains="//", until=entry(9000).created_at), limit=5)
    assert [e.seed async for e in index.all_entries(Query(contains="//"))] == [9002, 9001, 9000]
    await index.aclose()


def test_a_vocabulary_keeps_all_words_however_many_it_remembers():
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE vocabulary(word TEXT PRIMARY KEY) WITHOUT ROWID")
    vocabulary = Vocabulary()
    for start in (0, 150_000, 100_000, 250_000):
        vocabulary.add(connection, (f"w{n}" for n in range(start, start + 150_000)))

    assert connection.execute("SELECT count(*) FROM vocabulary").fetchone() == (400_000,)
    assert words_beginning(connection, "w39999", 20) == ["w39999", *(f"w39999{n}" for n in range(10))]
    assert words_beginning(connection, "w3999", 20) is None
    connection.close()


async def test_a_beginning_of_very_many_words_is_found_too(index):
    many = " ".join(f"ab{n}" for n in range(MOST_BEGINNING + 5))
    await index.add([entry(1, prompt=many), entry(2, prompt="abacus"), entry(3, prompt="cab")])

    page = await index.search(Query(text="ab*"), limit=5)
    without = await index.search(Query(text="-ab*"), limit=5)
    pieces = await index.search(Query(contains="ab"), limit=5)
    between = await index.search(Query(contains="b1999 ab2"), limit=5)

    assert [e.seed for e in page.entries] == [2, 1]
    assert [e.seed for e in without.entries] == [3]
    assert [e.seed for e in pieces.entries] == [3, 2, 1]
    assert [e.seed for e in between.entries] == [1]
