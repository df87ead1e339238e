"""What a server declares counts, not what is shipped; and no refusal rests on what it declared earlier."""

import pytest
from declared_engine import DeclaringEngine
from observe import error_text

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine():
    with DeclaringEngine() as server:
        yield server


@pytest.fixture
async def run(connect, settings_for, engine):
    async with connect(settings_for(COMFYUI_URL=engine.url)) as client:

        async def call(**arguments):
            return await client.call_tool("run_workflow", {"preview": "none", **arguments})

        yield call


def widget(classes, class_type, name):
    """Return the settings of an input in the reply of a server, to be changed in place."""
    if class_type not in classes:
        return {"options": [], "max": 0}
    kind, settings = classes[class_type]["input"]["required"][name]
    return {"options": kind, **settings} if isinstance(kind, list) else settings


def with_sampler(name):
    return lambda classes: widget(classes, "KSampler", "sampler_name")["options"].append(name)


def with_most_steps(most):
    return lambda classes: widget(classes, "KSampler", "steps").update(max=most)


def with_input(classes):
    if "KSampler" in classes:
        classes["KSampler"]["input"].setdefault("optional", {})["eta"] = ["FLOAT", {"default": 1.0}]


def with_slot(classes):
    if "EmptyImage" in classes:
        classes["EmptyImage"]["output"].append("MASK")


NEW_SAMPLER = with_sampler("new")
PLANNED = {"name": "sd15", "dry_run": True}
MASKED = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
    "2": {"class_type": "MaskToImage", "inputs": {"mask": ["1", 1]}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "x"}},
}
FIXED = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "x.safetensors"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["1", 1]}},
    "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
    "5": {
        "class_type": "KSampler",
        "inputs": {
            "model": ["1", 0],
            "positive": ["2", 0],
            "negative": ["2", 0],
            "latent_image": ["4", 0],
            "seed": 1,
            "steps": 2,
            "cfg": 1.0,
            "denoise": 1.0,
            "sampler_name": "euler",
            "scheduler": "normal",
        },
    },
    "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
    "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "x"}},
}


@pytest.mark.parametrize(
    ("declare", "params"),
    [
        (NEW_SAMPLER, {"5.sampler_name": "new"}),
        (with_input, {"5.eta": 0.5}),
        (with_most_steps(20_000), {"5.steps": 15_000}),
    ],
    ids=["sampler", "input", "range"],
)
async def test_an_input_that_only_this_server_declares_can_be_set(run, engine, declare, params):
    engine.declare = declare
    planned = await run(graph=FIXED, params=params, dry_run=True)
    sent = await run(graph=FIXED, params=params)

    (address, value), *_ = params.items()
    graph = planned.structured_content["plan"]["graph"]
    assert graph["5"]["inputs"][address.removeprefix("5.")] == value
    assert "ckpt_name='x.safetensors' is not a choice" in str(planned.structured_content["plan"]["problems"])
    assert "x.safetensors' is not in the server's models/checkpoints" in error_text(sent)


@pytest.mark.parametrize("change", ["graph", "override", "sampler", "range"])
async def test_what_a_server_declares_meanwhile_is_asked_for_before_anything_is_refused(run, engine, change):
    before, after, asked = {
        "graph": ("has these slots", with_slot, {"graph": MASKED}),
        "override": ("not a choice", NEW_SAMPLER, {"graph": FIXED, "params": {"5.sampler_name": "new"}}),
        "sampler": (
            "not a choice",
            NEW_SAMPLER,
            {"name": "sd15", "params": {"prompt": "x", "sampler": "new"}},
        ),
        "range": ("10000", with_most_steps(20_000), {"graph": FIXED, "params": {"5.steps": 15_000}}),
    }[change]
    first = await run(**asked, dry_run=True)
    engine.declare = after
    second = await run(**asked, dry_run=True)

    told = first.content[0].text if first.is_error else str(first.structured_content["plan"]["problems"])
    assert before in told
    assert not second.is_error, second.content[0].text
    found = second.structured_content["plan"]["problems"]
    assert [problem for problem in found if problem["input"] != "ckpt_name"] == []


async def test_a_file_of_the_editor_is_converted_by_what_the_server_declares_now(run, engine):
    node = {"id": 1, "type": "NewNode", "outputs": [{"type": "IMAGE"}], "inputs": [], "widgets_values": []}
    save = {
        "id": 2,
        "type": "SaveImage",
        "widgets_values": ["x"],
        "inputs": [{"name": "images", "type": "IMAGE", "link": 1}],
    }
    drawn = {"nodes": [node, save], "links": [[1, 1, 0, 2, 0, "IMAGE"]]}
    refused = await run(graph=drawn, dry_run=True)

    def declare(classes):
        classes["NewNode"] = {"input": {}, "output": ["IMAGE"]}

    engine.declare = declare
    planned = await run(graph=drawn, dry_run=True)
    assert "'NewNode', which is not known here" in error_text(refused)
    assert planned.structured_content["plan"]["graph"]["1"]["class_type"] == "NewNode"


async def test_a_later_process_asks_before_it_refuses_by_what_is_kept_on_disk(connect, settings_for, engine):
    settings = settings_for(COMFYUI_URL=engine.url)
    for declare, told in ((lambda classes: None, True), (with_slot, False)):
        engine.declare = declare
        async with connect(settings) as client:
            result = await client.call_tool("run_workflow", {"graph": MASKED, "dry_run": True})
        assert result.is_error is told


async def test_without_a_server_a_plan_is_refused_by_what_is_shipped(connect, settings_for):
    async with connect(settings_for(COMFYUI_URL="http://127.0.0.1:9")) as client:
        arguments = {**PLANNED, "params": {"prompt": "x", "5.model": ["1", 1]}}
        refused = await client.call_tool("run_workflow", arguments)

    assert "needs MODEL, but node '1' (CheckpointLoaderSimple) gives CLIP" in error_text(refused)


async def test_what_fits_is_not_asked_for_again(run, engine):
    installed = {"1.ckpt_name": "v1-5-pruned-emaonly-fp16.safetensors"}
    await run(graph=FIXED, params=installed, dry_run=True)
    engine.asked.clear()
    planned = await run(graph=FIXED, params={**installed, "5.steps": 3}, dry_run=True)

    assert planned.structured_content["plan"]["problems"] == []
    assert "/object_info/EmptyLatentImage" not in engine.asked


def with_video(classes):
    if "LoadVideo" in classes or not classes:
        files = ["COMBO", {"options": ["clip.mp4"], "video_upload": True}]
        classes["LoadVideo"] = {"input": {"required": {"file": files}}, "output": ["VIDEO"]}


async def test_a_video_of_the_callers_is_refused_with_what_to_do(run, engine, tmp_path):
    engine.declare = with_video
    graph = {**MASKED, "8": {"class_type": "LoadVideo", "inputs": {"file": "clip.mp4"}}}
    graph["2"] = {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}}
    (tmp_path / "mine.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    refused = await run(graph=graph, params={"8.file": str(tmp_path / "mine.mp4")}, dry_run=True)

    told = error_text(refused)
    assert "only pictures are sent to the server from here. Copy the video into ComfyUI's input" in told
    assert "It has: clip.mp4." in told
    for name in ("clip.mp4", "clips/other.mp4 [input]"):
        planned = await run(graph=graph, params={"8.file": name}, dry_run=True)
        assert planned.structured_content["plan"]["graph"]["8"]["inputs"]["file"] == name
