"""Stopping one prompt, queued or running, without touching anybody else's."""

import asyncio

from comfygen_mcp.comfyui.history import ask_history
from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.queue import ask_queue
from comfygen_mcp.errors import JobTimeout


async def stop(http: Http, prompt_id: str) -> bool:
    """Stop *prompt_id* and look until it is gone; False when there was nothing left to stop.

    Raises JobTimeout when it still runs after the bound.
    """
    found = False
    loop = asyncio.get_running_loop()
    deadline = loop.time() + http.timing.cancel_s
    pause = http.timing.poll_s
    while await _asked_to_stop(http, prompt_id):
        found = True
        if loop.time() + pause > deadline:
            raise JobTimeout(
                f"Prompt {prompt_id} was asked to stop but still runs after {http.timing.cancel_s:g} s: "
                "ComfyUI cannot interrupt a model load. It stops at its next step; ask again later."
            )
        await asyncio.sleep(pause)
        pause = min(pause * 2, http.timing.poll_max_s)
    return found and await _did_not_finish(http, prompt_id)


async def _asked_to_stop(http: Http, prompt_id: str) -> bool:
    """Delete a waiting prompt or interrupt a running one; False when it is neither.

    Only a prompt that runs is interrupted: servers before 0.3.56 ignore the id and stop whatever runs.
    """
    queue = await ask_queue(http)
    if prompt_id in queue.pending:
        await http.post("/queue", {"delete": [prompt_id]})
    elif prompt_id in queue.running:
        await http.post("/interrupt", {"prompt_id": prompt_id})
    return prompt_id in queue


async def _did_not_finish(http: Http, prompt_id: str) -> bool:
    """Tell a stopped prompt from a finished one: deleted ones leave no history, interrupted ones say so."""
    history = await ask_history(http, prompt_id)
    return history is None or history.status == "interrupted"
