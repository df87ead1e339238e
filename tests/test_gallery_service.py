"""From a generated picture to the gallery and back, through the app and a real engine."""

from pathlib import Path

import pytest

from comfygen_mcp import sidecar
from comfygen_mcp.app import open_app
from comfygen_mcp.graph.carried import graph_in_picture
from comfygen_mcp.index.base import Query
from comfygen_mcp.models_request import GenerateRequest

pytestmark = pytest.mark.anyio

QUICK = {"model": "sd15", "size": "128x128", "steps": 1}


async def generated(app, prompt, **changes):
    started = await app.generation.start(GenerateRequest(prompt=prompt, **QUICK, **changes))
    state = await app.generation.wait(started.job.id, timeout_s=60)
    assert state.status == "completed", state.error
    (made,) = state.generations
    return made


async def test_what_was_generated_is_found_at_once_and_after_a_restart_without_comfyui(settings_for, engine):
    settings = settings_for(COMFYUI_URL=engine.url)
    async with open_app(settings, {}) as app:
        made = await generated(app, "a paper crane")
        page = await app.gallery.search(Query(text="crane"))
        assert [entry.id for entry in page.entries] == [made.id]
        await app.gallery.tag(made.id, add=["origami"])

    off = settings_for(COMFYUI_URL="http://127.0.0.1:9")
    async with open_app(off, {}) as app:
        page = await app.gallery.search(Query(tags=("origami",)))
        assert [entry.id for entry in page.entries] == [made.id]
        found = await app.gallery.find(made.id)
        assert (found.tags, found.graph) == (("origami",), made.graph)
        assert graph_in_picture(await app.gallery.read_output(found)).graph
        assert graph_in_picture(await app.gallery.read_shared(found)) is None
        assert (await app.gallery.reindex()).complete


async def test_stripped_always_a_stored_picture_carries_nothing_and_can_still_be_made_again(
    settings_for, engine
):
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_STRIP_METADATA="always")
    async with open_app(settings, {}) as app:
        made = await generated(app, "a paper boat")
        data = await app.gallery.read_output(made)
        assert graph_in_picture(data) is None
        assert b"paper boat" not in data
        assert (await app.gallery.find(made.id)).graph
        assert list(Path(settings.incoming).iterdir()) == []


async def test_a_picture_without_metadata_is_in_no_index(settings_for, engine):
    async with open_app(settings_for(COMFYUI_URL=engine.url), {}) as app:
        made = await generated(app, "a secret", metadata=False)
        assert (await app.gallery.search(Query())).entries == ()
        assert (await app.gallery.reindex()).skipped == 0
        keys = [file.key async for file in app.store.list("g/")]
        assert keys == [made.key]
        assert not any(map(sidecar.is_sidecar, keys))
