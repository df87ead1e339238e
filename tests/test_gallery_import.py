"""Import: output folders of ComfyUI, the source system's files, exported zips; once is enough."""

import hashlib
import json
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from gallery_world import NOW, found, generation, keys, opened, put
from media_files import GRAPH, SECRET, TEXT, film, painted, png, sound, webp
from PIL.PngImagePlugin import PngInfo
from watched_store import WatchedStore, away

from comfygen_mcp import sidecar
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.graph.hash import graph_sha256
from comfygen_mcp.index.base import Query
from comfygen_mcp.services.gallery_foreign import foreign_file
from comfygen_mcp.stores.local import LocalStore
from comfygen_mcp.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

MADE = datetime(2024, 2, 29, 23, 59, 58, 250000, tzinfo=UTC)
SOURCE = Path(__file__).parent / "data" / "sidecars" / "version-0.json"


@pytest.fixture(params=["local", "memory"])
def store(request, tmp_path):
    return LocalStore(tmp_path / "store") if request.param == "local" else MemoryStore()


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "output"
    made.mkdir()
    return made


def write(path, data, moment=MADE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (moment.timestamp(), moment.timestamp()))
    return path


async def only(gallery):
    (entry,) = (await gallery.search(Query())).entries
    return await gallery.find(entry.id)


async def test_a_picture_tells_by_its_graph_how_it_was_made(store, folder, tmp_path):
    write(folder / "ComfyUI_00001_.png", png())
    async with opened(store, tmp_path / "index") as gallery:
        report = await gallery.import_folder(folder)
        assert (report.imported, report.present, report.failed) == (1, 0, 0)
        one = await only(gallery)
        assert (one.prompt, one.negative_prompt) == (SECRET, "fog")
        assert (one.seed, one.seed_text) == (2**63 + 5, str(2**63 + 5))
        assert (one.steps, one.cfg, one.sampler, one.scheduler) == (7, 2.5, "euler", "karras")
        assert (one.model, one.loras[0].name) == ("fox_v2.safetensors", "snow.safetensors")
        assert (one.width, one.height, one.kind, one.media) == (64, 48, "txt2img", "image")
        assert one.timestamp == MADE
        assert one.key.startswith("g/2024/02/29/20240229_235958_")
        assert (one.graph, one.graph_sha256) == (GRAPH, graph_sha256(GRAPH))
        assert (one.backend, one.workflow) == ("imported", "imported.json")
        data = await gallery.read_output(one)
        assert data == png()
        assert (one.size_bytes, one.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert one.minio_url == store.url(one.key)
        assert one.notes[0].startswith("Imported")
        assert await found(gallery, text="secret", lora="snow.safetensors") == [SECRET]


async def test_a_second_import_adds_nothing_and_a_second_machine_makes_the_same(folder, tmp_path):
    for number in range(5):
        write(folder / f"sub/ComfyUI_{number:05}_.png", png(TEXT.replace(SECRET, f"fox {number}")))
    written = []
    for name in ("one", "two"):
        store = MemoryStore()
        async with opened(store, tmp_path / name) as gallery:
            assert (await gallery.import_folder(folder)).imported == 5
            before = await keys(store)
            report = await gallery.import_folder(folder)
            assert (report.imported, report.present) == (0, 5)
            assert await keys(store) == before
        written.append({key: await store.read(key) for key in before})
    assert written[0] == written[1]


async def test_what_is_imported_is_a_copy(folder, tmp_path):
    store = LocalStore(tmp_path / "store")
    file = write(folder / "a.png", png())
    async with opened(store, tmp_path / "index") as gallery:
        await gallery.import_folder(folder)
        with file.open("r+b") as open_file:
            open_file.write(b"written over in place")
        assert await gallery.read_output(await only(gallery)) == png()
    assert list((tmp_path / "index" / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "write_it"),
    [
        ("a.webp", lambda path: path.write_bytes(webp())),
        ("a.mp4", lambda path: film(path, "libx264")),
        ("a.webm", lambda path: film(path, "libvpx-vp9", options={})),
        ("a.flac", sound),
    ],
)
async def test_other_kinds_of_files_carry_their_graph_too(folder, tmp_path, name, write_it):
    write_it(folder / name)
    async with opened(MemoryStore(), tmp_path / "index") as gallery:
        assert (await gallery.import_folder(folder)).imported == 1
        one = await only(gallery)
        assert one.prompt == SECRET
        expected = {"a.webp": ("image", "txt2img"), "a.flac": ("audio", "other")}.get(
            name, ("video", "txt2video")
        )
        assert (one.media, one.kind) == expected


@pytest.mark.parametrize(("name", "kind"), [("a.png", "img2img"), ("a.mp4", "img2video")])
async def test_what_was_made_from_a_picture_is_told_so(folder, tmp_path, name, kind):
    graph = {**GRAPH, "11": {"class_type": "LoadImage", "inputs": {"image": "x.png"}}}
    if name == "a.png":
        write(folder / name, png(json.dumps(graph)))
    else:
        film(folder / name, "libx264", metadata={"prompt": json.dumps(graph)})
    async with opened(MemoryStore(), tmp_path / "index") as gallery:
        await gallery.import_folder(folder)
        assert (await only(gallery)).kind == kind


async def test_files_of_the_source_system_keep_their_thirteen_fields(store, folder, tmp_path):
    write(folder / "20260115_103045_lighthouse.png", png(graph=None))
    write(folder / "20260115_103045_lighthouse.png.json", SOURCE.read_bytes())
    async with opened(store, tmp_path / "index") as gallery:
        assert (await gallery.import_folder(folder)).imported == 1
        one = await only(gallery)
        fields = json.loads(SOURCE.read_bytes())
        assert one.timestamp == datetime(2026, 1, 15, 10, 30, 45, 123456, tzinfo=UTC)
        assert {
            name: getattr(one, name) for name in ("prompt", "seed", "steps", "cfg", "validation_score")
        } == {name: fields[name] for name in ("prompt", "seed", "steps", "cfg", "validation_score")}
        assert one.workflow == "flux1-schnell.json"
        assert (one.width, one.height) == (64, 48)
        assert one.minio_url == store.url(one.key)
        assert one.size_bytes == len(png(graph=None))
        assert (await gallery.import_folder(folder)).present == 1


async def test_a_graph_inside_adds_to_what_an_old_sidecar_knows(folder, tmp_path):
    write(folder / "a.png", png())
    write(folder / "a.png.json", SOURCE.read_bytes())
    write(folder / "b.png", png(json.dumps({"1": {"inputs": {}}})))
    newer = {**json.loads(SOURCE.read_bytes()), "timestamp": "2026-01-16T00:00:00", "minio_url": ""}
    write(folder / "b.png.json", json.dumps(newer).encode())
    async with opened(MemoryStore(), tmp_path / "index") as gallery:
        assert (await gallery.import_folder(folder)).imported == 2
        newer, older = [await gallery.find(entry.id) for entry in (await gallery.search(Query())).entries]
        assert (older.prompt, older.graph, older.model) == (
            json.loads(SOURCE.read_bytes())["prompt"],
            GRAPH,
            "fox_v2.safetensors",
        )
        assert (newer.graph, newer.model) == ({}, "unknown")


async def test_an_exported_zip_goes_into_another_gallery_as_it_was(folder, tmp_path):
    one = generation(NOW, 3, owner="ana")
    here, there = MemoryStore(), MemoryStore()
    await put(here, one, data=png())
    async with opened(here, tmp_path / "one") as gallery:
        await gallery.tag(one.id, add=["red"])
        await gallery.export(Query(), tmp_path / "all.zip", strip=False)
    with zipfile.ZipFile(tmp_path / "all.zip") as packed:
        packed.extractall(folder)
    async with opened(there, tmp_path / "two") as gallery:
        assert (await gallery.import_folder(folder)).imported == 1
        found_there = await only(gallery)
    facts = {"minio_url": there.url(one.key), "tags": ("red",), "width": 64, "height": 48}
    digest = {"size_bytes": len(png()), "sha256": hashlib.sha256(png()).hexdigest()}
    assert found_there == one.model_copy(update={**facts, **digest})


async def test_what_was_deleted_does_not_come_back(store, folder, tmp_path):
    write(folder / "a.png", png())
    async with opened(store, tmp_path / "index") as gallery:
        await gallery.import_folder(folder)
        await gallery.delete((await only(gallery)).id)
        report = await gallery.import_folder(folder)
        assert (report.imported, report.present) == (0, 1)
        assert await found(gallery) == []
        assert await keys(store, "g/") == []


async def test_what_cannot_be_imported_is_listed_and_the_rest_goes_on(folder, tmp_path):
    write(folder / "good.png", png())
    write(folder / "notes.txt", b"not a picture")
    write(folder / "plain.png", png(graph=None))
    write(folder / "cut.png", png()[:200])
    write(folder / "empty.png", b"")
    write(folder / "words.png", png("a1111 parameters: steps 20"))
    write(folder / "odd.png", png(json.dumps({"1": {"class_type": 3}})))
    write(folder / "film.mp4", b"\0\0\0\x14ftypisom\0\0\0\0isom\0\0\0\x99moov")
    fields = json.loads(SOURCE.read_bytes())
    for name, change in (("old", {"timestamp": "soon"}), ("seed", {"seed": -1})):
        write(folder / f"{name}.png", png())
        write(folder / f"{name}.png.json", json.dumps({**fields, **change}).encode())
    write(folder / "other.png", png(TEXT.replace(SECRET, "other")))
    write(folder / "other.png.json", b'["json of another program"]')
    (folder / "folder.png").mkdir()
    (folder / "link.png").symlink_to(folder / "nowhere")
    told = []
    async with opened(MemoryStore(), tmp_path / "index") as gallery:
        report = await gallery.import_folder(folder, lambda done, total: told.append((done, total)))
    reasons = {failure.file: failure.reason for failure in report.failures}
    assert (report.imported, report.failed) == (2, 8)
    assert set(reasons) == {
        *("plain.png", "cut.png", "empty.png", "words.png", "odd.png", "film.mp4", "old.png", "seed.png")
    }
    assert "carries no graph" in reasons["plain.png"]
    assert "cut short" in reasons["cut.png"]
    assert "damaged" in reasons["film.mp4"]
    assert "timestamp" in reasons["old.png"] or "soon" in reasons["old.png"]
    assert "seed" in reasons["seed.png"]
    assert str(tmp_path) not in str(reasons)
    assert told[-1] == (10, 10)


async def test_a_file_of_impossible_values_is_listed_and_leaves_nothing_behind(store, folder, tmp_path):
    write(folder / "a.png", png(TEXT.replace(SECRET, "first")))
    write(folder / "z.png", png(TEXT.replace(SECRET, "last")))
    old, new = json.loads(SOURCE.read_bytes()), json.loads(sidecar.to_json(generation()))
    changes = {
        "score": {**old, "validation_score": "NaN"},
        "cfg": {**old, "cfg": "Infinity"},
        "early": {**old, "timestamp": "0001-01-01T00:00:00+14:00"},
        "zone": {**new, "timestamp": "9999-12-31T23:59:59-14:00"},
        "index": {**new, "index": -1},
        "huge": {**new, "index": 10**40},
        "strength": {**new, "loras": [{"name": "x", "strength": "-inf"}]},
    }
    for name, fields in changes.items():
        write(folder / f"{name}.png", png(graph=None))
        write(folder / f"{name}.png.json", json.dumps(fields).encode())
    write(folder / "large.png", png(graph=None))
    write(folder / "large.png.json", json.dumps({**new, "cfg": "?"}).replace('"?"', "1e999").encode())
    write(folder / "before.png", png())
    os.utime(folder / "before.png", (-5, -5))
    write(folder / "graph.png", png(TEXT.replace("2.5", "1e999")))
    write(folder / "digits.png", png(TEXT.replace("2.5", "9" * 400)))
    async with opened(store, tmp_path / "index") as gallery:
        report = await gallery.import_folder(folder)
        assert {failure.file for failure in report.failures} == {
            *(f"{name}.png" for name in (*changes, "large", "before", "graph", "digits"))
        }
        assert report.imported == 2
        assert set(await found(gallery)) == {"first", "last"}
        assert len(await keys(store, "g/")) == 4
        assert (await gallery.reindex()).skipped == 0
    reasons = {failure.file: failure.reason for failure in report.failures}
    assert "finite" in reasons["score.png"]
    assert "index" in reasons["huge.png"]
    assert "before 1970" in reasons["before.png"]


async def test_half_characters_in_a_sidecar_or_a_file_name_break_nothing(store, folder, tmp_path):
    write(folder / "a.png", png(graph=None))
    fields = {**json.loads(SOURCE.read_bytes()), "prompt": "half \ud83d fox"}
    write(folder / "a.png.json", json.dumps(fields).encode())
    write(folder / os.fsdecode(b"\xff.png"), png(graph=None))
    async with opened(store, tmp_path / "index") as gallery:
        report = await gallery.import_folder(folder)
        assert report.imported == 1
        assert '"\ufffd.png"' in report.model_dump_json()
        assert await found(gallery, text="fox") == ["half \ufffd fox"]


async def test_tags_of_an_import_are_ours_or_left_out(folder, tmp_path):
    many_tags = [f"tag {number:02}" for number in range(60)]
    for number, tags in enumerate(
        (["Keep", "Red  FOX,Snow", "a" * 5000, "\u202eturned", ","], [*many_tags, "keep"])
    ):
        one = generation(NOW, number).model_copy(update={"tags": tuple(tags)})
        write(folder / f"{number}.png", png(graph=None))
        write(folder / f"{number}.png.json", sidecar.to_json(one))
    async with opened(MemoryStore(), tmp_path / "index", COMFYGEN_RETENTION_DAYS="0.0001") as gallery:
        assert (await gallery.import_folder(folder)).imported == 2
        (entry,) = (await gallery.search(Query(tags=("snow",)))).entries
        assert entry.tags == ("keep", "red fox", "snow")
        assert "without 2 of its tags" in (await gallery.find(entry.id)).notes[-1]
        (entry,) = (await gallery.search(Query(tags=("tag 07",)))).entries
        assert len(entry.tags) == 50
        assert "keep" in entry.tags
        assert (await gallery.care()).expired == 0


async def test_a_graph_of_the_editor_alone_is_turned_into_one_that_runs(folder, tmp_path):
    editor = {
        "nodes": [
            {
                "id": 1,
                "type": "CheckpointLoaderSimple",
                "inputs": [],
                "outputs": [{"name": "MODEL", "type": "MODEL", "links": []}],
                "widgets_values": ["fox.safetensors"],
            }
        ],
        "links": [],
    }
    info = PngInfo()
    info.add_text("workflow", json.dumps(editor))
    painted().save(folder / "editor.png", pnginfo=info)
    write(folder / "none.png", png(graph=None))
    async with opened(MemoryStore(), tmp_path / "index") as gallery:
        report = await gallery.import_folder(folder)
        assert (report.imported, report.failed) == (1, 1)
        assert (await only(gallery)).graph["1"]["class_type"] == "CheckpointLoaderSimple"


async def test_a_picture_too_large_to_be_read_is_named(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("comfygen_mcp.services.gallery_foreign._LARGEST_PICTURE", 100)
    write(folder / "a.png", png())
    async with opened(MemoryStore(), tmp_path / "index") as gallery:
        assert "more than" in (await gallery.import_folder(folder)).failures[0].reason


async def test_a_file_that_cannot_be_read_is_told_so(folder):
    with pytest.raises(BadRequest, match="cannot be read: No such file"):
        foreign_file(folder / "gone.png", "gone.png")


async def test_only_a_folder_outside_the_gallery_is_imported(tmp_path):
    store = LocalStore(tmp_path / "store")
    await put(store, generation())
    (tmp_path / "file").write_text("")
    async with opened(store, tmp_path / "index") as gallery:
        for own in (tmp_path / "store", tmp_path / "store" / "g" / "2026"):
            with pytest.raises(BadRequest, match="the gallery itself"):
                await gallery.import_folder(own)
        for none in (tmp_path / "nowhere", tmp_path / "file"):
            with pytest.raises(BadRequest, match="is no folder here"):
                await gallery.import_folder(none)


async def test_stripping_always_cleans_imported_files_too(folder, tmp_path):
    write(folder / "a.png", png())
    write(folder / "b.gif", b"GIF89a and so on")
    fields = json.loads(SOURCE.read_bytes())
    write(folder / "b.gif.json", json.dumps(fields).encode())
    store = MemoryStore()
    async with opened(store, tmp_path / "index", COMFYGEN_STRIP_METADATA="always") as gallery:
        assert (await gallery.import_folder(folder)).imported == 2
        for entry in (await gallery.search(Query())).entries:
            one = await gallery.find(entry.id)
            data = await gallery.read_output(one)
            assert SECRET.encode() not in data
            assert (one.size_bytes, one.sha256) == (len(data), hashlib.sha256(data).hexdigest())
            assert ("still carries" in str(one.notes)) == one.key.endswith(".gif")
        assert (await gallery.import_folder(folder)).present == 2


async def test_a_store_or_disk_that_fails_ends_the_import_with_its_reason(folder, tmp_path):
    write(folder / "a.png", png())
    store = WatchedStore(MemoryStore(), before=away)
    async with opened(store, tmp_path / "index") as gallery:
        with pytest.raises(StoreFailed, match="nobody answers"):
            await gallery.import_folder(folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "incoming").write_text("a file where a folder should be")
    async with opened(MemoryStore(), tmp_path / "other") as gallery:
        with pytest.raises(StoreFailed, match="could not be copied"):
            await gallery.import_folder(folder)


async def test_an_import_that_was_interrupted_between_file_and_sidecar_is_completed(folder, tmp_path):
    write(folder / "a.png", png())
    store = WatchedStore(MemoryStore())

    def no_sidecars(verb, key):
        if verb == "put" and key.endswith(".json"):
            away(verb, key)

    async with opened(store, tmp_path / "index") as gallery:
        store.before = no_sidecars
        with pytest.raises(StoreFailed):
            await gallery.import_folder(folder)
        assert await found(gallery) == []
        store.before = lambda verb, key: None
        assert (await gallery.import_folder(folder)).imported == 1
        one = await only(gallery)
        assert await keys(store, "g/") == [one.key, one.key + sidecar.SUFFIX]
