"""Care: orphans, retention and quota; without configuration nothing is ever deleted."""

from datetime import UTC, datetime, timedelta

import pytest
from gallery_world import DAY, HOUR, NOW, found, generation, keys, many, opened, put
from stored_pictures import keep
from watched_store import PowerCut, WatchedStore, away, power_cut_at

from comfygen_mcp import sidecar
from comfygen_mcp.backends.archive import Archive, bare_key
from comfygen_mcp.services import gallery_sync, gallery_upkeep
from comfygen_mcp.stores.base import StoredFile
from comfygen_mcp.stores.local import LocalStore
from comfygen_mcp.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

LATER = datetime.now(UTC) + 2 * DAY
"""A clock by which what a test stores now is older than a day."""


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(gallery_sync, "EVERY_S", 0.0)


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    return LocalStore(tmp_path / "store") if request.param == "local" else MemoryStore()


async def put_orphan(store, each):
    await store.put_bytes(each.key, b"left", mime="image/png")


async def test_without_configuration_nothing_goes(store, tmp_path):
    await put(store, *many(3, since=NOW - 4000 * DAY))
    await put_orphan(store, generation(NOW, 50))
    before = await keys(store)
    async with opened(store, tmp_path / "index", now=LATER) as gallery:
        report = await gallery.care(dry_run=False)
        assert (report.expired, report.surplus, report.removed, report.orphans) == (0, 0, 0, 1)
        assert report.going == ()
        assert await gallery.upkeep()
    assert await keys(store) == before


async def test_orphans_are_named_and_removed_only_when_asked_for(store, tmp_path):
    whole, orphan = generation(NOW), generation(NOW - HOUR, 2)
    await put(store, whole)
    await put_orphan(store, orphan)
    async with opened(store, tmp_path / "index", now=LATER) as gallery:
        report = await gallery.care(dry_run=False)
        assert (report.files, report.orphans, report.orphan_keys, report.removed) == (2, 1, (orphan.key,), 0)
        assert (await gallery.care(remove_orphans=True)).removed == 0
        assert orphan.key in await keys(store)

        told = []
        report = await gallery.care(
            dry_run=False, remove_orphans=True, progress=lambda done, total: told.append((done, total))
        )
        assert (report.removed, told) == (1, [(1, 1)])
        assert await keys(store, "g/") == [whole.key, f"{whole.key}.json"]
        assert (await gallery.care()).orphans == 0


async def test_a_young_file_may_still_get_its_sidecar(store, tmp_path):
    await put_orphan(store, generation(NOW))
    async with opened(store, tmp_path / "index", now=datetime.now(UTC) + timedelta(hours=23)) as gallery:
        assert (await gallery.care()).orphans == 0
    async with opened(store, tmp_path / "index", now=datetime.now(UTC) + timedelta(hours=25)) as gallery:
        assert (await gallery.care()).orphans == 1


async def test_a_file_that_was_stored_without_a_sidecar_on_purpose_is_no_orphan(store, tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"a picture")
    archive = Archive(store)
    (kept,) = await keep(archive, picture, metadata=False)
    assert kept.key + ".json" not in await keys(store)
    async with opened(store, tmp_path / "index", now=LATER) as gallery:
        report = await gallery.care(dry_run=False, remove_orphans=True)
        assert (report.files, report.orphans, report.removed) == (1, 0, 0)
    assert await keys(store) == [bare_key(kept.key), kept.key]


async def test_what_is_too_old_goes_and_keep_stays(store, tmp_path):
    old, kept, young = generation(NOW - 40 * DAY, 1), generation(NOW - 50 * DAY, 2), generation(NOW, 3)
    await put(store, old, kept, young)
    async with opened(store, tmp_path / "index", COMFYGEN_RETENTION_DAYS="30") as gallery:
        await gallery.tag(kept.id, add=["Keep"])
        report = await gallery.care()
        assert (report.dry_run, report.expired, report.removed) == (True, 1, 0)
        assert [entry.id for entry in report.going] == [old.id]
        assert report.freed_bytes == old.size_bytes
        assert len(await found(gallery)) == 3

        assert (await gallery.care(dry_run=False)).removed == 1
        assert await found(gallery) == [young.prompt, kept.prompt]
        assert old.key not in await keys(store)
    async with opened(store, tmp_path / "other") as elsewhere:
        assert len(await found(elsewhere)) == 2


async def test_above_the_quota_the_oldest_go_until_it_fits(store, tmp_path):
    data = b"x" * 100_000
    generations = many(10, since=NOW - 10 * DAY, step=DAY, data=data)
    await put(store, *generations, data=data)
    async with opened(store, tmp_path / "index", COMFYGEN_QUOTA_GB="0.00055") as gallery:
        await gallery.tag(generations[0].id, add=["keep"])
        report = await gallery.care()
        assert report.total_bytes > 1_000_000
        assert [entry.id for entry in report.going] == [each.id for each in generations[1:6]]
        assert (report.surplus, report.freed_bytes) == (5, 500_000)

        assert (await gallery.care(dry_run=False)).removed == 5
        after = await gallery.care()
        assert after.total_bytes < 550_000
        assert (after.surplus, after.going) == (0, ())
        assert len(await found(gallery)) == 5


async def test_bytes_that_are_not_ours_cost_no_picture(store, tmp_path):
    await put(store, *many(5))
    await put_orphan(store, generation(NOW, 50))
    await store.put_bytes("g/foreign/blob.bin", b"x" * 3_000_000, mime="application/octet-stream")
    async with opened(store, tmp_path / "index", COMFYGEN_QUOTA_GB="0.001") as gallery:
        report = await gallery.care(dry_run=False)
        assert (report.surplus, report.removed, report.beyond_bytes) == (0, 0, 0)
        assert report.foreign_bytes == 3_000_004
        assert 45 < report.total_bytes < 20_000
        assert len(await found(gallery)) == 5


async def test_a_quota_that_kept_ones_alone_exceed_costs_no_other(tmp_path, caplog):
    store, data = MemoryStore(), b"x" * 100_000
    *kept, free = many(10, since=NOW - 10 * DAY, step=DAY, data=data)
    await put(store, *kept, free, data=data)
    async with opened(store, tmp_path / "index", COMFYGEN_QUOTA_GB="0.0005") as gallery:
        for each in kept:
            await gallery.tag(each.id, add=["keep"])
        report = await gallery.care(dry_run=False)
        assert (report.surplus, report.removed) == (0, 0)
        assert 400_000 <= report.beyond_bytes < 450_000
        assert await gallery.upkeep()
        assert len(await found(gallery)) == 10
    assert "above quota_gb" in caplog.text


async def test_keep_counts_however_another_program_wrote_it(tmp_path):
    store, kept = MemoryStore(), generation(NOW - 40 * DAY).model_copy(update={"tags": (" KEEP ",)})
    await put(store, kept)
    async with opened(store, tmp_path / "index", COMFYGEN_RETENTION_DAYS="30") as gallery:
        assert (await gallery.care()).expired == 0


async def test_retention_and_quota_work_together(tmp_path):
    store, data = MemoryStore(), b"x" * 100_000
    generations = many(10, since=NOW - 10 * DAY, step=DAY, data=data)
    await put(store, *generations, data=data)
    rules = {"COMFYGEN_QUOTA_GB": "0.00055", "COMFYGEN_RETENTION_DAYS": "7.5"}
    async with opened(store, tmp_path / "index", **rules) as gallery:
        report = await gallery.care()
        assert (report.expired, report.surplus) == (3, 2)
        assert [entry.id for entry in report.going] == [each.id for each in generations[:5]]
        assert (await gallery.care(dry_run=False)).removed == 5
        assert (await gallery.care()).surplus == 0


async def test_a_quota_that_is_met_deletes_nothing(tmp_path):
    store = MemoryStore()
    await put(store, *many(3))
    async with opened(store, tmp_path / "index", COMFYGEN_QUOTA_GB="1") as gallery:
        assert (await gallery.care(dry_run=False)).removed == 0


async def test_one_run_sees_to_the_oldest_and_the_next_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr("comfygen_mcp.services.gallery_care.MOST", 2)
    store = MemoryStore()
    generations = many(5, since=NOW - 99 * DAY, step=DAY)
    await put(store, *generations)
    async with opened(store, tmp_path / "index", COMFYGEN_RETENTION_DAYS="30") as gallery:
        report = await gallery.care(dry_run=False)
        assert (report.expired, report.removed) == (5, 2)
        assert len(await found(gallery)) == 3
        assert (await gallery.care(dry_run=False)).going[0].id == generations[2].id


async def test_care_that_is_interrupted_goes_on_with_the_next_run(tmp_path):
    store = WatchedStore(MemoryStore())
    await put(store, *many(5, since=NOW - 99 * DAY))
    async with opened(store, tmp_path / "index", COMFYGEN_RETENTION_DAYS="30") as gallery:
        await found(gallery)
        store.before = power_cut_at("delete", 4)
        with pytest.raises(PowerCut):
            await gallery.care(dry_run=False)
        store.before = lambda verb, key: None
        report = await gallery.care(dry_run=False)
        assert (report.unfinished, report.expired) == (1, 3)
        assert await keys(store, "g/") == []


async def test_the_daily_upkeep_applies_the_rules_of_the_configuration(tmp_path, caplog):
    store, old = MemoryStore(), generation(NOW - 40 * DAY)
    await put(store, old, generation(NOW, 2))
    caplog.set_level("INFO")
    async with opened(store, tmp_path / "index", COMFYGEN_RETENTION_DAYS="30") as gallery:
        assert await gallery.upkeep()
        assert await found(gallery) == ["fox number 2"]
        assert "removed 1 objects" in caplog.text
        assert not await gallery.upkeep()


async def upkeep_of(gallery):
    """Wait for the end of what runs in the background; it may have come already."""
    if task := gallery._upkeep._task:
        await task


async def test_a_service_that_runs_on_begins_the_upkeep_by_itself(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(gallery_upkeep, "SETTLED_S", 0.0)
    store = WatchedStore(MemoryStore())
    await put(store, generation(NOW - 40 * DAY), generation(NOW, 2))
    async with opened(store, tmp_path / "index", COMFYGEN_RETENTION_DAYS="30") as gallery:
        assert len(await found(gallery)) == 2
        await upkeep_of(gallery)
        assert await found(gallery) == ["fox number 2"]
    (tmp_path / "index").joinpath(gallery._sync.marker.name).unlink()
    async with opened(store, tmp_path / "index") as gallery:
        store.before = away
        await found(gallery)
        await upkeep_of(gallery)
        assert "daily upkeep stopped" in caplog.text


async def test_an_upkeep_that_runs_while_the_gallery_closes_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery_upkeep, "SETTLED_S", 0.0)
    store = MemoryStore()
    await put(store, *many(5, since=NOW - 40 * DAY))
    async with opened(store, tmp_path / "index", COMFYGEN_RETENTION_DAYS="30") as gallery:
        await found(gallery)
        task = gallery._upkeep._task
    assert task.done()


class Enormous(MemoryStore):
    """Twenty thousand files without sidecars, made up while they are listed."""

    async def list(self, prefix="", *, start_after=""):
        if prefix == "g/":
            for each in many(20, since=NOW - 9 * DAY):
                for number in range(1000):
                    key = f"{sidecar.prefix_of(each.id)}{number}.png"
                    yield StoredFile.model_construct(key=key, size_bytes=5, modified=NOW - 9 * DAY, mime="")


async def test_many_orphans_are_counted_up_to_what_one_run_removes(tmp_path):
    async with opened(Enormous(), tmp_path / "index") as gallery:
        report = await gallery.care()
        assert (report.files, report.orphans, len(report.orphan_keys)) == (20_000, 10_000, 20)
