"""References to pictures: what each form leads to, and what it must never lead to."""

import base64
import io
import os
import socket
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from stored_pictures import keep
from web_server import WebServer, ok

from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.services.references import References
from comfygen_mcp.stores.local import LocalStore
from comfygen_mcp.web import fetch

pytestmark = pytest.mark.anyio

MAX_BYTES = 100_000


def png(colour="red", size=(16, 12)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


PNG = png()


@pytest.fixture
def work(tmp_path):
    """The client's working folder, with one picture in it."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "cat.png").write_bytes(PNG)
    return folder


@pytest.fixture
def archive(tmp_path):
    return Archive(LocalStore(tmp_path / "gallery"))


@pytest.fixture
def references(archive, work):
    get = partial(fetch, max_bytes=MAX_BYTES, timeout_s=20, allow_private=True)
    return References(archive, get, (work,), MAX_BYTES)


@pytest.fixture
async def stored(archive, work):
    (generation,) = await keep(archive, work / "cat.png")
    return generation


async def refused(references, reference, *, any_path=False):
    with pytest.raises(BadRequest) as raised:
        await references.read(reference, any_path=any_path)
    return str(raised.value)


async def test_a_file_of_the_working_folder_is_read(references, work):
    for text in ("cat.png", "./cat.png", " cat.png ", str(work / "cat.png"), (work / "cat.png").as_uri()):
        found = await references.read(text, any_path=False)

        assert (found.data, found.name, found.origin, found.generation_id) == (
            *(PNG, "cat.png", "file cat.png"),
            None,
        )


async def test_a_file_url_may_have_escapes_and_the_name_localhost(references, work):
    (work / "my cat ü.png").write_bytes(PNG)
    url = (work / "my cat ü.png").as_uri()

    assert (await references.read(url, any_path=False)).name == "my cat ü.png"
    assert (await references.read(url.replace("file://", "file://localhost"), any_path=False)).data == PNG
    assert "names a file of this machine" in await refused(references, "file://server/share/cat.png")
    assert "names a file of this machine" in await refused(references, "file://[broken/cat.png")


async def test_a_relative_path_is_looked_for_in_every_folder(archive, work, tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "dog.png").write_bytes(PNG)
    references = References(archive, fetch, (work, tmp_path / "more"), MAX_BYTES)

    assert (await references.read("dog.png", any_path=False)).name == "dog.png"


async def test_a_home_folder_may_be_written_as_a_tilde(references, work, monkeypatch):
    monkeypatch.setenv("HOME", str(work))

    assert (await references.read("~/cat.png", any_path=False)).data == PNG
    assert "cannot be read" in await refused(references, "~nobody-of-this-name/../../cat.png")


async def test_a_missing_file_is_told_with_the_nearest_name(references):
    assert "There is no file 'cta.png' in 'work'. Did you mean 'cat.png'?" in await refused(
        references, "cta.png"
    )
    assert "Check the path" in await refused(references, "nowhere/cat.png")


async def test_what_is_outside_is_refused_whether_it_is_there_or_not(references, work, tmp_path):
    (tmp_path / "secret.png").write_bytes(PNG)
    (work / "way").symlink_to(tmp_path / "secret.png")
    (work / "broken").symlink_to(tmp_path / "missing.png")
    (work / "folder").symlink_to(tmp_path)
    (work / "loop").symlink_to(work / "loop")
    outside = ["../secret.png", "../missing.png", str(tmp_path / "secret.png"), str(tmp_path / "missing.png")]
    by_link = ["way", "broken", "folder/secret.png", "folder/missing.png", "loop", "loop/cat.png"]

    texts = [await refused(references, text) for text in (*outside, *by_link, "/etc/passwd", "file:///etc/x")]

    assert len({text.partition("cannot be read.")[2] for text in texts}) == 1
    assert "open here ('work'; input_dirs adds more)" in texts[0]
    assert all(str(tmp_path) not in text.partition("cannot be read.")[2] for text in texts)


async def test_the_command_line_may_name_any_file(references, tmp_path, monkeypatch):
    (tmp_path / "secret.png").write_bytes(PNG)
    monkeypatch.chdir(tmp_path)

    for text in ("secret.png", str(tmp_path / "secret.png"), "work/../secret.png"):
        assert (await references.read(text, any_path=True)).data == PNG
    assert "There is no file 'secert.png'" in await refused(references, "secert.png", any_path=True)


async def test_over_http_no_file_of_the_server_is_read(archive, work):
    references = References(archive, fetch, (), MAX_BYTES, http=True)

    text = await refused(references, str(work / "cat.png"))

    assert "files of this server cannot be named here" in text
    assert "input_dirs" not in text


async def test_over_http_the_configured_folders_are_open(archive, work):
    references = References(archive, fetch, (work,), MAX_BYTES, http=True)

    assert (await references.read(str(work / "cat.png"), any_path=False)).data == PNG
    assert "one of the folders open to callers: 'work'" in await refused(references, "/etc/passwd")


async def test_special_files_are_refused_without_waiting_for_them(references, work, tmp_path):
    os.mkfifo(work / "pipe.png")
    (work / "folder.png").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(work / "s.png"))
        assert "cannot be opened" in await refused(references, "s.png")

    assert "is a device or a pipe" in await refused(references, "pipe.png")
    assert "is a folder" in await refused(references, "folder.png")
    assert "is a folder" in await refused(references, ".")
    assert "is a device or a pipe" in await refused(references, "/dev/zero", any_path=True)
    assert "is a folder" in await refused(references, str(tmp_path), any_path=True)


async def test_a_file_that_is_too_large_is_not_read(references, work):
    with (work / "big.png").open("wb") as file:
        file.truncate(60_000_000_000)

    assert "'big.png' is larger than 0.1 MB" in await refused(references, "big.png")


async def test_a_file_that_says_nothing_of_its_size_is_read_no_further_than_allowed(references):
    references = References(references.stored, fetch, (Path("/proc"),), 100)

    assert "larger than 0.0001 MB" in await refused(references, "/proc/self/status", any_path=True)


@pytest.mark.parametrize("text", ["a\0b.png", "x" * 300 + ".png", "x/" * 3000, "cat.png/cat.png"])
async def test_what_is_no_path_is_refused_in_words(references, text):
    said = await refused(references, text)

    assert "Errno" not in said
    assert len(said) < 700


async def test_a_stored_picture_is_read_by_its_id_or_its_beginning(references, stored):
    for text in (stored.id, stored.id[:8], stored.id.upper(), f"comfygen://generations/{stored.id}/image"):
        found = await references.read(text, any_path=False)

        assert (found.data, found.origin, found.generation_id) == (PNG, f"generation {stored.id}", stored.id)


async def test_an_unknown_id_names_the_nearest(references, stored):
    with pytest.raises(UnknownName, match=stored.id):
        await references.read(f"{stored.id[:-1]}{'0' if stored.id[-1] != '0' else '1'}", any_path=False)


async def test_a_path_inside_the_gallery_counts_as_its_generation(archive, stored, tmp_path):
    references = References(archive, fetch, (tmp_path / "gallery",), MAX_BYTES)

    for text in (stored.key, str(tmp_path / "gallery" / stored.key), stored.minio_url):
        found = await references.read(text, any_path=False)

        assert (found.data, found.generation_id) == (PNG, stored.id)


async def test_a_link_to_a_stored_file_is_read_from_the_store(references, stored):
    signed = f"http://10.1.2.3:8765/files/{quote(stored.key)}?e=1&s=abc"

    found = await references.read(signed, any_path=False)

    assert (found.data, found.generation_id) == (PNG, stored.id)


async def test_a_link_to_somebody_elses_stored_file_is_fetched(references, stored):
    path = f"/{stored.key}".replace(stored.id, "01b20000-2b3b-7000-8000-000000000001")
    async with WebServer({path: ok(png("blue"))}).serving() as server:
        found = await references.read(f"{server.url}{path}?sig=secret", any_path=False)

    assert (found.data, found.generation_id) == (png("blue"), None)
    assert found.origin.startswith(f"{server.url}/g/2026/")
    assert "secret" not in found.origin


async def test_a_url_is_fetched(references):
    async with WebServer({"/a/cat.png": ok(PNG)}).serving() as server:
        found = await references.read(f"{server.url}/a/cat.png?token=secret", any_path=False)

    assert (found.data, found.name) == (PNG, f"{server.url}/a/cat.png")
    assert "is not an http or https URL" in await refused(references, "http://[broken/cat.png")


async def test_a_video_names_its_poster(archive, references, work):
    (work / "fox.mp4").write_bytes(b"\0\0\0\x18ftypisom")
    video, poster = await keep(
        archive, work / "fox.mp4", work / "cat.png", media=["video", "image"], mime=["video/mp4", "image/png"]
    )

    text = await refused(references, video.id)

    assert f"Generation {video.id} is a stored video" in text
    assert f"give {poster.id}" in text


async def test_a_video_without_a_poster_asks_for_a_still(archive, references, work):
    (work / "fox.mp4").write_bytes(b"\0\0\0\x18ftypisom")
    (video,) = await keep(archive, work / "fox.mp4", media="video", mime="video/mp4")

    assert "Give a still of it" in await refused(references, video.id)


async def test_a_stored_sound_is_no_picture(archive, references, work):
    (sound,) = await keep(archive, work / "cat.png", media="audio", mime="audio/flac")

    assert "is a stored audio, not a picture. Give the id of a picture" in await refused(references, sound.id)


@pytest.mark.parametrize(
    "head", ["data:image/png;base64,", "DATA:;Base64,", "data:text/plain;charset=x;base64,"]
)
async def test_a_data_uri_is_read_whatever_type_it_names(references, head):
    body = base64.b64encode(PNG).decode()
    for text in (body, body.rstrip("="), quote(body), f"{body[:40]}\n {body[40:]}"):
        found = await references.read(head + text, any_path=False)

        assert (found.data, found.origin) == (PNG, "data URI")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data:image/png,abc", "must look like data:image/png;base64"),
        ("data:image/png;base64", "must look like data:image/png;base64"),
        ("data:image/png;base64,a!c=", "is damaged or cut off"),
        ("data:image/png;base64,abcde", "is damaged or cut off"),
        (f"data:image/png;base64,{'A' * 140_000}", "'data URI' is larger than 0.1 MB"),
    ],
)
async def test_a_data_uri_that_cannot_be_used_is_told(references, text, words):
    assert words in await refused(references, text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "given as an empty text"),
        ("  ", "given as an empty text"),
        ("s3://bucket/cat.png", "'s3' references cannot be read"),
        ("blob:https://a.example/1", "'blob' references cannot be read"),
        ("comfygen://workflows/sd15", "'comfygen' references cannot be read"),
        (f"/{base64.b64encode(bytes(900)).decode()}", "It looks like base64: put 'data:image/png;base64,'"),
    ],
)
async def test_what_is_no_reference_is_told_what_is_one(references, text, words):
    said = await refused(references, text)

    assert words in said
    assert "the id of a stored picture, an http(s) URL, or a data URI" in said
