"""Every bundled workflow runs on the engine through the tool of its kind, and through run_workflow."""

import hashlib
import json
from pathlib import Path

import pytest
from bundled_workflows import EACH
from PIL import Image, ImageDraw

pytestmark = pytest.mark.anyio

PROMPT = "a red fox in snow"
STEPS = 2
FRAMES = 5
SCALE = 2
PHOTO = (320, 256)
VIDEOS = ("txt2video", "img2video")


@pytest.fixture
def pictures(tmp_path):
    """A photo, and a mask of its left half."""
    photo, mask = tmp_path / "photo.png", tmp_path / "mask.png"
    picture = Image.new("RGB", PHOTO, (40, 90, 160))
    ImageDraw.Draw(picture).ellipse((80, 60, 200, 180), fill=(230, 190, 40))
    picture.save(photo)
    picture = Image.new("L", PHOTO, 0)
    ImageDraw.Draw(picture).rectangle((0, 0, PHOTO[0] // 2, PHOTO[1]), fill=255)
    picture.save(mask)
    return str(photo), str(mask)


@pytest.fixture
def allowed(settings_for, engine, tmp_path):
    return settings_for(COMFYUI_URL=engine.url, COMFYGEN_INPUT_DIRS=str(tmp_path))


def smallest(workflow):
    """Return the smallest edge that the workflow's model can make."""
    limits = workflow.metadata.limits
    return -(-limits.min_edge // limits.multiple_of) * limits.multiple_of


def call_of(workflow, pictures):
    """Return the tool for the kind of *workflow*, and the arguments of its smallest run."""
    photo, mask = pictures
    edge = smallest(workflow)
    usual = {"model": workflow.name, "preview": "none"}
    made = {**usual, "prompt": PROMPT, "steps": STEPS, "size": f"{edge}x{edge}", "seed": 7}
    given = {"image": photo, "instruction": PROMPT, "steps": STEPS, "seed": 7}
    calls = {
        "txt2img": ("generate_image", made),
        "img2img": ("generate_image", {**made, "image": photo}),
        "inpaint": ("generate_image", {**made, "image": photo, "mask": mask}),
        "edit": ("edit_image", {**usual, **given}),
        "upscale": ("upscale_image", {**usual, "image": photo, "scale": SCALE}),
        "txt2video": ("generate_video", {**made, "frames": FRAMES}),
        "img2video": ("generate_video", {**made, "frames": FRAMES, "image": photo}),
    }
    return calls[workflow.metadata.kind]


def params_of(workflow, pictures):
    """Return the same as parameters of run_workflow: those that the workflow has."""
    photo, mask = pictures
    edge = smallest(workflow)
    size = (PHOTO[0] * SCALE, PHOTO[1] * SCALE) if workflow.metadata.kind == "upscale" else (edge, edge)
    known = {"prompt": PROMPT, "seed": 7, "steps": STEPS, "frames": FRAMES, "image": photo, "mask": mask}
    known |= {"width": size[0], "height": size[1]}
    text = json.dumps(workflow.graph)
    return {name: value for name, value in known.items() if f'"${{{name}}}"' in text}


async def finished(connect, settings, tool, arguments):
    """Call the tool, and wait for the job as long as an agent would."""
    async with connect(settings) as client:
        result = await client.call_tool(tool, arguments)
        assert not result.is_error, result.content[0].text
        view = result.structured_content
        for _ in range(3):
            if view["status"] == "completed":
                break
            looked = await client.call_tool(
                "get_job", {"job_id": view["job_id"], "wait_s": 45, "preview": "none"}
            )
            view = looked.structured_content["jobs"][0]
    assert view["status"] == "completed", view
    return view


def check_stored(view, workflow, *, sized=True):
    """Check every file against its sidecar, and both against what was asked for.

    Without a size of its own, what is made has that of the photo.
    """
    media = [output["media"] for output in view["outputs"]]
    assert sorted(media) == (["image", "video"] if workflow.metadata.kind in VIDEOS else ["image"])
    for output in view["outputs"]:
        data = Path(output["path"]).read_bytes()
        sidecar = json.loads(Path(output["path"] + ".json").read_text(encoding="utf-8"))
        assert hashlib.sha256(data).hexdigest() == sidecar["sha256"] == output["sha256"]
        assert (sidecar["kind"], sidecar["workflow"]) == (workflow.metadata.kind, workflow.file)
        assert sidecar["preview_engine"]
        assert "${" not in json.dumps(sidecar["graph"])
        if workflow.metadata.kind != "upscale":
            assert (sidecar["prompt"], sidecar["seed"]) == (PROMPT, 7)
            assert sidecar["steps"] == (STEPS if "steps" in workflow.metadata.defaults else None)
        if output["media"] == "video":
            assert data[4:8] == b"ftyp"
        else:
            with Image.open(output["path"]) as picture:
                picture.load()
                assert picture.size == (sidecar["width"], sidecar["height"])
                check_size(picture.size, workflow, sized=sized)


def check_size(size, workflow, *, sized):
    match workflow.metadata.kind:
        case "upscale":
            assert size == (PHOTO[0] * SCALE, PHOTO[1] * SCALE)
        case "edit":
            # The model's own scale nodes decide; the shape stays.
            assert size[0] / size[1] == pytest.approx(PHOTO[0] / PHOTO[1], rel=0.1)
        case _:
            assert size == ((smallest(workflow), smallest(workflow)) if sized else PHOTO)


@EACH
async def test_it_runs_through_the_tool_of_its_kind(connect, allowed, pictures, workflow):
    tool, arguments = call_of(workflow, pictures)

    check_stored(await finished(connect, allowed, tool, arguments), workflow)


@EACH
async def test_it_runs_through_run_workflow(connect, allowed, pictures, workflow):
    params = params_of(workflow, pictures)
    arguments = {"name": workflow.name, "params": params, "preview": "none"}

    view = await finished(connect, allowed, "run_workflow", arguments)
    check_stored(view, workflow, sized="width" in params)
