"""Several callers of one HTTP service: each sees, uses and deletes only its own pictures, and shared ones."""

import json
from contextlib import asynccontextmanager

import httpx
import pytest
from http_service import BEARER, TOKEN, served
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.types import ResourceTemplateReference
from observe import error_text

from comfygen_mcp.app import open_app

pytestmark = pytest.mark.anyio

TOKENS = {"alice": "alice-alice-alice-1", "bob": "bob-bob-bob-bob-bob-2"}
SMALL = {"model": "sd15", "width": 128, "height": 128, "steps": 1, "preview": "none"}


@pytest.fixture
def service(settings_for, engine):
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_MANAGE="true")
    with served(settings, token=TOKEN, tokens=TOKENS) as running:
        yield running


@asynccontextmanager
async def caller(service, name):
    headers = {"Authorization": f"Bearer {TOKENS[name]}"} if name else BEARER
    async with (
        httpx.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{service.url}/mcp", http_client=http)) as client,
    ):
        yield client


@pytest.fixture
async def alice(service):
    async with caller(service, "alice") as client:
        yield client


@pytest.fixture
async def bob(service):
    async with caller(service, "bob") as client:
        yield client


@pytest.fixture
async def operator(service):
    async with caller(service, None) as client:
        yield client


@pytest.fixture
async def made(alice):
    """What Alice made: job and generation id."""
    result = (await alice.call_tool("generate_image", {"prompt": "alice's fox", **SMALL})).structured_content
    return result["job_id"], result["outputs"][0]["generation_id"]


async def found(client, **arguments):
    result = await client.call_tool("search_gallery", arguments)
    assert not result.is_error, result.content
    return [row["id"] for row in result.structured_content["entries"]]


async def test_each_finds_its_own_and_the_operator_everything(alice, bob, operator, made):
    bobs = await bob.call_tool("generate_image", {"prompt": "bob's fox", **SMALL})
    bobs_id = bobs.structured_content["outputs"][0]["generation_id"]

    assert await found(alice, text="fox") == [made[1]]
    assert await found(bob, text="fox") == [bobs_id]
    assert await found(operator, text="fox") == [bobs_id, made[1]]


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("get_generation", {"generation_id": "{generation}"}),
        ("regenerate", {"generation_id": "{generation}"}),
        ("tag_generation", {"generation_id": "{generation}", "add": ["mine"]}),
        ("delete_generation", {"generation_id": "{generation}", "confirm": True}),
        ("edit_image", {"image": "{generation}", "instruction": "make it blue"}),
        ("generate_image", {"image": "comfygen://generations/{generation}/image", "prompt": "x", **SMALL}),
        ("upscale_image", {"image": "{short}"}),
        ("run_workflow", {"from_image": "{generation}"}),
        ("get_job", {"job_id": "{job}"}),
        ("cancel_job", {"job_id": "{job}"}),
    ],
)
async def test_what_is_anothers_is_unknown_and_no_id_of_theirs_is_told(bob, made, tool, arguments):
    job, generation = made
    filled = {
        name: value.format(job=job, generation=generation, short=generation[:23])
        if isinstance(value, str)
        else value
        for name, value in arguments.items()
    }

    text = error_text(await bob.call_tool(tool, filled))

    assert "nknown" in text
    assert all(known not in text or known in str(filled) for known in made)


WRONG = {
    "get_generation": ("generation_id", {}),
    "regenerate": ("generation_id", {}),
    "tag_generation": ("generation_id", {"add": ["mine"]}),
    "delete_generation": ("generation_id", {"confirm": True}),
    "edit_image": ("image", {"instruction": "make it blue"}),
    "generate_image": ("image", {"prompt": "x", **SMALL}),
    "generate_video": ("image", {"prompt": "x"}),
    "upscale_image": ("image", {}),
    "run_workflow": ("from_image", {}),
    "compare_models": ("resume", {}),
    "get_job": ("job_id", {}),
    "cancel_job": ("job_id", {}),
}
"""Every tool that takes an id, by the argument that it is."""


@pytest.mark.parametrize("tool", WRONG)
async def test_a_wrong_id_brings_up_no_id_of_another_caller(alice, bob, made, tool):
    cells = {"prompt": "a fox", "models": ["sd15"], "axes": {"steps": [1, 2]}, "size": "128x128"}
    compared = (await alice.call_tool("compare_models", cells)).structured_content
    every = {
        *made,
        compared["comparison_id"],
        *(cell["generation_id"] for cell in compared["cells"]),
        *(job["job_id"] for job in (await alice.call_tool("get_job", {})).structured_content["jobs"]),
    }
    name, others = WRONG[tool]
    given = ["zzz", *(known[:length] for known in every for length in (8, 13))]
    given += [known[:-1] + ("0" if known[-1] != "0" else "1") for known in every]

    assert len(every) > 5
    for wrong in given:
        text = error_text(await bob.call_tool(tool, {name: wrong, **others}))
        assert not [known for known in every if known in text]


async def test_lists_of_jobs_resources_and_completions_hold_ones_own(alice, bob, made):
    job, generation = made

    jobs = [(await client.call_tool("get_job", {})).structured_content["jobs"] for client in (alice, bob)]
    assert [[known["job_id"] for known in each] for each in jobs] == [[job], []]
    assert any(generation in str(resource.uri) for resource in (await alice.list_resources()).resources)
    assert not any(generation in str(resource.uri) for resource in (await bob.list_resources()).resources)
    with pytest.raises(MCPError, match="nknown"):
        await bob.read_resource(f"comfygen://generations/{generation}/image")
    reference = ResourceTemplateReference(uri="comfygen://generations/{generation_id}")
    begun = {"name": "generation_id", "value": generation[:10]}
    assert (await alice.complete(reference, begun)).completion.values == [generation]
    assert (await bob.complete(reference, begun)).completion.values == []


async def test_a_comparison_is_ones_own_too(alice, bob):
    cells = {"prompt": "a fox", "models": ["sd15"], "axes": {"steps": [1, 2]}, "size": "128x128"}
    compared = (await alice.call_tool("compare_models", cells)).structured_content

    text = error_text(await bob.call_tool("get_job", {"job_id": compared["comparison_id"]}))

    assert "nknown" in text
    assert len(await found(alice, group=compared["comparison_id"])) == 2
    assert await found(bob, group=compared["comparison_id"]) == []


async def test_what_is_shared_others_see_and_use_but_do_not_change(settings_for, alice, bob, made):
    _, generation = made
    async with open_app(settings_for(), {}) as app:
        await app.gallery.share(generation, shared=True)

    assert await found(bob, text="fox") == [generation]
    upscaled = await bob.call_tool("upscale_image", {"image": generation, "preview": "none"})
    assert upscaled.structured_content["parent_id"] == generation
    for tool, arguments in (("tag_generation", {"add": ["x"]}), ("delete_generation", {"confirm": True})):
        assert "own" in error_text(await bob.call_tool(tool, {"generation_id": generation, **arguments}))
    seen = (await alice.call_tool("get_generation", {"generation_id": generation})).structured_content
    assert seen["tags"] == []

    async with open_app(settings_for(), {}) as app:
        await app.gallery.share(generation, shared=False)

    assert generation not in await found(bob, text="fox")


async def told_everywhere(service, bob, generation):
    """Return all that Bob is told of a picture, by tool, resource and page."""
    found = (await bob.call_tool("search_gallery", {})).model_dump_json()
    read = await bob.call_tool("get_generation", {"generation_id": generation, "graph": True})
    record = (await bob.read_resource(f"comfygen://generations/{generation}")).contents[0].text
    headers = {"Authorization": f"Bearer {TOKENS['bob']}"}
    pages = [
        service.http.get(f"/gallery/api/{path}", headers=headers).text
        for path in ("cards", f"recipes/{generation}")
    ]
    return read.structured_content, json.loads(record), [found, read.model_dump_json(), record, *pages]


async def test_what_is_shared_is_shown_without_graph_host_owner_and_unshared_parent(
    service, settings_for, alice, bob, made, engine
):
    child = await alice.call_tool("regenerate", {"generation_id": made[1], "preview": "none"})
    shared = child.structured_content["outputs"][0]["generation_id"]
    own = (await alice.call_tool("get_generation", {"generation_id": shared})).structured_content
    async with open_app(settings_for(), {}) as app:
        await app.gallery.share(shared, shared=True)

    read, record, texts = await told_everywhere(service, bob, shared)

    assert own["parent_id"] == made[1]
    assert (read["parent_id"], read["graph"], read["inputs"]) == (None, None, [])
    assert read["client_id"] == read["prompt_id"] == record["client_id"] == record["prompt_id"] == ""
    assert read["reproduction"]["original_id"] is None
    assert "not yours to see" in read["reproduction"]["differences"][0]
    assert (record["graph"], record["owner"], record["caller"], record["host"]) == ({}, None, None, "unknown")
    assert (record["job"]["graph"], record["job"]["owner"], record["job"]["parent_id"]) == (None, None, None)
    assert (read["prompt"], read["seed"], read["steps"]) == (own["prompt"], own["seed"], own["steps"])
    private = [made[1], engine.url, "KSampler", "alice-alice", '"alice"', own["client_id"]]
    assert [(word, text) for word in private for text in texts if word in text] == []

    async with open_app(settings_for(), {}) as app:
        await app.gallery.share(made[1], shared=True)
    read, record, texts = await told_everywhere(service, bob, shared)

    assert read["parent_id"] == record["parent_id"] == read["reproduction"]["original_id"] == made[1]
    assert read["reproduction"]["outcome"] == "identical pixels"
    assert all(made[1] in text for text in texts)
    assert not [text for text in texts if engine.url in text]


async def test_without_stripping_what_is_shared_is_shown_as_it_is(settings_for, engine):
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_STRIP_METADATA="never")
    with served(settings, token=TOKEN, tokens=TOKENS) as service:
        async with caller(service, "alice") as alice:
            result = await alice.call_tool("generate_image", {"prompt": "a fox", **SMALL})
        generation = result.structured_content["outputs"][0]["generation_id"]
        async with open_app(settings, {}) as app:
            await app.gallery.share(generation, shared=True)
        async with caller(service, "bob") as bob:
            read, record, _ = await told_everywhere(service, bob, generation)

    assert read["graph"] == record["graph"] != {}
    assert record["owner"] == "alice"


async def test_an_original_that_is_shared_no_more_is_not_ones_to_see_and_one_that_is_gone_is_gone(
    settings_for, alice, bob, made
):
    async with open_app(settings_for(), {}) as app:
        await app.gallery.share(made[1], shared=True)
    again = await bob.call_tool("regenerate", {"generation_id": made[1], "preview": "none"})
    own = again.structured_content["outputs"][0]["generation_id"]
    read = {"generation_id": own, "preview": "none"}
    seen = (await bob.call_tool("get_generation", read)).structured_content
    async with open_app(settings_for(), {}) as app:
        await app.gallery.share(made[1], shared=False)
    hidden = await bob.call_tool("get_generation", read)
    await alice.call_tool("delete_generation", {"generation_id": made[1], "confirm": True})
    gone = await bob.call_tool("get_generation", read)

    assert seen["reproduction"]["outcome"] == "identical pixels"
    assert not [told for told in seen["reproduction"]["differences"] if told.startswith("Host")]
    assert "not yours to see" in hidden.content[0].text
    assert made[1] not in hidden.model_dump_json()
    assert "The original is gone" in gone.content[0].text
    assert gone.structured_content["parent_id"] == made[1]


async def test_the_page_for_people_shows_ones_own(service, made):
    _, generation = made
    cards = {
        name: service.http.get("/gallery/api/cards", headers={"Authorization": f"Bearer {token}"}).text
        for name, token in TOKENS.items()
    }
    picture = f"/gallery/api/pictures/{generation}"

    assert generation in cards["alice"]
    assert generation not in cards["bob"]
    assert service.http.get("/gallery/api/cards").status_code == 401
    bearers = [{"Authorization": f"Bearer {TOKENS[name]}"} for name in ("alice", "bob")]
    assert [service.http.get(picture, headers=headers).status_code for headers in bearers] == [200, 404]
