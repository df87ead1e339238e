"""Uploads, views and saved outputs: captured cases, and what is ours."""

import io
import os

import pytest
from engine_probe import Client, captured, png_bytes, trivial
from engine_server import EngineServer
from PIL import Image

UPLOADS, VIEWS, OUTPUTS = captured("uploads"), captured("views"), captured("outputs")
SIZES = {177: (10, 200, 30, 128), 176: (200, 10, 30, 128)}
"""Two contents of the captured uploads, told apart by their sizes."""


@pytest.fixture(scope="module")
def uploaded():
    """A client after all captured uploads, and the replies to them."""
    with EngineServer() as server:
        client = Client(server)
        replies = {case["name"]: upload(client, case) for case in UPLOADS}
        yield client, replies
        client.close()


def upload(client, case):
    file, fields = case["file"], case["fields"]
    if file is None:
        # A multipart body needs a file part; this one has another name.
        return client.http.post(case["path"], data=fields, files={"unused": ("u", b"u")})
    size = file["size"]
    content = png_bytes(colour=SIZES[size]) if size in SIZES else b"\0" * size
    if case["name"] == "overwrite_True_capital":
        content = png_bytes(colour=(1, 1, 1, 1))
    if file["name"] == "note.txt":
        content = b"hello"
    if file["name"] == "x.html":
        content = b"<script>1</script>"
    if file["name"] == "v.mp4":
        content = bytes.fromhex("00000018667479706d703432") + b"0" * 100
    return client.http.post(case["path"], data=fields, files={"image": (file["name"], content, file["type"])})


@pytest.mark.parametrize("case", UPLOADS, ids=[case["name"] for case in UPLOADS])
def test_a_captured_upload_gets_the_captured_reply(uploaded, case):
    reply = uploaded[1][case["name"]]

    assert reply.status_code == case["status"]
    if isinstance(case["response"], dict):
        assert reply.json() == case["response"]
    else:
        assert reply.text == case["response"]


def test_an_upload_never_leaves_its_folder(uploaded):
    client, _ = uploaded
    outside = client.server.folder.parent

    assert not (outside / "evil.png").exists()
    assert sorted(p.name for p in client.server.folder.iterdir()) == ["input", "output", "temp"]


@pytest.mark.parametrize("case", VIEWS, ids=[case["name"] for case in VIEWS])
def test_a_captured_view_gets_the_captured_reply(uploaded, case):
    client, _ = uploaded
    output = client.server.folder / "output"
    (output / "triv" / "sub").mkdir(parents=True, exist_ok=True)
    for name in ("t2i_00001_.png", "triv/sub/abc_00001_.png"):
        (output / name).write_bytes(png_bytes((64, 64), (1, 2, 3), "RGB"))

    reply = client.get(case["request"], headers=case["headers"] or {})

    assert reply.status_code == case["status"]
    for name, value in case["reply_headers"].items():
        assert reply.headers[name].removesuffix("; charset=utf-8") == value.removesuffix("; charset=utf-8")
    if case["image"]:
        image = Image.open(io.BytesIO(reply.content))
        expected = [case["image"][0], case["image"][1], tuple(case["image"][2])]
        assert [image.format, image.size] == [expected[0], expected[2]]
    elif case["body"] is not None and case["name"] != "mp4":
        assert reply.text == case["body"]


def test_a_part_and_the_head_of_a_file_can_be_asked_for(uploaded):
    client, _ = uploaded
    params = {"filename": "a.png", "type": "input"}
    whole = client.get("/view", params=params)

    part = client.get("/view", params=params, headers={"range": "bytes=0-9"})
    head = client.http.head("/view", params=params)

    assert (part.status_code, part.content) == (206, whole.content[:10])
    assert part.headers["content-range"] == f"bytes 0-9/{len(whole.content)}"
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))


def test_an_unchanged_file_is_not_sent_again(uploaded):
    client, _ = uploaded
    params = {"filename": "a.png", "type": "input"}
    etag = client.get("/view", params=params).headers["etag"]

    assert client.get("/view", params=params, headers={"if-none-match": etag}).status_code == 304
    assert client.get("/view", params=params, headers={"if-none-match": '"x"'}).status_code == 200


def test_a_name_in_another_script_comes_back_in_utf8(uploaded):
    client, _ = uploaded

    reply = client.get("/view", params={"filename": "тест 图.png", "type": "input"})

    disposition = dict(reply.headers.raw)[b"content-disposition"]
    assert disposition.decode() == 'filename="тест 图.png"'


def test_a_link_out_of_the_folder_is_not_followed(uploaded):
    client, _ = uploaded
    (client.server.folder / "output" / "passwd").symlink_to("/etc/passwd")

    assert client.get("/view", params={"filename": "passwd"}).status_code == 404
    assert client.get("/view", params={"filename": "a\0b"}).status_code == 404
    assert client.get("/view", params={"filename": "a", "subfolder": "a\0b"}).status_code == 403


def test_the_alpha_channel_of_an_opaque_image_is_full(uploaded):
    client, _ = uploaded
    client.upload("opaque.png", png_bytes((8, 8), (1, 2, 3), "RGB"))

    reply = client.get("/view", params={"filename": "opaque.png", "type": "input", "channel": "a"})

    assert Image.open(io.BytesIO(reply.content)).getchannel("A").getextrema() == (255, 255)


@pytest.mark.parametrize("case", OUTPUTS, ids=[case["name"] for case in OUTPUTS])
def test_a_captured_output_node_shows_what_it_showed(start, case):
    client = start()
    client.upload("s.png", png_bytes(), subfolder="cust/x")
    client.upload("note.txt", b"hello")
    client.upload("zero.png", b"")
    client.upload("t.png", png_bytes(), type="temp")
    (client.server.folder / "output" / "t2i_00001_.png").write_bytes(png_bytes())

    reply = client.post("/prompt", {"prompt": case["graph"]})

    assert reply.status_code == case.get("status", 200)
    if "response" in case:
        assert reply.json() == case["response"]
        return
    entry = client.wait(reply.json()["prompt_id"])
    assert without_temp_names(entry["outputs"]) == without_temp_names(case["outputs"])
    job = client.get(f"/api/jobs/{reply.json()['prompt_id']}").json()
    assert without_temp_names(job.get("preview_output")) == without_temp_names(case["preview"])
    if "error" in case:
        told = entry["status"]["messages"][-1][1]
        assert {key: told[key] for key in case["error"]} == case["error"]
        assert str(client.server.folder) not in told["exception_message"]


def without_temp_names(value):
    """Leave out the five letters of a run and the counter from the names of previews."""
    if isinstance(value, list):
        return [without_temp_names(item) for item in value]
    if isinstance(value, dict):
        return {key: without_temp_names(item) for key, item in value.items()}
    return "ComfyUI_temp" if isinstance(value, str) and value.startswith("ComfyUI_temp_") else value


def test_a_prefix_may_hold_the_date_the_size_and_the_number_in_the_batch(client):
    graph = trivial(7, "%year%-%month%-%day%/%hour%%minute%%second%_%width%x%height%_%date:yyyy%_%batch_num%")
    graph["1"]["inputs"]["batch_size"] = 2

    first, second = client.run(graph)["outputs"]["2"]["images"]

    assert first["filename"].endswith("_64x64_%date:yyyy%_0_00001_.png")
    assert second["filename"].endswith("_64x64_%date:yyyy%_1_00002_.png")
    assert len(first["subfolder"].split("-")) == 3


def test_the_number_of_the_newest_file_is_used_again_when_it_was_deleted(start):
    client = start()
    names = []
    for colour in range(3):
        names.append(client.run(trivial(colour))["outputs"]["2"]["images"][0]["filename"])
        if colour == 1:
            (client.server.folder / "output" / names[-1]).unlink()

    assert names == ["trivial_00001_.png", "trivial_00002_.png", "trivial_00002_.png"]


def test_a_saved_picture_carries_its_graph_and_says_who_made_it(client):
    graph = trivial(8, "meta")
    workflow = {"id": "wf", "nodes": []}

    image = client.run(graph, extra_data={"extra_pnginfo": {"workflow": workflow}})["outputs"]["2"]["images"]

    text = Image.open(io.BytesIO(client.get("/view", params=image[0]).content)).text
    assert text["comfygen_engine"] == "procedural"
    assert '"class_type": "EmptyImage"' in text["prompt"]
    assert text["workflow"] == '{"id": "wf", "nodes": []}'


def test_previews_and_outputs_older_than_a_day_are_swept_at_the_start(tmp_path):
    old, new = tmp_path / "output" / "sub" / "old.png", tmp_path / "output" / "new.png"
    temporary, kept = tmp_path / "temp" / "x.png", tmp_path / "input" / "mine.png"
    for path in (old, new, temporary, kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    for path in (old, kept):
        os.utime(path, (0, 0))

    with EngineServer(tmp_path):
        pass

    assert [path.exists() for path in (old, new, temporary, kept)] == [False, True, False, True]


def test_a_name_that_no_disk_can_hold_is_trouble(client):
    assert client.upload("x" * 300 + ".png", b"x").status_code == 500
    assert client.upload(".", b"x").status_code == 500
