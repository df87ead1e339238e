"""Pictures, films and sounds that carry a graph, written by the programs that write them in the field."""

import io
import json
from fractions import Fraction

import av
import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

SECRET = "a very secret prompt"
GRAPH = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 2**63 + 5,
            "steps": 7,
            "cfg": 2.5,
            "sampler_name": "euler",
            "scheduler": "karras",
            "denoise": 1.0,
            "model": ["10", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "fox_v2.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 48, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": SECRET, "clip": ["10", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "fog", "clip": ["10", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
    "10": {
        "class_type": "LoraLoader",
        "inputs": {
            "lora_name": "snow.safetensors",
            "strength_model": 0.7,
            "strength_clip": 0.7,
            "model": ["4", 0],
            "clip": ["4", 1],
        },
    },
}
TEXT = json.dumps(GRAPH)


def painted(width=64, height=48, shift=0):
    """A picture with an edge in it, and no two rows alike."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return Image.fromarray(
        np.stack([x * 3 + shift, y * 5, (x * y) % 256], axis=-1).astype(np.uint8), mode=None
    )


def png(graph=TEXT, **more):
    info = PngInfo()
    if graph is not None:
        info.add_text("prompt", graph)
        info.add_text("workflow", json.dumps({"note": SECRET}), zip=True)
        info.add_itxt("comment", SECRET)
    buffer = io.BytesIO()
    painted().save(buffer, "PNG", pnginfo=info, **more)
    return buffer.getvalue()


def animated_png():
    """What SaveAnimatedPNG writes: the graph in a chunk of its own behind the pictures."""
    info = PngInfo()
    info.add(b"comf", b"prompt\0" + TEXT.encode("latin-1", "strict"), after_idat=True)
    buffer = io.BytesIO()
    frames = [painted(shift=shift) for shift in (0, 40, 80)]
    frames[0].save(buffer, "PNG", pnginfo=info, save_all=True, append_images=frames[1:], duration=100)
    return buffer.getvalue()


def exif(graph=TEXT, orientation=None):
    data = Image.Exif()
    data[0x0110] = f"prompt:{graph}"
    if orientation:
        data[0x0112] = orientation
    return data


def webp(*, lossless=True, frames=1, **more):
    buffer = io.BytesIO()
    pictures = [painted(shift=shift * 30) for shift in range(frames)]
    pictures[0].save(
        buffer,
        "WEBP",
        lossless=lossless,
        exif=exif(**more),
        xmp=f"<x>{SECRET}</x>".encode(),
        save_all=frames > 1,
        append_images=pictures[1:],
    )
    return buffer.getvalue()


def jpeg(**more):
    buffer = io.BytesIO()
    orientation = more.pop("orientation", None)
    painted().save(
        buffer,
        "JPEG",
        exif=exif(orientation=orientation),
        xmp=f"<x>{SECRET}</x>".encode(),
        comment=SECRET.encode(),
        **more,
    )
    return buffer.getvalue()


def film(path, codec, *, metadata=None, options=None, frames=6):
    """Write a film as ComfyUI's own nodes do: the graph as metadata of the container."""
    options = {"movflags": "use_metadata_tags"} if options is None else options
    with av.open(str(path), "w", options=options) as container:
        for key, value in ({"prompt": TEXT} if metadata is None else metadata).items():
            container.metadata[key] = value
        stream = container.add_stream(codec, rate=Fraction(8))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            for packet in stream.encode(av.VideoFrame.from_image(painted(shift=number * 20))):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def sound(path):
    """Write a FLAC whose comments hold the graph."""
    with av.open(str(path), "w", format="flac") as container:
        container.metadata["prompt"] = TEXT
        stream = container.add_stream("flac", rate=8000, layout="mono")
        wave = (np.sin(np.arange(4000) / 9) * 9000).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        frame.sample_rate = 8000
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    return path


def decoded(source):
    """Return everything that can be seen or heard in a film or sound, and its container's metadata."""
    with av.open(str(source)) as container:
        frames = [frame.to_ndarray().tobytes() for frame in container.decode(container.streams[0])]
        return frames, {**container.metadata, **container.streams[0].metadata}


def pixels(data):
    """Return the pixels of every frame of a picture."""
    with Image.open(io.BytesIO(data)) as picture:
        count = getattr(picture, "n_frames", 1)
        shown = []
        for number in range(count):
            picture.seek(number)
            shown.append((picture.convert("RGBA").tobytes(), picture.info.get("duration")))
        return shown
