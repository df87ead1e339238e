"""The spool: while S3 is down, slow or frozen nothing is lost, and everything arrives once, in order."""

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from observe import wait_until
from s3_servers import Rclone, opened

from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.stores.journal import Journal
from comfygen_mcp.stores.memory import MemoryStore
from comfygen_mcp.stores.spool import SpooledStore

pytestmark = pytest.mark.anyio

BUCKET = "comfy-gen"


@pytest.fixture
def server(tmp_path):
    with Rclone(tmp_path / "served") as server:
        yield server


@pytest.fixture
def quick(monkeypatch):
    """Tries again after a tenth of a second: the tests wait for deliveries."""
    monkeypatch.setattr("comfygen_mcp.stores.spool.RETRY_S", (0.1, 0.2))
    monkeypatch.setattr("comfygen_mcp.stores.spool.LOOK_S", 0.1)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "spool" / "one"


@pytest.fixture
def spooled(server, folder):
    """Return a function that opens the store; *background* also delivers."""

    @asynccontextmanager
    async def open_one(*, background=False, spool_after_s=5.0, read_s=1.0):
        with opened(server.s3.options(BUCKET, read_s=read_s, connect_s=1)) as remote:
            store = SpooledStore(remote, folder, spool_after_s=spool_after_s)
            if not background:
                yield store
                return
            async with store.delivering():
                yield store

    return open_one


def arrived(server):
    """Return the names of what the server has, in the order in which it was written."""
    root = server.folder / BUCKET
    files = [path for path in root.rglob("*") if path.is_file()] if root.exists() else []
    return [
        path.relative_to(root).as_posix() for path in sorted(files, key=lambda path: path.stat().st_mtime_ns)
    ]


async def put(store, *keys):
    for key in keys:
        await store.put_bytes(key, key.encode(), mime="text/plain")


async def keys(store, prefix=""):
    return [file.key async for file in store.list(prefix)]


async def test_while_the_server_answers_nothing_touches_the_spool(spooled, server, folder, tmp_path):
    (tmp_path / "in.png").write_bytes(b"pixels")
    async with spooled() as store:
        await store.put_file("g/a.png", tmp_path / "in.png", mime="image/png", metadata={"id": "1"})
        await put(store, "g/a.png.json")

        assert not store.is_waiting("g/a.png")
        assert store.local_path("g/a.png") is None
        assert (await store.link("g/a.png", expires_s=60)).startswith(server.s3.url)
        assert (await store.condition()).waiting == 0
    assert arrived(server) == ["g/a.png", "g/a.png.json"]
    assert not folder.exists()


@pytest.mark.parametrize("trouble", ["kill", "freeze"])
async def test_what_the_server_does_not_take_waits_is_readable_and_arrives_in_order(
    quick, spooled, server, tmp_path, trouble
):
    (tmp_path / "in.png").write_bytes(b"pixels")
    async with spooled(background=True) as store:
        await put(store, "g/0")
        getattr(server, trouble)()
        await store.put_file("g/2.png", tmp_path / "in.png", mime="image/png")
        await put(store, "g/2.png.json", "g/1", "g/3")

        assert store.local_path("g/2.png").read_bytes() == b"pixels"
        assert await store.read("g/2.png") == b"pixels"
        assert (await store.stat("g/1")).size_bytes == 3
        assert await store.link("g/1", expires_s=60) == store.local_path("g/1").as_uri()
        assert store.url("g/1") == f"{server.s3.url}/{BUCKET}/g/1"
        condition = await store.condition()
        assert condition.waiting == 4
        assert server.s3.url in condition.notes[0]
        listing = aiter(store.list("g/"))
        assert [(await anext(listing)).key for _ in range(4)] == ["g/1", "g/2.png", "g/2.png.json", "g/3"]
        with pytest.raises(StoreFailed):
            await anext(listing)

        server.start() if trouble == "kill" else server.thaw()
        await wait_until(lambda: not store.is_waiting("g/3"))
        assert await keys(store) == ["g/0", "g/1", "g/2.png", "g/2.png.json", "g/3"]
        assert (await store.stat("g/2.png")).mime == "image/png"
        assert (await store.condition()).model_dump() == {"waiting": 0, "notes": ()}
    assert arrived(server) == ["g/0", "g/2.png", "g/2.png.json", "g/1", "g/3"]


async def test_a_slow_server_is_not_waited_for_longer_than_set(spooled, server):
    async with spooled(spool_after_s=0.2, read_s=600) as store:
        await put(store, "g/0")
        server.freeze()
        await put(store, "g/1")

        assert store.is_waiting("g/1")
        assert "too slow" in (await store.condition()).notes[0]
        server.thaw()
        assert await store.deliver()
        assert await store.read("g/1") == b"g/1"


async def test_what_waits_survives_a_restart_and_is_delivered_by_the_next_process(quick, spooled, server):
    server.kill()
    async with spooled() as store:
        await put(store, "g/b", "g/a")
    server.start()

    async with spooled(background=True) as store:
        await wait_until(lambda: not store.is_waiting("g/a"))

    assert arrived(server) == ["g/b", "g/a"]


async def test_a_process_killed_while_it_writes_loses_nothing_that_it_had_acknowledged(
    spooled, server, folder, tmp_path
):
    server.kill()
    code = """
import asyncio, sys
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
from s3_servers import S3Server, opened
from comfygen_mcp.stores.spool import SpooledStore

async def main():
    with opened(S3Server(sys.argv[2]).options("comfy-gen")) as remote:
        store = SpooledStore(remote, Path(sys.argv[3]), spool_after_s=5)
        for n in range(10_000):
            await store.put_bytes(f"g/{n:05}", bytes(50_000), mime="image/png")
            print(f"g/{n:05}", flush=True)

asyncio.run(main())
"""
    words = [str(Path(__file__).parents[1]), server.s3.url, str(folder)]
    with subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True) as writer:
        acknowledged = [writer.stdout.readline().strip() for _ in range(20)]
        writer.kill()
        acknowledged += writer.stdout.read().split()
    server.start()

    async with spooled() as store:
        assert await store.deliver()
        assert (await store.condition()).waiting == 0

    came = arrived(server)
    assert came[: len(acknowledged)] == acknowledged
    assert len(came) <= len(acknowledged) + 1
    assert {(server.folder / BUCKET / key).stat().st_size for key in acknowledged} == {50_000}


async def test_two_processes_share_a_spool_and_each_file_arrives_once(quick, spooled, server):
    server.kill()
    async with spooled(background=True) as one, spooled(background=True) as two:
        await asyncio.gather(
            *(put(store, *(f"{name}/{n}" for n in range(10))) for name, store in (("a", one), ("b", two)))
        )
        assert (await two.condition()).waiting == 20
        server.start()
        await wait_until(lambda: Journal(one._journal.folder).is_empty())

        came = arrived(server)
        assert [key for key in came if key.startswith("a")] == [f"a/{n}" for n in range(10)]
        assert [key for key in came if key.startswith("b")] == [f"b/{n}" for n in range(10)]
        assert (await one.stat("b/9")).size_bytes == 3


async def test_only_one_delivers_at_a_time(spooled, server, folder):
    server.kill()
    async with spooled() as store:
        await put(store, "g/a")
        server.start()
        with Journal(folder).delivering() as ours:
            assert ours
            assert not await store.deliver()
            assert arrived(server) == []
        assert await store.deliver()
    assert arrived(server) == ["g/a"]


async def test_a_key_written_twice_while_it_waits_arrives_as_it_was_last(spooled, server):
    server.kill()
    async with spooled() as store:
        await store.put_bytes("g/a", b"first", mime="text/plain")
        await store.put_bytes("g/a", b"second", mime="text/plain")
        server.start()

        assert await store.deliver()
        assert await store.read("g/a") == b"second"
        assert (await store.condition()).waiting == 0


async def test_a_file_replaced_during_its_delivery_is_delivered_again(folder):
    journal = Journal(folder)
    journal.append("g/a", lambda file: file.write(b"first"), mime="text/plain", metadata={})
    (delivered,) = journal.waiting()
    journal.append("g/a", lambda file: file.write(b"second"), mime="text/plain", metadata={})

    assert journal.strike(delivered)

    assert [w.path.read_bytes() for w in journal.waiting()] == [b"second", b"second"]


async def test_what_is_deleted_while_it_waits_never_arrives(spooled, server):
    server.kill()
    async with spooled() as store:
        await put(store, "g/a", "g/b")
        (first, _) = store._journal.waiting()
        with pytest.raises(StoreFailed):
            await store.delete("g/a")
        assert not store.is_waiting("g/a")
        assert not store._journal.strike(first)
        server.start()

        assert await store.deliver()
        await store.delete("g/b")
    assert arrived(server) == []


async def test_an_entry_without_a_file_is_struck_out_and_an_unreadable_one_is_set_aside(
    spooled, server, folder
):
    server.kill()
    async with spooled() as store:
        await put(store, "g/a", "g/b", "g/c")
        (folder / "files/g/a").unlink()
        (folder / "queue/000000000001.json").write_text("{", encoding="utf-8")
        server.start()

        assert await store.deliver()
        assert (await store.condition()).waiting == 0
    assert arrived(server) == ["g/c"]
    assert (folder / "files/g/b").read_bytes() == b"g/b"
    assert [path.name for path in (folder / "queue").iterdir()] == ["000000000001.unreadable"]


async def test_a_spool_that_cannot_be_written_is_told_with_both_reasons(server, tmp_path):
    (tmp_path / "in-the-way").write_bytes(b"")
    server.kill()
    with opened(server.s3.options(BUCKET)) as remote:
        store = SpooledStore(remote, tmp_path / "in-the-way" / "spool", spool_after_s=5)
        with pytest.raises(StoreFailed, match=r"refuses connections.*Cannot write to the spool"):
            await put(store, "g/a")
        with pytest.raises(StoreFailed):
            await store.writable()


async def test_a_file_to_store_that_is_not_there_is_the_callers_mistake_not_an_outage(spooled, tmp_path):
    async with spooled() as store:
        with pytest.raises(StoreFailed, match="Cannot write 'g/a': No such file"):
            await store.put_file("g/a", tmp_path / "gone", mime="text/plain")
        assert (await store.condition()).model_dump() == {"waiting": 0, "notes": ()}


async def test_the_spool_takes_over_and_says_so_also_when_nothing_waits_yet(spooled, server, folder):
    async with spooled() as store:
        await store.writable()
        assert (await store.condition()).notes == ()
        server.kill()

        await store.writable()

        assert "delivered later" in (await store.condition()).notes[0]
        assert [path for path in folder.rglob("*") if path.is_file()] == []


async def test_a_listing_weaves_what_waits_into_what_is_there(spooled, folder):
    async with spooled() as store:
        await put(store, "g/1", "g/3", "g/5")
        for key in ("g/0", "g/2", "g/3", "g/4", "g/6"):
            Journal(folder).append(key, lambda file: file.write(b"x"), mime="text/plain", metadata={})

        assert await keys(store) == [f"g/{n}" for n in range(7)]
        assert (await store.stat("g/3")).size_bytes == 1


class Meddled(MemoryStore):
    """A remote store in which something happens right after each arrival."""

    async def put_file(self, key, path, *, mime, metadata=None):
        await super().put_file(key, path, mime=mime, metadata=metadata)
        self.meanwhile()


async def test_what_is_deleted_during_its_delivery_is_removed_again(folder):
    remote, journal = Meddled(), Journal(folder)
    journal.append("g/a", lambda file: file.write(b"x"), mime="text/plain", metadata={})
    remote.meanwhile = lambda: journal.discard("g/a")
    store = SpooledStore(remote, folder, spool_after_s=5)

    assert await store.deliver()

    assert await keys(store) == []


async def test_what_is_deleted_before_its_delivery_begins_holds_up_nothing(folder):
    remote, journal = Meddled(), Journal(folder)
    for key in ("g/a", "g/b", "g/c"):
        journal.append(key, lambda file: file.write(b"x"), mime="text/plain", metadata={})
    remote.meanwhile = lambda: journal.discard("g/b")
    store = SpooledStore(remote, folder, spool_after_s=5)

    assert await store.deliver()

    assert await keys(store) == ["g/a", "g/c"]


async def test_a_spool_that_is_in_trouble_for_a_while_is_delivered_when_it_is_over(
    quick, spooled, server, folder, caplog
):
    Journal(folder).append("g/a", lambda file: file.write(b"x"), mime="text/plain", metadata={})
    (folder / "deliver.lock").mkdir()
    async with spooled(background=True):
        await wait_until(lambda: "the spool cannot be delivered" in caplog.text)
        (folder / "deliver.lock").rmdir()
        await wait_until(lambda: arrived(server) == ["g/a"])


async def test_a_file_that_cannot_be_copied_leaves_no_entry(spooled, server, tmp_path):
    server.kill()
    async with spooled() as store:
        with pytest.raises(StoreFailed, match="Is a directory"):
            await store.put_file("g/a", tmp_path, mime="text/plain")
        assert (await store.condition()).waiting == 0


async def test_a_spool_that_another_process_does_not_let_go_is_told(folder, monkeypatch):
    monkeypatch.setattr("comfygen_mcp.stores.journal.LOCKED_S", 0.05)
    journal = Journal(folder)
    with journal._changing(), pytest.raises(StoreFailed, match="locked by another process"):
        journal.discard("g/a")


async def test_what_waits_for_another_store_is_not_delivered_here_but_told(spooled, folder):
    other = Journal(folder.parent / "other-1")
    other.append("g/x", lambda file: file.write(b"x"), mime="text/plain", metadata={})
    async with spooled() as store:
        assert await store.deliver()
        condition = await store.condition()

    assert condition.waiting == 0
    assert condition.notes == ("1 file(s) for another store wait in the spool folder other-1",)
