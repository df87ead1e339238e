"""What a server has: files, nodes, device; uploads, memory, cancelling."""

import pytest
from comfyui_runs import new_id, queued
from replay_server import EMPTY_QUEUE, ReplayServer, Reply, transcript

from comfygen_mcp.errors import BadRequest, JobTimeout, UnexpectedReply
from comfygen_mcp.models import HostFacts

pytestmark = pytest.mark.anyio


async def test_file_lists_live_shortly_and_can_be_refreshed(client_of):
    lists = [Reply(["a"]), Reply(["a", "b"])]
    async with ReplayServer({("GET", "/models/loras"): lists}).serving() as server:
        client = client_of(server.url)

        assert await client.models("loras") == ("a",)
        assert await client.models("loras") == ("a",)
        assert await client.models("loras", refresh=True) == ("a", "b")
        assert len(server.requests) == 2


async def test_an_old_list_is_asked_again(client_of):
    lists = [Reply(["a"]), Reply(["a", "b"])]
    async with ReplayServer({("GET", "/models/loras"): lists}).serving() as server:
        client = client_of(server.url, catalogue_life_s=0)
        await client.models("loras")

        assert await client.models("loras") == ("a", "b")


async def test_older_folder_names_are_tried_and_unknown_folders_are_empty(client_of):
    routes = {("GET", "/models/unet"): ["u.safetensors"], ("GET", "/models/clip"): ["c.safetensors"]}
    async with ReplayServer(routes).serving() as server:
        client = client_of(server.url)

        assert await client.models("diffusion_models") == ("u.safetensors",)
        assert await client.models("text_encoders") == ("c.safetensors",)
        assert await client.models("nope") == ()


async def test_a_node_class_is_declared_or_empty(client_of):
    declared = {"input": {"optional": {"fit": ["COMBO", {"options": ["in", "out"]}]}}}
    routes = {
        ("GET", "/object_info/Fit It/x"): {"Fit It/x": declared},
        ("GET", "/object_info/Unknown"): {},
    }
    async with ReplayServer(routes).serving() as server:
        client = client_of(server.url)

        assert await client.object_info("Fit It/x") == declared
        assert await client.object_info("Unknown") == {}
        assert await client._catalogue.choices("Fit It/x", "fit") == ("in", "out")
        assert await client._catalogue.choices("Unknown", "fit") == ()


async def test_a_captured_cpu_server_tells_its_version_and_no_vram(client_of):
    async with ReplayServer({("GET", "/system_stats"): transcript("system_stats")}).serving() as server:
        assert await client_of(server.url).system_stats() == HostFacts(comfyui_version="0.33.0", device="cpu")


async def test_vram_in_use_is_total_less_free_and_an_engine_is_recognised(client_of):
    device = {"name": "cuda:0 H100", "type": "cuda", "vram_total": 80 * 2**30, "vram_free": 70 * 2**30}
    stats = {"system": {"comfyui_version": "0.3.64", "comfygen_engine": "1"}, "devices": [device]}
    async with ReplayServer({("GET", "/system_stats"): stats}).serving() as server:
        facts = await client_of(server.url).system_stats()

    assert facts == HostFacts(
        comfyui_version="0.3.64", vram_used_mib=10240, device="cuda:0 H100", preview_engine=True
    )


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"<html>router login</html>", type="text/html"),
        Reply({"system": {}}),
        Reply({"a": 1}),
        Reply(status=404),
    ],
)
async def test_something_else_at_the_address_is_said_not_to_be_comfyui(client_of, reply):
    async with ReplayServer({("GET", "/system_stats"): reply}).serving() as server:
        with pytest.raises(UnexpectedReply, match=f"Something answers at {server.url} but it is not ComfyUI"):
            await client_of(server.url).system_stats()


async def test_an_unexpected_status_is_told_with_its_text(client_of):
    async with ReplayServer({("GET", "/queue"): Reply(b"boom", status=500)}).serving() as server:
        with pytest.raises(UnexpectedReply, match="answers 500 to /queue: boom"):
            await client_of(server.url).queue()


async def test_the_name_that_the_server_gave_an_upload_is_used(client_of, tmp_path):
    picture = tmp_path / "in.png"
    picture.write_bytes(b"png")
    answers = [Reply({"name": "in (1).png", "subfolder": "comfygen"}), Reply({"name": "x", "subfolder": ""})]
    async with ReplayServer({("POST", "/upload/image"): answers}).serving() as server:
        client = client_of(server.url)

        assert await client.upload_image(picture, "dir\\in.png") == "comfygen/in (1).png"
        assert await client.upload_image(b"png", "in.png", subfolder="", overwrite=True) == "x"
        first, second = (r.body.decode() for r in server.requests)
        assert 'filename="in.png"' in first
        assert 'name="overwrite"\r\n\r\nfalse' in first
        assert 'name="overwrite"\r\n\r\ntrue' in second


async def test_uploads_that_cannot_work_say_why(client_of, tmp_path):
    too_big = Reply(b"Maximum request body size 104857600 exceeded.", status=413, type="text/plain")
    async with ReplayServer({("POST", "/upload/image"): [too_big, Reply({})]}).serving() as server:
        client = client_of(server.url)
        with pytest.raises(BadRequest, match="104857600 exceeded"):
            await client.upload_image(b"png", "in.png")
        with pytest.raises(UnexpectedReply, match="does not name the stored file"):
            await client.upload_image(b"png", "in.png")
        with pytest.raises(BadRequest, match="is no file name"):
            await client.upload_image(b"png", "")
        with pytest.raises(BadRequest, match=r"'none\.png' cannot be read"):
            await client.upload_image(tmp_path / "none.png", "in.png")


async def test_memory_is_freed_with_both_flags(client_of):
    async with ReplayServer({("POST", "/free"): Reply(b"")}).serving() as server:
        await client_of(server.url).free()

        assert server.requests[0].json == {"unload_models": True, "free_memory": True}


async def test_cancelling_a_prompt_that_is_not_there_says_so_and_sends_nothing(client_of):
    async with ReplayServer().serving() as server:
        assert await client_of(server.url).cancel(new_id()) is False
        assert {r.method for r in server.requests} == {"GET"}


async def test_a_running_prompt_is_interrupted_by_its_id_until_it_is_gone(client_of):
    prompt_id = new_id()
    routes = {
        ("GET", "/queue"): [*(Reply(queued([prompt_id])) for _ in range(2)), Reply(EMPTY_QUEUE)],
        ("POST", "/interrupt"): Reply(b""),
        ("GET", f"/history/{prompt_id}"): {
            prompt_id: {"status": {"messages": [["execution_interrupted", {}]]}}
        },
    }
    async with ReplayServer(routes).serving() as server:
        assert await client_of(server.url).cancel(prompt_id) is True

        sent = [r.json for r in server.requests if r.path == "/interrupt"]
        assert sent == [{"prompt_id": prompt_id}] * 2


async def test_a_prompt_that_begins_to_run_while_it_is_deleted_is_interrupted(client_of):
    prompt_id = new_id()
    states = [queued(["other"], [prompt_id]), queued([prompt_id]), EMPTY_QUEUE]
    routes = {
        ("GET", "/queue"): [Reply(state) for state in states],
        ("POST", "/queue"): Reply(b""),
        ("POST", "/interrupt"): Reply(b""),
        ("GET", f"/history/{prompt_id}"): {prompt_id: {"status": {"status_str": "success"}}},
    }
    async with ReplayServer(routes).serving() as server:
        assert await client_of(server.url).cancel(prompt_id) is False
        assert [r.path for r in server.requests if r.method == "POST"] == ["/queue", "/interrupt"]


async def test_a_prompt_that_does_not_stop_is_not_waited_for_without_end(client_of):
    prompt_id = new_id()
    routes = {("GET", "/queue"): queued([prompt_id]), ("POST", "/interrupt"): Reply(b"")}
    async with ReplayServer(routes).serving() as server:
        with pytest.raises(JobTimeout, match=r"still runs after 0.1 s"):
            await client_of(server.url, cancel_s=0.1).cancel(prompt_id)


async def test_a_client_is_closed_by_its_with_block(client_of):
    async with ReplayServer({("GET", "/queue"): EMPTY_QUEUE}).serving() as server:
        async with client_of(server.url) as client:
            await client.queue()
        with pytest.raises(RuntimeError, match="closed"):
            await client.queue()
        assert await client_of(server.url).history("unknown") is None
