"""Comparisons below the tools: stores that are elsewhere or fail, owners, what is remembered."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from compare_gates import Held, engine_behind
from mcp import Client
from observe import error_text, wait_until
from PIL import Image

from comfygen_mcp.app import open_app
from comfygen_mcp.app_compare import comparisons
from comfygen_mcp.compare import CompareRequest
from comfygen_mcp.compare_axes import parse_axes
from comfygen_mcp.config import load_settings
from comfygen_mcp.errors import BadRequest, StoreFailed, UnknownName
from comfygen_mcp.index.base import Query
from comfygen_mcp.server import build_server
from comfygen_mcp.services import comparison as comparison_service
from comfygen_mcp.services.comparison_shelf import ComparisonShelf
from comfygen_mcp.stores.memory import MemoryStore

pytestmark = pytest.mark.anyio

QUICK = {"prompt": "a red fox in snow", "size": "256x256", "steps": 1, "models": ["sd15", "sdxl"]}


def request_of(owner=None, **written):
    axes = parse_axes({"models": ["sd15", "sdxl"], "steps": 1, **written})
    return CompareRequest(prompt="a red fox", size="256x256", axes=axes, owner=owner)


@asynccontextmanager
async def opened(settings):
    async with open_app(settings, {}) as app:
        yield app


async def finished(app, state):
    return await app.comparisons.wait(state.comparison.id, timeout_s=60)


async def test_the_sheet_is_drawn_from_pictures_in_a_bucket_and_the_link_fetches_it(tmp_path, engine, rclone):
    environ = {
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "COMFYGEN_INDEX": str(tmp_path / "index"),
        "COMFYUI_URL": engine.url,
        **rclone.s3.environ("compared"),
    }
    settings = load_settings(environ=environ, cwd=tmp_path).settings
    async with Client(build_server(lambda: open_app(settings, environ))) as client:
        view = (await client.call_tool("compare_models", QUICK)).structured_content

    assert view["done"] == 2
    assert view["sheet"]["download_url"].startswith("http://")
    assert "path" not in view["sheet"]
    folder = rclone.folder / "compared" / "c"
    (sheet,) = folder.rglob("contact-sheet.png")
    with Image.open(sheet) as picture:
        assert picture.size == (view["sheet"]["width"], view["sheet"]["height"])
    record = json.loads(next(folder.rglob("compare.json")).read_text(encoding="utf-8"))
    assert [attempt["error"] for attempt in record["attempts"]] == [None, None]


async def test_a_comparison_belongs_to_the_one_who_started_it(settings):
    async with opened(settings) as app:
        state = await finished(app, await app.comparisons.start(request_of(owner="ada")))
        comparison_id = state.comparison.id
        made = [attempt.generation_id for attempt in state.comparison.attempts]
        owners = {(await app.generation.find(generation_id)).owner for generation_id in made}

        for visible_to in ("ada", None):
            assert (await app.comparisons.find(comparison_id, visible_to=visible_to)).count("done") == 2
        for act in (app.comparisons.find, app.comparisons.cancel, app.comparisons.resume):
            with pytest.raises(UnknownName) as refused:
                await act(comparison_id, visible_to="bob")
            assert str(refused.value).count(comparison_id) == 1

    assert owners == {"ada"}


async def test_another_owner_is_told_of_no_job_either(settings):
    async with opened(settings) as app:
        state = await finished(app, await app.comparisons.start(request_of(owner="ada")))

        @asynccontextmanager
        async def for_bob():
            yield replace(app, owner="bob")

        async with Client(build_server(for_bob)) as client:
            text = error_text(await client.call_tool("get_job", {"job_id": state.comparison.id}))
            own = (await client.call_tool("compare_models", QUICK)).structured_content
            found = await client.call_tool("get_job", {"job_id": own["comparison_id"]})

    assert "Unknown job" in text
    assert found.structured_content["comparisons"][0]["done"] == 2


async def test_what_runs_is_listed_for_its_owner_only(settings_for):
    held = Held(free=0)
    with engine_behind(held.gate) as engine:
        async with opened(settings_for(COMFYUI_URL=engine.url)) as app:
            state = await app.comparisons.start(request_of(owner="ada"))
            listed = {who: app.comparisons.running(visible_to=who) for who in ("ada", "bob", None)}
            held.released.set()
            await finished(app, state)

            assert app.comparisons.running() == []

    assert {who: len(states) for who, states in listed.items()} == {"ada": 1, "bob": 0, None: 1}


async def test_resuming_one_that_runs_here_joins_it(settings_for):
    held = Held(free=0)
    with engine_behind(held.gate) as engine:
        async with opened(settings_for(COMFYUI_URL=engine.url)) as app:
            started = await app.comparisons.start(request_of())
            comparison_id = started.comparison.id
            await wait_until(lambda: held.gate.counted == 1)
            joined = await app.comparisons.resume(comparison_id[:13])
            held.released.set()
            ended = await finished(app, joined)

    assert joined.live
    assert [attempt.status for attempt in ended.comparison.attempts] == ["done", "done"]


async def test_a_cell_cancelled_while_it_is_being_prepared_is_stopped_too(settings_for):
    held = Held(free=0)
    with engine_behind(held.gate) as engine:
        async with opened(settings_for(COMFYUI_URL=engine.url)) as app:
            started = await app.comparisons.start(request_of())
            # Nothing awaited yet: the run has not taken its first step.
            ended = await app.comparisons.cancel(started.comparison.id)
            held.released.set()

    assert ended.comparison.status == "cancelled"
    assert ended.count("done") == 0


async def test_a_store_that_fails_at_first_refuses_the_comparison(settings_for, engine, tmp_path):
    (tmp_path / "a-file").write_text("not a folder", encoding="utf-8")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_STORE=str(tmp_path / "a-file" / "gallery"))
    async with opened(settings) as app:
        with pytest.raises(StoreFailed):
            await app.comparisons.start(request_of())

        assert app.comparisons.running() == []


async def test_a_record_that_cannot_be_written_later_ends_nothing(settings, tmp_path, caplog):
    async with opened(settings) as app:
        state = await app.comparisons.start(request_of())
        (record,) = (tmp_path / "gallery" / "c").rglob("compare.json")
        record.unlink()
        record.mkdir()
        ended = await finished(app, state)

    assert ended.count("done") == 2
    assert any("could not be written" in line for line in caplog.messages)


async def test_a_sheet_that_cannot_be_stored_is_a_note(settings, tmp_path):
    async with opened(settings) as app:
        state = await app.comparisons.start(request_of())
        (record,) = (tmp_path / "gallery" / "c").rglob("compare.json")
        record.with_name("contact-sheet.png").mkdir()
        ended = await finished(app, state)

    assert ended.comparison.status == "completed"
    assert ended.comparison.sheet is None
    assert "no contact sheet" in ended.comparison.notes[0]


async def test_the_pictures_are_one_group_of_the_gallery(settings):
    async with opened(settings) as app:
        ended = await finished(app, await app.comparisons.start(request_of()))
        page = await app.gallery.search(Query(group_id=ended.comparison.id))

    made = {attempt.generation_id for attempt in ended.comparison.attempts}
    assert {entry.id for entry in page.entries} == made


async def test_a_model_that_makes_videos_is_shown_by_a_still(settings):
    async with opened(settings) as app:
        ended = await finished(app, await app.comparisons.start(request_of(models=["sd15", "wan22-5b-t2v"])))
        still, video = ended.comparison.attempts
        generation = await app.generation.find(video.generation_id)

    assert generation.media == "video"
    assert video.key.endswith(".png")
    assert video.file == "a-red-fox--wan22-5b-t2v.png"
    assert still.error is None


async def test_without_a_sheet_there_is_nothing_to_show(settings):
    async with opened(settings) as app:
        request = request_of().model_copy(update={"contact_sheet": False})
        ended = await finished(app, await app.comparisons.start(request))

        assert ended.comparison.sheet is None
        assert await app.comparisons.preview(ended.comparison) is None


async def test_a_small_sheet_that_is_gone_is_not_shown(settings, tmp_path):
    async with opened(settings) as app:
        ended = await finished(app, await app.comparisons.start(request_of()))
        (small,) = (tmp_path / "gallery" / "c").rglob("*.webp")
        small.unlink()

        assert await app.comparisons.preview(ended.comparison) is None


async def test_only_the_newest_are_remembered_and_all_are_found(settings, monkeypatch):
    monkeypatch.setattr(comparison_service, "KEPT", 1)
    async with opened(settings) as app:
        ids = []
        for seed in (1, 2, 3):
            ended = await finished(app, await app.comparisons.start(request_of(seeds=seed)))
            ids.append(ended.comparison.id)
        found = [await app.comparisons.wait(comparison_id, timeout_s=0) for comparison_id in ids]
        watched = [state async for state in app.comparisons.watch(ids[0])]

    assert [state.count("done") for state in found] == [2, 2, 2]
    assert [state.comparison.id for state in watched] == ids[:1]


async def test_a_beginning_that_several_have_is_refused(settings):
    async with opened(settings) as app:
        ended = (await finished(app, await app.comparisons.start(request_of()))).comparison
        twin = f"{ended.id[:-1]}{int(ended.id[-1], 16) ^ 1:x}"
        await ComparisonShelf(app.store).write(ended.model_copy(update={"id": twin}))
        with pytest.raises(BadRequest, match="Several comparisons") as refused:
            await app.comparisons.find(ended.id[:20])

    assert ended.id in str(refused.value)
    assert twin in str(refused.value)


async def test_a_model_that_is_no_longer_configured_is_told_by_its_cell(settings_for, engine, tmp_path):
    block = f"base_url: '{engine.url}', workflow: sd15, model: v1-5-pruned-emaonly-fp16.safetensors"
    config = tmp_path / "comfygen.yaml"
    config.write_text(
        f"backends:\n  desk: {{{block}}}\n  gone: {{{block.replace('sd15', 'upscale')}}}\n", encoding="utf-8"
    )
    async with opened(settings_for()) as app:
        request = request_of(models=["desk", "gone"])
        first = await finished(app, await app.comparisons.start(request))
    config.write_text(f"backends:\n  desk: {{{block}}}\n", encoding="utf-8")
    async with opened(settings_for()) as app:
        second = await finished(app, await app.comparisons.resume(first.comparison.id))

    assert (first.count("failed"), second.count("failed")) == (1, 1)
    assert "Unknown model 'gone'" in second.comparison.attempts[-1].error


class FaultyStore(MemoryStore):
    """Raises what no store should when the sheet comes."""

    async def put_bytes(self, key, data, *, mime):
        if key.endswith(".webp"):
            raise ZeroDivisionError
        await super().put_bytes(key, data, mime=mime)


async def test_a_fault_of_our_own_is_logged_and_leaves_nobody_waiting(settings, caplog):
    async with opened(settings) as app:
        service = comparisons(app.offers, app.catalogue, app.presets, app.generation, FaultyStore())
        started = await service.start(request_of())
        state = await service.wait(started.comparison.id, timeout_s=60)

        assert state.interrupted
        assert state.count("done") == 2
    assert any("internal error" in line for line in caplog.messages)


async def test_the_sheet_is_on_the_disk_that_the_path_names(connect, settings):
    async with connect(settings) as client:
        view = (await client.call_tool("compare_models", QUICK)).structured_content

    assert Path(view["sheet"]["path"]).parent == Path(view["record"]["path"]).parent
