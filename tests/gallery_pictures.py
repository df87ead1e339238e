"""A gallery full of small painted pictures, stored as a server stores what it makes."""

import hashlib
from datetime import UTC, datetime, timedelta

from PIL import Image, ImageDraw

from comfygen_mcp import ids
from comfygen_mcp.backends.archive import Archive
from comfygen_mcp.backends.base import Collected
from comfygen_mcp.models import HostFacts, Job, LoraUse, Output, Ticket
from comfygen_mcp.stores.local import LocalStore

NEWEST = datetime(2026, 11, 21, 8, 41, 0, tzinfo=UTC)
EVIL = '<img src=x onerror="window.hacked=1"> </script><b>bold</b> \u202etxet'
SUBJECTS = (
    "a lighthouse at dusk, calm sea, long exposure",
    "a red fox in fresh snow, soft morning light",
    "a paper crane on a wooden desk, macro",
    "rolling green hills under a heavy sky",
    "a glass teapot with jasmine, studio photograph",
    "an old tram in Lisbon, watercolour",
    "a lone tree on a hill, minimal, fog",
    "the night market in the rain, neon reflections",
)
SIZES = ((512, 512), (640, 416), (416, 640), (768, 432), (512, 640))
HUES = (212, 18, 40, 120, 180, 350, 265, 300)
MODELS = ("flux1-schnell", "sdxl", "sd15")


async def fill(folder, count, *, newest=NEWEST, owner=None, prompts=()):
    """Store *count* pictures in *folder*, newest first; the first ones have *prompts*. Return their ids."""
    archive = Archive(LocalStore(folder / "gallery"))
    made = []
    for number in range(count):
        prompt = prompts[number] if number < len(prompts) else SUBJECTS[number % len(SUBJECTS)]
        path = painted(folder / f"{number}.png", SIZES[number % len(SIZES)], HUES[number % len(HUES)])
        moment = newest - timedelta(hours=5 * number)
        job = job_of(number, prompt, moment).model_copy(update={"owner": owner})
        made += await keep(archive, job, path)
    return [generation.id for generation in made]


async def keep(archive, job, *paths, media="image", mime="image/png"):
    outputs = tuple(
        Output(
            path=path,
            filename=path.name,
            media=media,
            mime=mime,
            size_bytes=path.stat().st_size,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            node_id="9",
            index=index,
        )
        for index, path in enumerate(paths)
    )
    collected = Collected(outputs=outputs, facts=HostFacts(comfyui_version="0.3.75"))
    ticket = Ticket(
        job_id=job.id,
        backend=job.backend,
        host="http://fox:8188",
        remote_id=job.id,
        client_id="c",
        graph={},
        graph_sha256="0" * 64,
        submitted_at=job.created_at,
    )
    return await archive.keep(job, ticket, collected, latency_ms=3210, backend_type="comfyui")


def job_of(number, prompt, moment, **changes):
    model = MODELS[number % len(MODELS)]
    width, height = SIZES[number % len(SIZES)]
    return Job(
        **{
            "id": ids.new_job_id(moment),
            "created_at": moment,
            "kind": "txt2img" if number % 4 else "img2img",
            "backend": model,
            "workflow": model,
            "model": f"{model}.safetensors",
            "prompt": prompt,
            "negative_prompt": "blurry, watermark" if number % 2 else "",
            "seed": 2**63 + number if number % 5 == 0 else 1000 + number,
            "steps": 20,
            "cfg": 6.5,
            "sampler": "euler",
            "scheduler": "normal",
            "width": width,
            "height": height,
            "loras": (LoraUse(name="soft-light.safetensors", strength=0.7),) if number % 3 == 0 else (),
            "values": {},
            "timeout_s": 300,
            **changes,
        }
    )


def painted(path, size, hue):
    """Paint a small landscape: a sky, a sun, two hills."""
    width, height = size
    sky = Image.linear_gradient("L").resize(size)
    light = Image.new("HSV", size, (hue * 255 // 360, 70, 250)).convert("RGB")
    dark = Image.new("HSV", size, ((hue + 30) % 360 * 255 // 360, 150, 150)).convert("RGB")
    picture = Image.composite(light, dark, sky)
    draw = ImageDraw.Draw(picture)
    sun = width * (hue % 7 + 2) // 11
    draw.ellipse((sun - 40, height // 4 - 40, sun + 40, height // 4 + 40), fill=(255, 244, 214))
    for shade, top in ((110, 0.62), (70, 0.78)):
        colour = Image.new("HSV", (1, 1), (hue * 255 // 360, 120, shade)).convert("RGB").getpixel((0, 0))
        draw.ellipse((-width // 2, int(height * top), width, height * 2), fill=colour)
        draw.ellipse((width // 3, int(height * (top + 0.06)), width * 2, height * 2), fill=colour)
    picture.save(path)
    return path
