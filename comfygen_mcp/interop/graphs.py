"""The graphs of the suite: small, without models unless one is named, made of ComfyUI's core nodes."""

from comfygen_mcp.models import Graph, GraphNode, JsonValue, LoraUse, Record

EDGE = 64
"""Edge of the model-free pictures, in pixels."""

BIG_SEED = 2**64 - 1
"""The largest seed: a server, or a proxy, that reads numbers as floats would round it."""

_LARGE = 2048


class Sampling(Record):
    """One small sampler run; *picture* is the LoadImage value to start from, for img2img."""

    checkpoint: str
    prefix: str
    picture: str | None = None
    lora: LoraUse | None = None
    edge: int = 256
    steps: int = 4


def node(class_type: str, **inputs: JsonValue) -> GraphNode:
    return GraphNode(class_type=class_type, inputs=inputs)


def empty_image(colour: int, *, count: int = 1, edge: int = EDGE) -> GraphNode:
    return node("EmptyImage", width=edge, height=edge, batch_size=count, color=colour)


def saved_image(prefix: str, colour: int, *, count: int = 1) -> Graph:
    return {
        "1": empty_image(colour, count=count),
        "2": node("SaveImage", images=["1", 0], filename_prefix=prefix),
    }


def previewed_image(colour: int) -> Graph:
    """A picture that goes to the server's temp folder and is gone at its next start."""
    return {"1": empty_image(colour), "2": node("PreviewImage", images=["1", 0])}


def animated_webp(prefix: str, colours: tuple[int, int]) -> Graph:
    """Two frames of two colours: encoders join equal frames."""
    return {
        "1": empty_image(colours[0]),
        "2": empty_image(colours[1]),
        "3": node("ImageBatch", image1=["1", 0], image2=["2", 0]),
        "4": node(
            "SaveAnimatedWEBP",
            images=["3", 0],
            filename_prefix=prefix,
            fps=6.0,
            lossless=True,
            quality=80,
            method="default",
        ),
    }


def video(prefix: str, colour: int) -> Graph:
    """The inputs of old and of new servers together: each ignores the other's."""
    formats = {"format": "auto", "codec": "auto", "format.codec": "auto"}
    return {
        "1": empty_image(colour, count=9),
        "2": node("CreateVideo", images=["1", 0], fps=16.0),
        "3": node("SaveVideo", video=["2", 0], filename_prefix=prefix, **formats),
    }


def audio(prefix: str, saver: str) -> Graph:
    """One second of silence; `format` is for SaveAudioAdvanced, SaveAudio ignores it."""
    return {
        "1": node("EmptyAudio", duration=1.0, sample_rate=44100, channels=2),
        "2": node(saver, audio=["1", 0], filename_prefix=prefix, format="flac"),
    }


def shown_text(text: str) -> Graph:
    return {"1": node("PrimitiveString", value=text), "2": node("PreviewAny", source=["1", 0])}


def saved_text(prefix: str, text: str) -> Graph:
    return {
        "1": node("PrimitiveString", value=text),
        "2": node("SaveText", text=["1", 0], filename_prefix=prefix, format="md"),
    }


def loaded_images(*values: str) -> Graph:
    """One LoadImage and one PreviewImage for each of *values*."""
    graph: Graph = {}
    for at, value in enumerate(values):
        graph[f"load{at}"] = node("LoadImage", image=value)
        graph[f"show{at}"] = node("PreviewImage", images=[f"load{at}", 0])
    return graph


def slow(colour: int, *, parts: int) -> Graph:
    """Work without a model that takes a moment, with a place to stop after every part.

    One large picture is made small *parts* times: only the small ones stay in the server's memory.
    """
    graph: Graph = {"large": empty_image(colour, edge=_LARGE), "all0": empty_image(colour, edge=16)}
    for at in range(parts):
        method = {"upscale_method": "lanczos", "crop": "disabled"}
        graph[f"small{at}"] = node("ImageScale", image=["large", 0], width=16 + at, height=16, **method)
        graph[f"all{at + 1}"] = node("ImageBatch", image1=[f"all{at}", 0], image2=[f"small{at}", 0])
    graph["show"] = node("PreviewImage", images=[f"all{parts}", 0])
    return graph


def sampled(run: Sampling) -> Graph:
    """Text to image, or image to image when the run has a picture, with at most one LoRA."""
    model = "lora" if run.lora else "checkpoint"
    graph: Graph = {
        "checkpoint": node("CheckpointLoaderSimple", ckpt_name=run.checkpoint),
        "positive": node("CLIPTextEncode", text="a red fox in snow", clip=[model, 1]),
        "negative": node("CLIPTextEncode", text="blurry", clip=[model, 1]),
        "latent": node("EmptyLatentImage", width=run.edge, height=run.edge, batch_size=1),
        "sampler": _sampler(run, model),
        "decode": node("VAEDecode", samples=["sampler", 0], vae=["checkpoint", 2]),
        "save": node("SaveImage", images=["decode", 0], filename_prefix=run.prefix),
    }
    if run.picture is not None:
        graph["load"] = node("LoadImage", image=run.picture)
        graph["latent"] = node("VAEEncode", pixels=["load", 0], vae=["checkpoint", 2])
    if run.lora is not None:
        strength = {"strength_model": run.lora.strength, "strength_clip": run.lora.strength}
        links = {"model": ["checkpoint", 0], "clip": ["checkpoint", 1]}
        graph["lora"] = node("LoraLoader", lora_name=run.lora.name, **links, **strength)
    return graph


def _sampler(run: Sampling, model: str) -> GraphNode:
    return node(
        "KSampler",
        seed=BIG_SEED,
        steps=run.steps,
        cfg=7.0,
        sampler_name="euler",
        scheduler="normal",
        denoise=1.0 if run.picture is None else 0.6,
        model=[model, 0],
        positive=["positive", 0],
        negative=["negative", 0],
        latent_image=["latent", 0],
    )


def classes_of(graph: Graph) -> tuple[str, ...]:
    """Return the node classes of *graph*, each once."""
    return tuple(dict.fromkeys(entry["class_type"] for entry in graph.values()))
