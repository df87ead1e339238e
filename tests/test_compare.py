"""compare_models through the highest door: an MCP client in, a stored sheet, record and pictures out."""

import base64
import io
import json
import socket
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from compare_gates import Held, Meeting, engine_behind
from engine_server import EngineServer
from http_service import served
from mcp import Client
from mcp.types import ImageContent, ResourceLink
from observe import error_text, finished_on, jobs_on, wait_until
from PIL import Image

pytestmark = pytest.mark.anyio

PROMPT = "a red fox in snow"
QUICK = {"prompt": PROMPT, "size": "256x256", "steps": 2}
ATTEMPT = {"seed", "latency_ms", "model", "vram_used_mib", "metadata", "error"}


def record_of(view):
    return json.loads(Path(view["record"]["path"]).read_text(encoding="utf-8"))


def sidecars(tmp_path):
    files = (tmp_path / "gallery" / "g").rglob("*.json")
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


def two_backends(settings_for, tmp_path, **urls):
    """Return settings with one block per name, each on its own host."""
    blocks = "".join(
        f"  {name}: {{base_url: '{url}', workflow: sd15, model: v1-5-pruned-emaonly-fp16.safetensors}}\n"
        for name, url in urls.items()
    )
    (tmp_path / "comfygen.yaml").write_text(f"backends:\n{blocks}", encoding="utf-8")
    return settings_for()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def test_one_prompt_across_models_becomes_a_sheet_a_record_and_a_group_of_the_gallery(
    connect, settings, tmp_path
):
    async with connect(settings) as client:
        result = await client.call_tool(
            "compare_models", {**QUICK, "models": ["sd15", "sdxl", "z-image-turbo"]}
        )

    assert not result.is_error, result.content[0].text
    view = result.structured_content
    assert (view["status"], view["done"], view["total"]) == ("completed", 3, 3)
    with Image.open(view["sheet"]["path"]) as sheet:
        assert sheet.format == "PNG"
        assert sheet.size == (view["sheet"]["width"], view["sheet"]["height"])
    group = sidecars(tmp_path)
    assert {made["group_id"] for made in group} == {view["comparison_id"]}
    assert {made["id"] for made in group} == {cell["generation_id"] for cell in view["cells"]}
    assert {made["seed"] for made in group} == {cell["seed"] for cell in view["cells"]}
    assert len({made["seed"] for made in group}) == 1
    assert {made["steps"] for made in group} == {2}
    record = record_of(view)
    assert [a["backend"] for a in record["attempts"]] == ["sd15", "sdxl", "z-image-turbo"]
    assert all(a.keys() >= ATTEMPT for a in record["attempts"])
    assert all(a["error"] is None and a["latency_ms"] > 0 for a in record["attempts"])
    assert record["attempts"][0]["metadata"]["sampler"]
    assert record["cells"][0]["name"] == "a-red-fox-in-snow--sd15"


async def test_the_result_has_a_small_sheet_a_link_and_no_bytes_in_its_structure(connect, settings):
    async with connect(settings) as client:
        result = await client.call_tool("compare_models", {**QUICK, "models": ["sd15", "sdxl"], "seed": 7})

    text, preview, link = result.content
    assert "2 of 2 cells done, seed 7" in text.text
    assert "PREVIEW PICTURE" in text.text
    assert isinstance(preview, ImageContent)
    data = base64.b64decode(preview.data)
    assert len(data) <= 200_000
    with Image.open(io.BytesIO(data)) as small:
        assert small.format == "WEBP"
    assert isinstance(link, ResourceLink)
    assert link.uri.endswith("/contact-sheet.png")
    assert preview.data not in json.dumps(result.structured_content)
    assert len(json.dumps(result.structured_content)) < 2500


async def test_what_is_not_given_stays_each_models_own(connect, settings, tmp_path):
    async with connect(settings) as client:
        await client.call_tool(
            "compare_models", {"prompt": PROMPT, "models": ["sd15", "z-image-turbo"], "size": "256x256"}
        )
        alone = [
            (await client.call_tool("generate_image", {"prompt": PROMPT, "model": m})).structured_content
            for m in ("sd15", "z-image-turbo")
        ]

    compared = {made["backend"]: made for made in sidecars(tmp_path) if made["group_id"]}
    for own in alone:
        for knob in ("steps", "cfg", "sampler", "scheduler"):
            assert compared[own["model"]][knob] == own[knob]
    assert compared["sd15"]["steps"] != compared["z-image-turbo"]["steps"]


async def test_two_axes_are_a_grid_and_one_model_is_enough_for_it(connect, settings, tmp_path):
    axes = {"steps": [1, 2, 3], "cfg": [2, 7]}
    async with connect(settings) as client:
        result = await client.call_tool(
            "compare_models", {"prompt": PROMPT, "models": ["sd15"], "size": "256x256", "axes": axes}
        )

    view = result.structured_content
    assert [cell["values"] for cell in view["cells"]] == [
        {"steps": str(steps), "cfg": str(cfg)} for steps in (1, 2, 3) for cfg in (2, 7)
    ]
    assert {(made["steps"], made["cfg"]) for made in sidecars(tmp_path)} == {
        (steps, cfg) for steps in (1, 2, 3) for cfg in (2, 7)
    }


async def test_loras_their_strengths_and_presets_are_axes(connect, settings, tmp_path):
    async with connect(settings) as client:
        strengths = await client.call_tool(
            "compare_models",
            {**QUICK, "models": ["sd15"], "axes": {"loras": ["style"], "strengths": [0.4, 0.9]}},
        )
        presets = await client.call_tool(
            "compare_models",
            {"prompt": PROMPT, "models": ["sd15"], "size": "256x256", "axes": {"presets": ["none", "draft"]}},
        )

    assert not strengths.is_error, strengths.content[0].text
    groups = {made["group_id"]: [] for made in sidecars(tmp_path)}
    for made in sidecars(tmp_path):
        groups[made["group_id"]].append(made)
    of_strengths = groups[strengths.structured_content["comparison_id"]]
    assert sorted(made["loras"][0]["strength"] for made in of_strengths) == [0.4, 0.9]
    of_presets = groups[presets.structured_content["comparison_id"]]
    assert {made["preset"] for made in of_presets} == {None, "draft"}


async def test_seeds_are_drawn_each_for_itself_when_they_are_the_axis(connect, settings, tmp_path):
    async with connect(settings) as client:
        result = await client.call_tool(
            "compare_models", {**QUICK, "models": ["sd15"], "axes": {"seeds": [-1, -1, 0, str(2**60)]}}
        )

    seeds = [cell["seed"] for cell in result.structured_content["cells"]]
    assert len(set(seeds)) == 4
    assert seeds[3] == 2**60
    assert result.structured_content["cells"][3]["seed_text"] == str(2**60)
    assert {made["seed"] for made in sidecars(tmp_path)} == set(seeds)


async def test_twenty_four_cells_go_on_one_sheet(connect, settings):
    axes = {"seeds": list(range(1, 25))}
    async with connect(settings) as client:
        result = await client.call_tool(
            "compare_models",
            {"prompt": PROMPT, "models": ["sd15"], "size": "128x128", "steps": 1, "axes": axes},
        )
        if result.structured_content["status"] == "running":
            found = await client.call_tool(
                "get_job", {"job_id": result.structured_content["comparison_id"], "wait_s": 45}
            )
            (view,) = found.structured_content["comparisons"]
        else:
            view = result.structured_content

    assert view["done"] == 24
    preview = base64.b64decode(next(b.data for b in result.content if b.type == "image"))
    assert len(preview) <= 200_000
    with Image.open(view["sheet"]["path"]) as sheet:
        assert min(sheet.size) > 700


async def test_hosts_work_at_the_same_time(connect, settings_for, tmp_path):
    meeting = Meeting(2)
    with engine_behind(meeting.gates[0]) as left, engine_behind(meeting.gates[1]) as right:
        settings = two_backends(settings_for, tmp_path, left=left.url, right=right.url)
        async with connect(settings) as client:
            # Without a name: all configured backends. Each host's first prompt waits for the other's.
            result = await client.call_tool("compare_models", QUICK)

    assert result.structured_content["done"] == 2


async def test_one_host_makes_one_cell_after_another(connect, settings_for, tmp_path, engine):
    by_name = engine.url.replace("127.0.0.1", "localhost")
    settings = two_backends(settings_for, tmp_path, one=engine.url, same=by_name, again=engine.url)
    async with connect(settings) as client:
        result = await client.call_tool("compare_models", QUICK)

    attempts = record_of(result.structured_content)["attempts"]
    times = [
        (datetime.fromisoformat(a["started_at"]), datetime.fromisoformat(a["finished_at"])) for a in attempts
    ]
    assert len(times) == 3
    assert all(ended <= begun for (_, ended), (begun, _) in pairwise(times))


async def test_a_model_that_fails_is_told_in_plain_words_and_the_others_are_made(
    connect, settings_for, tmp_path, engine
):
    settings = two_backends(settings_for, tmp_path, dead="http://127.0.0.1:9", good=engine.url)
    async with connect(settings) as client:
        result = await client.call_tool("compare_models", {**QUICK, "models": ["dead", "upscale", "good"]})

    assert not result.is_error
    view = result.structured_content
    assert [cell["status"] for cell in view["cells"]] == ["failed", "failed", "done"]
    assert "127.0.0.1:9" in view["cells"][0]["error"]
    assert "cannot make a picture from text" in view["cells"][1]["error"]
    assert f"compare_models(resume='{view['comparison_id']}')" in result.content[0].text
    failed = [a for a in record_of(view)["attempts"] if a["error"]]
    assert {a["backend"] for a in failed} == {"dead", "upscale"}
    assert all(a.keys() >= ATTEMPT and a["metadata"] is None for a in failed)


async def test_a_comparison_without_a_single_picture_is_an_error_that_says_why_once(
    connect, settings_for, tmp_path
):
    settings = two_backends(settings_for, tmp_path, dead="http://127.0.0.1:9")
    async with connect(settings) as client:
        arguments = {"prompt": PROMPT, "models": ["dead"], "axes": {"steps": [1, 2]}}
        text = error_text(await client.call_tool("compare_models", arguments))

    assert "None of the 2 cells" in text
    assert text.count("127.0.0.1:9") == 1
    assert "resume=" in text


async def test_resuming_tries_again_what_failed_and_makes_nothing_twice(
    connect, settings_for, tmp_path, engine
):
    port = free_port()
    settings = two_backends(settings_for, tmp_path, late=f"http://127.0.0.1:{port}", good=engine.url)
    async with connect(settings) as client:
        first = (await client.call_tool("compare_models", QUICK)).structured_content
    before = finished_on(engine.url)
    with EngineServer(tmp_path / "late", port=port):
        async with connect(settings) as client:
            result = await client.call_tool("compare_models", {"resume": first["comparison_id"]})
            again = await client.call_tool("compare_models", {"resume": first["comparison_id"][:13]})

    second = result.structured_content
    assert [cell["status"] for cell in second["cells"]] == ["done", "done"]
    assert second["cells"][1]["generation_id"] == first["cells"][1]["generation_id"]
    assert second["cells"][0]["seed"] == first["cells"][0]["seed"]
    assert second["cells"][0]["attempts"] == 2
    assert finished_on(engine.url) == before
    assert [bool(a["error"]) for a in record_of(second)["attempts"]].count(True) == 1
    assert again.structured_content == second


async def test_a_long_one_answers_with_its_id_and_is_found_by_it_with_the_sheet(
    connect, settings_for, tmp_path
):
    held = Held(free=1)
    with engine_behind(held.gate) as engine:
        settings = settings_for(COMFYUI_URL=engine.url)
        async with connect(settings) as client:
            arguments = {**QUICK, "models": ["sd15", "sdxl"], "wait_s": 0}
            started = (await client.call_tool("compare_models", arguments)).structured_content
            await wait_until(lambda: held.gate.counted == 2)
            listed = (await client.call_tool("get_job", {})).structured_content["comparisons"]
            held.released.set()
            found = await client.call_tool("get_job", {"job_id": started["comparison_id"], "wait_s": 45})
        async with connect(settings) as client:
            later = await client.call_tool("get_job", {"job_id": started["comparison_id"]})
            without = await client.call_tool(
                "get_job", {"job_id": started["comparison_id"], "preview": "none"}
            )

    assert started["status"] == "running"
    assert "get_job" in started["next"]
    assert [(seen["comparison_id"], seen["done"]) for seen in listed] == [(started["comparison_id"], 1)]
    for result in (found, later):
        (view,) = result.structured_content["comparisons"]
        assert view["status"] == "completed"
        assert [block.type for block in result.content] == ["text", "image", "resource_link"]
    assert [block.type for block in without.content] == ["text", "resource_link"]


async def test_cancelling_stops_the_running_cell_skips_the_rest_and_keeps_what_is_done(
    connect, settings_for, slow_engine, tmp_path
):
    prompt = "a fox that never arrives"
    arguments = {"prompt": prompt, "models": ["sd15"], "size": "256x256", "wait_s": 0}
    async with connect(settings_for(COMFYUI_URL=slow_engine.url)) as client:
        started = await client.call_tool("compare_models", {**arguments, "axes": {"steps": [1, 2000, 2001]}})
        comparison_id = started.structured_content["comparison_id"]

        def second_runs():
            return any("2000" in json.dumps(job) for job in jobs_on(slow_engine.url, prompt, "in_progress"))

        await wait_until(second_runs)
        stopped = await client.call_tool("cancel_job", {"job_id": comparison_id})
        again = await client.call_tool("cancel_job", {"job_id": comparison_id})

    (view,) = stopped.structured_content["comparisons"]
    assert view["status"] == "cancelled"
    assert [cell["status"] for cell in view["cells"]] == ["done", "cancelled", "pending"]
    assert Path(view["sheet"]["path"]).is_file()
    assert jobs_on(slow_engine.url, prompt, "cancelled")
    assert not jobs_on(slow_engine.url, prompt, "in_progress")
    assert len(sidecars(tmp_path)) == 1
    assert "already ended" in again.content[0].text


async def test_a_call_that_is_cancelled_takes_its_comparison_along(
    connect, settings_for, slow_engine, tmp_path
):
    prompt = "a fox that is called back"
    arguments = {"prompt": prompt, "models": ["sd15"], "axes": {"steps": [2000, 2001]}}
    async with connect(settings_for(COMFYUI_URL=slow_engine.url)) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "compare_models", arguments)
            await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
            group.cancel_scope.cancel()
        await wait_until(lambda: jobs_on(slow_engine.url, prompt, "cancelled"))
        (file,) = (tmp_path / "gallery" / "c").rglob("compare.json")
        await wait_until(lambda: json.loads(file.read_text(encoding="utf-8"))["status"] == "cancelled")

    attempts = json.loads(file.read_text(encoding="utf-8"))["attempts"]
    assert [attempt["status"] for attempt in attempts] == ["cancelled"]


async def test_a_cell_that_is_cancelled_by_its_own_id_leaves_the_others(connect, settings_for, slow_engine):
    prompt = "a fox that is left out"
    arguments = {"prompt": prompt, "models": ["sd15"], "size": "256x256", "wait_s": 0}
    async with connect(settings_for(COMFYUI_URL=slow_engine.url)) as client:
        started = await client.call_tool("compare_models", {**arguments, "axes": {"steps": [2000, 1]}})
        await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
        (job,) = (await client.call_tool("get_job", {})).structured_content["jobs"]
        await client.call_tool("cancel_job", {"job_id": job["job_id"]})
        comparison_id = started.structured_content["comparison_id"]
        found = await client.call_tool("get_job", {"job_id": comparison_id, "wait_s": 45})

    (view,) = found.structured_content["comparisons"]
    assert [cell["status"] for cell in view["cells"]] == ["cancelled", "done"]
    assert view["status"] == "completed"


async def test_a_server_that_ends_leaves_the_rest_to_be_resumed(connect, settings_for, tmp_path):
    held = Held(free=1)
    with engine_behind(held.gate) as engine:
        settings = settings_for(COMFYUI_URL=engine.url)
        async with connect(settings) as client:
            arguments = {**QUICK, "models": ["sd15", "sdxl", "z-image-turbo"], "wait_s": 0}
            started = (await client.call_tool("compare_models", arguments)).structured_content
            await wait_until(lambda: held.gate.counted == 2)
        held.released.set()
        async with connect(settings) as client:
            found = await client.call_tool("get_job", {"job_id": started["comparison_id"]})
            resumed = await client.call_tool("compare_models", {"resume": started["comparison_id"]})

    (view,) = found.structured_content["comparisons"]
    assert (view["status"], view["done"]) == ("interrupted", 1)
    assert "resume" in view["next"]
    assert resumed.structured_content["done"] == 3
    assert len(sidecars(tmp_path)) == 3


async def test_an_interrupted_one_can_be_cancelled_for_good(connect, settings_for):
    held = Held(free=0)
    with engine_behind(held.gate) as engine:
        settings = settings_for(COMFYUI_URL=engine.url)
        async with connect(settings) as client:
            arguments = {**QUICK, "models": ["sd15", "sdxl"], "wait_s": 0}
            started = (await client.call_tool("compare_models", arguments)).structured_content
            await wait_until(lambda: held.gate.counted == 1)
        held.released.set()
        async with connect(settings) as client:
            stopped = await client.call_tool("cancel_job", {"job_id": started["comparison_id"]})

    (view,) = stopped.structured_content["comparisons"]
    assert view["status"] == "cancelled"
    assert view["cells"][0]["status"] == "cancelled"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_progress_counts_cells_and_only_rises(connect, settings, mode):
    told = []

    async def note(progress, total, message):
        told.append((progress, total, message))

    async with connect(settings, mode) as client:
        await client.call_tool(
            "compare_models", {**QUICK, "models": ["sd15", "sdxl"]}, progress_callback=note
        )

    values = [progress for progress, _, _ in told]
    assert values == sorted(set(values))
    assert {total for _, total, _ in told} == {2.0}
    assert any("1 of 2 cells" in message for _, _, message in told)
    assert any("2 of 2 cells" in message for _, _, message in told)


async def test_a_dry_run_lists_the_cells_and_sends_nothing(connect, settings_for, tmp_path, engine):
    settings = two_backends(settings_for, tmp_path, dead="http://127.0.0.1:9", good=engine.url)
    before = finished_on(engine.url)
    async with connect(settings) as client:
        result = await client.call_tool(
            "compare_models",
            {"prompt": PROMPT, "axes": {"models": ["dead", "good"], "cfg": [3, 7]}, "dry_run": True},
        )

    view = result.structured_content
    assert (view["status"], view["total"]) == ("planned", 4)
    assert "good, cfg 7" in result.content[0].text
    assert "Not ready: dead: unreachable" in result.content[0].text
    assert finished_on(engine.url) == before
    assert not (tmp_path / "gallery").exists()


BAD_INPUT = {
    "an unknown model": ({"models": ["sd15", "sd51"]}, "sd51"),
    "one model": ({"models": ["sd15"]}, "only one cell"),
    "one model by two names": ({"models": ["sdxl", "sdxl-base"]}, "only one cell"),
    "nothing to compare": ({}, "Installed models: "),
    "an unknown axis": ({"axes": {"sampler": ["euler", "ddim"]}}, "Known: models, presets"),
    "500 cells": ({"models": ["sd15"], "axes": {"seeds": list(range(1, 501))}}, "500 cells"),
    "an axis and its flag": ({"models": ["sd15"], "axes": {"steps": [4, 8]}, "steps": 20}, "not both"),
    "three axes": (
        {"models": ["sd15", "sdxl"], "axes": {"steps": [4, 8], "cfg": [1, 2]}},
        "rows and columns",
    ),
    "an empty prompt": ({"models": ["sd15", "sdxl"], "prompt": " "}, "prompt is empty"),
    "no steps": ({"models": ["sd15"], "axes": {"steps": [0, 4]}}, "steps=0"),
    "an impossible cfg": ({"models": ["sd15", "sdxl"], "cfg": 1000}, "cfg=1000"),
    "a seed in words": ({"models": ["sd15", "sdxl"], "seed": "lucky"}, "lucky"),
    "a seed too large": ({"models": ["sd15"], "axes": {"seeds": [1, str(2**64)]}}, str(2**64)),
    "an unknown style": ({"models": ["sd15", "sdxl"], "style": "nosuch"}, "nosuch"),
    "an unknown preset": ({"models": ["sd15"], "axes": {"presets": ["dratf", "none"]}}, "draft"),
    "a size that is none": ({"models": ["sd15", "sdxl"], "size": "sqare"}, "square"),
    "resume and a prompt": ({"resume": "01a1fed2-537c-765d-85b1-c3095859a643"}, "leave out prompt"),
    "too long a wait": ({"models": ["sd15", "sdxl"], "wait_s": 600}, "45"),
    "a misspelt argument": ({"model": ["sd15", "sdxl"]}, "did you mean 'models'"),
}


@pytest.mark.parametrize(("change", "named"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
async def test_bad_input_is_refused_before_anything_is_sent(
    connect, settings, engine, tmp_path, change, named
):
    before = finished_on(engine.url)
    async with connect(settings) as client:
        text = error_text(await client.call_tool("compare_models", {"prompt": PROMPT, **change}))

    assert named in text
    assert len(text) < 2000
    assert finished_on(engine.url) == before
    assert not (tmp_path / "gallery").exists()


@pytest.mark.parametrize("name", ["nosuch", "01a1fed2-537c-765d-85b1-c3095859a643", "01a1fed2", "../../etc"])
async def test_an_unknown_comparison_is_refused_and_the_known_ones_are_named(connect, settings, name):
    async with connect(settings) as client:
        made = await client.call_tool("compare_models", {**QUICK, "models": ["sd15", "sdxl"]})
        text = error_text(await client.call_tool("compare_models", {"resume": name}))
        job = error_text(await client.call_tool("get_job", {"job_id": name}))

    assert made.structured_content["comparison_id"] in text
    assert "Unknown job" in job


async def test_a_corrupt_record_is_refused_by_its_key(connect, settings):
    async with connect(settings) as client:
        made = (
            await client.call_tool("compare_models", {**QUICK, "models": ["sd15", "sdxl"]})
        ).structured_content
        Path(made["record"]["path"]).write_text("{", encoding="utf-8")
    async with connect(settings) as client:
        text = error_text(await client.call_tool("compare_models", {"resume": made["comparison_id"]}))

    assert "compare.json" in text


async def test_a_picture_deleted_meanwhile_is_missing_on_the_sheet_only(
    connect, settings_for, tmp_path, engine
):
    settings = two_backends(settings_for, tmp_path, dead="http://127.0.0.1:9", good=engine.url)
    async with connect(settings) as client:
        first = (await client.call_tool("compare_models", QUICK)).structured_content
    for file in (tmp_path / "gallery" / "g").rglob("*.png"):
        file.unlink()
    async with connect(settings) as client:
        second = await client.call_tool("compare_models", {"resume": first["comparison_id"]})

    view = second.structured_content
    assert [cell["status"] for cell in view["cells"]] == ["failed", "done"]
    assert Path(view["sheet"]["path"]).is_file()


async def test_a_cell_deleted_from_the_gallery_is_told_and_made_again(connect, settings_for, engine):
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_MANAGE="true")
    async with connect(settings) as client:
        first = (
            await client.call_tool("compare_models", {**QUICK, "models": ["sd15", "sdxl"]})
        ).structured_content
        kept, deleted = (cell["generation_id"] for cell in first["cells"])
        removed = await client.call_tool("delete_generation", {"generation_id": deleted, "confirm": True})
        looked = await client.call_tool("get_job", {"job_id": first["comparison_id"], "preview": "none"})
        second = await client.call_tool("compare_models", {"resume": first["comparison_id"]})
        third = await client.call_tool("compare_models", {"resume": first["comparison_id"]})

    assert not removed.is_error
    (seen,) = looked.structured_content["comparisons"]
    assert [cell["status"] for cell in seen["cells"]] == ["done", "deleted"]
    assert (seen["done"], seen["failed"]) == (1, 0)
    assert "resume=" in seen["next"]
    assert ": deleted" in looked.content[0].text
    view = second.structured_content
    assert [cell["status"] for cell in view["cells"]] == ["done", "done"]
    assert view["cells"][0]["generation_id"] == kept
    assert view["cells"][1]["generation_id"] not in {None, deleted}
    assert third.structured_content == view
    assert [a["error"] for a in record_of(view)["attempts"]].count("Its picture was deleted.") == 1


async def test_over_http_the_sheet_comes_as_a_link_that_fetches_it(settings):
    with served(settings) as running:
        async with Client(f"{running.url}/mcp") as client:
            result = await client.call_tool("compare_models", {**QUICK, "models": ["sd15", "sdxl"]})
        sheet = running.http.get(result.structured_content["sheet"]["download_url"])

    assert sheet.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(sheet.content)) as picture:
        assert picture.size == tuple(result.structured_content["sheet"][side] for side in ("width", "height"))
    assert "path" not in result.structured_content["sheet"]
    assert str(settings.store) not in result.content[0].text
