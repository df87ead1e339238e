"""Submitting exactly once: sockets, retries, lost replies, refusals."""

import asyncio

import httpx
import pytest
from comfyui_runs import TRIVIAL, accepted, followed, history_of, new_id, queued, until
from replay_server import CUT, EMPTY_QUEUE, GREETING, ReplayServer, Reply, transcript

from comfygen_mcp.errors import BackendUnreachable, BadRequest, GraphRejected, MissingModel, UnexpectedReply
from comfygen_mcp.models import RequiredFile

pytestmark = pytest.mark.anyio

CUT_OFF = Reply(fault="cut")
BUSY = Reply(b"500 Internal Server Error\n\nServer got itself in trouble", status=500, type="text/plain")


async def submitted(client_of, replies, *, queue=EMPTY_QUEUE, history=None, graph=TRIVIAL, **options):
    """Submit to a server that answers *replies*; return the server and the outcome."""
    prompt_id = new_id()
    told = [r(prompt_id) if callable(r) else r for r in replies]
    routes = {
        ("POST", "/prompt"): [r if isinstance(r, Reply) else Reply(r) for r in told],
        ("GET", "/queue"): queue(prompt_id) if callable(queue) else queue,
        ("GET", f"/history/{prompt_id}"): history(prompt_id) if history else {},
        **options.pop("routes", {}),
    }
    async with ReplayServer(routes).serving() as server:
        return server, await client_of(server.url).submit(graph, prompt_id=prompt_id, **options)


async def test_a_prompt_carries_our_id_the_id_of_its_socket_and_exact_seeds(client_of):
    graph = {**TRIVIAL, "3": {"class_type": "KSampler", "inputs": {"seed": 2**64 - 1}}}
    pnginfo = {"job": "j1"}
    server, submission = await submitted(client_of, [accepted], graph=graph, pnginfo=pnginfo, previews=True)

    body = server.requests[-1].json
    assert body["prompt_id"] == submission.prompt_id
    assert body["client_id"] == submission.client_id == server.sockets[0]
    assert body["prompt"] == graph
    assert body["extra_data"] == {"preview_method": "auto", "extra_pnginfo": {"job": "j1"}}
    assert submission.number == 1.0


async def test_every_connection_has_a_client_id_of_its_own(client_of):
    def accept(request):
        return accepted(request.json["prompt_id"])

    async with ReplayServer({("POST", "/prompt"): accept}).serving() as server:
        client = client_of(server.url)
        for _ in range(3):
            await client.submit(TRIVIAL, prompt_id=new_id())

        assert len(set(server.sockets)) == 3
        assert server.requests[1].json["extra_data"] == {"preview_method": "none"}


@pytest.mark.parametrize("prompt_id", ["None", "", "NOT-A-UUID", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"])
async def test_an_id_that_new_servers_refuse_is_refused_before_anything_is_sent(client_of, prompt_id):
    async with ReplayServer().serving() as server:
        with pytest.raises(BadRequest, match="lowercase UUID"):
            await client_of(server.url).submit(TRIVIAL, prompt_id=prompt_id)

        assert server.count("POST", "/prompt") == 0


async def test_a_graph_with_nan_is_refused_before_anything_is_sent(client_of):
    graph = {"1": {"class_type": "KSampler", "inputs": {"cfg": float("nan")}}}
    async with ReplayServer().serving() as server:
        with pytest.raises(BadRequest, match="NaN"):
            await client_of(server.url).submit(graph, prompt_id=new_id())

        assert server.count("POST", "/prompt") == 0


@pytest.mark.parametrize("status", [400, 404, 413])
async def test_a_refusal_is_never_sent_again(client_of, status):
    async with ReplayServer({("POST", "/prompt"): Reply({"error": "no"}, status=status)}).serving() as server:
        with pytest.raises((GraphRejected, UnexpectedReply)):
            await client_of(server.url).submit(TRIVIAL, prompt_id=new_id())

        assert server.count("POST", "/prompt") == 1


@pytest.mark.parametrize("trouble", [BUSY, CUT_OFF, Reply(status=502), Reply(fault="half", body=b"12345678")])
async def test_a_failure_that_may_pass_is_sent_once_more_after_two_looks(client_of, trouble):
    server, submission = await submitted(client_of, [trouble, accepted])

    assert server.count("POST", "/prompt") == 2
    assert server.count("GET", "/queue") == 2
    assert server.count("GET", "/history") == 2
    assert submission.number == 1.0


async def test_a_prompt_whose_reply_was_lost_is_attached_when_it_is_queued(client_of):
    def queue(prompt_id):
        return [Reply(EMPTY_QUEUE), Reply(queued(pending=[prompt_id]))]

    server, submission = await submitted(client_of, [CUT_OFF], queue=queue)

    assert server.count("POST", "/prompt") == 1
    assert submission.number is None


async def test_a_prompt_whose_reply_was_lost_is_attached_when_it_has_finished(client_of):
    server, _ = await submitted(client_of, [CUT_OFF], history=history_of)

    assert server.count("POST", "/prompt") == 1


async def test_a_second_lost_reply_is_looked_after_too(client_of):
    def queue(prompt_id):
        return [Reply(EMPTY_QUEUE), Reply(EMPTY_QUEUE), Reply(queued(running=[prompt_id]))]

    server, _ = await submitted(client_of, [CUT_OFF, CUT_OFF], queue=queue)

    assert server.count("POST", "/prompt") == 2


@pytest.mark.parametrize("second", [BUSY, Reply(status=503)])
async def test_a_second_server_error_is_looked_after_too(client_of, second):
    def queue(prompt_id):
        return [*[Reply(EMPTY_QUEUE)] * 3, Reply(queued(pending=[prompt_id]))]

    server, submission = await submitted(client_of, [BUSY, second], queue=queue)

    assert server.count("POST", "/prompt") == 2
    assert submission.number is None


async def test_a_look_that_fails_with_the_post_is_made_again_before_anything_is_sent_twice(client_of):
    def queue(prompt_id):
        return [Reply(status=502), Reply(queued(running=[prompt_id]))]

    server, _ = await submitted(client_of, [Reply(status=502)], queue=queue)

    assert server.count("POST", "/prompt") == 1


@pytest.mark.parametrize("error", [httpx.ConnectTimeout, httpx.ConnectError])
async def test_a_connection_that_does_not_come_about_is_tried_once_more(client_of, monkeypatch, error):
    post, failures = httpx.AsyncClient.request, [error("asleep")]

    async def waking(self, method, path, **options):
        if path == "/prompt" and failures:
            raise failures.pop()
        return await post(self, method, path, **options)

    monkeypatch.setattr(httpx.AsyncClient, "request", waking)
    server, submission = await submitted(client_of, [accepted])

    assert not failures
    assert (server.count("POST", "/prompt"), server.count("GET", "/queue")) == (1, 0)
    assert submission.number == 1.0


async def test_two_lost_replies_of_a_prompt_that_is_nowhere_are_an_unreachable_server(client_of):
    with pytest.raises(BackendUnreachable, match="the connection broke"):
        await submitted(client_of, [CUT_OFF, CUT_OFF])


async def test_a_server_that_fails_twice_has_refused_the_graph(client_of):
    with pytest.raises(GraphRejected, match="HTTP 500: 500 Internal Server Error"):
        await submitted(client_of, [BUSY, BUSY])


async def test_a_proxy_without_a_server_behind_it_is_unreachable(client_of):
    with pytest.raises(BackendUnreachable, match="a proxy answers 502"):
        await submitted(client_of, [Reply(status=502)])


async def test_a_200_with_node_errors_is_refused_and_what_was_queued_is_taken_back(client_of):
    partial = transcript("refusals")["partial_one_output_bad_200"]
    prompt_id = new_id()
    routes = {
        ("POST", "/prompt"): {**partial["response"], "prompt_id": prompt_id},
        ("GET", "/queue"): [Reply(queued(pending=[prompt_id])), Reply(EMPTY_QUEUE)],
        ("POST", "/queue"): Reply(b""),
        ("GET", f"/history/{prompt_id}"): {},
    }
    async with ReplayServer(routes).serving() as server:
        with pytest.raises(GraphRejected, match="node 3, SaveImage, input images"):
            await client_of(server.url).submit(partial["graph"], prompt_id=prompt_id)

        (deleted,) = [r.json for r in server.requests if (r.method, r.path) == ("POST", "/queue")]
        assert deleted == {"delete": [prompt_id]}


async def test_a_missing_model_offers_what_the_server_has_now_and_where_to_get_it(client_of):
    case = transcript("refusals")["err_unet_not_in_list"]
    routes = {("GET", "/models/unet"): ["nope-fp8.safetensors"]}
    requires = [RequiredFile(file="nope.safetensors", folder="diffusion_models", url="https://example.org/x")]

    with pytest.raises(MissingModel) as caught:
        await submitted(
            client_of,
            [Reply(case["response"], status=400)],
            graph=case["graph"],
            routes=routes,
            requires=requires,
        )

    assert "is not in the server's models/diffusion_models/" in str(caught.value)
    assert "Nearest installed: nope-fp8.safetensors" in str(caught.value)
    assert "https://example.org/x" in str(caught.value)


async def test_a_long_list_that_a_refusal_leaves_out_is_asked_for(client_of):
    case = transcript("refusals")["err_sampler_not_in_list"]
    declared = {"input": {"required": {"sampler_name": [["euler", "noped"], {}]}}}
    routes = {("GET", "/object_info/KSampler"): {"KSampler": declared}}

    with pytest.raises(GraphRejected, match=r"did you mean noped\?; valid: euler, noped"):
        await submitted(client_of, [Reply(case["response"], status=400)], graph=case["graph"], routes=routes)


async def test_a_refusal_is_told_even_when_nothing_more_can_be_asked(client_of):
    case = transcript("refusals")["err_ckpt_not_in_list"]
    routes = {("GET", "/models/checkpoints"): Reply(b"<html>", type="text/html")}

    with pytest.raises(MissingModel, match="Nothing is installed"):
        await submitted(client_of, [Reply(case["response"], status=400)], graph=case["graph"], routes=routes)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(b"<html>hello</html>", type="text/html"),
        Reply({"ok": True}),
        Reply(b"[]"),
        Reply(status=404),
        Reply(status=301, headers={"Location": "https://elsewhere"}),
    ],
)
async def test_something_else_at_the_address_is_said_not_to_be_comfyui(client_of, reply):
    with pytest.raises(UnexpectedReply, match="it is not ComfyUI"):
        await submitted(client_of, [reply])


async def test_a_socket_that_cannot_be_opened_does_not_prevent_the_job(client_of):
    prompt_id = new_id()
    routes = {
        ("POST", "/prompt"): accepted(prompt_id),
        ("GET", f"/history/{prompt_id}"): history_of(prompt_id),
    }
    async with ReplayServer(routes, socket_status=404).serving() as server:
        client = client_of(server.url)
        submission = await client.submit(TRIVIAL, prompt_id=prompt_id)

        assert (await followed(client, submission))[-1].message == "finished"


@pytest.mark.parametrize("script", [[CUT], [GREETING, CUT]])
async def test_a_socket_that_breaks_before_the_job_starts_does_not_prevent_it(client_of, script):
    prompt_id = new_id()
    routes = {
        ("POST", "/prompt"): accepted(prompt_id),
        ("GET", f"/history/{prompt_id}"): history_of(prompt_id),
    }
    async with ReplayServer(routes, [script]).serving() as server:
        client = client_of(server.url)
        await client.submit(TRIVIAL, prompt_id=prompt_id)

        assert (await followed(client, prompt_id))[-1].message == "finished"


async def test_authorisation_goes_with_http_and_with_the_socket_below_a_path_prefix(client_of):
    prompt_id = new_id()
    routes = {("POST", "/comfy/prompt"): accepted(prompt_id)}
    async with ReplayServer(routes).serving() as server:
        client = client_of(f"{server.url}/comfy", headers={"Authorization": "Bearer s3cret"})
        await client.submit(TRIVIAL, prompt_id=prompt_id)

        assert [r.path for r in server.requests] == ["/comfy/ws", "/comfy/prompt"]
        assert {r.headers["authorization"] for r in server.requests} == {"Bearer s3cret"}


@pytest.mark.parametrize("status", [401, 403])
async def test_a_gatekeeper_says_which_setting_to_check_and_no_secret(client_of, status):
    async with ReplayServer(
        {("POST", "/prompt"): Reply(status=status)}, socket_status=status
    ).serving() as server:
        client = client_of(server.url, headers={"Authorization": "Bearer s3cret"})
        with pytest.raises(UnexpectedReply, match="headers sent: Authorization") as caught:
            await client.submit(TRIVIAL, prompt_id=new_id())

        assert "s3cret" not in str(caught.value)


async def test_a_closed_port_is_refused_with_the_wake_hint(client_of):
    async with ReplayServer().serving() as server:
        url = server.url
    with pytest.raises(BackendUnreachable, match=r"connection refused .*\. Press the big button"):
        await client_of(url, wake_hint="Press the big button").submit(TRIVIAL, prompt_id=new_id())


async def test_an_unknown_host_and_a_hanging_one_are_told_apart(client_of):
    with pytest.raises(BackendUnreachable, match="no such host"):
        await client_of("http://no-such-host.invalid:8188").submit(TRIVIAL, prompt_id=new_id())
    async with ReplayServer({("POST", "/prompt"): Reply(fault="hang")}).serving() as server:
        client = client_of(server.url, read_s=0.1)
        with pytest.raises(BackendUnreachable, match="does not answer"):
            await client.submit(TRIVIAL, prompt_id=new_id())


async def test_an_address_without_a_scheme_is_said_to_be_none(client_of):
    with pytest.raises(BackendUnreachable, match="no http:// or https:// URL"):
        await client_of("127.0.0.1:8188").submit(TRIVIAL, prompt_id=new_id())


async def test_a_submit_that_is_cut_short_leaves_no_socket_behind(client_of):
    async with ReplayServer(socket=[asyncio.Event()]).serving() as server:
        submitting = asyncio.ensure_future(client_of(server.url).submit(TRIVIAL, prompt_id=new_id()))
        await until(lambda: server.sockets)
        submitting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await submitting

        assert server.count("POST", "/prompt") == 0


async def test_plain_text_on_a_tls_port_is_called_a_tls_failure(client_of):
    async def speak_plainly(_reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(speak_plainly, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(BackendUnreachable, match="the TLS connection failed"):
            await client_of(f"https://127.0.0.1:{port}").submit(TRIVIAL, prompt_id=new_id())
