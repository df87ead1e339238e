"""What is PostgreSQL's alone: several machines, stores apart, a server that goes and comes, its errors."""

import asyncio

import psycopg
import pytest
from index_entries import entry
from postgres_server import PostgresServer, postgres_server

from comfygen_mcp.errors import BadConfiguration, BadRequest, IndexFailed
from comfygen_mcp.index.base import Query
from comfygen_mcp.index.postgres import PostgresIndex
from comfygen_mcp.index.postgres_schema import schema_of

pytestmark = pytest.mark.anyio

STORE = "a store of tests"


@pytest.fixture
def url(postgres):
    return postgres.new_database()


async def found(index, **filters):
    return [match.id for match in (await index.search(Query(**filters), limit=50)).entries]


async def test_two_machines_see_each_others_entries(url):
    one, other = PostgresIndex(url, STORE), PostgresIndex(url, STORE)
    made = entry(1, prompt="a red fox")
    await one.add([made])

    assert await found(other, text="fox") == [made.id]

    await asyncio.gather(one.aclose(), other.aclose())


async def test_many_machines_that_begin_and_write_at_once_lose_nothing_and_count_right(url):
    machines = [PostgresIndex(url, STORE) for _ in range(4)]
    mine = [[entry(10 * m + n, model="same.safetensors", tags=("t",)) for n in range(5)] for m in range(4)]

    await asyncio.gather(*(machine.add([one]) for m, machine in enumerate(machines) for one in mine[m]))
    # All of them once more, everywhere: nothing may be counted twice.
    everything = [one for entries in mine for one in entries]
    await asyncio.gather(*(machine.add(everything) for machine in machines))

    assert await machines[0].size() == len(everything)
    (counted,) = await machines[1].counts("tag")
    assert (counted.value, counted.entries) == ("t", len(everything))
    assert len(set(await found(machines[2]))) == len(everything)
    for machine in machines:
        await machine.aclose()


async def test_stores_in_one_database_do_not_see_each_other(url):
    one, other = PostgresIndex(url, STORE), PostgresIndex(url, "another store")
    await one.add([entry(1)])
    await other.add([entry(2)])
    await other.clear()

    assert await one.size() == 1
    assert await other.size() == 0
    for index in (one, other):
        await index.aclose()


async def test_tables_of_another_version_are_built_again(url, postgres):
    index = PostgresIndex(url, STORE)
    await index.add([entry(1)])
    await index.aclose()
    schema = schema_of(STORE)
    postgres.execute(f"UPDATE {schema}.version SET number = 0", url.rpartition("/")[2])  # noqa: S608  (our own name)

    assert await index.size() == 0
    assert not (await index.reading()).complete
    await index.aclose()


async def test_a_schema_that_somebody_dropped_is_made_again(url, postgres):
    index = PostgresIndex(url, STORE)
    await index.add([entry(1)])
    postgres.execute(f"DROP SCHEMA {schema_of(STORE)} CASCADE", url.rpartition("/")[2])

    await index.add([entry(2)])

    assert await index.size() == 1
    await index.aclose()


async def test_text_that_postgresql_cannot_hold_comes_back_whole(url):
    index = PostgresIndex(url, STORE)
    odd = entry(1, prompt="a\0b \ud800 fox 'quoted' \\ back", tags=("t\0",), model="m\0.safetensors")
    await index.add([odd])

    assert (await index.get(odd.id)).prompt == odd.prompt
    assert await found(index, text="quoted", tags=("t\0",), model="M\0.safetensors") == [odd.id]
    assert await found(index, contains="'quoted' \\ b") == [odd.id]
    await index.aclose()


async def test_a_word_longer_than_any_lexeme_and_a_prompt_of_20000_words_are_indexed(url):
    index = PostgresIndex(url, STORE)
    long_word, long_prompt = entry(1, prompt="x" * 5000), entry(2, prompt="fox " * 20_000 + "ending")
    await index.add([long_word, long_prompt])

    assert await found(index, text="x" * 1500) == [long_word.id]
    assert await found(index, text="ending") == [long_prompt.id]
    assert await found(index, text='"fox fox"') == [long_prompt.id]
    await index.aclose()


async def test_rare_matches_are_gathered_and_common_ones_walked_with_the_same_order(url, postgres):
    index = PostgresIndex(url, STORE)
    await index.add([entry(n, prompt="common rare" if n % 1000 == 7 else "common") for n in range(3000)])
    postgres.execute(f"ANALYZE {schema_of(STORE)}.entry", url.rpartition("/")[2])

    rare = await found(index, text="rare")
    common = await found(index, text="common")

    assert len(rare) == 3
    assert rare == sorted(rare, reverse=True)
    assert len(common) == 50
    assert common == sorted(common, reverse=True)
    await index.aclose()


async def test_a_server_that_was_restarted_is_used_again():
    with postgres_server() as server:
        index = PostgresIndex(server.url(), STORE)
        await index.add([entry(1)])
        server.stop()
        with pytest.raises(IndexFailed, match="does not answer"):
            await index.size()
        server.start()

        assert await index.size() == 1
        await index.aclose()


async def test_nobody_at_the_address_is_told_without_secrets():
    index = PostgresIndex("postgresql://somebody:hush-hush@127.0.0.1:9/db", STORE)

    with pytest.raises(IndexFailed, match="does not answer") as caught:
        await index.search(Query(), limit=1)

    assert "hush" not in str(caught.value)
    assert index.name == "PostgreSQL at 127.0.0.1, database db"
    await index.aclose()


@pytest.mark.parametrize(
    ("statement", "place", "reason"),
    [
        ("SELECT 1", {"database": "missing"}, "does not exist"),
        ("CREATE ROLE weak LOGIN", {"user": "weak"}, "may not make a schema"),
        ("SELECT 1", {"user": "stranger"}, "does not accept the user"),
    ],
)
async def test_what_the_server_refuses_is_told_with_what_to_do(postgres, statement, place, reason):
    if not postgres.execute("SELECT 1 FROM pg_roles WHERE rolname = 'weak'"):
        postgres.execute(statement)
    index = PostgresIndex(postgres.url(**place), STORE)

    with pytest.raises(IndexFailed, match=reason):
        await index.size()


def test_a_url_that_is_none_is_refused_with_the_form_of_one():
    with pytest.raises(BadConfiguration, match="postgresql://user:password@host"):
        PostgresIndex("postgresql://[", STORE)


async def test_a_search_that_takes_too_long_is_told_how_to_narrow_it(url, postgres, monkeypatch):
    monkeypatch.setattr("comfygen_mcp.index.postgres.TIME_LIMIT_S", 0.2)
    index = PostgresIndex(url, STORE)
    await index.add([entry(1)])
    with psycopg.connect(url) as busy:
        busy.execute(f"LOCK TABLE {schema_of(STORE)}.entry IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(BadRequest, match="Narrow it"):
            await index.search(Query(contains="x"), limit=1)
    await index.aclose()


async def test_a_pool_without_a_free_connection_says_so(url, monkeypatch):
    monkeypatch.setattr("comfygen_mcp.index.postgres_database.CONNECT_S", 1)
    index = PostgresIndex(url, STORE)
    await index.size()
    pool = index._database._pool
    taken = [await pool.getconn() for _ in range(4)]
    try:
        with pytest.raises(IndexFailed, match="busy"):
            await index.size()
    finally:
        for connection in taken:
            await pool.putconn(connection)
        await index.aclose()


def test_the_server_of_the_tests_is_a_real_one(postgres):
    assert isinstance(postgres, PostgresServer)
    assert "PostgreSQL" in postgres.execute("SELECT version()")[0][0]


async def test_entries_of_any_size_are_taken_and_found(url):
    index = PostgresIndex(url, STORE)
    words = " ".join(f"w{number:x}" for number in range(300_000))
    huge = [
        entry(1, model="m" * 9_000 + ".safetensors", prompt="first"),
        entry(2, tags=("t" * 500_000, "plain"), prompt="second"),
        entry(3, prompt=words),
        entry(4, job_id="j" * 9_000, parent_id="p" * 9_000, prompt="fourth"),
    ]
    await index.add([*huge, entry(5, prompt="an ordinary one")])

    assert await index.size() == 5
    assert await found(index, model="M" * 9_000 + ".safetensors") == [huge[0].id]
    assert await found(index, tags=("t" * 500_000,)) == [huge[1].id]
    assert await found(index, model="m" * 9_000) == []
    assert await found(index, text="w1f") == [huge[2].id]
    assert await found(index, job_id="j" * 9_000) == [huge[3].id]
    assert (await index.get(huge[2].id)).prompt == words
    assert [count.entries for count in await index.counts("tag", beginning="plain")] == [1]
    await index.aclose()
