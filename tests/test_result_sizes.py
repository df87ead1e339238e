"""Results stay small enough for every client, whatever a graph makes, holds or says."""

import json

import pytest
from engine_probe import trivial, txt2img
from engine_server import EngineServer

pytestmark = pytest.mark.anyio

MOST = 700_000
"""Bytes that every client takes."""
USUAL = 12_000
LIST_BUDGET = 20_000


def bytes_of(result):
    """Return how much a result has on the wire, less the preview."""
    return len(result.model_dump_json(by_alias=True, exclude_none=True).encode())


async def test_of_many_outputs_the_first_are_listed_and_the_way_to_the_others(connect, settings):
    graph = trivial()
    graph["1"]["inputs"].update(width=16, height=16, batch_size=150)
    async with connect(settings) as client:
        made = await client.call_tool("run_workflow", {"graph": graph})
        job = {"job_id": made.structured_content["job_id"]}
        looked = await client.call_tool("get_job", {**job, "preview": "none"})
        listed = await client.call_tool("get_job", {})

    view, text = made.structured_content, made.content[0].text
    links = [block for block in made.content if block.type == "resource_link"]
    assert (len(view["outputs"]), view["more_outputs"], len(links)) == (32, 118, 32)
    assert f"... and 118 more: {view['next']}." in text
    assert bytes_of(made) < 250_000
    assert bytes_of(looked) < 80_000
    assert bytes_of(listed) < 80_000
    assert len(looked.structured_content["jobs"][0]["outputs"]) == 32
    assert len(listed.structured_content["jobs"][0]["outputs"]) == 4


async def test_the_way_to_the_other_outputs_leads_there(connect, settings):
    graph = trivial()
    graph["1"]["inputs"].update(width=16, height=16, batch_size=40)
    async with connect(settings) as client:
        made = await client.call_tool("run_workflow", {"graph": graph, "preview": "none"})
        told = made.structured_content["next"]
        assert told.startswith("search_gallery(workflow='custom', since='")
        words = dict(part.split("=") for part in told.split("(")[1].split(")")[0].split(", "))
        query = {name: value.strip("'") for name, value in words.items()}
        found = await client.call_tool("search_gallery", {**query, "limit": 50})
        assert not found.is_error, (query, found.content[0].text)

    assert len(found.structured_content["entries"]) == 40


@pytest.mark.parametrize("letters", ["p", "é", "狐", "\\"])
async def test_a_plan_with_a_huge_text_is_shortened_and_says_so(connect, settings, letters):
    graph = txt2img(letters * 80_000, negative=letters * 80_000, size=(128, 128))
    async with connect(settings) as client:
        result = await client.call_tool("run_workflow", {"graph": graph, "dry_run": True})

    plan = result.structured_content["plan"]
    assert bytes_of(result) < 60_000
    assert plan["graph"]["6"]["inputs"]["text"].endswith("... (80,000 characters in all)")
    assert plan["left_out"] in result.content[0].text
    assert "--dry-run --json shows all" in plan["left_out"]


async def test_a_plan_with_thousands_of_nodes_leaves_its_graph_out(connect, settings):
    wide = {"0": trivial()["1"]}
    for number in range(1, 900):
        wide[str(number)] = {"class_type": "ImageInvert", "inputs": {"image": ["0", 0], "said": "x" * 150}}
        wide[f"s{number}"] = {"class_type": "PreviewImage", "inputs": {"images": [str(number), 0]}}
    async with connect(settings) as client:
        result = await client.call_tool("run_workflow", {"graph": wide, "dry_run": True})

    plan = result.structured_content["plan"]
    assert bytes_of(result) < 150_000
    assert plan["graph"] is None
    assert "The graph has 1,799 nodes and " in result.content[0].text


async def test_problems_of_a_plan_are_counted_where_there_are_too_many(connect, settings):
    graph = {**trivial()}
    for number in range(200):
        graph[f"bad{number}"] = {"class_type": "EmptyImage", "inputs": {"width": 0, "height": 64}}
        graph[f"out{number}"] = {"class_type": "PreviewImage", "inputs": {"images": [f"bad{number}", 0]}}
    async with connect(settings) as client:
        result = await client.call_tool("run_workflow", {"graph": graph, "dry_run": True})

    plan = result.structured_content["plan"]
    assert len(plan["problems"]) == 50
    assert "50 of " in plan["left_out"]
    assert bytes_of(result) < MOST


async def test_a_stored_recipe_with_a_huge_text_is_shortened_too(connect, settings):
    text = "a fox " * 40_000
    graph = txt2img(text, negative=text, size=(64, 64), steps=1)
    for number in range(4):
        note = {"class_type": "CLIPTextEncode", "inputs": {"text": text, "clip": ["4", 1]}}
        graph |= {f"note{number}": note}
    async with connect(settings) as client:
        made = await client.call_tool("run_workflow", {"graph": graph, "preview": "none"})
        stored = {"generation_id": made.structured_content["outputs"][0]["generation_id"], "graph": True}
        result = await client.call_tool("get_generation", stored)

    assert bytes_of(made) < USUAL
    assert bytes_of(result) < MOST
    assert "characters in all" in json.dumps(result.structured_content)


async def test_usual_results_are_far_smaller(connect, settings):
    request = {"prompt": "a fox", "model": "sd15", "size": "128x128", "steps": 1}
    async with connect(settings) as client:
        made = await client.call_tool("generate_image", {**request, "preview": "none"})
        planned = await client.call_tool("generate_image", {**request, "dry_run": True})

    assert bytes_of(made) < USUAL
    assert bytes_of(planned) < USUAL
    assert planned.structured_content["plan"]["left_out"] == ""
    assert made.structured_content["more_outputs"] == 0


async def test_the_list_stays_small_where_nothing_is_installed(connect, settings_for, tmp_path):
    with EngineServer(tmp_path / "bare", models={}) as bare:
        async with connect(settings_for(COMFYUI_URL=bare.url)) as client:
            result = await client.call_tool("list_models", {})
            one = await client.call_tool("list_models", {"model": "sd15"})

    found = {row["name"]: row for row in result.structured_content["models"]}
    assert len(json.dumps(result.structured_content)) <= LIST_BUDGET
    assert len(result.content[0].text) <= LIST_BUDGET / 2
    assert found["sd15"]["missing"] == [
        {"file": "v1-5-pruned-emaonly-fp16.safetensors", "folder": "checkpoints"}
    ]
    assert one.structured_content["models"][0]["missing"][0]["url"].startswith("https://")


async def test_why_a_host_does_not_answer_is_said_once_for_all_its_models(connect, settings_for):
    async with connect(settings_for(COMFYUI_URL="http://127.0.0.1:9")) as client:
        result = await client.call_tool("list_models", {})

    text, content = result.content[0].text, result.structured_content
    assert text.count("connection refused") == 1
    assert len(text) <= LIST_BUDGET / 3
    assert "- sd15 (txt2img): unreachable - Small GPUs" in text
    assert json.dumps(content).count("connection refused") == 1
    assert "connection refused" in content["unreachable"]["http://127.0.0.1:9"]
    assert len(json.dumps(content)) <= LIST_BUDGET
