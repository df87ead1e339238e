"""The S3 store against real servers: keys that are refused, links, big files, bounds, policies."""

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest
from s3_servers import Rclone, free_port, opened

from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.stores.s3_policy import allows_public_read, with_public_read

pytestmark = pytest.mark.anyio

both = pytest.mark.parametrize("s3_server", ["rclone", "rgw"], indirect=True)
KEY = "g/2026/11/21/fox 雪 +&.png"


@pytest.fixture
def bucket():
    return f"b{uuid.uuid4().hex}"


@pytest.fixture
def store(s3_server, bucket):
    with opened(s3_server.options(bucket)) as store:
        yield store


def fetch(url):
    """Return status, body and content type of a plain GET without any key."""
    try:
        with urllib.request.urlopen(url, timeout=20) as reply:  # noqa: S310 - a loopback server of ours
            return reply.status, reply.read(), reply.headers
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read(), refusal.headers


def refused(url):
    status, body, _ = fetch(url)
    return status in (400, 401, 403) and b"pixels" not in body


@both
async def test_a_link_fetches_the_object_with_its_type_and_metadata(store, tmp_path):
    (tmp_path / "in").write_bytes(b"pixels")

    await store.put_file(
        KEY, tmp_path / "in", mime="image/png", metadata={"generation-id": "7", "who": "Zoë"}
    )

    status, body, headers = fetch(await store.link(KEY, expires_s=60))
    assert (status, body, headers["Content-Type"]) == (200, b"pixels", "image/png")
    assert headers["x-amz-meta-generation-id"] == "7"
    assert headers["x-amz-meta-who"] == "Zo%C3%AB"


@both
async def test_links_that_are_expired_tampered_with_or_for_another_key_are_refused(store):
    await store.put_bytes("g/a.png", b"pixels", mime="image/png")
    await store.put_bytes("g/b.png", b"other pixels", mime="image/png")

    good, short = await store.link("g/a.png", expires_s=60), await store.link("g/a.png", expires_s=1)

    assert fetch(good)[0] == 200
    assert refused(good[:-1] + ("0" if good[-1] != "0" else "1"))
    assert refused(good.replace("g/a.png", "g/b.png"))
    assert refused(good.replace("X-Amz-Expires=60", "X-Amz-Expires=600"))
    assert refused(store.url("g/a.png"))
    end = time.monotonic() + 20
    while not refused(short):
        assert time.monotonic() < end
        await asyncio.sleep(0.2)
    assert fetch(good)[0] == 200


@both
@pytest.mark.parametrize("wrong", [{"secret_key": "wrong-secret"}, {"access_key": "NOBODY"}])
async def test_wrong_keys_are_refused_by_every_method_and_the_message_names_the_variables_not_the_keys(
    s3_server, bucket, wrong
):
    with opened(s3_server.options(bucket)) as right:
        await right.put_bytes("g/a.png", b"pixels", mime="image/png")
        with opened(s3_server.options(bucket, **wrong)) as store:
            texts = []
            for attempt in (
                lambda: store.put_bytes("g/b.png", b"x", mime="image/png"),
                lambda: store.read("g/a.png"),
                lambda: store.stat("g/a.png"),
                lambda: store.delete("g/a.png"),
                lambda: anext(store.list()),
                store.writable,
            ):
                with pytest.raises(StoreFailed, match=r"HTTP 403.*COMFYGEN_S3_SECRET_KEY") as raised:
                    await attempt()
                texts.append(str(raised.value) + repr(store._options))
            link = await store.link("g/a.png", expires_s=60)
        assert refused(link)
        assert await right.read("g/a.png") == b"pixels"
    assert not any(s3_server.secret_key in text or "wrong-secret" in text for text in texts)


@both
async def test_a_prefix_keeps_stores_of_one_bucket_apart(s3_server, bucket):
    with (
        opened(s3_server.options(bucket, prefix="a/")) as a,
        opened(s3_server.options(bucket, prefix="b/")) as b,
        opened(s3_server.options(bucket)) as whole,
    ):
        await a.put_bytes("x", b"a", mime="text/plain")
        await b.put_bytes("x", b"b", mime="text/plain")

        assert [file.key async for file in a.list()] == ["x"]
        assert (await a.read("x"), await b.read("x")) == (b"a", b"b")
        assert [file.key async for file in whole.list()] == ["a/x", "b/x"]
        assert a.url("x") == f"{s3_server.url}/{bucket}/a/x"


@both
async def test_many_writers_find_the_missing_bucket_and_every_object_is_there(s3_server, bucket):
    with opened(s3_server.options(bucket)) as one, opened(s3_server.options(bucket)) as two:
        stores = [one, two] * 8
        await asyncio.gather(
            *(s.put_bytes(f"k{n:02}", b"x", mime="text/plain") for n, s in enumerate(stores))
        )

        assert [file.key async for file in two.list()] == [f"k{n:02}" for n in range(16)]


@both
async def test_a_listing_goes_on_over_many_pages(store, monkeypatch):
    monkeypatch.setattr("comfygen_mcp.stores.s3_bucket.PAGE", 3)
    names = [f"p/{n}" for n in range(8)]
    await asyncio.gather(*(store.put_bytes(name, b"", mime="text/plain") for name in names))

    assert [file.key async for file in store.list()] == names
    assert [file.key async for file in store.list("p/", start_after="p/5")] == ["p/6", "p/7"]


@pytest.mark.parametrize("s3_server", ["rclone"], indirect=True)
async def test_links_and_canonical_addresses_name_the_public_endpoint_and_ask_nobody(s3_server, bucket):
    options = s3_server.options(bucket, url="http://127.0.0.1:9", public_url="https://pictures.example.org")
    with opened(options) as store:
        assert (
            store.url(KEY)
            == f"https://pictures.example.org/{bucket}/g/2026/11/21/fox%20%E9%9B%AA%20%2B%26.png"
        )
        link = await store.link(KEY, expires_s=60)

    assert link.startswith(store.url(KEY) + "?X-Amz-Algorithm=")
    assert s3_server.secret_key not in link


async def test_an_address_where_nobody_listens_is_told_quickly_with_what_to_check(bucket):
    url = f"http://127.0.0.1:{free_port()}"
    refusal = pytest.raises(StoreFailed, match=r"refuses connections.*Check s3\.endpoint")
    with opened(Rclone("/").s3.options(bucket, url=url)) as store, refusal as raised:
        await store.put_bytes("g/a.png", b"x", mime="image/png")

    assert url in str(raised.value)


async def test_a_name_that_nobody_knows_is_told(bucket):
    options = Rclone("/").s3.options(bucket, url="http://no-such-host.invalid:9000", connect_s=2)
    with (
        opened(options) as store,
        pytest.raises(StoreFailed, match=r"its name is not known|cannot be reached"),
    ):
        await store.read("g/a.png")


@pytest.fixture
def own_rclone(tmp_path):
    with Rclone(tmp_path / "served") as server:
        yield server


async def test_a_frozen_server_is_given_up_after_its_time(own_rclone, bucket):
    with opened(own_rclone.s3.options(bucket, read_s=0.3)) as store:
        await store.put_bytes("g/a.png", b"x", mime="image/png")
        own_rclone.freeze()

        for attempt in (
            lambda: store.read("g/a.png"),
            lambda: store.put_bytes("g/b.png", bytes(20 << 20), mime="image/png"),
        ):
            with pytest.raises(StoreFailed, match=r"does not answer in time|the connection broke"):
                await attempt()
        own_rclone.thaw()
        assert await store.read("g/a.png") == b"x"


async def test_whoever_stops_waiting_for_a_frozen_server_leaves_no_thread_behind(own_rclone, bucket):
    with opened(own_rclone.s3.options(bucket, read_s=600)) as store:
        await store.put_bytes("g/a.png", b"x", mime="image/png")
        own_rclone.freeze()
        waiting = asyncio.create_task(store.put_bytes("g/b.png", bytes(30 << 20), mime="image/png"))
        await asyncio.sleep(0.2)
        assert not waiting.done()

        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        own_rclone.thaw()
        # Every thread is free again: as many calls as there are threads get through.
        assert await asyncio.gather(*(store.read("g/a.png") for _ in range(8))) == [b"x"] * 8
        assert await store.stat("g/b.png") is None


async def test_a_server_that_was_restarted_is_used_again_on_fresh_connections(own_rclone, bucket):
    with opened(own_rclone.s3.options(bucket)) as store:
        await store.put_bytes("g/a.png", b"x", mime="image/png")
        own_rclone.kill()
        own_rclone.start()

        assert await store.read("g/a.png") == b"x"
        assert (await store.stat("g/a.png")).mime == "image/png"


async def test_something_that_is_no_s3_server_is_told(engine, bucket):
    with opened(Rclone("/").s3.options(bucket, url=engine.url)) as store:
        with pytest.raises(StoreFailed, match=r"Check s3\.endpoint"):
            await store.put_bytes("g/a.png", b"x", mime="image/png")
        with pytest.raises(StoreFailed, match=r"Check s3\.endpoint"):
            await store.writable()


async def test_public_read_opens_pictures_and_nothing_else_where_policies_work(rgw, bucket):
    with opened(rgw.options(bucket)) as store:
        await store.put_bytes("g/1/a.png", b"pixels", mime="image/png")
        assert refused(store.url("g/1/a.png"))

    with opened(rgw.options(bucket, public_read=True)) as store:
        await store.put_bytes("g/1/a.png.json", b"{}", mime="application/json")
        assert fetch(store.url("g/1/a.png"))[:2] == (200, b"pixels")
        assert refused(store.url("g/1/a.png.json"))
        assert refused(f"{rgw.url}/{bucket}/")
        assert (await store.condition()).notes == ()


async def test_public_read_on_a_server_without_policies_is_a_note_and_writing_goes_on(rclone, bucket):
    with opened(rclone.s3.options(bucket, public_read=True)) as store:
        await store.put_bytes("g/a.png", b"pixels", mime="image/png")

        (note,) = (await store.condition()).notes
        assert "s3.public_read has no effect" in note
        assert fetch(await store.link("g/a.png", expires_s=60))[0] == 200


def test_the_policy_keeps_the_statements_of_others_and_replaces_ours():
    other = {"Sid": "Other", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy = with_public_read(json.dumps({"Version": "2012-10-17", "Statement": [other]}), "b", "p/")

    again = with_public_read(with_public_read(policy, "b", "old/"), "b", "p/")

    statements = json.loads(again)["Statement"]
    assert [each["Sid"] for each in statements] == ["Other", "ComfygenPublicRead"]
    assert statements[1]["Resource"][0] == "arn:aws:s3:::b/p/g/*.png"
    assert allows_public_read(again, "b", "p/")
    assert not allows_public_read(again, "b", "")
    assert not allows_public_read("<xml/>", "b", "")
    assert not allows_public_read("[]", "b", "")
    assert not allows_public_read('{"Statement": {}}', "b", "")


BIG = 500 << 20
PUT_BIG = """
import asyncio, os, sys
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
from s3_servers import S3Server, opened

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

async def main():
    with opened(S3Server(sys.argv[2]).options(sys.argv[3])) as store:
        await store.put_bytes("small", b"x", mime="text/plain")
        before = peak()
        await store.put_file("g/big.mp4", Path(sys.argv[4]), mime="video/mp4")
        print(peak() - before)

asyncio.run(main())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the memory of a process")
async def test_a_video_of_500_mb_passes_with_less_than_100_mb_of_memory(rclone, bucket, tmp_path):
    video = tmp_path / "big.mp4"
    with video.open("wb") as file:
        file.truncate(BIG)
        file.seek(BIG // 2)
        file.write(os.urandom(1 << 20))
    words = [str(Path(__file__).parents[1]), rclone.s3.url, bucket, str(video)]

    done = subprocess.run(
        [sys.executable, "-c", PUT_BIG, *words], check=True, capture_output=True, text=True, timeout=170
    )

    assert int(done.stdout) < 100_000
    stored = rclone.folder / bucket / "g/big.mp4"
    with stored.open("rb") as theirs, video.open("rb") as ours:
        assert hashlib.file_digest(theirs, "md5").digest() == hashlib.file_digest(ours, "md5").digest()
    stored.unlink()
