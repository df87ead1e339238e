"""Every way of putting a sampler together, by the picture that comes out."""

import numpy as np
import pytest
from engine_probe import trivial, txt2img

CKPT, UNET = "v1-5-pruned-emaonly-fp16.safetensors", "flux1-schnell.safetensors"
SEEN = 2.0


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


@pytest.fixture
def sampled(start):
    client = start(
        models={
            "checkpoints": (CKPT, "sd_xl_refiner_1.0.safetensors"),
            "diffusion_models": (UNET,),
            "text_encoders": ("a.safetensors", "b.safetensors", "c.safetensors"),
            "vae": ("ae.safetensors",),
            "loras": ("style.safetensors",),
        }
    )

    def picture(graph):
        return np.asarray(client.picture(graph).convert("RGB")).astype(np.int16)

    return picture


def difference(first, second):
    return float(np.abs(first - second).mean())


def finished(**nodes):
    """Add what all graphs here share: a VAE, the decoding of node 5 and its saving as node 9."""
    return {
        "v": node("VAELoader", vae_name="ae.safetensors"),
        "8": node("VAEDecode", samples=["5", 0], vae=["v", 0]),
        "9": node("SaveImage", images=["8", 0], filename_prefix="x"),
        **nodes,
    }


def custom(*, text="a red fox", seed=1, guider="BasicGuider", sigmas=None, latent="EmptySD3LatentImage"):
    guided = {"positive": ["c", 0], "negative": ["z", 0], "cfg": 1.0}
    return finished(
        m=node("UNETLoader", unet_name=UNET, weight_dtype="default"),
        p=node("ModelSamplingFlux", model=["m", 0], max_shift=1.15, base_shift=0.5, width=128, height=128),
        t=node("DualCLIPLoader", clip_name1="a.safetensors", clip_name2="b.safetensors", type="flux"),
        e=node("CLIPTextEncodeFlux", clip=["t", 0], clip_l=text, t5xxl=text, guidance=3.5),
        c=node("FluxGuidance", conditioning=["e", 0], guidance=4.0),
        z=node("ConditioningZeroOut", conditioning=["c", 0]),
        g=node(guider, model=["p", 0], **(guided if guider == "CFGGuider" else {"conditioning": ["c", 0]})),
        n=node("RandomNoise", noise_seed=seed),
        k=node("KSamplerSelect", sampler_name="euler"),
        s=sigmas or node("BasicScheduler", model=["p", 0], scheduler="simple", steps=4, denoise=1.0),
        l=node(latent, width=128, height=128, batch_size=1),
        **{
            "5": node(
                "SamplerCustomAdvanced",
                noise=["n", 0],
                guider=["g", 0],
                sampler=["k", 0],
                sigmas=["s", 0],
                latent_image=["l", 0],
            )
        },
    )


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"guider": "CFGGuider"},
        {"sigmas": node("Flux2Scheduler", steps=4, width=128, height=128), "latent": "EmptyFlux2LatentImage"},
        {"latent": "EmptyHunyuanImageLatent"},
    ],
)
def test_a_custom_sampler_paints_by_its_parts(sampled, parts):
    first = sampled(custom(**parts))

    assert first.shape == (128, 128, 3)
    assert difference(first, sampled(custom(**parts, seed=2))) > SEEN
    assert difference(first, sampled(custom(**parts, text="a blue whale"))) > SEEN


def test_a_scheduler_with_no_denoise_leaves_the_latent_empty(sampled):
    idle = node("BasicScheduler", model=["p", 0], scheduler="simple", steps=4, denoise=0.0)

    assert sampled(custom(sigmas=idle)).std() < 20


@pytest.mark.parametrize("encoder", ["CLIPTextEncode", "CLIPTextEncodeSD3", "CLIPTextEncodeSDXL"])
def test_every_text_encoder_hands_its_words_on(sampled, encoder):
    def graph(text):
        sizes = dict.fromkeys(("width", "height", "target_width", "target_height"), 1024)
        inputs = {
            "CLIPTextEncode": {"text": text},
            "CLIPTextEncodeSD3": {"clip_l": text, "clip_g": text, "t5xxl": text, "empty_padding": "none"},
            "CLIPTextEncodeSDXL": {**sizes, "crop_w": 0, "crop_h": 0, "text_g": text, "text_l": text},
        }[encoder]
        clips = {f"clip_name{n}": f"{letter}.safetensors" for n, letter in enumerate("abc", 1)}
        return finished(
            m=node("CheckpointLoaderSimple", ckpt_name=CKPT),
            p=node("ModelSamplingSD3", model=["m", 0], shift=3.0),
            t=node("TripleCLIPLoader", **clips),
            c=node(encoder, clip=["t", 0], **inputs),
            k=node("KSamplerSelect", sampler_name="euler"),
            s=node("SDTurboScheduler", model=["p", 0], steps=2, denoise=1.0),
            l=node("EmptyLatentImage", width=64, height=64, batch_size=1),
            **{
                "5": node(
                    "SamplerCustom",
                    model=["p", 0],
                    add_noise=True,
                    noise_seed=1,
                    cfg=1.0,
                    positive=["c", 0],
                    negative=["c", 0],
                    sampler=["k", 0],
                    sigmas=["s", 0],
                    latent_image=["l", 0],
                )
            },
        )

    assert difference(sampled(graph("a red fox")), sampled(graph("night city"))) > SEEN


def test_one_clip_file_is_enough_for_aura_flow(sampled):
    graph = txt2img("a red fox")
    graph["t"] = node("CLIPLoader", clip_name="a.safetensors", type="lumina2")
    graph["p"] = node("ModelSamplingAuraFlow", model=["4", 0], shift=3.0)
    for encoder in ("6", "7"):
        graph[encoder]["inputs"]["clip"] = ["t", 0]
    graph["3"]["inputs"]["model"] = ["p", 0]

    assert difference(sampled(graph), sampled(txt2img("a red fox"))) == 0


@pytest.mark.parametrize("model_only", [False, True])
def test_a_lora_shows_by_its_strength(sampled, model_only):
    def graph(strength):
        graph = txt2img("a red fox")
        lora = {"model": ["4", 0], "lora_name": "style.safetensors", "strength_model": strength}
        graph["10"] = node("LoraLoaderModelOnly", **lora)
        if not model_only:
            graph["10"] = node("LoraLoader", **lora, clip=["4", 1], strength_clip=strength)
            graph["6"]["inputs"]["clip"] = ["10", 1]
        graph["3"]["inputs"]["model"] = ["10", 0]
        return graph

    plain = sampled(txt2img("a red fox"))

    assert difference(plain, sampled(graph(0.0))) == 0
    assert difference(plain, sampled(graph(1.0))) > 0.5


def advanced(*, start, end, leftover, latent, steps=20):
    return node(
        "KSamplerAdvanced",
        model=["4", 0],
        add_noise="enable",
        noise_seed=1,
        steps=steps,
        cfg=7.0,
        sampler_name="euler",
        scheduler="normal",
        positive=["6", 0],
        negative=["7", 0],
        latent_image=latent,
        start_at_step=start,
        end_at_step=end,
        return_with_leftover_noise=leftover,
    )


def test_a_second_pass_takes_the_noise_that_the_first_left(sampled):
    def graph(*, refined):
        graph = txt2img("a red fox")
        graph["3"] = advanced(start=0, end=8, leftover="enable", latent=["5", 0])
        if refined:
            graph["10"] = advanced(start=8, end=10000, leftover="disable", latent=["3", 0])
            graph["8"]["inputs"]["samples"] = ["10", 0]
        return graph

    whole = sampled(txt2img("a red fox", steps=20))

    assert difference(whole, sampled(graph(refined=False))) > difference(whole, sampled(graph(refined=True)))


def test_a_pass_that_starts_after_its_end_does_nothing(sampled):
    graph = txt2img()
    graph["3"] = advanced(start=30, end=10, leftover="disable", latent=["5", 0])

    assert sampled(graph).std() < 20


def test_an_encoded_picture_is_painted_over(sampled):
    graph = txt2img("night", size=(96, 96))
    graph["1"] = trivial(0xF0E0D0)["1"]
    graph["5"] = node("VAEEncode", pixels=["1", 0], vae=["4", 2])
    graph["3"]["inputs"]["denoise"] = 0.0
    kept = sampled(graph)
    graph["3"]["inputs"]["denoise"] = 0.5

    assert kept.shape == (64, 64, 3)
    assert (kept == (0xF0, 0xE0, 0xD0)).all()
    assert difference(kept, sampled(graph)) > SEEN
