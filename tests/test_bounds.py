"""A host that accepts and never answers: every tool still answers before its client gives up."""

import socket

import anyio
import pytest
from observe import error_text

pytestmark = pytest.mark.anyio

CLIENTS_GIVE_UP_S = 50


@pytest.fixture
def silent_url():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


async def test_looking_at_a_silent_host_is_given_up_on_and_told(connect, settings_for, silent_url):
    async with connect(settings_for(COMFYUI_URL=silent_url)) as client:
        with anyio.fail_after(CLIENTS_GIVE_UP_S):
            status = (await client.call_tool("server_status", {})).structured_content
            listed = (await client.call_tool("list_models", {})).structured_content

    assert "did not answer" in status["hosts"][0]["error"]
    assert {model["state"] for model in listed["models"]} == {"unreachable"}
    assert list(listed["unreachable"]) == [silent_url]
    assert "did not answer" in listed["unreachable"][silent_url]


async def test_a_request_that_names_no_model_is_refused_when_the_host_is_silent(
    connect, settings_for, silent_url
):
    async with connect(settings_for(COMFYUI_URL=silent_url)) as client:
        with anyio.fail_after(CLIENTS_GIVE_UP_S):
            text = error_text(await client.call_tool("generate_image", {"prompt": "x", "wait_s": 1}))

    assert silent_url in text
    assert "did not answer" in text


async def test_a_request_to_a_silent_host_is_handed_out_as_a_job_and_ends_in_an_error(
    connect, settings_for, silent_url
):
    async with connect(settings_for(COMFYUI_URL=silent_url)) as client:
        with anyio.fail_after(CLIENTS_GIVE_UP_S):
            call = {"prompt": "x", "model": "sd15", "wait_s": 0.5}
            handed = (await client.call_tool("generate_image", call)).structured_content
        with anyio.fail_after(120):
            job = handed
            while job["status"] in ("queued", "running"):
                found = await client.call_tool("get_job", {"job_id": handed["job_id"], "wait_s": 45})
                job = found.structured_content["jobs"][0]

    assert job["status"] == "failed"
    assert silent_url in job["error"]
