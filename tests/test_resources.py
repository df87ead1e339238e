"""Resources and completions, through real clients of both eras."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import ERAS
from gallery_pictures import NEWEST, fill, job_of, keep, painted
from mcp import Client, MCPError
from mcp.types import ResourceTemplateReference

from comfygen_mcp import ids
from comfygen_mcp.app import open_app
from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.index.base import Query
from comfygen_mcp.server import build_server, completions
from comfygen_mcp.server.completions import completion
from comfygen_mcp.server.resources import PAGE
from comfygen_mcp.stores.local import LocalStore

pytestmark = pytest.mark.anyio

QUICK = {"model": "sd15", "size": "256x256", "steps": 1}
OFF = "http://127.0.0.1:9"


async def made(client, prompt="a fox", **changes):
    result = await client.call_tool("generate_image", {"prompt": prompt, **QUICK, **changes})
    assert not result.is_error, result.content[0].text
    return result.structured_content["outputs"][0]


async def text_of(client, uri):
    return (await client.read_resource(uri)).contents[0].text


async def code_of(client, uri):
    with pytest.raises(MCPError) as raised:
        await client.read_resource(uri)
    return raised.value.error.code


@pytest.mark.parametrize("era", ERAS)
async def test_everything_with_an_address_can_be_read_while_every_comfyui_is_off(
    connect, settings, settings_for, era
):
    async with connect(settings, era) as client:
        output = await made(client)
        compared = await client.call_tool(
            "compare_models",
            {"prompt": "a fox", "models": ["sd15"], "axes": {"steps": [1, 2]}, "size": "256x256"},
        )
        comparison = compared.structured_content["comparison_id"]
    async with connect(settings_for(COMFYUI_URL=OFF), era) as client:
        templates = {t.uri_template for t in (await client.list_resource_templates()).resource_templates}
        sidecar = json.loads(await text_of(client, f"comfygen://generations/{output['generation_id']}"))
        image = (await client.read_resource(output["uri"])).contents[0]
        workflow = json.loads(await text_of(client, "comfygen://workflows/sd15"))
        presets = json.loads(await text_of(client, "comfygen://presets"))
        draft = json.loads(await text_of(client, "comfygen://presets?name=draft"))
        record = json.loads(await text_of(client, f"comfygen://comparisons/{comparison}"))
        sheet = (await client.read_resource(f"comfygen://comparisons/{comparison}/sheet")).contents[0]

    assert {
        "comfygen://generations/{generation_id}",
        "comfygen://generations/{generation_id}/image",
        "comfygen://workflows/{name}",
        "comfygen://comparisons/{comparison_id}",
        "comfygen://comparisons/{comparison_id}/sheet",
    } <= templates
    assert sidecar == json.loads(Path(output["path"] + ".json").read_text(encoding="utf-8"))
    assert (image.mime_type, sheet.mime_type) == ("image/png", "image/png")
    assert workflow["_workflow_metadata"]["kind"] == "txt2img"
    assert any(node.get("class_type") == "KSampler" for node in workflow.values())
    assert set(presets) == {"presets", "styles", "lora_presets"}
    assert draft["steps"] == 10
    assert len(record["attempts"]) == 2


async def test_what_is_not_there_is_told_by_the_protocols_own_code(connect, settings, tmp_path):
    async with connect(settings) as client:
        output = await made(client)
        known = output["generation_id"]
        codes = [
            await code_of(client, uri)
            for uri in (
                f"comfygen://generations/{known[:-4]}beef",
                "comfygen://generations/what",
                "comfygen://workflows/sd51",
                "comfygen://presets?name=drafty",
                f"comfygen://comparisons/{known}",
                f"comfygen://comparisons/{known}/sheet",
            )
        ]
        Path(output["path"]).unlink()
        gone = await code_of(client, output["uri"])

    assert codes == [-32602] * 6
    assert gone == -32603


@pytest.mark.parametrize("era", ERAS)
async def test_the_newest_files_are_listed_page_by_page(connect, settings, era):
    async with connect(settings, era) as client:
        newest = [(await made(client, f"fox {n}", count=16))["generation_id"] for n in range(4)]
        first = await client.list_resources()
        rest = await client.list_resources(cursor=first.next_cursor)
        with pytest.raises(MCPError) as raised:
            await client.list_resources(cursor="what")

    assert len(first.resources) == PAGE + 1
    assert str(first.resources[0].uri) == "comfygen://presets"
    assert len(rest.resources) == 64 - PAGE
    assert rest.next_cursor is None
    listed = [str(resource.uri) for resource in first.resources + rest.resources][1:]
    assert len(set(listed)) == 64
    assert f"comfygen://generations/{newest[0]}/image" in listed[-16:]
    shown = first.resources[1]
    assert shown.title == '"fox 3"'
    assert shown.mime_type == "image/png"
    assert shown.size > 0
    assert raised.value.error.code == -32602


async def completed(client, template, argument, value):
    reference = ResourceTemplateReference(type="ref/resource", uri=template)
    result = await client.complete(ref=reference, argument={"name": argument, "value": value})
    return result.completion


@pytest.mark.parametrize("era", ERAS)
async def test_ids_and_names_are_completed(connect, settings, era):
    generation = "comfygen://generations/{generation_id}"
    async with connect(settings, era) as client:
        known = [(await made(client))["generation_id"] for _ in range(2)]
        by_id = await completed(client, generation, "generation_id", known[0][:20])
        every = await completed(client, generation, "generation_id", "")
        workflows = await completed(client, "comfygen://workflows/{name}", "name", "SD15")
        models = await completed(client, "comfygen://workflows/{name}", "model", "flux-d")
        loras = await completed(client, "comfygen://workflows/{name}", "lora", "nest")
        presets = await completed(client, "comfygen://presets{?name}", "preset", "ul")
        styles = await completed(client, "comfygen://presets{?name}", "style", "cine")
        nothing = await completed(client, generation, "colour", "r")

    assert by_id.values == [known[0]]
    assert every.values == known[::-1]
    assert workflows.values[0] == "sd15"
    assert {"sd15", "sd15-img2img"} <= set(workflows.values)
    assert "flux-dev" in models.values
    assert loras.values == ["sub/dir/nested.safetensors"]
    assert presets.values == ["ultra"]
    assert styles.values == ["cinematic"]
    assert nothing.values == []


async def test_a_name_is_completed_with_what_its_address_names(settings_for):
    async with open_app(settings_for(COMFYUI_URL=OFF), {}) as app:
        presets = await completion(app, "name", "dr", template="comfygen://presets{?name}")
        every = await completion(app, "name", "", template="comfygen://presets{?name}")
        workflows = await completion(app, "name", "sd15", template="comfygen://workflows/{name}")
        anywhere = await completion(app, "name", "dr")
        known = [*app.presets.presets]

    assert presets.values == ["draft"]
    assert every.values == known
    assert {"sd15", "sd15-img2img"} <= set(workflows.values)
    assert not set(workflows.values) & set(known)
    assert anywhere.values[0] == "draft"


async def test_ids_of_comparisons_are_completed_for_those_who_made_them(settings_for, engine):
    settings = settings_for(COMFYUI_URL=engine.url)
    who = {"name": "ann"}
    server = build_server(
        lambda: open_app(settings, {}),
        settings=lambda: settings,
        for_caller=lambda app, _: replace(app, owner=who["name"]),
    )
    address = "comfygen://comparisons/{comparison_id}"

    async def compared(client):
        axes = {"models": ["sd15"], "axes": {"steps": [1, 2]}, "size": "256x256"}
        result = await client.call_tool("compare_models", {"prompt": "a fox", **axes})
        return result.structured_content["comparison_id"]

    async with Client(server) as client:
        await made(client)
        ann = await compared(client)
        who["name"] = "bob"
        bob = await compared(client)
        await client.read_resource(f"comfygen://comparisons/{bob}")
        of_bob = await completed(client, address, "comparison_id", "")
        of_ann = await completed(client, address, "comparison_id", ann[:30])
        who["name"] = None
        of_all = await completed(client, address, "comparison_id", "")
    async with open_app(settings, {}) as app:
        entries = (await app.gallery.search(Query())).entries
        for entry in entries:
            await app.gallery.share(entry.id, shared=True)
        shared = await completion(replace(app, owner="bob"), "comparison_id", "")

    assert of_bob.values == [bob]
    assert of_ann.values == []
    assert of_all.values == [bob, ann]
    assert len(entries) == 5
    assert shared.values == [bob]


async def test_comparisons_are_looked_for_among_the_newest_pages_only(settings_for, tmp_path, monkeypatch):
    monkeypatch.setattr(completions, "PAGES_READ", 1)
    monkeypatch.setattr(completions, "MAX_PAGE", 2)
    await fill(tmp_path, 3)
    groups = [ids.new_job_id(NEWEST + timedelta(hours=hour)) for hour in (-48, 1, 2)]
    archive = Archive(LocalStore(tmp_path / "gallery"))
    picture = painted(tmp_path / "cell.png", (64, 64), 40)
    for number, group in enumerate(groups):
        job = job_of(number, "a cell", ids.id_time(group), group_id=group)
        await keep(archive, job, picture)
    settings = settings_for(COMFYUI_URL=OFF, COMFYGEN_STORE=str(tmp_path / "gallery"))
    async with open_app(settings, {}) as app:
        near = await completion(app, "comparison_id", "")
        monkeypatch.setattr(completions, "PAGES_READ", 3)
        far = await completion(app, "comparison_id", "")

    assert near.values == groups[:0:-1]
    assert far.values == groups[::-1]


async def test_at_most_a_hundred_values_are_offered_and_no_host_is_needed(connect, settings, settings_for):
    async with connect(settings) as client:
        for _ in range(7):
            await made(client, count=16)
    async with connect(settings_for(COMFYUI_URL=OFF)) as client:
        every = await completed(client, "comfygen://generations/{generation_id}", "generation_id", "")
        loras = await completed(client, "comfygen://workflows/{name}", "lora", "x")

    assert len(every.values) == 100
    assert every.has_more
    assert loras.values == []


async def test_a_caller_with_a_token_of_its_own_sees_its_own_and_what_is_shared(settings_for, engine):
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_MANAGE="true")
    who = {"name": "ann"}
    server = build_server(
        lambda: open_app(settings, {}),
        settings=lambda: settings,
        for_caller=lambda app, _: replace(app, owner=who["name"]),
    )
    async with Client(server) as client:
        ann = await made(client, "a fox of ann")
        who["name"] = "bob"
        bob = await made(client, "a boat of bob")
        own = await client.call_tool("search_gallery", {})
        hidden = await client.call_tool("get_generation", {"generation_id": ann["generation_id"]})
        again = await client.call_tool("regenerate", {"generation_id": ann["generation_id"]})
        code = await code_of(client, ann["uri"])
        listed = await client.list_resources()
        ids = await completed(client, "comfygen://generations/{generation_id}", "generation_id", "")
        who["name"] = None
        everything = await client.call_tool("search_gallery", {})
    async with open_app(settings, {}) as app:
        await app.gallery.share(ann["generation_id"], shared=True)
    who["name"] = "bob"
    async with Client(server) as client:
        shared = await client.call_tool("search_gallery", {})
        picture = (await client.read_resource(ann["uri"])).contents[0]
        copied = await client.call_tool("regenerate", {"generation_id": ann["generation_id"]})
        delete = await client.call_tool(
            "delete_generation", {"generation_id": ann["generation_id"], "confirm": True}
        )

    def rows(result):
        return {row["id"] for row in result.structured_content["entries"]}

    assert rows(own) == {bob["generation_id"]}
    assert hidden.is_error
    assert again.is_error
    assert code == -32602
    assert [str(resource.uri) for resource in listed.resources][1:] == [bob["uri"]]
    assert ids.values == [bob["generation_id"]]
    assert rows(everything) == {ann["generation_id"], bob["generation_id"]}
    assert rows(shared) == {ann["generation_id"], bob["generation_id"]}
    assert b"a fox of ann" not in base64.b64decode(picture.blob)
    assert not copied.is_error
    assert delete.is_error
    assert "belongs to somebody else" in delete.content[0].text


async def test_an_index_that_fails_hides_no_picture(settings_for, connect, engine, tmp_path):
    async with connect(settings_for(COMFYUI_URL=engine.url)) as client:
        output = await made(client)
    (tmp_path / "a-file").write_text("", encoding="utf-8")
    broken = settings_for(COMFYUI_URL=OFF, COMFYGEN_INDEX=str(tmp_path / "a-file" / "index"))
    async with connect(broken) as client:
        with pytest.raises(MCPError) as raised:
            await client.list_resources()
        ids = await completed(client, "comfygen://generations/{generation_id}", "generation_id", "")
        read = await client.call_tool("get_generation", {"generation_id": output["generation_id"]})
        search = await client.call_tool("search_gallery", {})

    assert raised.value.error.code == -32603
    assert "index cannot be used" in raised.value.error.message
    assert ids.values == []
    assert read.structured_content["output"] == output
    assert read.structured_content["children"] == []
    assert "index cannot be used" in search.content[0].text


async def test_a_name_is_completed_by_the_address_that_has_it(connect, settings):
    async with connect(settings) as client:
        presets = await completed(client, "comfygen://presets{?name}", "name", "dr")
        workflows = await completed(client, "comfygen://workflows/{name}", "name", "dr")

    assert presets.values == ["draft"]
    assert workflows.values == []
