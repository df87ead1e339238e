"""Input pictures of a request: read, brought to the size that the workflow works in, kept for the job."""

import base64
import io
import json
from functools import partial

import numpy as np
import pytest
from PIL import Image
from stored_pictures import keep
from web_server import WebServer, endless

from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.backends.inputs import InputShelf
from comfygen_mcp.config import load_settings
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.graph.parse import parse_workflow
from comfygen_mcp.images import mime_of
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.inputs import NO_INPUTS, Inputs, input_folders
from comfygen_mcp.stores.local import LocalStore
from comfygen_mcp.web import fetch

pytestmark = pytest.mark.anyio

LIMITS = {"multiple_of": 16, "min_edge": 64, "max_edge": 1024, "max_pixels": 512 * 512}


def workflow_of(kind, *names, **limits):
    """A workflow of *kind* with the placeholders *names*."""
    nodes = {
        str(place): {"class_type": "LoadImage", "inputs": {"image": f"${{{name}}}"}}
        for place, name in enumerate(names or ("image",))
    }
    described = {"workflow_name": "mine", "kind": kind, "limits": {**LIMITS, **limits}}
    return parse_workflow(json.dumps({**nodes, "_workflow_metadata": described}), file="mine.json")


IMG2IMG = workflow_of("img2img")
INPAINT = workflow_of("inpaint", "image", "mask")
EDIT = workflow_of("edit", "image", "image2", "image3")


@pytest.fixture
def store(tmp_path):
    return LocalStore(tmp_path / "gallery")


@pytest.fixture
def work(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def inputs(store, work):
    return Inputs(
        stored=Archive(store),
        shelf=InputShelf(store),
        fetch=partial(fetch, max_bytes=2_000_000, timeout_s=20, allow_private=True),
        folders=(work,),
        max_bytes=2_000_000,
    )


@pytest.fixture
def paint(work):
    """Return a function that makes a picture file and returns its name."""

    def made(name="cat.png", size=(256, 128), colour="red", mode="RGB", box=None, other="white", **options):
        image = Image.new(mode, size, colour)
        if box:
            image.paste(other, box)
        image.save(work / name, **options)
        return name

    return made


def opened(prepared, placeholder):
    file = next(file for file in prepared.files if file.placeholder == placeholder)
    return Image.open(io.BytesIO(prepared.data[file.sha256]))


def request_of(*images, **fields):
    return GenerateRequest(prompt="a cat", images=images, **fields)


async def test_a_picture_is_named_by_its_bytes_and_kept_once(inputs, store, paint):
    prepared = await inputs.prepare(request_of(paint()), IMG2IMG)
    (file,) = prepared.files

    assert file.name == f"comfygen/{file.sha256}.png"
    assert file.key == f"inputs/{file.sha256[:2]}/{file.sha256}.png"
    assert (file.width, file.height, file.origin, file.mime) == (256, 128, "file cat.png", "image/png")
    assert file.size_bytes == len(prepared.data[file.sha256])
    assert prepared.values == {"image": file.name}
    assert (prepared.size, prepared.parent_id, prepared.notes) == ((256, 128), None, ())
    assert [stored.key async for stored in store.list()] == []

    await inputs.store(prepared)
    kept = await store.stat(file.key)
    await inputs.store(prepared)

    assert await store.stat(file.key) == kept
    assert await inputs.read(file) == prepared.data[file.sha256]
    assert [stored.key async for stored in store.list()] == [file.key]


async def test_a_picture_that_was_only_half_kept_is_kept_again(inputs, store, paint):
    prepared = await inputs.prepare(request_of(paint()), IMG2IMG)
    (file,) = prepared.files
    await store.put_bytes(file.key, b"half", mime="image/png")

    await inputs.store(prepared)

    assert await inputs.read(file) == prepared.data[file.sha256]


async def test_a_picture_that_is_gone_or_changed_is_told(inputs, store, paint):
    (file,) = (await inputs.prepare(request_of(paint()), IMG2IMG)).files

    with pytest.raises(StoreFailed, match=r"'image' .file cat.png. is no longer in the store"):
        await inputs.read(file)
    await store.put_bytes(file.key, b"other", mime="image/png")
    with pytest.raises(StoreFailed, match="was changed in the store"):
        await inputs.read(file)


async def test_a_request_without_pictures_prepares_nothing(inputs):
    assert await inputs.prepare(request_of(), IMG2IMG) == NO_INPUTS

    noted = await inputs.prepare(request_of(resize="16:9", crop="cover"), IMG2IMG)

    assert noted.notes == (
        "resize='16:9' has no effect: no input picture is given.",
        "crop='cover' has no effect: no input picture is given.",
    )


@pytest.mark.parametrize(
    ("own", "asked", "made"),
    [
        ((256, 128), {}, (256, 128)),
        ((250, 130), {}, (256, 128)),
        ((2000, 1000), {}, (720, 352)),
        ((20, 10), {}, (128, 64)),
        ((256, 128), {"size": "128x128"}, (128, 128)),
        ((256, 128), {"width": 512}, (512, 256)),
        ((256, 128), {"size": "128x128", "resize": "320x160"}, (320, 160)),
        ((256, 128), {"resize": "square"}, (176, 176)),
        ((256, 128), {"size": "256x256", "crop": "contain"}, (256, 128)),
        ((300, 200), {"size": "256x256", "crop": "contain"}, (256, 176)),
        ((256, 128), {"size": "256x256", "crop": "stretch"}, (256, 256)),
    ],
)
@pytest.mark.parametrize("kind", ["img2img", "img2video"])
async def test_a_picture_comes_in_the_size_of_what_is_made_from_it(inputs, paint, kind, own, asked, made):
    prepared = await inputs.prepare(request_of(paint(size=own), **asked), workflow_of(kind))

    assert prepared.size == made
    assert opened(prepared, "image").size == made
    assert opened(prepared, "image").getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("kind", ["edit", "upscale", "other", "txt2video"])
async def test_other_kinds_take_a_picture_as_it_is(inputs, paint, kind):
    odd = await inputs.prepare(request_of(paint(size=(251, 33)), size="64x64"), workflow_of(kind))
    large = await inputs.prepare(request_of(paint(size=(2000, 500))), workflow_of(kind))
    resized = await inputs.prepare(request_of(paint(), resize="128x128"), workflow_of(kind))

    assert (odd.size, odd.notes) == ((251, 33), ())
    assert large.size == (1024, 256)
    assert "2000x500 became 1024x256" in large.notes[0]
    assert resized.size == (128, 128)


async def test_what_was_changed_is_noted(inputs, paint):
    paint("anim.gif", save_all=True, append_images=[Image.new("RGB", (256, 128), "blue")])

    prepared = await inputs.prepare(request_of("anim.gif", size="128x130"), IMG2IMG)

    notes = "\n".join(prepared.notes)
    assert "'anim.gif' is animated: the first frame was used." in notes
    assert "Size 128x130 became 128x128" in notes
    assert "50% of the 256x128 picture was cut off, left and right. generate_image's crop='contain'" in notes


async def test_the_note_on_a_cut_advises_only_what_the_tool_can_do(inputs, paint):
    filmed = await inputs.prepare(request_of(paint(), size="128x128"), workflow_of("img2video"))

    assert "left and right. A size of the picture's own shape keeps all of it" in filmed.notes[0]
    assert "crop" not in filmed.notes[0]


async def test_a_size_beside_resize_is_said_to_have_no_effect(inputs, paint):
    asked = request_of(paint(), size="512x512", width=512, resize="256x128")
    both = await inputs.prepare(asked, IMG2IMG)
    edited = await inputs.prepare(asked, workflow_of("edit"))

    assert both.notes == (
        "size=512x512 has no effect: resize=256x128 decides the size.",
        "width=512 has no effect: resize=256x128 decides the size.",
    )
    assert edited.notes == ()


async def test_contain_says_which_size_came_out(inputs, paint):
    prepared = await inputs.prepare(request_of(paint(), size="256x256", crop="contain"), IMG2IMG)

    assert prepared.notes == ("All of the 256x128 picture inside 256x256 is 256x128.",)


async def test_contain_in_a_size_of_the_same_shape_is_that_size(inputs, paint):
    prepared = await inputs.prepare(request_of(paint(), size="128x64", crop="contain"), IMG2IMG)

    assert (prepared.size, prepared.notes) == ((128, 64), ())


async def test_a_mask_follows_its_picture(inputs, paint):
    paint(size=(256, 128), box=(0, 0, 128, 128), other="blue")
    paint("mask.png", colour="black", box=(128, 0, 256, 128))

    prepared = await inputs.prepare(request_of("cat.png", mask="mask.png", size="128x128"), INPAINT)

    picture, mask = opened(prepared, "image"), opened(prepared, "mask")
    assert picture.size == mask.size == (128, 128)
    for x in (10, 118):
        repainted = mask.convert("L").getpixel((x, 64)) == 255
        assert repainted == (picture.getpixel((x, 64)) == (255, 0, 0)) == (x > 64)
    assert [(file.placeholder, file.origin) for file in prepared.files] == [
        ("image", "file cat.png"),
        ("mask", "file mask.png"),
    ]


async def test_a_mask_of_another_shape_is_refused_with_both_sizes(inputs, paint):
    paint()
    paint("mask.png", size=(128, 128), box=(0, 0, 9, 9), colour="black")

    with pytest.raises(BadRequest, match="The mask is 128x128 and the picture 256x128"):
        await inputs.prepare(request_of("cat.png", mask="mask.png"), INPAINT)


async def test_a_mask_alone_is_refused(inputs, paint):
    with pytest.raises(BadRequest, match="A mask is given without a picture"):
        await inputs.prepare(request_of(mask=paint()), INPAINT)


async def test_without_a_mask_what_is_transparent_is_inpainted(inputs, paint):
    paint(mode="RGBA", colour=(255, 0, 0, 255), box=(0, 0, 64, 128), other=(0, 0, 0, 0))

    prepared = await inputs.prepare(request_of("cat.png"), INPAINT)
    plain = await inputs.prepare(request_of("cat.png"), IMG2IMG)

    mask = np.asarray(opened(prepared, "mask").convert("L"))
    assert (mask[:, :64] == 255).all()
    assert (mask[:, 64:] == 0).all()
    assert opened(prepared, "image").getpixel((5, 5)) == (255, 255, 255)
    assert "transparent parts are repainted" in "\n".join(prepared.notes)
    assert [file.placeholder for file in plain.files] == ["image"]
    assert "became white" in plain.notes[0]


async def test_an_unknown_workflow_gets_transparency_as_it_is(inputs, paint):
    paint(mode="RGBA", colour=(255, 0, 0, 9))

    prepared = await inputs.prepare(request_of("cat.png"), workflow_of("other"))

    assert opened(prepared, "image").mode == "RGBA"


async def test_extend_makes_a_border_and_its_mask(inputs, paint):
    prepared = await inputs.prepare(request_of(paint(), resize="512x256", crop="extend"), INPAINT)

    picture, mask = opened(prepared, "image"), opened(prepared, "mask").convert("L")
    assert prepared.size == picture.size == mask.size == (512, 256)
    assert picture.getpixel((3, 3)) == picture.getpixel((256, 128)) == (255, 0, 0)
    assert (mask.getpixel((3, 3)), mask.getpixel((256, 128))) == (255, 0)
    assert prepared.files[1].origin == "made from the picture"


async def test_extend_adds_to_a_mask_that_is_given(inputs, paint):
    paint()
    paint("mask.png", colour="black", box=(120, 60, 136, 68))
    request = request_of("cat.png", mask="mask.png", resize="512x256", crop="extend")

    mask = opened(await inputs.prepare(request, INPAINT), "mask").convert("L")

    assert [mask.getpixel(place) for place in ((3, 3), (256, 128), (200, 100))] == [255, 255, 0]


async def test_extend_leaves_the_mask_out_where_the_workflow_takes_none(inputs, paint):
    prepared = await inputs.prepare(request_of(paint(), resize="512x256", crop="extend"), EDIT)

    assert prepared.size == (512, 256)
    assert list(prepared.values) == ["image"]


@pytest.mark.parametrize("fields", [{}, {"resize": "256x128"}, {"resize": "2:1"}])
async def test_extend_needs_room_to_paint(inputs, paint, fields):
    with pytest.raises(BadRequest, match="Give resize as a larger size or one of another shape"):
        await inputs.prepare(request_of(paint(), crop="extend", **fields), INPAINT)


async def test_extend_into_nothing_is_still_an_inpainting_when_a_mask_is_given(inputs, paint):
    paint()
    paint("mask.png", colour="black", box=(120, 60, 136, 68))
    request = request_of("cat.png", mask="mask.png", resize="256x128", crop="extend")

    assert (await inputs.prepare(request, INPAINT)).size == (256, 128)


async def test_several_pictures_keep_their_order_and_sizes_where_a_model_edits_them(inputs, paint):
    paint("a.png", size=(100, 50)), paint("b.png", size=(50, 100)), paint("c.png", size=(20, 20))

    prepared = await inputs.prepare(request_of("a.png", "b.png", "c.png"), EDIT)
    resized = await inputs.prepare(request_of("a.png", "b.png", resize="320x160", crop="extend"), EDIT)

    assert [(file.placeholder, file.width, file.height) for file in prepared.files] == [
        ("image", 100, 50),
        ("image2", 50, 100),
        ("image3", 20, 20),
    ]
    assert prepared.size == (100, 50)
    assert opened(resized, "image").size == (320, 160)
    assert opened(resized, "image2").size == (80, 160)


async def test_a_last_frame_comes_in_the_size_of_the_first(inputs, paint):
    paint("a.png", size=(256, 128)), paint("b.png", size=(100, 100))

    prepared = await inputs.prepare(
        request_of("a.png", "b.png", size="320x160"), workflow_of("img2video", "image", "image2")
    )

    assert {(file.width, file.height) for file in prepared.files} == {(320, 160)}


async def test_the_same_picture_twice_is_one_file(inputs, paint):
    prepared = await inputs.prepare(request_of(paint(), "cat.png"), EDIT)

    assert len(prepared.files) == 2
    assert len(prepared.data) == 1


@pytest.mark.parametrize(("workflow", "count"), [(IMG2IMG, 2), (EDIT, 4), (workflow_of("other", "x"), 4)])
async def test_more_pictures_than_a_workflow_takes_are_refused(inputs, paint, workflow, count):
    with pytest.raises(BadRequest, match=f"{count} pictures are given; mine works on {count - 1}"):
        await inputs.prepare(request_of(*[paint()] * count), workflow)


async def test_a_stored_picture_is_the_parent_of_what_is_made_from_it(inputs, store, work, paint):
    (generation,) = await keep(Archive(store), work / paint())
    paint("dog.png", colour="blue")

    first = await inputs.prepare(request_of(generation.id, "dog.png"), EDIT)
    second = await inputs.prepare(request_of("dog.png", generation.id), EDIT)

    assert (first.parent_id, second.parent_id) == (generation.id, None)
    assert first.files[0].origin == f"generation {generation.id}"


async def test_a_stored_picture_may_be_larger_than_what_callers_send(store, work):
    noise = np.random.default_rng(1).integers(0, 256, (128, 256, 3), dtype=np.uint8)
    Image.fromarray(noise).save(work / "cat.png")
    (generation,) = await keep(Archive(store), work / "cat.png")
    inputs = Inputs(
        stored=Archive(store), shelf=InputShelf(store), fetch=fetch, folders=(work,), max_bytes=1000
    )

    assert (await inputs.prepare(request_of(generation.id), IMG2IMG)).size == (256, 128)
    with pytest.raises(BadRequest, match=r"'cat.png' is larger than 0.001 MB"):
        await inputs.prepare(request_of("cat.png"), IMG2IMG)


async def test_a_text_file_named_png_is_told_and_nothing_kept(inputs, store, work):
    (work / "cat.png").write_text("just words")

    with pytest.raises(BadRequest, match=r"'cat\.png' is plain text, not a picture"):
        await inputs.prepare(request_of("cat.png"), IMG2IMG)
    assert [stored.key async for stored in store.list()] == []


async def test_a_url_of_sixty_megabytes_is_refused(inputs):
    async def huge(server, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n")
        await endless(server, writer)

    async with WebServer({"/cat.png": huge}).serving() as server:
        with pytest.raises(BadRequest, match="larger than 2 MB, the most that is fetched"):
            await inputs.prepare(request_of(f"{server.url}/cat.png"), IMG2IMG)


async def test_a_data_uri_becomes_a_picture_without_what_it_said_of_itself(inputs, work, paint):
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    paint("cat.jpg", exif=exif)
    uri = f"data:image/png;base64,{base64.b64encode((work / 'cat.jpg').read_bytes()).decode()}"

    prepared = await inputs.prepare(request_of(uri), IMG2IMG)

    (data,) = prepared.data.values()
    assert mime_of(data) == "image/png"
    assert b"taken at home" not in data


async def test_the_command_line_may_name_any_file(inputs, tmp_path):
    Image.new("RGB", (64, 64)).save(tmp_path / "elsewhere.png")
    request = request_of(str(tmp_path / "elsewhere.png"))

    assert (await inputs.prepare(request, IMG2IMG, any_path=True)).size == (64, 64)
    with pytest.raises(BadRequest, match="cannot be read"):
        await inputs.prepare(request, IMG2IMG)


def settings_in(folder, **environ):
    stored = {"COMFYGEN_STORE": str(folder / "gallery"), **environ}
    return load_settings(environ=stored, cwd=folder).settings


def test_over_stdio_the_working_folder_the_configured_ones_and_the_gallery_are_open(tmp_path):
    settings = settings_in(tmp_path, COMFYGEN_INPUT_DIRS="photos, ~/pictures", HOME="/home/me")
    photos, pictures = tmp_path / "photos", tmp_path.__class__("/home/me/pictures")

    assert settings.input_dirs == (photos, pictures)
    assert input_folders(settings, tmp_path, http=False) == (tmp_path, photos, pictures, tmp_path / "gallery")
    assert input_folders(settings, tmp_path, http=True) == (photos, pictures)


def test_the_root_of_the_file_system_is_nobodys_working_folder(tmp_path):
    assert input_folders(settings_in(tmp_path), tmp_path.__class__("/"), http=False) == (
        tmp_path / "gallery",
    )
    assert input_folders(settings_in(tmp_path), tmp_path, http=True) == ()


def test_a_store_elsewhere_is_no_folder(tmp_path):
    s3 = {"COMFYGEN_STORE": "s3://pictures", "COMFYGEN_S3_ENDPOINT": "http://127.0.0.1:9000"}

    assert input_folders(settings_in(tmp_path, **s3), tmp_path, http=False) == (tmp_path,)


def test_folders_in_the_file_are_relative_to_the_file(tmp_path):
    (tmp_path / "comfygen.yaml").write_text(
        "input_dirs: [photos]\nmax_input_mb: 8\nallow_private_urls: true\n"
    )

    settings = load_settings(environ={}, cwd=tmp_path).settings

    assert settings.input_dirs == (tmp_path / "photos",)
    assert (settings.max_input_mb, settings.allow_private_urls, settings.timeout_url_s) == (8, True, 30)
