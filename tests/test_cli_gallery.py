"""The gallery on the command line: found, shown, tagged, shared, deleted, moved, made again."""

import asyncio
import base64
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import anyio
import pytest
from observe import wait_until
from PIL import Image

from comfygen_mcp.app import open_app
from comfygen_mcp.cli.thumbnails import thumbnail_text, way_to_show
from comfygen_mcp.config import load_settings
from comfygen_mcp.index.base import Query
from comfygen_mcp.loras import parse_loras
from comfygen_mcp.models_request import GenerateRequest


@pytest.fixture
def environ(tmp_path, engine):
    own = {
        "COMFYGEN_STORE": str(tmp_path / "gallery"),
        "COMFYGEN_INCOMING": str(tmp_path / "incoming"),
        "COMFYGEN_INDEX": str(tmp_path / "index"),
        "COMFYGEN_CACHE": str(tmp_path / "cache"),
        "COMFYGEN_ENGINE_FOLDER": str(tmp_path / "engine"),
        "COMFYUI_URL": engine.url,
        "HOME": str(tmp_path),
        "COLUMNS": "160",
        "NO_COLOR": "1",
    }
    return {**os.environ, **own}


@pytest.fixture
def comfygen(tmp_path, environ):
    def run(*words, answer=None, **changes):
        return subprocess.run(
            [sys.executable, "-m", "comfygen_mcp", *words],
            input=answer,
            capture_output=True,
            text=True,
            timeout=120,
            cwd=tmp_path,
            env={**environ, **changes},
            check=False,
        )

    return run


@pytest.fixture
def settings(environ, tmp_path):
    names = ("STORE", "INCOMING", "INDEX", "CACHE", "ENGINE_FOLDER")
    own = {f"COMFYGEN_{name}": environ[f"COMFYGEN_{name}"] for name in names}
    return load_settings(environ={**own, "COMFYUI_URL": environ["COMFYUI_URL"]}, cwd=tmp_path).settings


@pytest.fixture
def made(settings):
    """Return a function that stores a picture, in this process to save time, and returns its id."""

    async def make(request):
        async with open_app(settings, {}) as app:
            started = await app.generation.start(request)
            state = await app.generation.wait(started.job.id, timeout_s=60)
            return state.generations[0].id

    def run(prompt, **changes):
        request = GenerateRequest(prompt=prompt, model="sd15", size="256x256", steps=1, **changes)
        return asyncio.run(make(request))

    return run


@pytest.fixture
def stored(settings):
    """Return a function: what is in the gallery, newest first."""

    async def ids():
        async with open_app(settings, {}) as app:
            return [entry.id for entry in (await app.gallery.search(Query())).entries]

    return lambda: asyncio.run(ids())


def found(comfygen, *words):
    ended = comfygen("gallery", "search", "--json", *words, COMFYUI_URL="http://127.0.0.1:9")
    assert ended.returncode == 0, ended.stderr
    return [row["id"] for row in json.loads(ended.stdout)["entries"]]


def test_search_and_show_work_without_any_comfyui(comfygen, made):
    fox, boat = made("a red fox", seed=7), made("a blue\nboat", seed=8)
    off = {"COMFYUI_URL": "http://127.0.0.1:9"}
    listed = comfygen("gallery", "search", "--limit", "1", **off)
    nothing = comfygen("gallery", "search", "zebra", **off)
    wrong = comfygen("gallery", "search", "--model", "sd51", **off)
    shown = comfygen("gallery", "show", fox[:13], **off)
    graph = json.loads(comfygen("gallery", "show", fox, "--graph", **off).stdout)
    as_json = json.loads(comfygen("gallery", "show", fox, "--json", **off).stdout)

    assert found(comfygen) == [boat, fox]
    assert found(comfygen, "red", "fox") == [fox]
    assert found(comfygen, "--seed", "8-9") == [boat]
    assert found(comfygen, "--", "-blue") == [fox]
    head, row = listed.stdout.splitlines()
    assert head.split() == ["id", "made", "model", "size", "seed", "kind", "prompt"]
    assert row.startswith(boat)
    assert row.endswith("a blue boat")
    assert "1 of 2" in listed.stderr
    cursor = re.search(r"--cursor (\S+)", listed.stderr)[1]
    assert found(comfygen, "--cursor", cursor) == [fox]
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "Nothing" in nothing.stderr
    assert wrong.returncode == 2
    assert "sd15" in wrong.stderr
    assert f"id:         {fox}" in shown.stdout
    assert "prompt:     a red fox" in shown.stdout
    assert "seed:       7" in shown.stdout
    assert "stand-in" in shown.stdout
    assert "SaveImage" in {node["class_type"] for node in graph.values()}
    assert (as_json["seed"], as_json["children"]) == (7, [])


def test_tags_and_sharing(comfygen, made):
    fox = made("a red fox")
    boat = made("a boat")
    tagged = comfygen("gallery", "tag", fox, "Best", "keep")
    comfygen("gallery", "tag", boat, "best")
    both = found(comfygen, "--tag", "best, keep")
    again = found(comfygen, "--tag", "best", "--tag", "keep")
    rows = json.loads(comfygen("gallery", "tag", fox, "-r", "best", "--json").stdout)
    shared = comfygen("gallery", "share", fox)
    shown = comfygen("gallery", "show", fox).stdout
    unshared = comfygen("gallery", "share", fox, "--off")
    nothing = comfygen("gallery", "tag", fox)

    assert tagged.stdout == f"{fox}: tags: best, keep\n"
    assert rows["tags"] == ["keep"]
    assert found(comfygen, "--tag", "keep") == both == again == [fox]
    assert "shared" in shared.stdout
    assert "shared:     yes" in shown
    assert "no longer" in unshared.stdout
    assert nothing.returncode == 2


def test_rm_asks_first(comfygen, made, stored, tmp_path):
    fox, boat = made('a "red" fox'), made("a boat")
    refused = comfygen("gallery", "rm", fox, answer="n\n")
    ended = comfygen("gallery", "rm", fox, answer="")
    wrong = comfygen("gallery", "rm", boat, f"{boat[:-4]}beef", "--yes")
    kept = stored()
    agreed = comfygen("gallery", "rm", fox, answer="y\n")
    unasked = comfygen("gallery", "rm", boat, "--yes", "--json")

    assert [refused.returncode, ended.returncode, wrong.returncode] == [2, 2, 2]
    assert '"a \\"red\\" fox"' in refused.stderr
    assert "nothing was deleted" in refused.stderr
    assert "nothing was deleted" in ended.stderr
    assert kept == [boat, fox]
    assert agreed.stdout == f"deleted {fox}\n"
    assert json.loads(unasked.stdout) == {"deleted": [boat]}
    assert stored() == []
    assert not [path for path in (tmp_path / "gallery" / "g").rglob("*") if path.is_file()]


@pytest.mark.anyio
async def test_open_starts_the_program_for_the_file(comfygen, made, tmp_path):
    fox = await anyio.to_thread.run_sync(made, "a red fox")
    programs = tmp_path / "programs"
    programs.mkdir()
    opener = programs / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$@" > {tmp_path / "opened"}\n', encoding="utf-8")
    opener.chmod(0o755)
    opened = comfygen("gallery", "open", fox, PATH=f"{programs}:{os.environ['PATH']}")
    place = Path(opened.stdout.strip())
    told = tmp_path / "opened"
    await wait_until(lambda: told.is_file() and told.read_text(encoding="utf-8").endswith("\n"))
    unable = comfygen("gallery", "open", fox, PATH=str(tmp_path))
    opener.write_text("#!/bin/sh\necho no method available >&2\nexit 3\n", encoding="utf-8")
    refused = comfygen("gallery", "open", fox, PATH=f"{programs}:{os.environ['PATH']}")
    place.unlink()
    gone = comfygen("gallery", "open", fox)

    assert opened.returncode == 0, opened.stderr
    assert told.read_text(encoding="utf-8").strip() == str(place)
    assert unable.returncode == 1
    assert "could not be opened" in unable.stderr
    assert refused.returncode == 1
    assert "no method available" not in refused.stderr
    assert unable.stdout.strip() == str(place)
    assert gone.returncode == 1
    assert "no longer there" in gone.stderr


def test_an_index_is_built_again_from_the_sidecars(comfygen, made, stored, tmp_path):
    fox = made("a red fox")
    sidecar = next((tmp_path / "gallery" / "g").rglob("*.json"))
    (sidecar.parent / "notes.txt").write_text("mine", encoding="utf-8")
    told = comfygen("gallery", "reindex")
    reading = json.loads(comfygen("gallery", "reindex", "--json").stdout)

    assert "1 stored pictures are in the index" in told.stdout
    assert "notes.txt" in told.stdout
    assert (reading["complete"], reading["skipped"]) == (True, 1)
    assert stored() == [fox]


def test_export_and_import_bring_pictures_to_another_gallery(comfygen, made, tmp_path):
    fox, boat = made("a red fox", seed=5), made("a boat")
    comfygen("gallery", "tag", boat, "best")
    packed = comfygen("gallery", "export", "all.zip")
    again = comfygen("gallery", "export", "all.zip")
    one = json.loads(comfygen("gallery", "export", "one.zip", fox, "--keep-metadata", "--json").stdout)
    tagged = json.loads(comfygen("gallery", "export", "tagged.zip", "--tag", "best", "--json").stdout)
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        archive.extractall(tmp_path / "unpacked")
    (tmp_path / "unpacked" / "broken.png").write_bytes(b"no picture")
    elsewhere = {"COMFYGEN_STORE": str(tmp_path / "other"), "COMFYGEN_INDEX": str(tmp_path / "other-index")}
    imported = comfygen("gallery", "import", "unpacked", **elsewhere)
    twice = json.loads(comfygen("gallery", "import", "unpacked", "--json", **elsewhere).stdout)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "nothing" / "broken.png").write_bytes(b"no picture")
    hopeless = comfygen("gallery", "import", "nothing", **elsewhere)
    zipped = comfygen("gallery", "import", "one.zip", **elsewhere)
    filtered = json.loads(comfygen("gallery", "export", "seed.zip", "--seed", "5", "--json").stdout)
    mixed = comfygen("gallery", "export", "mixed.zip", fox, "--tag", "best")
    shown = json.loads(comfygen("gallery", "search", "--json", **elsewhere).stdout)

    assert packed.returncode == 0, packed.stderr
    assert "2 files" in packed.stdout
    assert again.returncode == 2
    assert one["files"] == tagged["files"] == 1
    assert "1 imported" in imported.stdout
    assert imported.returncode == 0
    assert "note: not imported: broken.png" in imported.stderr
    assert hopeless.returncode == 1
    assert zipped.returncode == 2
    assert "Unpack it first" in zipped.stderr
    assert filtered["files"] == 1
    assert mixed.returncode == 2
    assert "not both" in mixed.stderr
    assert (twice["imported"], twice["present"], twice["failed"]) == (0, 1, 1)
    assert [row["seed"] for row in shown["entries"]] == [5]


def test_an_imported_picture_of_comfyui_is_made_again_exactly(comfygen, made, tmp_path):
    fox = made("a red fox", seed=5)
    (tmp_path / "old").mkdir()
    picture = next((tmp_path / "gallery" / "g").rglob("*.png"))
    (tmp_path / "old" / "fox.png").write_bytes(picture.read_bytes())
    elsewhere = {"COMFYGEN_STORE": str(tmp_path / "other"), "COMFYGEN_INDEX": str(tmp_path / "other-index")}
    comfygen("gallery", "import", "old", **elsewhere)
    rows = json.loads(comfygen("gallery", "search", "--json", **elsewhere).stdout)["entries"]
    shown = comfygen("gallery", "show", rows[0]["id"], **elsewhere).stdout
    again = comfygen("regenerate", rows[0]["id"], **elsewhere)

    assert rows[0]["id"] != fox
    assert again.returncode == 0, again.stderr
    assert "Identical pixels" in again.stderr
    assert "made: " in shown
    assert " 0 ms" not in shown
    assert "unknown" not in shown


def test_the_cells_of_a_comparison_are_found_by_the_beginning_of_its_id(comfygen, made):
    words = ("-m", "sd15", "--size", "256x256", "--steps", "1,2", "--json")
    comparison = json.loads(comfygen("compare", "a red fox", *words).stdout)
    made("a boat")
    begun = comparison["comparison_id"][:13]
    packed = json.loads(comfygen("gallery", "export", "cells.zip", "--group", begun, "--json").stdout)
    unknown = comfygen("gallery", "search", "--group", "01a1fed2-537c")

    assert len(found(comfygen, "--group", begun)) == packed["files"] == 2
    assert unknown.returncode == 2
    assert "Unknown comparison" in unknown.stderr


def test_sweep_tells_what_would_go_asks_and_does_it(comfygen, made, stored):
    fox, boat = made("a red fox"), made("a boat")
    comfygen("gallery", "tag", boat, "keep")
    harmless = comfygen("gallery", "sweep", "--yes")
    old = {"COMFYGEN_RETENTION_DAYS": "0.000001"}
    told = comfygen("gallery", "sweep", "--dry-run", **old)
    refused = comfygen("gallery", "sweep", answer="n\n", **old)
    kept = stored()
    done = json.loads(comfygen("gallery", "sweep", "--yes", "--json", **old).stdout)

    assert harmless.returncode == 0, harmless.stderr
    assert "1 stored pictures are older than retention_days" in told.stdout
    assert refused.returncode == 2
    assert "nothing was deleted" in refused.stderr
    assert kept == [boat, fox]
    assert (done["expired"], done["removed"], done["dry_run"]) == (1, 1, False)
    assert stored() == [boat]


def test_regenerate_tells_whether_it_came_out_identical(comfygen, made, tmp_path):
    fox = made("a red fox", seed=7, loras=parse_loras(["style:0.5"]))
    exact = comfygen("regenerate", fox[:20], "-o", "again.png")
    changed = json.loads(comfygen("regenerate", fox, "--steps", "3", "--no-loras", "--json").stdout)
    told = comfygen("regenerate", fox, "--prompt", "a wolf")
    planned = comfygen("regenerate", fox, "--dry-run")
    bare = json.loads(comfygen("regenerate", fox, "--lora", "none", "--dry-run", "--json").stdout)
    torn = comfygen("regenerate", fox, "--lora", "none", "--lora", "style")
    asked = comfygen("regenerate", "--help")
    wrong = comfygen("regenerate", fox, "--steps", "0")

    assert exact.returncode == 0, exact.stderr
    assert "Identical pixels" in exact.stderr
    assert Path(exact.stdout.strip()).is_file()
    assert (tmp_path / "again.png").is_file()
    assert changed["parent_id"] == fox
    assert changed["changes"] == ["steps: 1, now 3", "loras: style.safetensors:0.5, now none"]
    assert 'prompt: "a red fox", now "a wolf"' in told.stderr
    assert "SaveImage" in planned.stdout
    assert bare["loras"] == []
    assert torn.returncode == 2
    assert "--lora style" in torn.stderr
    assert "default" not in asked.stdout.replace("--help", "")
    assert wrong.returncode == 2
    assert "steps=0" in wrong.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--tools", "serch_gallery"], "search_gallery"),
        (["--tools", "delete_generation"], "manage"),
        (["--read-only", "--tools", "generate_image"], "read_only"),
    ],
)
@pytest.mark.parametrize("transport", [(), ("--http",)])
def test_serve_refuses_tools_that_cannot_be_offered(comfygen, words, named, transport):
    ended = comfygen("serve", *words, *transport)

    assert ended.returncode == 2
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.anyio
async def test_serve_offers_what_its_options_choose(environ, tmp_path):
    from mcp import Client
    from mcp.client.stdio import StdioServerParameters, stdio_client

    words = ["-m", "comfygen_mcp", "serve", "--manage", "--tools", "search_gallery,tag_generation"]
    server = StdioServerParameters(command=sys.executable, args=words, env=environ, cwd=tmp_path)
    async with Client(stdio_client(server)) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        result = await client.call_tool("search_gallery", {})

    assert tools == {"search_gallery", "tag_generation"}
    assert not result.is_error


@pytest.mark.parametrize(
    ("environ", "terminal", "way"),
    [
        ({"TERM": "xterm-kitty"}, True, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, True, "kitty"),
        ({"TERM_PROGRAM": "ghostty"}, True, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app", "COLORTERM": "truecolor"}, True, "iterm2"),
        ({"TERM_PROGRAM": "WezTerm"}, True, "iterm2"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, True, "blocks"),
        ({"COLORTERM": "24bit", "TMUX": "x", "KITTY_WINDOW_ID": "1"}, True, "blocks"),
        ({"TMUX": "x", "KITTY_WINDOW_ID": "1"}, True, "none"),
        ({"TERM": "xterm"}, True, "none"),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, True, "none"),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, True, "none"),
        ({"TERM": "xterm-kitty"}, False, "none"),
    ],
)
def test_a_terminal_is_shown_pictures_in_its_own_way(environ, terminal, way):
    assert way_to_show(environ, terminal=terminal) == way


def picture(size=(64, 64)):
    buffer = io.BytesIO()
    image = Image.new("RGBA", size, (255, 0, 0, 255))
    image.paste((0, 0, 255, 255), (0, size[1] // 2, size[0], size[1]))
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_blocks_have_the_colours_of_the_picture_and_its_shape():
    wide = thumbnail_text(picture((128, 64)), "blocks", columns=8, rows=8)
    lines = wide.splitlines()

    assert len(lines) == 2
    assert all(line.count("\N{UPPER HALF BLOCK}") == 8 for line in lines)
    assert lines[0].startswith("\x1b[38;2;255;0;0m\x1b[48;2;")
    assert "\x1b[48;2;0;0;255m" in lines[1]
    assert lines[1].endswith("\x1b[0m")


def test_kitty_gets_png_in_pieces_and_iterm2_in_one():
    noise = Image.effect_noise((200, 200), 200).convert("RGB")
    buffer = io.BytesIO()
    noise.save(buffer, "PNG")
    kitty = thumbnail_text(buffer.getvalue(), "kitty")
    pieces = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", kitty)
    iterm = thumbnail_text(buffer.getvalue(), "iterm2")

    assert pieces[0][0].startswith("a=T,f=100,q=2,c=24,r=12,m=1")
    assert [keys for keys, _ in pieces[1:]] == ["m=1"] * (len(pieces) - 2) + ["m=0"]
    assert all(len(data) <= 4096 for _, data in pieces)
    sent = base64.b64decode("".join(data for _, data in pieces))
    with Image.open(io.BytesIO(sent)) as shown:
        assert shown.size == (200, 200)
    assert re.fullmatch(
        r"\x1b\]1337;File=inline=1;size=\d+;width=24;height=12;[^:]*:[A-Za-z0-9+/=]+\x07\n", iterm
    )
    assert thumbnail_text(b"no picture", "kitty") == ""
    assert thumbnail_text(picture(), "none") == ""


def test_on_a_terminal_the_rows_have_small_pictures(environ, made, tmp_path):
    import pty

    made("a red fox")
    seen = {
        words: on_a_terminal(pty, environ, tmp_path, ["gallery", "search", *words])
        for words in ((), ("--no-thumbnails",))
    }

    assert "\N{UPPER HALF BLOCK}" in seen[()]
    assert "a red fox" in seen[()]
    assert "\N{UPPER HALF BLOCK}" not in seen["--no-thumbnails",]
    assert "a red fox" in seen["--no-thumbnails",]


def on_a_terminal(pty, environ, folder, words):
    """Return what a command writes to a terminal of true colour."""
    ours, theirs = pty.openpty()
    own = {name: value for name, value in environ.items() if name not in {"NO_COLOR", "TMUX", "STY"}}
    with subprocess.Popen(
        [sys.executable, "-m", "comfygen_mcp", *words],
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={**own, "COLORTERM": "truecolor", "TERM": "xterm-256color"},
    ) as process:
        os.close(theirs)
        written = b"".join(iter(lambda: read_or_end(ours), b""))
        assert process.wait(timeout=60) == 0
    os.close(ours)
    return written.decode("utf-8")


def read_or_end(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
