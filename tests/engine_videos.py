"""Graphs of videos and frames, and what the engine made of them."""

import io

import av
from engine_probe import models_of_the_captured_server

PROMPT = "a red fox in snow"


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


def frames(count=5, width=64, height=48, colour=0x3060C0):
    return node("EmptyImage", width=width, height=height, batch_size=count, color=colour)


def video(images="1", fps=10.0, **save):
    return {
        "c": node("CreateVideo", images=[images, 0], fps=fps),
        "9": node("SaveVideo", **{"video": ["c", 0], "filename_prefix": "v/x", "format": "auto", **save}),
    }


def sampled_video(*, seed=1, length=9, width=96, height=64, start=None, prefix="clip"):
    inputs = {"width": width, "height": height, "length": length, "batch_size": 1}
    latent = node("EmptyHunyuanLatentVideo", **inputs)
    if start:
        latent = node("Wan22ImageToVideoLatent", vae=["m", 2], start_image=[start, 0], **inputs)
    checkpoint = models_of_the_captured_server()["checkpoints"][0]
    return {
        "m": node("CheckpointLoaderSimple", ckpt_name=checkpoint),
        "p": node("CLIPTextEncode", text=PROMPT, clip=["m", 1]),
        "l": latent,
        "k": node(
            "KSampler", model=["m", 0], seed=seed, steps=3, cfg=1.0, sampler_name="euler", scheduler="simple",
            positive=["p", 0], negative=["p", 0], latent_image=["l", 0], denoise=1.0,
        ),
        "1": node("VAEDecode", samples=["k", 0], vae=["m", 2]),
        **video(filename_prefix=prefix),
    }  # fmt: skip


def only_file(client, entry, kind="images"):
    assert entry["status"]["completed"], entry["status"]["messages"][-1]
    ((file,),) = [output[kind] for output in entry["outputs"].values() if kind in output]
    return file, client.get("/view", params=file)


def decoded(content):
    with av.open(io.BytesIO(content)) as opened:
        stream = opened.streams.video[0]
        pictures = [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]
        return pictures, stream.codec_context.name, float(stream.average_rate), dict(opened.metadata)
