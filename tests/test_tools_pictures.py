"""Pictures in, pictures and videos out: img2img, inpaint, outpaint, edit, upscale, video, LoRAs, dry run."""

import base64
import io
import json
from pathlib import Path

import pytest
from mcp.types import ImageContent, ResourceLink
from observe import error_text, finished_on
from PIL import Image, ImageChops, ImageDraw

pytestmark = pytest.mark.anyio


@pytest.fixture
def photo(tmp_path):
    """A picture of the caller's own, in a shape that no model has by itself."""
    picture = Image.new("RGB", (400, 300), (40, 90, 160))
    ImageDraw.Draw(picture).ellipse((120, 80, 280, 240), fill=(230, 190, 40))
    path = tmp_path / "photo.png"
    picture.save(path)
    return path


@pytest.fixture
def mask(tmp_path):
    picture = Image.new("L", (400, 300), 0)
    ImageDraw.Draw(picture).rectangle((0, 0, 130, 300), fill=255)
    path = tmp_path / "mask.png"
    picture.save(path)
    return path


@pytest.fixture
def allowed(settings_for, engine, tmp_path):
    """Settings of a server that may read the caller's folder."""
    return settings_for(COMFYUI_URL=engine.url, COMFYGEN_INPUT_DIRS=str(tmp_path))


async def called(connect, settings, tool, arguments):
    async with connect(settings) as client:
        result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content[0].text
    return result


def opened(view, at=0):
    with Image.open(view["outputs"][at]["path"]) as picture:
        return picture.convert("RGB")


def sidecar(view, at=0):
    return json.loads(Path(view["outputs"][at]["path"] + ".json").read_text(encoding="utf-8"))


def loaded_by(graph):
    return [node["inputs"]["image"] for node in graph.values() if node["class_type"] == "LoadImage"]


def difference(one, other):
    """Return the mean difference of two pictures, 0 to 255."""
    values = ImageChops.difference(one, other).convert("L").resize((1, 1), Image.Resampling.BOX)
    return values.getpixel((0, 0))


async def test_a_picture_of_ones_own_is_varied_in_its_own_shape_by_the_familys_workflow(
    connect, allowed, photo
):
    result = await called(
        connect,
        allowed,
        "generate_image",
        {"prompt": "a yellow moon", "model": "sd15", "image": str(photo), "denoise": 0.3, "steps": 2},
    )

    view = result.structured_content
    assert (view["kind"], view["workflow"], view["denoise"]) == ("img2img", "sd15-img2img.json", 0.3)
    assert opened(view).size == (view["width"], view["height"]) == (400, 304)
    assert any("became 400x304" in note for note in view["notes"])
    assert difference(opened(view), Image.open(photo).convert("RGB").resize((400, 304))) < 40
    stored = sidecar(view)["job"]["inputs"][0]
    assert stored["placeholder"] == "image"
    assert stored["origin"] == view["inputs"][0]["origin"]
    assert loaded_by(sidecar(view)["graph"]) == [stored["name"]]


async def test_more_denoise_leaves_less_of_the_picture(connect, allowed, photo):
    base = {"prompt": "a forest at night", "model": "sd15", "image": str(photo), "seed": 7, "steps": 4}
    little = await called(connect, allowed, "generate_image", {**base, "denoise": 0.2})
    much = await called(connect, allowed, "generate_image", {**base, "denoise": 0.95})

    given = Image.open(photo).convert("RGB").resize((400, 304))
    kept, gone = (opened(result.structured_content) for result in (little, much))
    assert difference(kept, given) < difference(gone, given)


async def test_with_a_mask_only_the_white_part_is_painted_anew(connect, allowed, photo, mask):
    result = await called(
        connect,
        allowed,
        "generate_image",
        {"prompt": "a brick wall", "model": "sd15", "image": str(photo), "mask": str(mask), "steps": 4},
    )

    view = result.structured_content
    assert (view["kind"], view["workflow"]) == ("inpaint", "sd15-inpaint.json")
    given = Image.open(photo).convert("RGB").resize((400, 304))
    painted, kept = (0, 0, 90, 300), (200, 0, 400, 280)
    assert difference(opened(view).crop(kept), given.crop(kept)) < 6
    assert difference(opened(view).crop(painted), given.crop(painted)) > 12


async def test_extend_paints_around_the_picture(connect, allowed, photo):
    arguments = {"prompt": "a wide sky", "model": "sd15", "image": str(photo), "steps": 4}
    result = await called(
        connect, allowed, "generate_image", {**arguments, "resize": "640x384", "crop": "extend"}
    )

    view = result.structured_content
    assert view["kind"] == "inpaint"
    assert opened(view).size == (640, 384)
    middle = opened(view).crop((220, 142, 420, 242))
    assert difference(middle, Image.open(photo).convert("RGB").crop((100, 100, 300, 200))) < 12


async def test_a_stored_picture_is_named_by_its_id_and_becomes_the_parent(connect, settings):
    async with connect(settings) as client:
        first = await client.call_tool(
            "generate_image", {"prompt": "a red fox", "model": "sd15", "size": "256x256", "steps": 2}
        )
        parent = first.structured_content["outputs"][0]["generation_id"]
        edited = await client.call_tool(
            "edit_image", {"image": parent, "instruction": "make it winter", "model": "flux2-klein"}
        )
        recipe = await client.call_tool(
            "get_generation",
            {"generation_id": edited.structured_content["outputs"][0]["generation_id"], "graph": True},
        )

    view = edited.structured_content
    assert (view["kind"], view["parent_id"], view["prompt"]) == ("edit", parent, "make it winter")
    assert recipe.structured_content["parent_id"] == parent
    assert "LoadImage" in {node["class_type"] for node in recipe.structured_content["graph"].values()}
    assert not any("image2" in json.dumps(node) for node in recipe.structured_content["graph"].values())


async def test_an_edit_takes_up_to_three_pictures(connect, allowed, photo, mask):
    result = await called(
        connect,
        allowed,
        "edit_image",
        {
            "image": str(photo),
            "references": [str(mask)],
            "instruction": "put the shape of image 2 into image 1",
            "model": "qwen-image-edit-lightning",
        },
    )

    loaded = loaded_by(sidecar(result.structured_content)["graph"])
    assert [entry["placeholder"] for entry in result.structured_content["inputs"]] == ["image", "image2"]
    assert sorted(loaded) == sorted(
        entry["name"] for entry in sidecar(result.structured_content)["job"]["inputs"]
    )


@pytest.mark.parametrize(("scale", "size"), [(None, (800, 600)), (3, (1200, 900))])
async def test_upscaling_makes_exactly_the_size_asked_for(connect, allowed, photo, scale, size):
    result = await called(connect, allowed, "upscale_image", {"image": str(photo), "scale": scale})

    view = result.structured_content
    assert view["kind"] == "upscale"
    assert opened(view).size == size == (view["width"], view["height"])
    assert difference(opened(view).resize((400, 300)), Image.open(photo).convert("RGB")) < 6


@pytest.mark.parametrize("scale", [0, 0.5, -1, 9])
async def test_a_factor_that_enlarges_nothing_or_too_much_is_refused(connect, allowed, photo, scale):
    async with connect(allowed) as client:
        refused = await client.call_tool("upscale_image", {"image": str(photo), "scale": scale})

    assert f"scale={scale} is not possible: use 1 to 8" in error_text(refused)


async def test_a_size_that_is_given_beside_resize_is_told(connect, allowed, photo):
    arguments = {"prompt": "x", "model": "sd15", "image": str(photo), "dry_run": True}
    result = await called(
        connect, allowed, "generate_image", {**arguments, "size": "16:9", "resize": "400x304"}
    )

    assert "size=16:9 has no effect: resize=400x304 decides" in str(result.structured_content["notes"])
    assert (result.structured_content["width"], result.structured_content["height"]) == (400, 304)


async def test_a_video_is_stored_as_mp4_with_a_poster_and_shown_as_stills(connect, settings):
    result = await called(
        connect,
        settings,
        "generate_video",
        {"prompt": "clouds over a lake", "model": "wan22-5b-t2v", "size": "320x192", "frames": 9, "steps": 2},
    )

    view = result.structured_content
    by_media = {output["media"]: output for output in view["outputs"]}
    assert set(by_media) == {"video", "image"}
    assert by_media["video"]["mime_type"] == "video/mp4"
    assert Path(by_media["video"]["path"]).read_bytes()[4:8] == b"ftyp"
    assert (view["kind"], view["frames"], view["fps"]) == ("txt2video", 9, 24.0)
    with Image.open(by_media["image"]["path"]) as poster:
        assert poster.size == (320, 192)
    shown = [block for block in result.content if isinstance(block, ImageContent)]
    assert len(shown) == 1
    with Image.open(io.BytesIO(base64.b64decode(shown[0].data))) as strip:
        assert strip.width > 320
    assert len([block for block in result.content if isinstance(block, ResourceLink)]) == 2


async def test_a_video_begins_with_the_picture_given(connect, allowed, photo):
    result = await called(
        connect,
        allowed,
        "generate_video",
        {
            "prompt": "the moon drifts",
            "image": str(photo),
            "model": "wan22-5b-t2v",
            "size": "320x256",
            "frames": 5,
            "steps": 2,
        },
    )

    view = result.structured_content
    poster = next(at for at, output in enumerate(view["outputs"]) if output["media"] == "image")
    assert (view["kind"], view["workflow"]) == ("img2video", "wan22-5b-i2v.json")
    assert opened(view, poster).size == (320, 256)
    assert (
        difference(opened(view, poster).resize((100, 80)), Image.open(photo).convert("RGB").resize((100, 80)))
        < 40
    )


async def test_several_pictures_come_from_one_job_and_are_shown_on_one_sheet(connect, settings):
    result = await called(
        connect,
        settings,
        "generate_image",
        {"prompt": "a fox", "model": "sd15", "size": "256x256", "steps": 2, "count": 4},
    )

    view = result.structured_content
    shown = [block for block in result.content if isinstance(block, ImageContent)]
    assert (view["count"], len(view["outputs"])) == (4, 4)
    assert len({output["sha256"] for output in view["outputs"]}) == 4
    assert len(shown) == 1
    assert len(base64.b64decode(shown[0].data)) <= 150_000
    with Image.open(io.BytesIO(base64.b64decode(shown[0].data))) as sheet:
        assert min(sheet.size) >= 512


async def test_loras_are_chained_in_order_and_remembered(connect, settings):
    loras = [
        "style:0.7",
        {"name": "nested", "strength": 0.5, "strength_clip": 0.2},
    ]
    result = await called(
        connect,
        settings,
        "generate_image",
        {"prompt": "a fox", "model": "sd15", "size": "256x256", "steps": 2, "loras": loras},
    )

    view, stored = result.structured_content, sidecar(result.structured_content)
    assert [(use["name"], use["strength"]) for use in stored["loras"]] == [
        ("style.safetensors", 0.7),
        ("sub/dir/nested.safetensors", 0.5),
    ]
    assert set(stored["loras"][0]) == {"name", "strength"}
    titles = [node.get("_meta", {}).get("title", "") for node in stored["graph"].values()]
    assert [title for title in titles if title.startswith("LoRA: ")] == [
        f"LoRA: {use['name']}" for use in view["loras"]
    ]


async def test_a_dry_run_shows_the_graph_and_sends_nothing(connect, allowed, engine, photo):
    before = finished_on(engine.url)
    result = await called(
        connect,
        allowed,
        "generate_image",
        {"prompt": "a fox", "model": "sd15", "image": str(photo), "sampler": "eulerr", "dry_run": True},
    )

    view = result.structured_content
    assert finished_on(engine.url) == before
    assert (view["status"], view["outputs"]) == ("planned", [])
    assert "a fox" in json.dumps(view["plan"]["graph"])
    assert [problem["type"] for problem in view["plan"]["problems"]] == ["value_not_in_list"]
    assert any(change["before"] == "${prompt}" for change in view["plan"]["changes"])
    assert view["plan"]["checked_against"] == engine.url
    assert not (Path(allowed.store) / "inputs").exists()
