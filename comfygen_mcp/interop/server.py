"""Checks of what the server says about itself: versions, features, node classes, model files."""

from comfygen_mcp.comfyui.shapes import items, mapping, text, whole
from comfygen_mcp.errors import UnexpectedReply
from comfygen_mcp.graph.catalogue import parse_object_info
from comfygen_mcp.interop.bench import Bench
from comfygen_mcp.interop.findings import Check, Finding, Passed, Skipped

SAMPLE_CLASSES = ("EmptyImage", "SaveImage", "LoadImage", "KSampler", "CheckpointLoaderSimple", "LoraLoader")
"""Their single declarations are compared with those in the full list."""

NO_SUCH_CLASS = "ComfygenCheckNoSuchNode"


async def system_stats(bench: Bench) -> Finding:
    facts = bench.facts
    if facts.comfyui_version is None:
        raise UnexpectedReply("/system_stats names no comfyui_version; servers since 0.3 do.")
    kind = " (preview engine)" if facts.preview_engine else ""
    memory = f", {facts.vram_used_mib} MiB of VRAM in use" if facts.vram_used_mib is not None else ""
    return Passed(f"ComfyUI {facts.comfyui_version}{kind} on {facts.device or 'an unnamed device'}{memory}")


async def features(bench: Bench) -> Finding:
    reply = await bench.http.get("/features")
    if reply is None:
        return Skipped("server has no /features (older than 0.3.44)")
    size = whole(mapping(reply).get("max_upload_size"))
    if not size:
        raise UnexpectedReply(f"/features names no max_upload_size: {str(reply)[:200]}")
    with_ids = "with" if mapping(reply).get("supports_preview_metadata") else "without"
    return Passed(f"uploads up to {size / 1e6:.0f} MB, previews {with_ids} prompt ids")


async def object_info(bench: Bench) -> Finding:
    """Read all node classes; later checks are skipped by what is not among them."""
    found = parse_object_info(await bench.http.get("/object_info"))
    if "SaveImage" not in found:
        raise UnexpectedReply(f"/object_info lists {len(found)} node classes, but not SaveImage.")
    bench.catalogue = found
    saving = sum(spec.output_node for spec in found)
    return Passed(f"{len(found)} node classes, {saving} of them outputs")


async def object_info_per_class(bench: Bench) -> Finding:
    asked = [name for name in SAMPLE_CLASSES if bench.lacking((name,)) is None]
    for name in asked:
        one = parse_object_info({name: await bench.client.object_info(name)}).get(name)
        if one is None or (bench.catalogue is not None and one != bench.catalogue.get(name)):
            raise UnexpectedReply(f"/object_info/{name} does not say what /object_info says about {name}.")
    if await bench.client.object_info(NO_SUCH_CLASS):
        raise UnexpectedReply(f"/object_info/{NO_SUCH_CLASS} declares a class that cannot exist.")
    return Passed(f"{len(asked)} classes one by one; an unknown one is empty")


async def models(bench: Bench) -> Finding:
    folders = [name for name in items(await bench.http.get("/models")) if text(name)]
    if "checkpoints" not in folders:
        raise UnexpectedReply(f"/models lists {len(folders)} folders, but not 'checkpoints'.")
    counts = {folder: len(await bench.client.models(folder, refresh=True)) for folder in folders}
    if await bench.client.models("comfygen-check-no-such-folder"):
        raise UnexpectedReply("/models/comfygen-check-no-such-folder lists files of an unknown folder.")
    filled = ", ".join(f"{folder} {count}" for folder, count in counts.items() if count)
    return Passed(f"{len(folders)} folders; files: {filled or 'none at all'}")


CHECKS = (
    Check("versions", system_stats),
    Check("features", features),
    Check("catalogue: all classes", object_info),
    Check("catalogue: class by class", object_info_per_class),
    Check("catalogue: models per folder", models),
)
