"""What hosts that show MCP Apps get besides, and that nobody else sees any of it."""

import pytest
from gallery_pictures import fill
from mcp import Client
from mcp.client import advertise
from mcp.server.apps import APP_MIME_TYPE, EXTENSION_ID
from observe import error_text

from comfygen_mcp.app import open_app
from comfygen_mcp.server import build_server
from comfygen_mcp.server.app_page import ONLY_FOR_PAGE, SHOWN_BY_PAGE, URI
from comfygen_mcp.tools import TOOLS

pytestmark = pytest.mark.anyio

APPS = advertise(EXTENSION_ID, {"mimeTypes": [APP_MIME_TYPE]})
MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture
def cached_settings(settings_for, tmp_path):
    return settings_for(COMFYGEN_CACHE=str(tmp_path / "cache"))


@pytest.fixture
async def host(cached_settings):
    server = build_server(lambda: open_app(cached_settings, {}), settings=lambda: cached_settings)
    async with Client(server, extensions=[APPS]) as client:
        yield client


def ui_of(thing):
    return (thing.meta or {}).get("ui", {})


@MODES
async def test_a_client_without_apps_hears_nothing_of_the_page(connect, cached_settings, mode):
    async with connect(cached_settings, mode) as client:
        tools = (await client.list_tools()).tools
        resources = (await client.list_resources()).resources

    assert {tool.name for tool in tools} == {entry.function.__name__ for entry in TOOLS}
    assert not [tool.name for tool in tools if ui_of(tool)]
    assert not [found.uri for found in resources if str(found.uri).startswith("ui://")]


@MODES
async def test_a_host_gets_the_page_with_every_tool_whose_result_is_pictures(cached_settings, mode):
    server = build_server(lambda: open_app(cached_settings, {}), settings=lambda: cached_settings)
    async with Client(server, mode=mode, extensions=[APPS]) as client:
        tools = (await client.list_tools()).tools
        resources = (await client.list_resources()).resources
        [page] = (await client.read_resource(URI)).contents

    bound = {tool.name for tool in tools if ui_of(tool).get("resourceUri") == URI}
    hidden = {tool.name for tool in tools if ui_of(tool).get("visibility") == ["app"]}
    assert bound == SHOWN_BY_PAGE | ONLY_FOR_PAGE
    assert hidden == ONLY_FOR_PAGE
    assert [str(found.uri) for found in resources].count(URI) == 1
    assert page.mime_type == APP_MIME_TYPE
    assert page.text.startswith("<!doctype html>")
    assert page.meta["ui"]["csp"]["connectDomains"] == []


def test_every_tool_of_the_page_exists():
    assert {entry.function.__name__ for entry in TOOLS} >= SHOWN_BY_PAGE


async def test_pages_recipes_and_pixels_are_there_without_a_word_for_the_model(host, tmp_path):
    stored = await fill(tmp_path, 3)
    page = await host.call_tool("gallery_cards", {"limit": 2})
    rest = await host.call_tool("gallery_cards", {"limit": 2, "cursor": page.structured_content["cursor"]})
    found = await host.call_tool("gallery_cards", {"filters": {"text": "fox"}})
    recipe = await host.call_tool("gallery_recipe", {"generation_id": stored[2]})
    picture = await host.call_tool("gallery_picture", {"generation_id": stored[2], "edge": 100})

    cards = [*page.structured_content["cards"], *rest.structured_content["cards"]]
    assert [card["id"] for card in cards] == stored
    assert [card["id"] for card in found.structured_content["cards"]] == [stored[1]]
    assert recipe.structured_content["card"]["id"] == stored[2]
    assert str(tmp_path) not in recipe.model_dump_json()
    assert [block.type for block in picture.content] == ["image"]
    assert picture.content[0].mime_type == "image/webp"
    assert page.content == recipe.content == []


async def test_wrong_ids_edges_and_limits_are_refused(host, tmp_path):
    stored = await fill(tmp_path, 1)
    wrong = {"generation_id": stored[0][:-4] + "ffff"}

    assert stored[0] in error_text(await host.call_tool("gallery_picture", wrong))
    assert "edge" in error_text(
        await host.call_tool("gallery_picture", {"generation_id": stored[0], "edge": 0})
    )
    assert "limit=0" in error_text(await host.call_tool("gallery_cards", {"limit": 0}))
    assert "unknown argument" in error_text(await host.call_tool("gallery_job", {"job": "x"}))
    assert "x" in error_text(await host.call_tool("gallery_job", {"job_id": "x"}))


async def test_a_file_without_a_picture_says_what_it_is(host, tmp_path):
    from gallery_pictures import NEWEST, job_of, keep

    from comfygen_mcp.backends.archive import Archive
    from comfygen_mcp.stores.local import LocalStore

    words = tmp_path / "words.txt"
    words.write_text("a caption", encoding="utf-8")
    archive = Archive(LocalStore(tmp_path / "gallery"))
    [kept] = await keep(archive, job_of(0, "a kite", NEWEST), words, media="text", mime="text/plain")

    told = error_text(await host.call_tool("gallery_picture", {"generation_id": kept.id}))
    assert "text/plain" in told
