"""How the index follows the store: increments, clocks, crashes, foreign objects, several processes, S3."""

import json
import subprocess
import sys
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from gallery_world import DAY, HOUR, NOW, found, generation, keys, many, opened, put, put_edit, put_on_disk
from s3_servers import opened as s3_opened
from watched_store import PowerCut, WatchedStore, away

from comfygen_mcp import edits, sidecar
from comfygen_mcp.errors import BadRequest, IndexFailed, StoreFailed, UnknownName
from comfygen_mcp.index.base import Entry, Reading
from comfygen_mcp.index.sqlite import SqliteIndex
from comfygen_mcp.services import gallery_days, gallery_sync
from comfygen_mcp.stores.base import StoredFile
from comfygen_mcp.stores.local import LocalStore
from comfygen_mcp.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """Every search may look for something new, so that no test waits for it."""
    monkeypatch.setattr(gallery_sync, "EVERY_S", 0.0)
    monkeypatch.setattr(gallery_sync, "AFTER_FAILURE_S", 0.0)


@pytest.fixture
def store():
    return WatchedStore(MemoryStore())


async def test_a_later_search_reads_only_what_is_new(store, tmp_path):
    old, new = many(30, since=NOW - 3 * DAY), generation(NOW, 77)
    await put(store, *old)
    async with opened(store, tmp_path / "index") as gallery:
        assert len(await found(gallery)) == 30
        await put(store, new)
        store.calls.clear()

        assert len(await found(gallery)) == 31
        assert store.of("read") == [new.key + sidecar.SUFFIX]
    async with opened(store, tmp_path / "index") as gallery:
        store.calls.clear()
        assert len(await found(gallery)) == 31
        assert store.of("read") == []


async def test_what_was_found_a_moment_ago_is_not_looked_for_again(store, tmp_path, monkeypatch):
    monkeypatch.setattr(gallery_sync, "EVERY_S", 1000.0)
    async with opened(store, tmp_path / "index") as gallery:
        await found(gallery)
        lists = len(store.of("list"))
        await found(gallery)
        await gallery.refresh()
        assert len(store.of("list")) == lists


async def test_a_key_that_comes_half_an_hour_late_is_found(store, tmp_path):
    await put(store, generation(NOW, 1))
    async with opened(store, tmp_path / "index") as gallery:
        assert len(await found(gallery)) == 1
        await put(store, generation(NOW - 30 * MINUTE, 2))
        assert len(await found(gallery)) == 2


async def test_a_clock_that_is_ahead_hides_nothing_that_others_write(store, tmp_path):
    await put(store, generation(NOW + 400 * DAY, 1))
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery) == ["fox number 1"]
        await put(store, generation(NOW - MINUTE, 2))
        await put(store, generation(NOW + 2 * HOUR, 3))
        assert await found(gallery) == ["fox number 1", "fox number 3", "fox number 2"]


async def test_a_clock_that_is_hours_behind_is_healed_by_the_daily_upkeep(store, tmp_path):
    await put(store, generation(NOW, 1))
    async with opened(store, tmp_path / "index") as gallery:
        assert len(await found(gallery)) == 1
        await put(store, generation(NOW - 5 * HOUR, 2), generation(NOW + 3 * DAY, 3))
        assert len(await found(gallery)) == 1

        assert await gallery.upkeep()
        assert await found(gallery) == ["fox number 3", "fox number 1", "fox number 2"]
        assert not await gallery.upkeep(), "once a day is enough"


async def test_edits_count_in_the_order_of_their_making_however_they_are_met(store, tmp_path):
    one = generation(NOW - 3 * HOUR)
    await put(store, one)
    await put_edit(store, one.id, NOW - MINUTE, tags=("last",))
    async with opened(store, tmp_path / "index") as gallery:
        assert (await gallery.entry(one.id)).tags == ("last",)
        await put_edit(store, one.id, NOW - 10 * MINUTE, tags=("first",), shared=True)
        entry = await gallery.entry(one.id)
        assert (entry.tags, entry.shared) == (("last",), True)
        await put_edit(store, one.id, NOW, validation_score=0.5)
        assert (await gallery.find(one.id)).validation_score == 0.5


async def test_an_edit_that_comes_before_its_generation_is_kept_for_it(store, tmp_path):
    one, gone = many(2)
    await put_edit(store, one.id, NOW, tags=("early",))
    await put_edit(store, gone.id, NOW, deleted=True)
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery) == []
        await put(store, one, gone)
        assert await found(gallery, tags=("early",)) == [one.prompt]
        assert await found(gallery) == [one.prompt]


async def test_an_edit_is_read_once_by_each_process(store, tmp_path):
    one = generation()
    await put(store, one)
    await put_edit(store, one.id, NOW, tags=("a",))
    async with opened(store, tmp_path / "index") as gallery:
        await found(gallery)
        store.calls.clear()
        await found(gallery)
        assert store.of("read") == []


async def test_corrupt_and_foreign_objects_are_skipped_counted_and_named(store, tmp_path):
    good, bad, newer, strange = many(4)
    await put(store, good, bad, newer, strange)
    await store.put_bytes(bad.key + ".json", b"{ not json", mime="application/json")
    await store.put_bytes(newer.key + ".json", b'{"schema_version": 99}', mime="application/json")
    text = sidecar.to_json(strange.model_copy(update={"seed": -7}))
    await store.put_bytes(strange.key + ".json", text, mime="application/json")
    foreign = ["g/notes.json", "g/2026/11/21/export.csv", "edits/2026/11/21/mine.json"]
    for key in foreign:
        await store.put_bytes(key, b"{}", mime="application/json")
    edit = await put_edit(store, good.id, NOW, tags=("a",))
    await store.put_bytes(edits.key_of(edit.id), b"[]", mime="application/json")

    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery) == [good.prompt]
        reading = await gallery.reading()
        assert reading.complete
        assert reading.skipped == 7
        damaged = [f"{one.key}.json" for one in (bad, newer, strange)]
        assert set(reading.skipped_keys) == {*damaged, *foreign, edits.key_of(edit.id)}
        assert set(store.of("read")).isdisjoint(foreign)

        store.calls.clear()
        await found(gallery)
        assert store.of("read") == [], "what cannot be used is not read again and again"
        assert (await gallery.reading()).skipped == 7
        assert (await gallery.reindex()).skipped == 7
        await gallery.care()
        assert (await gallery.reading()).skipped == 7


@pytest.mark.parametrize(
    "fields",
    [
        {"timestamp": "0001-01-01T00:00:00+14:00"},
        {"timestamp": "9999-12-31T23:59:59-14:00"},
        {"seed": -1},
        {"index": -1},
        {"index": 10**40},
        {"validation_score": "NaN"},
        {"cfg": "Infinity"},
    ],
    ids=str,
)
async def test_one_sidecar_of_impossible_values_is_skipped_and_hides_nothing(store, tmp_path, fields):
    good, bad = many(2)
    await put(store, good)
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery) == [good.prompt]
        await put(store, bad)
        text = json.dumps({**json.loads(sidecar.to_json(bad)), **fields})
        await store.put_bytes(bad.key + ".json", text.encode(), mime=sidecar.MIME)

        for wanted in (bad.id, bad.id[:13]):
            with pytest.raises((StoreFailed, BadRequest)) as raised:
                await gallery.find(wanted)
            assert next(iter(fields)) in str(raised.value) or "finite" in str(raised.value)
        assert await found(gallery) == [good.prompt]
        assert (await gallery.find(good.id)).prompt == good.prompt
        assert (await gallery.reindex()).skipped_keys == (f"{bad.key}.json",)
        assert await found(gallery) == [good.prompt]
    (tmp_path / "none").write_text("a file where a folder should be")
    async with opened(store, tmp_path / "none") as gallery:
        with pytest.raises(StoreFailed, match="cannot be used"):
            await gallery.find(bad.id)


async def test_half_characters_in_a_sidecar_are_replaced_in_what_is_found(store, tmp_path):
    strange = generation(NOW - 3 * DAY, 1).model_copy(
        update={"prompt": "fox \ud83d", "tags": ("\ud83d", "red")}
    )
    await put(store, strange, *many(gallery_days.WORTH_A_SEGMENT, since=NOW - 3 * DAY))
    for name in ("one", "two"):
        async with opened(store, tmp_path / name) as gallery:
            assert await found(gallery, tags=("red",)) == ["fox \ufffd"]
            assert (await gallery.entry(strange.id)).tags == ("\ufffd", "red")
            assert (await gallery.find(strange.id)).id == strange.id
            assert (await gallery.reindex()).skipped == 0
    assert len(await keys(store, "segments/")) == 1


async def test_a_time_of_another_zone_or_of_none_is_found_as_utc(store, tmp_path):
    zoned, plain = many(2)
    for one, text in ((zoned, "2026-11-21T01:00:00+02:00"), (plain, "2026-11-20T22:00:00")):
        await put(store, one)
        sidecar_text = json.dumps({**json.loads(sidecar.to_json(one)), "timestamp": text})
        await store.put_bytes(one.key + ".json", sidecar_text.encode(), mime=sidecar.MIME)
    async with opened(store, tmp_path / "index") as gallery:
        moments = [(await gallery.entry(one.id)).created_at.isoformat() for one in (zoned, plain)]
        assert moments == ["2026-11-20T23:00:00+00:00", "2026-11-20T22:00:00+00:00"]


@pytest.mark.parametrize(
    "moment", [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)], ids=str
)
async def test_ids_of_the_first_and_the_last_day_hide_nothing(store, tmp_path, moment):
    far, good = generation(moment, 1), generation(NOW, 2)
    await put(store, far, good)
    await put_edit(store, far.id, moment, tags=("far",))
    async with opened(store, tmp_path / "index", now=NOW + 3 * DAY) as gallery:
        assert set(await found(gallery)) == {far.prompt, good.prompt}
        assert (await gallery.find(far.id)).tags == ("far",)
        await gallery.tag(far.id, add=["farther"])
        assert (await gallery.care(dry_run=False)).removed == 0
        with pytest.raises(UnknownName):
            await gallery.find(generation(moment, 77).id)
        await gallery.reindex()
        assert (await gallery.find(far.id)).tags == ("far", "farther")


async def test_a_sidecar_cannot_speak_for_another(store, tmp_path):
    honest, liar = many(2)
    await put(store, honest, liar)
    lie = liar.model_copy(update={"id": honest.id, "key": "g/../../etc/passwd", "prompt": "a lie"})
    await store.put_bytes(liar.key + ".json", sidecar.to_json(lie), mime=sidecar.MIME)

    async with opened(store, tmp_path / "index") as gallery:
        assert (await gallery.find(honest.id)).prompt == honest.prompt
        entry = await gallery.entry(liar.id)
        assert (entry.prompt, entry.key) == ("a lie", liar.key)
        assert (await gallery.find(liar.id)).key == liar.key


class ManyForeign(MemoryStore):
    """A store with *foreign* objects below `g/` that exist only while they are listed."""

    foreign = 100_000

    async def list(self, prefix="", *, start_after=""):
        own = [file async for file in super().list(prefix, start_after=start_after)]
        for file in own:
            yield file
        if prefix == "g/":
            for number in range(self.foreign):
                key = f"g/other/{number:06d}.json"
                yield StoredFile.model_construct(key=key, size_bytes=2, modified=NOW, mime="text/plain")


async def test_a_hundred_thousand_foreign_objects_are_passed_by_unread(tmp_path):
    store = WatchedStore(ManyForeign())
    await put(store, *many(3))
    async with opened(store, tmp_path / "index") as gallery:
        tracemalloc.start()
        try:
            reading = await gallery.reindex()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert len(store.of("read", "g/")) == 3
        assert (reading.complete, reading.skipped) == (True, 100_000)
        assert len(reading.skipped_keys) == 20
        assert peak < 8_000_000
        assert len(await found(gallery)) == 3


async def test_a_rebuild_tells_how_far_it_is_and_about_how_far_it_has_to_go(store, tmp_path):
    await put(store, *many(1200, step=timedelta(milliseconds=100)))
    told = []
    async with opened(store, tmp_path / "index") as gallery:
        await gallery.reindex(lambda done, total: told.append((done, total)))
        assert told == [(500, None), (1000, None), (1200, None)]
        told.clear()
        await gallery.reindex(lambda done, total: told.append((done, total)))
        assert told == [(500, 1200), (1000, 1200), (1200, 1200)]


async def test_an_interrupted_rebuild_goes_on_where_it_was(store, tmp_path):
    generations = many(1500, since=NOW - 30 * HOUR, step=MINUTE)
    await put(store, *generations)
    await put_edit(store, generations[3].id, NOW, tags=("seen",))

    def cut(done, _total):
        if done >= 1000:
            raise PowerCut

    async with opened(store, tmp_path / "index") as gallery:
        with pytest.raises(PowerCut):
            await gallery.reindex(cut)
        assert not (await gallery.reading()).complete
    store.calls.clear()
    async with opened(store, tmp_path / "index") as gallery:
        told = []
        await gallery.refresh()
        assert (await gallery.reading()).complete
        assert await gallery.size() == 1500
        assert len(store.of("read", "g/")) < 1000
        assert await found(gallery, tags=("seen",)) == [generations[3].prompt]
        await gallery.reindex(lambda done, _: told.append(done))
        assert told[-1] == 1500


async def test_a_store_that_fails_midway_leaves_a_reading_that_goes_on(store, tmp_path):
    await put(store, *many(40))
    reads = [0]

    def fail_late(verb, key):
        reads[0] += verb == "read"
        if reads[0] > 25:
            away(verb, key)

    async with opened(store, tmp_path / "index") as gallery:
        store.before = fail_late
        with pytest.raises(StoreFailed, match="nobody answers"):
            await gallery.refresh()
        assert not (await gallery.reading()).complete
        store.before = lambda verb, key: None
        assert len(await found(gallery)) == 40


async def test_a_sidecar_that_vanishes_while_it_is_read_is_no_failure(store, tmp_path):
    one, other = many(2)
    await put(store, one, other)

    async with opened(store, tmp_path / "index") as gallery:
        inner = store._store
        original = inner.list

        async def listed(prefix="", *, start_after=""):
            for file in [file async for file in original(prefix, start_after=start_after)]:
                yield file
                await inner.delete(one.key + ".json")

        inner.list = listed
        assert await found(gallery) == [other.prompt]


class TestSegments:
    @pytest.fixture
    async def days(self, store):
        """Two finished days of 30 generations, and one of today."""
        generations = [*many(30, since=NOW - 4 * DAY), *many(30, since=NOW - 3 * DAY), generation(NOW, 99)]
        await put(store, *generations)
        return generations

    async def test_a_finished_day_gets_a_segment_that_spares_reads(self, store, days, tmp_path):
        async with opened(store, tmp_path / "one") as gallery:
            assert len(await found(gallery)) == 61
        assert await keys(store, "segments/") == [f"segments/2026/11/{day}.ndjson.z" for day in (17, 18)]
        store.calls.clear()
        async with opened(store, tmp_path / "two") as gallery:
            assert len(await found(gallery)) == 61
            assert await gallery.find(days[5].id) == days[5]
        assert [key for key in store.of("read") if key.startswith("g/")] == [
            days[-1].key + ".json",
            days[5].key + ".json",
        ]

    async def test_the_same_day_makes_the_same_segment(self, store, days, tmp_path):
        async with opened(store, tmp_path / "one") as gallery:
            await found(gallery)
        first = {key: await store.read(key) for key in await keys(store, "segments/")}
        for key in first:
            await store.delete(key)
        async with opened(store, tmp_path / "two") as gallery:
            await found(gallery)
        assert {key: await store.read(key) for key in await keys(store, "segments/")} == first
        line = zlib.decompress(first["segments/2026/11/17.ndjson.z"]).splitlines()[0]
        assert Entry.model_validate_json(line).id == days[0].id

    @pytest.mark.parametrize(
        "damage", [b"", b"not zlib at all", zlib.compress(b"{}\n"), zlib.compress(b"x" * 99)[:-5]]
    )
    async def test_a_damaged_segment_is_read_around_and_made_again(self, store, days, tmp_path, damage):
        key = "segments/2026/11/17.ndjson.z"
        await store.put_bytes(key, damage, mime="application/zlib")
        async with opened(store, tmp_path / "one") as gallery:
            assert len(await found(gallery)) == 61
        assert len(zlib.decompress(await store.read(key)).splitlines()) == 30

    async def test_a_segment_that_claims_to_be_huge_is_not_unpacked(self, store, days, tmp_path, monkeypatch):
        monkeypatch.setattr("comfygen_mcp.services.gallery_segments.MOST_BYTES", 10_000)
        await store.put_bytes("segments/2026/11/17.ndjson.z", zlib.compress(b" " * 50_000), mime="x/y")
        async with opened(store, tmp_path / "one") as gallery:
            assert len(await found(gallery)) == 61

    async def test_what_came_after_a_segment_is_found_all_the_same(self, store, days, tmp_path):
        async with opened(store, tmp_path / "one") as gallery:
            await found(gallery)
        late = generation(NOW - 4 * DAY + HOUR, 500)
        await put(store, late)
        await put_edit(store, days[0].id, NOW, tags=("later",))
        await put_edit(store, days[1].id, NOW, deleted=True)
        await store.delete(days[2].key + ".json")
        async with opened(store, tmp_path / "two") as gallery:
            assert late.prompt in await found(gallery)
            assert await found(gallery, tags=("later",)) == [days[0].prompt]
            assert await gallery.size() == 60

    async def test_edits_are_folded_into_the_segment_and_stay_after_later_ones(self, store, days, tmp_path):
        await put_edit(store, days[0].id, NOW - 4 * DAY, tags=("red",))
        await put_edit(store, days[1].id, NOW - 4 * DAY, deleted=True)
        async with opened(store, tmp_path / "one") as gallery:
            await found(gallery)
        lines = zlib.decompress(await store.read("segments/2026/11/17.ndjson.z")).splitlines()
        entries = {entry.id: entry for entry in map(Entry.model_validate_json, lines)}
        assert entries[days[0].id].tags == ("red",)
        assert days[1].id not in entries
        await put_edit(store, days[0].id, NOW, tags=())
        async with opened(store, tmp_path / "two") as gallery:
            assert (await gallery.entry(days[0].id)).tags == ()
            assert await gallery.size() == 60

    async def test_a_poor_segment_is_made_again_by_the_next_full_reading(self, store, days, tmp_path):
        async with opened(store, tmp_path / "one") as gallery:
            await found(gallery)
        await put(store, *many(10, since=NOW - 4 * DAY + HOUR))
        async with opened(store, tmp_path / "one") as gallery:
            assert await gallery.upkeep()
        lines = zlib.decompress(await store.read("segments/2026/11/17.ndjson.z")).splitlines()
        assert len(lines) == 40

    async def test_a_segment_that_cannot_be_written_is_no_failure(self, store, days, tmp_path):
        def read_only(verb, key):
            if verb == "put":
                away(verb, key)

        store.before = read_only
        async with opened(store, tmp_path / "one") as gallery:
            assert len(await found(gallery)) == 61
            assert (await gallery.reading()).complete

    async def test_a_segment_cannot_bring_back_what_is_not_listed(self, store, days, tmp_path):
        async with opened(store, tmp_path / "one") as gallery:
            await found(gallery)
        stray = Entry.model_validate_json(
            zlib.decompress(await store.read("segments/2026/11/17.ndjson.z")).splitlines()[0]
        ).model_copy(update={"id": days[3].id, "prompt": "a lie"})
        packed = zlib.compress(stray.model_dump_json().encode())
        await store.put_bytes("segments/2026/11/17.ndjson.z", packed, mime="application/zlib")
        async with opened(store, tmp_path / "two") as gallery:
            assert "a lie" not in await found(gallery)
            assert await gallery.size() == 61


def script(*arguments):
    file = Path(__file__).parent / "reindex_process.py"
    return [sys.executable, str(file), *map(str, arguments)]


async def test_two_processes_that_reindex_at_once_make_one_whole_index(tmp_path):
    put_on_disk(tmp_path / "store", *many(1200, step=timedelta(milliseconds=100)))
    both = [
        await anyio.open_process(script(tmp_path / "store", tmp_path / "index"), stderr=None)
        for _ in range(2)
    ]
    for process in both:
        text = b"".join([part async for part in process.stdout])
        assert await process.wait() == 0
        assert text.split()[-1] == b"True"
    async with opened(LocalStore(tmp_path / "store"), tmp_path / "index") as gallery:
        assert await gallery.size() == 1200
        assert (await gallery.reading()).complete


async def test_a_killed_process_leaves_nothing_locked_and_nothing_lost(tmp_path):
    store = LocalStore(tmp_path / "store")
    put_on_disk(tmp_path / "store", *many(1200, step=timedelta(milliseconds=100)))
    command = script(tmp_path / "store", tmp_path / "index", 500)
    process = await anyio.open_process(command, stdin=subprocess.PIPE, stderr=None)
    async for line in process.stdout:
        if b"500" in line:
            break
    async with opened(store, tmp_path / "index") as gallery:
        assert await gallery._index.size() == 500
        process.kill()
        await process.wait()
        await gallery.refresh()
        assert await gallery.size() == 1200
    await process.aclose()


async def test_a_refresh_does_not_wait_long_for_a_process_that_reads_already(tmp_path, store, monkeypatch):
    monkeypatch.setattr(gallery_sync, "LOCKED_S", 0.0)
    await put(store, *many(3))
    async with opened(store, tmp_path / "index") as gallery, gallery._sync._locked("read", wait_s=0) as ours:
        assert ours
        assert await found(gallery) == []
    async with opened(store, tmp_path / "index") as gallery:
        assert len(await found(gallery)) == 3


async def test_a_rebuild_by_another_machine_is_not_declared_done_by_this_one(store, tmp_path):
    """A shared index, which no file lock protects."""
    await put(store, *many(600, step=timedelta(milliseconds=100)))
    index = SqliteIndex(tmp_path / "index", store.name)

    async with opened(store, tmp_path / "index", index=index) as gallery:
        await gallery.refresh()
        cleared = []

        async def clear_once(verb, key):
            await index.clear()
            await index.set_reading(Reading())

        def before(verb, key):
            if verb == "list" and key == "g/" and not cleared:
                cleared.append(key)

        store.before = before
        reading = index.reading

        async def other_began():
            if cleared == ["g/"]:
                cleared.append("done")
                await clear_once("", "")
            return await reading()

        index.reading = other_began
        with pytest.raises(IndexFailed, match="Another machine"):
            await gallery.refresh()
        assert not (await reading()).complete


async def test_an_index_folder_that_cannot_be_made_is_named(store, tmp_path):
    (tmp_path / "file").write_text("")
    async with opened(store, tmp_path / "file" / "index") as gallery:
        with pytest.raises(IndexFailed, match="COMFYGEN_INDEX"):
            await gallery.refresh()


async def test_a_closed_gallery_stops_reading_and_the_next_goes_on(store, tmp_path, monkeypatch):
    monkeypatch.setattr("comfygen_mcp.services.gallery.WAIT_S", 0.0)
    await put(store, *many(30))
    async with opened(store, tmp_path / "index") as gallery:
        await found(gallery)
        assert not (await gallery.reading()).complete
    async with opened(store, tmp_path / "index") as gallery:
        await gallery.refresh()
        assert await gallery.size() == 30


@pytest.mark.parametrize("s3_server", ["rclone"], indirect=True)
async def test_a_bucket_is_read_like_a_folder(s3_server, tmp_path, request):
    bucket = f"gallery-{abs(hash(request.node.name)) % 10**8}"
    with s3_opened(s3_server.options(bucket, prefix="pictures/")) as bare:
        store = WatchedStore(bare)
        generations = [*many(40, since=NOW - 3 * DAY), generation(NOW, 99)]
        await put(store, *generations)
        await put_edit(store, generations[0].id, NOW, tags=("red",))
        await store.put_bytes("g/foreign.json", b"{}", mime="application/json")
        async with opened(store, tmp_path / "one") as gallery:
            reading = await gallery.reindex()
            assert (reading.complete, reading.skipped) == (True, 1)
            assert await found(gallery, tags=("red",)) == [generations[0].prompt]
            await put(store, generation(NOW, 100))
            store.calls.clear()
            assert len(await found(gallery)) == 42
            assert len(store.of("read")) == 1
            await gallery.delete(generations[1].id)
        store.calls.clear()
        async with opened(store, tmp_path / "two") as gallery:
            assert len(await found(gallery)) == 41
            assert len(store.of("read", "g/")) == 2, "the finished day came from its segment"


async def test_an_id_of_another_kind_is_refused_before_anything_is_read(store, tmp_path):
    async with opened(store, tmp_path / "index") as gallery:
        with pytest.raises(BadRequest):
            await gallery.find("../../etc/passwd")
    assert store.of("read") == []


async def test_more_edits_and_more_damage_than_one_batch_holds(store, tmp_path, monkeypatch):
    monkeypatch.setattr("comfygen_mcp.services.gallery_fill.PIECE", 4)
    monkeypatch.setattr("comfygen_mcp.services.gallery_fill._REMEMBERED", 3)
    monkeypatch.setattr("comfygen_mcp.services.gallery_edits._BATCH", 4)
    generations = many(9)
    await put(store, *generations)
    for number, each in enumerate(generations):
        await put_edit(store, each.id, NOW - 9 * MINUTE + number * MINUTE, tags=(f"tag {number}",))
    for each in many(6, since=NOW - 2 * HOUR):
        await store.put_bytes(f"{each.key}.json", b"{", mime="application/json")
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery, tags=("tag 8",)) == ["fox number 8"]
        assert (await gallery.reading()).skipped == 6
        assert await gallery.size() == 9
    (tmp_path / "file").write_text("")
    async with opened(store, tmp_path / "file") as gallery:
        assert (await gallery.entry(generations[7].id)).tags == ("tag 7",)


@pytest.mark.parametrize(
    "key",
    [
        "g/2026/11/21/20261121_084100_------------------------------------_0.png.json",
        "g/2026/11/21/20261121_084100_6ba7b810-9dad-11d1-80b4-00c04fd430c8_0.png.json",
        "g/2025/01/01/20250101_000000_01a1fdc3-6338-7750-ae1b-d98365ea322a_0.png.json",
        "edits/2026/11/21/6ba7b810-9dad-11d1-80b4-00c04fd430c8.json",
        "edits/2025/01/01/01a1fdc3-6338-7750-ae1b-d98365ea322a.json",
    ],
)
async def test_a_key_that_only_looks_like_ours_is_foreign(store, tmp_path, key):
    await store.put_bytes(key, b"{}", mime="application/json")
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery) == []
        assert (await gallery.reading()).skipped_keys == (key,)
        assert key not in store.of("read")


async def test_a_segment_that_vanishes_while_it_is_looked_for_is_no_failure(store, tmp_path):
    await put(store, *many(30, since=NOW - 4 * DAY))
    async with opened(store, tmp_path / "one") as gallery:
        await found(gallery)
    (segment,) = await keys(store, "segments/")

    def vanish(verb, key):
        if (verb, key) == ("read", segment):
            store._store._files.pop(segment, None)

    store.before = vanish
    async with opened(store, tmp_path / "two") as gallery:
        assert len(await found(gallery)) == 30


async def test_a_lock_that_cannot_be_taken_is_named(store, tmp_path):
    async with opened(store, tmp_path / "index") as gallery:
        (tmp_path / "index").mkdir()
        (tmp_path / "index" / f"{gallery._sync._name}.read.lock").mkdir()
        with pytest.raises(IndexFailed, match="cannot be locked"):
            await gallery.refresh()


async def test_an_upkeep_without_its_folder_says_so(store, tmp_path):
    (tmp_path / "file").write_text("")
    async with opened(store, tmp_path / "file" / "index") as gallery:
        with pytest.raises(IndexFailed, match="folder cannot be used"):
            await gallery.upkeep()


async def test_a_store_that_was_empty_at_the_first_look_is_read_from_its_beginning_later(store, tmp_path):
    async with opened(store, tmp_path / "index", now=NOW - 9 * DAY) as gallery:
        assert await found(gallery) == []
        assert (await gallery.reading()).complete
    one, gone = many(2, since=NOW - 5 * DAY)
    await put(store, one, gone)
    await put_edit(store, gone.id, NOW - 4 * DAY, deleted=True)
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery) == [one.prompt]


async def test_what_others_did_while_this_machine_was_off_is_found(store, tmp_path):
    first = generation(NOW - 9 * DAY)
    await put(store, first)
    await put_edit(store, first.id, NOW - 9 * DAY, tags=("old",))
    async with opened(store, tmp_path / "index", now=NOW - 9 * DAY) as gallery:
        assert await found(gallery, tags=("old",)) == [first.prompt]
    await put(store, generation(NOW - 5 * DAY, 7))
    await put_edit(store, first.id, NOW - 4 * DAY, tags=("new",))
    async with opened(store, tmp_path / "index") as gallery:
        assert await found(gallery) == ["fox number 7", first.prompt]
        assert await found(gallery, tags=("new",)) == [first.prompt]


async def test_a_clock_that_is_ahead_hides_nothing_while_this_machine_is_off(store, tmp_path):
    first = generation(NOW - 9 * DAY)
    await put(store, first, generation(NOW + DAY / 2, 2))
    await put_edit(store, first.id, NOW + DAY / 2, validation_score=0.1)
    async with opened(store, tmp_path / "index", now=NOW - 9 * DAY) as gallery:
        assert len(await found(gallery)) == 2
    await put(store, generation(NOW - 5 * DAY, 7))
    await put_edit(store, first.id, NOW - 4 * DAY, tags=("new",))
    async with opened(store, tmp_path / "index") as gallery:
        assert "fox number 7" in await found(gallery)
        assert await found(gallery, tags=("new",)) == [first.prompt]
        assert (await gallery.find(first.id)).validation_score == 0.1
