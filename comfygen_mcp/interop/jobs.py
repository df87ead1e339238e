"""Checks of a job's life: shapes of queue and history, events, cancelling, and a socket that drops."""

from contextlib import aclosing

from comfygen_mcp.comfyui.catalogue import Catalogue
from comfygen_mcp.comfyui.failure import failure_of
from comfygen_mcp.comfyui.follow import Followed, PromptWatch
from comfygen_mcp.comfyui.shapes import items, mapping, whole
from comfygen_mcp.comfyui.socket import Socket, open_socket
from comfygen_mcp.comfyui.submit import Prompt, hand_over
from comfygen_mcp.errors import JobCancelled, UnexpectedReply
from comfygen_mcp.interop import graphs
from comfygen_mcp.interop.bench import Bench, new_prompt_id
from comfygen_mcp.interop.findings import Check, Finding, Passed, Skipped
from comfygen_mcp.interop.outputs import random_colour
from comfygen_mcp.models import JsonValue

PARTS = (24, 72)
"""Sizes of the slow graph, one after the other: a fast server must still be met at work."""
TOO_FAST = f"the server finished {PARTS[-1]} picture scalings before it could be met at work"


async def queue_shape(bench: Bench) -> Finding:
    """Look at the queue while a prompt of ours is in it."""
    prompt_id = await bench.submit(graphs.slow(random_colour(), parts=8))
    reply = mapping(await bench.http.get("/queue"))
    rows = [row for key in ("queue_running", "queue_pending") for row in _array(reply.get(key), key)]
    for row in rows:
        _expect_row(row, "/queue")
    remaining = whole(
        mapping(mapping(await bench.http.get("/prompt")).get("exec_info")).get("queue_remaining")
    )
    if remaining is None:
        raise UnexpectedReply("GET /prompt names no exec_info.queue_remaining.")
    await bench.finish(prompt_id)
    return Passed(f"{len(rows)} prompts listed, {remaining} counted")


async def history_shape(bench: Bench) -> Finding:
    """Look at the record of a finished prompt of ours, as the server gives it."""
    finished = await bench.run(graphs.previewed_image(random_colour()))
    reply = mapping(await bench.http.get(f"/history/{finished.prompt_id}"))
    if list(reply) != [finished.prompt_id]:
        raise UnexpectedReply(
            f"/history/{finished.prompt_id} holds {len(reply)} records instead of that one."
        )
    entry = mapping(reply[finished.prompt_id])
    _expect_row(entry.get("prompt"), "/history")
    status = mapping(entry.get("status"))
    kinds = [items(pair)[0] for pair in items(status.get("messages")) if items(pair)]
    if status.get("status_str") != "success" or status.get("completed") is not True:
        raise UnexpectedReply(f"The status of a success is {str(dict(status))[:200]}.")
    outputs = mapping(entry.get("outputs"))
    if "execution_success" not in kinds or not outputs:
        raise UnexpectedReply(f"The record of a success has the messages {kinds} and {len(outputs)} outputs.")
    if await bench.http.get(f"/history/{new_prompt_id()}") != {}:
        raise UnexpectedReply("/history of an unknown prompt is not {}.")
    return Passed(f"one record, messages {', '.join(str(kind) for kind in kinds)}; unknown prompts: {{}}")


async def job_record(bench: Bench) -> Finding:
    """Newer servers tell a job's state in one call."""
    finished = await bench.run(graphs.previewed_image(random_colour()))
    reply = await bench.http.get(f"/api/jobs/{finished.prompt_id}")
    if reply is None:
        return Skipped("server has no /api/jobs (older than 0.5.1)")
    status = mapping(reply).get("status")
    if status != "completed":
        raise UnexpectedReply(f"/api/jobs says {status!r} of a prompt whose history is a success.")
    return Passed("status completed")


async def events(bench: Bench) -> Finding:
    """Have a prompt's events on its WebSocket: without one every job is only polled."""
    finished = await bench.run(graphs.slow(random_colour(), parts=8))
    told = [step for step in finished.progress if step.class_type is not None]
    if not told:
        words = ", ".join(dict.fromkeys(step.message for step in finished.progress))
        raise UnexpectedReply(f"No event of a node arrived on the WebSocket; seen: {words}.")
    return Passed(f"{len(told)} changes told by events of {len({step.node for step in told})} nodes")


async def cancel_pending(bench: Bench) -> Finding:
    """Cancel a prompt that waits behind another one of ours, which must go on."""
    met = False
    for parts in PARTS:
        ahead = await bench.submit(graphs.slow(random_colour(), parts=parts))
        waiting = await bench.submit(graphs.previewed_image(random_colour()))
        met = waiting in (await bench.client.queue()).pending
        if not met or not await bench.client.cancel(waiting):
            continue
        await _expect_cancelled(bench, waiting)
        await bench.finish(ahead)
        return Passed("gone without a trace; the prompt before it went on to its end")
    return _not_cancelled(met=met)


async def cancel_running(bench: Bench) -> Finding:
    if not bench.interrupts_by_id:
        return Skipped("server older than 0.3.56: an interrupt there could stop somebody else's prompt")
    met = False
    for parts in PARTS:
        prompt_id = await bench.submit(graphs.slow(random_colour(), parts=parts))
        met = await bench.begun(prompt_id) and prompt_id in await bench.client.queue()
        if met and await bench.client.cancel(prompt_id):
            await _expect_cancelled(bench, prompt_id)
            return Passed(f"interrupted by its id, among {parts} picture scalings")
    return _not_cancelled(met=met)


async def reconnect(bench: Bench) -> Finding:
    """Drop the socket while the prompt runs; the result must come all the same."""
    for parts in PARTS:
        graph = graphs.slow(random_colour(), parts=parts)
        socket = await open_socket(bench.http.host, bench.plan.timing)
        if socket is None:
            raise UnexpectedReply("The server gives no WebSocket at /ws (a proxy that does not pass it on?).")
        prompt_id = bench.claim(new_prompt_id(), graph)
        if await _dropped_midway(bench, socket, Prompt(graph, prompt_id, socket.client_id)):
            outputs = await bench.collect(prompt_id)
            if len(outputs) != parts + 1:
                raise UnexpectedReply(f"{len(outputs)} outputs came; the graph makes {parts + 1}.")
            return Passed(f"socket dropped at work; all {len(outputs)} outputs came")
    return Skipped(TOO_FAST)


async def _dropped_midway(bench: Bench, socket: Socket, prompt: Prompt) -> bool:
    """Run *prompt* to its end, its socket closed at the first event; False when it had ended by then."""
    midway = False
    watch = PromptWatch(bench.http, Followed(prompt.prompt_id, prompt.graph, ()), socket)
    try:
        await hand_over(bench.http, Catalogue(bench.http), prompt)
        async with aclosing(watch.progress(bench.plan.timeout_s)) as steps:
            async for step in steps:
                if step.phase != "queued" and not midway:
                    await socket.close()
                    midway = prompt.prompt_id in await bench.client.queue()
    finally:
        await watch.aclose()
    if watch.history is not None and (failure := failure_of(watch.history, prompt.graph)):
        raise failure
    return midway


def _not_cancelled(*, met: bool) -> Skipped:
    """Tell a prompt that could not be met in the queue from one that ran on although it was cancelled."""
    if met:
        raise UnexpectedReply("The prompt ran to its end although it was cancelled in time, by its id.")
    return Skipped(TOO_FAST)


async def _expect_cancelled(bench: Bench, prompt_id: str) -> None:
    """A cancelled prompt must be told as such."""
    try:
        await bench.finish(prompt_id)
    except JobCancelled:
        return
    raise UnexpectedReply("The cancelled prompt ended as a success.")


def _array(value: JsonValue, key: str) -> list[JsonValue]:
    if not isinstance(value, list):
        raise UnexpectedReply(f"/queue has no list {key}.")
    return items(value)


def _expect_row(value: JsonValue, route: str) -> None:
    """A prompt is listed as [number, prompt_id, graph, extra_data, output node ids, ...]."""
    match items(value):
        case [int() | float(), str(), dict(), dict(), list(), *_]:
            return
        case _:
            # Types only: the row may be somebody else's prompt.
            types = ", ".join(type(part).__name__ for part in items(value))
            raise UnexpectedReply(
                f"{route} lists a prompt as [{types}]; ComfyUI gives "
                "[number, prompt_id, graph, extra_data, outputs]."
            )


_SLOW = graphs.classes_of(graphs.slow(0, parts=1))
_PREVIEW = graphs.classes_of(graphs.previewed_image(0))

CHECKS = (
    Check("queue: shape", queue_shape, _SLOW),
    Check("history: shape", history_shape, _PREVIEW),
    Check("history: job record", job_record, _PREVIEW),
    Check("job: events on the socket", events, _SLOW),
    Check("job: cancel while pending", cancel_pending, _SLOW),
    Check("job: cancel while running", cancel_running, _SLOW),
    Check("job: socket dropped midway", reconnect, _SLOW),
)
