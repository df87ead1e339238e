"""Graphs and small steps that the tests of the ComfyUI client share."""

import asyncio
import uuid

from replay_server import EMPTY_QUEUE, GREETING, ReplayServer, Reply

CHECKPOINT = "v1-5-pruned-emaonly-fp16.safetensors"

TRIVIAL = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 7}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "trivial"}},
}


def new_id():
    return str(uuid.uuid4())


def history_of(prompt_id, outputs=None, *, graph=None):
    """Return a successful history as `/history/{id}` gives it."""
    start = {"prompt_id": prompt_id, "timestamp": 1005}
    return {
        prompt_id: {
            "prompt": [1, prompt_id, graph or TRIVIAL, {"create_time": 1000}, ["2"]],
            "outputs": outputs
            or {"2": {"images": [{"filename": "a.png", "subfolder": "", "type": "output"}]}},
            "status": {
                "status_str": "success",
                "completed": True,
                "messages": [["execution_start", start], ["execution_success", {**start, "timestamp": 1105}]],
            },
        }
    }


def accepted(prompt_id, number=1):
    return {"prompt_id": prompt_id, "number": number, "node_errors": {}}


def queued(running=(), pending=()):
    """Return a reply of `/queue`."""
    return {
        "queue_running": [[n, prompt_id, {}, {}, []] for n, prompt_id in enumerate(running)],
        "queue_pending": [[n, prompt_id, {}, {}, []] for n, prompt_id in enumerate(pending, 100)],
    }


def event(kind, prompt_id, **data):
    return {"type": kind, "data": {"prompt_id": prompt_id, **data}}


def status(remaining):
    return {"type": "status", "data": {"status": {"exec_info": {"queue_remaining": remaining}}}}


def server_for(prompt_id, *, history, queue=EMPTY_QUEUE, script=(GREETING,)):
    """Return a server that has accepted *prompt_id*; histories and queues are answered in turn."""

    def in_turn(replies):
        return [Reply(r) for r in replies] if isinstance(replies, list) else replies

    routes = {
        ("POST", "/prompt"): accepted(prompt_id),
        ("GET", f"/history/{prompt_id}"): in_turn(history),
        ("GET", "/queue"): in_turn(queue),
    }
    return ReplayServer(routes, script)


def sampled(steps=4, seed=1, **save):
    return {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "seed": seed,
                "steps": steps,
                "cfg": 7.0,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1.0,
                "model": ["4", 0],
                "positive": ["6", 0],
                "negative": ["7", 0],
                "latent_image": ["5", 0],
            },
        },
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": CHECKPOINT}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "bad", "clip": ["4", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {
            "class_type": "SaveImage",
            "inputs": {"filename_prefix": save.get("prefix", "t2i"), "images": ["8", 0]},
        },
    }


async def followed(client, prompt, *, timeout_s=20, into=None, **options):
    """Follow to the end and return every progress record, which *into* gets as it comes."""
    told = [] if into is None else into
    async for step in client.follow(prompt, timeout_s=timeout_s, **options):
        told += [step]
    return told


async def until(condition):
    """Wait (bounded) until *condition* holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)
