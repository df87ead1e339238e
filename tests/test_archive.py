"""The archive: outputs become files with sidecars, and are found again by id."""

import hashlib
import json
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from media_files import SECRET, film, pixels, png
from PIL import Image

from comfygen_mcp import ids, sidecar
from comfygen_mcp.backends.archive import Archive, bare_key
from comfygen_mcp.backends.base import Collected
from comfygen_mcp.errors import BadRequest, StoreFailed, UnknownName
from comfygen_mcp.index.sqlite import SqliteIndex
from comfygen_mcp.models import HostFacts, Job, Output, Ticket
from comfygen_mcp.stores.local import LocalStore
from comfygen_mcp.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

JOB_ID = "01a20000-2b3b-7000-8000-000000000001"
NOW = datetime(2026, 11, 21, 8, 41, 0, tzinfo=UTC)


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    return LocalStore(tmp_path / "store") if request.param == "local" else MemoryStore()


@pytest.fixture
def archive(store):
    return Archive(store)


def job_of(job_id=JOB_ID, **changes):
    job = Job(
        id=job_id,
        created_at=NOW,
        kind="txt2img",
        backend="fox",
        workflow="flux1-schnell",
        model="fox.safetensors",
        prompt="a red fox",
        seed=7,
        values={},
        timeout_s=300,
    )
    return job.model_copy(update=changes)


def ticket_of(job):
    return Ticket(
        job_id=job.id,
        backend="fox",
        host="http://fox:8188",
        remote_id="r",
        client_id="c",
        graph={},
        graph_sha256="0" * 64,
        submitted_at=NOW,
    )


def output_of(path, *, media="image", mime="image/png", index=0, text=None):
    data = path.read_bytes() if path.exists() else b""
    return Output(
        path=path,
        filename=path.name,
        media=media,
        mime=mime,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        node_id="9",
        index=index,
        text=text,
    )


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "fox_00001_.png"
    Image.new("RGB", (48, 32), "red").save(file)
    return file


async def keep(archive, *outputs, job=None):
    job = job or job_of()
    collected = Collected(outputs=outputs, facts=HostFacts(vram_used_mib=9), queued_ms=1, running_ms=2)
    return await archive.keep(job, ticket_of(job), collected, latency_ms=3, backend_type="comfyui")


async def keys(store):
    return [file.key async for file in store.list()]


async def test_a_picture_is_kept_with_its_sidecar_and_found_by_its_id(archive, store, picture):
    (kept,) = await keep(archive, output_of(picture))

    assert (kept.width, kept.height) == (48, 32)
    assert kept.minio_url == store.url(kept.key)
    assert (kept.timings.latency_ms, kept.timings.queued_ms, kept.timings.running_ms) == (3, 1, 2)
    assert kept.vram_used_mib == 9
    assert await keys(store) == [kept.key, f"{kept.key}.json"]
    assert await archive.find(kept.id) == kept
    assert await archive.read_output(kept) == picture.read_bytes()
    assert hashlib.sha256(await archive.read_output(kept)).hexdigest() == kept.sha256
    assert json.loads(await store.read(f"{kept.key}.json"))["prompt"] == "a red fox"


async def test_keeping_twice_leaves_the_same_keys_and_records(archive, store, picture):
    first = await keep(archive, output_of(picture))
    before = await keys(store)

    assert await keep(archive, output_of(picture)) == first
    assert await keys(store) == before


async def test_every_output_of_a_job_is_a_generation_of_its_own(archive, store, picture, tmp_path):
    video = tmp_path / "fox.mp4"
    video.write_bytes(b"not really a film")
    data = tmp_path / "facts.json"
    data.write_text("{}")

    kept = await keep(
        archive,
        output_of(picture),
        output_of(video, media="video", mime="video/mp4", index=1),
        output_of(data, media="text", mime="application/json", index=2),
    )

    assert [generation.index for generation in kept] == [0, 1, 2]
    assert len({generation.id for generation in kept}) == 3
    assert {generation.job_id for generation in kept} == {JOB_ID}
    assert (kept[1].width, kept[1].height) == (None, None)
    assert [await archive.find(generation.id) for generation in kept] == list(kept)
    assert len(await keys(store)) == 6


async def test_a_text_becomes_a_small_file(archive, tmp_path):
    (kept,) = await keep(archive, output_of(tmp_path / "none", media="text", text="a fox, 雪"))

    assert kept.key.endswith("_0.txt")
    assert (kept.media, kept.mime) == ("text", "text/plain")
    assert await archive.read_output(kept) == "a fox, 雪".encode()
    assert kept.size_bytes == len("a fox, 雪".encode())
    assert kept.sha256 == hashlib.sha256("a fox, 雪".encode()).hexdigest()


async def test_without_metadata_there_is_a_file_and_no_sidecar(archive, store, picture):
    (kept,) = await keep(archive, output_of(picture), job=job_of(metadata=False))

    assert await keys(store) == [bare_key(kept.key), kept.key]
    for identifier in (kept.id, kept.id[:10]):
        with pytest.raises(BadRequest, match="stored without metadata") as raised:
            await archive.find(identifier)
        assert kept.key in str(raised.value)
        assert not isinstance(raised.value, UnknownName)


def bomb(width, height):
    """A PNG of a few bytes that claims to be enormous."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, bomb(100_000, 100_000)],
)
async def test_a_picture_that_cannot_be_read_is_kept_without_a_size(archive, tmp_path, data):
    file = tmp_path / "odd.png"
    file.write_bytes(data)

    (kept,) = await keep(archive, output_of(file))

    assert kept.width is None
    assert await archive.read_output(kept) == data


async def test_when_the_store_fails_the_message_says_where_the_file_still_lies(picture, tmp_path):
    (tmp_path / "store").write_bytes(b"in the way")

    with pytest.raises(StoreFailed) as raised:
        await keep(Archive(LocalStore(tmp_path / "store")), output_of(picture))

    assert "A file stands where a folder is needed" in str(raised.value)
    assert f"kept at {picture}" in str(raised.value)
    assert picture.exists()


async def test_a_file_whose_sidecar_is_gone_is_told_by_its_key(archive, store, picture):
    (kept,) = await keep(archive, output_of(picture))
    await store.delete(f"{kept.key}.json")

    with pytest.raises(BadRequest, match=kept.key):
        await archive.find(kept.id)


async def test_an_unknown_id_is_an_error_with_the_nearest_of_its_day(archive, picture):
    (kept,) = await keep(archive, output_of(picture))
    wrong = kept.id[:-1] + ("0" if kept.id[-1] != "0" else "1")

    with pytest.raises(UnknownName, match=f"Did you mean '{kept.id}'"):
        await archive.find(wrong)


async def test_an_unknown_id_of_another_day_names_some_there_are(archive, picture):
    (kept,) = await keep(archive, output_of(picture))

    with pytest.raises(UnknownName) as raised:
        await archive.find(ids.new_job_id(datetime(2001, 1, 1, tzinfo=UTC)))
    assert kept.id in str(raised.value)


async def test_an_unknown_id_in_an_empty_store_says_that_there_is_none(archive):
    with pytest.raises(UnknownName, match="There is no generation at all"):
        await archive.find(JOB_ID)


@pytest.mark.parametrize("identifier", ["", "fox", "../../etc/passwd", "1234"])
async def test_what_is_no_id_is_refused(archive, identifier):
    with pytest.raises(BadRequest, match="is not a generation id"):
        await archive.find(identifier)


async def test_the_beginning_of_an_id_is_enough_when_it_is_the_only_one(archive, picture, tmp_path):
    (kept,) = await keep(archive, output_of(picture))
    later = ids.new_job_id(datetime(2030, 1, 1, tzinfo=UTC))
    earlier = ids.new_job_id(datetime(2001, 1, 1, tzinfo=UTC))
    for other in (later, earlier):
        await keep(archive, output_of(picture), job=job_of(other))

    assert await archive.find(kept.id[:8]) == kept
    assert await archive.find(kept.id[:20].upper()) == kept


async def test_the_beginning_of_several_ids_names_them(archive, picture):
    kept = await keep(archive, output_of(picture), output_of(picture, index=1))

    with pytest.raises(BadRequest, match="Several generations begin with") as raised:
        await archive.find(kept[0].id[:8])
    assert all(generation.id in str(raised.value) for generation in kept)


async def test_a_beginning_that_nothing_has_is_unknown(archive, store, picture):
    (kept,) = await keep(archive, output_of(picture))
    await store.put_bytes(f"{kept.key.rpartition('/')[0]}/not ours", b"", mime="text/plain")

    with pytest.raises(UnknownName):
        await archive.find("01a20000ffff")


async def test_a_corrupt_sidecar_is_told_by_its_key(archive, store, picture):
    (kept,) = await keep(archive, output_of(picture))
    await store.put_bytes(f"{kept.key}{sidecar.SUFFIX}", b"{", mime="application/json")

    with pytest.raises(StoreFailed, match=r"\.png\.json cannot be used: it is not JSON"):
        await archive.find(kept.id)


def test_the_archive_touches_nothing_when_it_is_made(tmp_path):
    Archive(LocalStore(tmp_path / "store"))

    assert list(Path(tmp_path).iterdir()) == []


class TestStripping:
    """`strip_metadata: always`: files lose what they carry before they are stored."""

    @pytest.fixture
    def archive(self, store):
        return Archive(store, strip=True)

    async def test_a_picture_is_stored_without_its_graph_and_described_as_it_is_stored(
        self, archive, store, tmp_path
    ):
        fetched = tmp_path / "fox.png"
        fetched.write_bytes(png())
        (kept,) = await keep(archive, output_of(fetched))

        data = await store.read(kept.key)
        assert SECRET.encode() not in data
        assert pixels(data) == pixels(fetched.read_bytes())
        assert (kept.size_bytes, kept.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert (kept.width, kept.height) == (64, 48)
        assert (await archive.find(kept.id)).sha256 == kept.sha256
        assert kept.notes == ()
        assert SECRET.encode() in fetched.read_bytes(), "what was fetched stays as it was"

    async def test_a_film_is_stored_without_its_graph(self, archive, store, tmp_path):
        fetched = film(tmp_path / "fox.webm", "libvpx-vp9", options={})
        (kept,) = await keep(archive, output_of(fetched, media="video", mime="video/webm"))

        data = await store.read(kept.key)
        assert SECRET.encode() not in data
        assert kept.sha256 == hashlib.sha256(data).hexdigest()

    async def test_what_cannot_be_cleaned_is_stored_with_a_note(self, archive, store, tmp_path):
        fetched = tmp_path / "fox.gif"
        fetched.write_bytes(b"GIF89a and so on")
        (kept,) = await keep(archive, output_of(fetched, mime="image/gif"))

        assert await store.read(kept.key) == fetched.read_bytes()
        assert "still carries its metadata" in kept.notes[0]
        assert (await archive.find(kept.id)).notes == kept.notes

    async def test_texts_stay_as_they_are(self, archive, store, tmp_path):
        facts = tmp_path / "facts.json"
        facts.write_text("{}")
        kept = await keep(
            archive,
            output_of(tmp_path / "none", media="text", text="a fox"),
            output_of(facts, media="text", mime="application/json", index=1),
        )
        assert [await store.read(each.key) for each in kept] == [b"a fox", b"{}"]
        assert [each.notes for each in kept] == [(), ()]

    async def test_a_disk_that_fails_names_the_fetched_file(self, archive, tmp_path):
        fetched = tmp_path / "fox.png"
        fetched.write_bytes(png())
        (tmp_path / "fox.cleaned.png").mkdir()
        with pytest.raises(StoreFailed, match="could not be taken out") as raised:
            await keep(archive, output_of(fetched))
        assert str(fetched) in str(raised.value)


async def test_what_is_kept_is_found_at_once_and_an_index_that_fails_fails_nothing(tmp_path, picture, caplog):
    store = MemoryStore()
    index = SqliteIndex(tmp_path / "index", store.name)
    (kept,) = await keep(Archive(store, index=index), output_of(picture))
    assert (await index.get(kept.id)).prompt == "a red fox"
    await keep(Archive(store, index=index), output_of(picture), job=job_of(other_id(), metadata=False))
    assert await index.size() == 1
    await index.aclose()

    (tmp_path / "file").write_text("")
    broken = SqliteIndex(tmp_path / "file" / "index", store.name)
    (again,) = await keep(Archive(store, index=broken), output_of(picture))
    assert again.id == kept.id
    assert "index" in caplog.text


async def test_a_sidecar_says_nothing_of_its_place_that_counts(archive, store, picture):
    (kept,) = await keep(archive, output_of(picture))
    lie = kept.model_copy(update={"id": other_id(), "key": "g/elsewhere"})
    await store.put_bytes(f"{kept.key}.json", sidecar.to_json(lie), mime=sidecar.MIME)

    found = await archive.find(kept.id)
    assert (found.id, found.key) == (kept.id, kept.key)


def other_id():
    return "01a20000-2b3b-7000-8000-00000000abcd"
