"""Sidecars of every version that was ever written: each is read, indexed, found and regenerated from."""

import json
from pathlib import Path

import pytest
from gallery_world import NOW, found, opened

from comfygen_mcp import sidecar
from comfygen_mcp.index.base import Query
from comfygen_mcp.sidecar_migrations import SCHEMA_VERSION
from comfygen_mcp.stores.local import LocalStore
from comfygen_mcp.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

FILES = Path(__file__).parent / "data" / "sidecars"
VERSIONS = range(SCHEMA_VERSION + 1)


def written(version):
    return (FILES / f"version-{version}.json").read_bytes()


def key_of(version):
    """Return the key of that sidecar's file: its own, or one that a gallery would give the source's."""
    fields = json.loads(written(version))
    return fields.get("key") or sidecar.key_of(sidecar.from_json(written(version), key="a.png").id, 0, "png")


async def filled(store):
    for version in VERSIONS:
        await store.put_bytes(key_of(version), b"picture", mime="image/png")
        await store.put_bytes(f"{key_of(version)}.json", written(version), mime="application/json")
    return store


def test_there_is_a_file_of_every_version():
    assert sorted(FILES.iterdir()) == [FILES / f"version-{version}.json" for version in VERSIONS]
    assert [json.loads(written(version)).get("schema_version", 0) for version in VERSIONS] == [*VERSIONS]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_sidecar_of_any_version_is_read_in_todays_form(version):
    generation = sidecar.from_json(written(version), key=key_of(version))

    assert generation.schema_version == SCHEMA_VERSION
    assert (generation.steps, generation.cfg, generation.sampler) == (4, 1.0, "euler")
    assert generation.loras[0].name == "snow.safetensors"
    assert generation.seed == (42 if version == 0 else 2**64 - 1 - version)
    assert sidecar.from_json(sidecar.to_json(generation)) == generation


@pytest.mark.parametrize("folder", [True, False])
async def test_all_versions_are_found_by_search(tmp_path, folder):
    store = await filled(LocalStore(tmp_path / "store") if folder else MemoryStore())
    async with opened(store, tmp_path / "index") as gallery:
        reading = await gallery.reindex()
        assert (reading.complete, reading.skipped) == (True, 0)
        expected = [f"a lighthouse in the snow, 雪, version {version}" for version in reversed(VERSIONS)]
        assert await found(gallery, text="lighthouse") == expected
        assert await found(gallery, text="雪") == expected
        assert await found(gallery, lora="snow.safetensors") == expected
        assert await found(gallery, workflow="flux1-schnell.json", until=NOW) == expected
        assert await found(gallery, seed=2**64 - 2) == expected[-2:-1]
        assert await found(gallery, score_min=0.3) == expected[-1:]
        assert await found(gallery, visible_to="ana") == expected[:1]


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_generation_of_any_version_is_found_tagged_and_deleted(tmp_path, version):
    store = await filled(MemoryStore())
    async with opened(store, tmp_path / "index") as gallery:
        (entry,) = (await gallery.search(Query(text=f'"version {version}"'))).entries
        assert (await gallery.find(entry.id)).prompt == entry.prompt
        assert (await gallery.find(entry.id)).key == key_of(version)
        assert (await gallery.tag(entry.id[:16], add=["old"])).tags == ("old",)
        await gallery.delete(entry.id)
        assert await store.stat(key_of(version)) is None
        assert len(await found(gallery)) == SCHEMA_VERSION
