"""Making a stored picture again: exactly, with changes, by another model, and where something is gone."""

import json
from pathlib import Path

import pytest
from conftest import ERAS
from observe import error_text
from PIL import Image

from comfygen_mcp import sidecar

pytestmark = pytest.mark.anyio

QUICK = {"model": "sd15", "size": "256x256", "steps": 2}


async def made(client, tool="generate_image", **changes):
    result = await client.call_tool(tool, changes if tool != "generate_image" else {**QUICK, **changes})
    assert not result.is_error, result.content[0].text
    return result.structured_content


async def again(client, view, **changes):
    generation_id = view["outputs"][0]["generation_id"]
    result = await client.call_tool("regenerate", {"generation_id": generation_id, **changes})
    assert not result.is_error, result.content[0].text
    return result


def stored(view):
    path = Path(view["outputs"][0]["path"] + ".json")
    return sidecar.from_json(path.read_bytes())


def without_prefix(graph):
    return {
        node_id: {k: v for k, v in node["inputs"].items() if k != "filename_prefix"}
        for node_id, node in graph.items()
    }


@pytest.mark.parametrize("era", ERAS)
async def test_the_same_graph_and_seed_give_identical_pixels_and_a_child(connect, settings, era):
    async with connect(settings, era) as client:
        first = await made(client, prompt="a red fox", seed=7, style="cinematic")
        result = await again(client, first)
        second = result.structured_content
        parent = first["outputs"][0]["generation_id"]
        child = second["outputs"][0]["generation_id"]
        read = (await client.call_tool("get_generation", {"generation_id": parent})).structured_content
        later = await client.call_tool("get_generation", {"generation_id": child})

    assert second["reproduction"] == {
        "original_id": parent,
        "outcome": "identical pixels",
        "mean_difference": 0.0,
        "differences": [],
    }
    assert "Identical pixels" in result.content[1].text
    assert second["parent_id"] == parent
    assert (second["seed"], second["prompt"], second["style"]) == (7, first["prompt"], "cinematic")
    assert read["children"] == [child]
    assert later.structured_content["reproduction"] == second["reproduction"]
    assert "Identical pixels" in later.content[0].text
    one, other = stored(first), stored(second)
    assert without_prefix(one.graph) == without_prefix(other.graph)
    assert (one.workflow, one.backend, one.model) == (other.workflow, other.backend, other.model)
    assert other.job.verbatim


async def test_a_repetition_can_be_repeated_and_changed_again(connect, settings):
    async with connect(settings) as client:
        first = await made(client, prompt="a red fox", seed=7, loras=["style:0.4"])
        second = (await again(client, first)).structured_content
        third = (await again(client, second)).structured_content
        changed = (await again(client, third, steps=4)).structured_content

    assert third["reproduction"]["outcome"] == "identical pixels"
    assert changed["changes"] == ["steps: 2, now 4"]
    assert changed["parent_id"] == third["outputs"][0]["generation_id"]
    assert (changed["seed"], changed["loras"], changed["workflow"]) == (7, first["loras"], "sd15.json")


async def test_the_seed_zero_of_a_graph_is_zero_again(connect, settings):
    workflow = {"name": "sd15", "params": {"prompt": "a fox", "width": 256, "height": 256, "3.steps": 1}}
    async with connect(settings) as client:
        described = (await client.call_tool("list_workflows", {"name": "sd15"})).structured_content
        place = next(p for p in described["parameters"] if p["name"] == "seed")["places"][0]
        graph = await client.call_tool(
            "run_workflow", {**workflow, "params": {"prompt": "a fox"}, "dry_run": True}
        )
        own = graph.structured_content["plan"]["graph"]
        node, name = place.split(".")
        own[node]["inputs"][name] = 0
        first = await made(client, "run_workflow", graph=own)
        exact = (await again(client, first)).structured_content
        changed = (await again(client, first, prompt="a wolf")).structured_content
        drawn = (await again(client, first, seed=0)).structured_content

    assert [view["seed"] for view in (first, exact, changed)] == [0, 0, 0]
    assert exact["reproduction"]["outcome"] == "identical pixels"
    assert stored(changed).graph[node]["inputs"][name] == 0
    assert changed["prompt"] == "a wolf"
    assert drawn["seed"] > 0


async def test_changes_keep_all_the_rest(connect, settings):
    async with connect(settings) as client:
        first = await made(
            client,
            prompt="a red fox",
            negative="blurry",
            seed=11,
            preset="draft",
            steps=3,
            loras=["style:0.5"],
        )
        prompt = (await again(client, first, prompt="a grey wolf")).structured_content
        several = (
            await again(
                client,
                first,
                negative="dark",
                cfg=3.5,
                sampler="dpmpp_2m",
                scheduler="karras",
                size="320x256",
            )
        ).structured_content
        counted = (await again(client, first, count=2, loras=[])).structured_content

    assert prompt["changes"] == ['prompt: "a red fox", now "a grey wolf"']
    assert prompt["preset"] == "draft"
    assert without_prefix(stored(prompt).graph) != without_prefix(stored(first).graph)
    kept = ("steps", "seed", "negative_prompt", "cfg", "sampler", "scheduler", "loras", "width", "height")
    assert [prompt[name] for name in kept] == [first[name] for name in kept]
    assert prompt["reproduction"] is None
    assert several["changes"] == [
        'negative_prompt: "blurry", now "dark"',
        "cfg: 5.0, now 3.5",
        "sampler: euler, now dpmpp_2m",
        "scheduler: normal, now karras",
        "width: 256, now 320",
    ]
    assert several["preset"] is None
    assert several["seed"] == 11
    assert len(counted["outputs"]) == 2
    assert counted["loras"] == []


async def test_a_style_goes_around_the_new_prompt(connect, settings):
    async with connect(settings) as client:
        first = await made(client, prompt="a red fox", style="cinematic")
        view = (await again(client, first, prompt="a grey wolf")).structured_content

    assert view["prompt"] == first["prompt"].replace("a red fox", "a grey wolf")
    assert view["negative_prompt"] == first["negative_prompt"]
    assert view["style"] == "cinematic"


async def test_pictures_that_were_worked_on_are_uploaded_again(
    connect, settings, settings_for, tmp_path_factory
):
    from engine_server import EngineServer

    async with connect(settings) as client:
        source = await made(client, prompt="a red fox", seed=5)
        image = source["outputs"][0]["generation_id"]
        first = await made(client, prompt="a fox in autumn", image=image, denoise=0.5)
    with EngineServer(tmp_path_factory.mktemp("other")) as other:
        async with connect(settings_for(COMFYUI_URL=other.url)) as client:
            exact = (await again(client, first)).structured_content
            weaker = (await again(client, first, denoise=0.3)).structured_content
            larger = (await again(client, first, size="320x320")).structured_content

    assert exact["reproduction"]["outcome"] == "identical pixels"
    (difference,) = exact["reproduction"]["differences"]
    assert difference.startswith("Host: ")
    assert exact["inputs"] == first["inputs"]
    assert (weaker["denoise"], weaker["kind"], weaker["inputs"]) == (0.3, "img2img", first["inputs"])
    assert (larger["width"], larger["height"]) == (320, 320)
    assert larger["parent_id"] == first["outputs"][0]["generation_id"]


async def test_another_model_makes_the_same_prompt_and_shape_with_its_own_settings(connect, settings):
    async with connect(settings) as client:
        first = await made(client, prompt="a red fox", seed=9, size="384x256", loras=["style:0.5"])
        view = (await again(client, first, model="sdxl", dry_run=True)).structured_content
        done = (await again(client, first, model="sdxl", size="512x512", steps=1)).structured_content
        same = (await again(client, first, model="sd15")).structured_content
        unknown = error_text(
            await client.call_tool(
                "regenerate", {"generation_id": first["outputs"][0]["generation_id"], "model": "sd51"}
            )
        )

    assert view["status"] == "planned"
    assert (view["model"], view["seed"], view["prompt"]) == ("sdxl", 9, "a red fox")
    assert view["width"] / view["height"] == pytest.approx(1.5, rel=0.05)
    assert view["steps"] > 2
    assert any("style.safetensors" in note for note in view["notes"])
    assert (done["width"], done["steps"], done["loras"]) == (512, 1, [])
    assert done["parent_id"] == first["outputs"][0]["generation_id"]
    assert same["reproduction"]["outcome"] == "identical pixels"
    assert "sd15" in unknown


def rewritten(view, change):
    """Write the sidecar of the only output anew, as *change* makes it."""
    path = Path(view["outputs"][0]["path"] + ".json")
    fields = json.loads(path.read_text(encoding="utf-8"))
    change(fields)
    path.write_text(json.dumps(fields), encoding="utf-8")


async def test_a_workflow_that_is_gone_lives_on_in_the_stored_graph(connect, settings_for, engine, tmp_path):
    bundled = Path(__file__).parent.parent / "workflows" / "sd15.json"
    folder = tmp_path / "mine"
    folder.mkdir()
    own = folder / "own.json"
    own.write_text(bundled.read_text(encoding="utf-8"), encoding="utf-8")
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_WORKFLOW_DIRS=str(folder))
    async with connect(settings) as client:
        first = await made(client, model="own", prompt="a red fox", seed=3, negative="blurry")
        other = await made(client, model="own", prompt="a red fox", seed=4)
        own.unlink()
        exact = (await again(client, first)).structured_content
        view = (
            await again(client, first, prompt="a grey wolf", steps=3, cfg=4, size="320x256", seed=5)
        ).structured_content
        refused = error_text(
            await client.call_tool(
                "regenerate", {"generation_id": other["outputs"][0]["generation_id"], "negative": "dark"}
            )
        )

    assert exact["reproduction"]["outcome"] == "identical pixels"
    assert (view["prompt"], view["steps"], view["seed"], view["width"]) == ("a grey wolf", 3, 5, 320)
    assert view["negative_prompt"] == "blurry"
    assert view["workflow"] == "own.json"
    graph = stored(view).graph
    texts = [value for node in graph.values() for value in node["inputs"].values() if isinstance(value, str)]
    assert "a grey wolf" in texts
    assert "a red fox" not in texts
    assert "negative cannot be changed" in refused
    assert "run_workflow(from_image=" in refused


async def test_a_generation_without_a_graph_says_what_can_be_done(connect, settings):
    async with connect(settings) as client:
        first = await made(client, prompt="a red fox", seed=4)
        rewritten(first, lambda fields: fields.update(graph={}))
        generation_id = first["outputs"][0]["generation_id"]
        text = error_text(await client.call_tool("regenerate", {"generation_id": generation_id}))
        view = (await again(client, first, model="sdxl", steps=1, size="256x256")).structured_content

    assert "without its ComfyUI graph" in text
    assert "Give a model" in text
    assert (view["prompt"], view["seed"]) == ("a red fox", 4)


async def test_a_model_that_is_missing_now_is_named_with_a_way_around(
    connect, settings, settings_for, tmp_path_factory
):
    from engine_server import EngineServer

    async with connect(settings) as client:
        first = await made(client, prompt="a red fox")
    models = {"checkpoints": ("another.safetensors",)}
    with EngineServer(tmp_path_factory.mktemp("bare"), models=models) as bare:
        async with connect(settings_for(COMFYUI_URL=bare.url)) as client:
            text = error_text(
                await client.call_tool("regenerate", {"generation_id": first["outputs"][0]["generation_id"]})
            )

    assert "v1-5-pruned-emaonly-fp16.safetensors" in text
    assert "another model" in text


async def test_pixels_that_came_out_otherwise_are_told_with_what_was_different(connect, settings):
    async with connect(settings) as client:
        first = await made(client, prompt="a red fox", seed=4)
        path = Path(first["outputs"][0]["path"])
        with Image.open(path) as picture:
            Image.eval(picture, lambda value: min(value + 5, 255)).save(path)

        def older(fields):
            fields.update(comfyui_version="0.1", sha256="0" * 64)

        rewritten(first, older)
        result = await again(client, first)
        path.unlink()
        gone = (await again(client, first)).structured_content["reproduction"]

    found = result.structured_content["reproduction"]
    assert found["outcome"] == "different"
    assert 1 < found["mean_difference"] <= 5
    assert any("ComfyUI: 0.1" in difference for difference in found["differences"])
    assert "NOT identical" in result.content[1].text
    assert gone["outcome"] == "not compared"


async def test_a_job_that_takes_longer_is_compared_when_it_is_read(connect, settings):
    async with connect(settings) as client:
        first = await made(client, prompt="a red fox", seed=4)
        result = await again(client, first, wait_s=0)
        job = result.structured_content["job_id"]
        state = (await client.call_tool("get_job", {"job_id": job, "wait_s": 45})).structured_content["jobs"][
            0
        ]
        read = await client.call_tool(
            "get_generation", {"generation_id": state["outputs"][0]["generation_id"], "preview": "none"}
        )

    assert "get_generation will tell" in result.content[1].text
    assert result.structured_content["reproduction"] is None
    assert read.structured_content["reproduction"]["outcome"] == "identical pixels"


async def test_a_dry_run_shows_the_graph_and_stores_nothing(connect, settings, tmp_path):
    async with connect(settings) as client:
        first = await made(client, prompt="a red fox", seed=4)
        before = sorted((tmp_path / "gallery" / "g").rglob("*"))
        exact = (await again(client, first, dry_run=True)).structured_content
        changed = (await again(client, first, dry_run=True, steps=7)).structured_content

    assert exact["status"] == changed["status"] == "planned"
    assert without_prefix(exact["plan"]["graph"]) == without_prefix(stored(first).graph)
    assert changed["steps"] == 7
    assert sorted((tmp_path / "gallery" / "g").rglob("*")) == before


async def test_an_unknown_id_and_a_value_that_cannot_be_are_refused(connect, settings):
    async with connect(settings) as client:
        first = await made(client, prompt="a red fox")
        known = first["outputs"][0]["generation_id"]
        nowhere = error_text(await client.call_tool("regenerate", {"generation_id": f"{known[:-4]}beef"}))
        steps = error_text(await client.call_tool("regenerate", {"generation_id": known, "steps": 0}))
        seed = error_text(await client.call_tool("regenerate", {"generation_id": known, "seed": "seven"}))

    assert known in nowhere
    assert "steps=0" in steps
    assert "seven" in seed


def test_the_pixels_of_pictures_are_compared_whatever_their_files_say(tmp_path):
    import io
    import math

    from comfygen_mcp.services.regeneration_pixels import mean_difference

    def png(picture, **options):
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", **options)
        return buffer.getvalue()

    grey, white = Image.new("RGB", (8, 8), (100, 100, 100)), Image.new("RGB", (8, 8), (255, 255, 255))
    deep = Image.new("I;16", (8, 8), 40000)
    frames = [Image.new("RGB", (8, 8), (shade, 0, 0)) for shade in (10, 20, 30)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], lossless=True)

    assert mean_difference(png(grey), png(grey, compress_level=0)) == 0
    assert mean_difference(png(grey), png(white)) == 155
    assert mean_difference(png(deep), png(deep, compress_level=0)) == 0
    assert mean_difference(png(grey), png(grey.resize((4, 4)))) == math.inf
    assert mean_difference(png(grey), b"no picture") is None
    assert mean_difference(buffer.getvalue(), buffer.getvalue() + b"\0") == 0
    assert mean_difference(buffer.getvalue(), png(frames[0])) == math.inf
    assert mean_difference(png(grey), png(grey.convert("RGBA"))) < 0.001


def test_palettes_and_transparency_are_part_of_the_pixels(monkeypatch):
    import io

    from comfygen_mcp.services import regeneration_pixels
    from comfygen_mcp.services.regeneration_pixels import mean_difference

    def file(picture, kind="PNG", **options):
        buffer = io.BytesIO()
        picture.save(buffer, kind, **options)
        return buffer.getvalue()

    def painted(*palette):
        picture = Image.new("P", (8, 8), 1)
        picture.putpalette([0, 0, 0, *palette])
        return picture

    red, blue = painted(255, 0, 0), painted(0, 0, 255)
    grey, colour, deep = (
        Image.new("L", (8, 8), 90),
        Image.new("RGB", (8, 8), (90, 90, 90)),
        Image.new("I;16", (8, 8), 90),
    )
    films = [file(red, "GIF", save_all=True, append_images=[blue, last]) for last in (red, painted(0, 9, 0))]

    assert mean_difference(file(red), file(blue)) > 1
    assert mean_difference(file(red), file(red.convert("RGB"))) == 0
    assert mean_difference(file(red), file(red, transparency=1)) > 1
    assert mean_difference(*(file(red, transparency=bytes([0, alpha])) for alpha in (200, 90))) > 1
    assert mean_difference(file(grey), file(grey, transparency=90)) > 1
    assert mean_difference(file(colour), file(colour, transparency=(90, 90, 90))) > 1
    assert mean_difference(file(deep), file(deep, transparency=90)) > 0
    assert mean_difference(file(grey), file(colour)) == 0
    assert mean_difference(films[0], films[1]) > 1
    assert mean_difference(films[0], films[0] + b"\0") == 0
    monkeypatch.setattr(regeneration_pixels, "MOST_FRAMES", 2)
    assert mean_difference(films[0], films[1]) is None
    assert mean_difference(films[0], films[0] + b"\0") is None
