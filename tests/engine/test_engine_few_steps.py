"""How clean a picture is after few steps: spotless from a distilled model, rough from one that needs more."""

import numpy as np
import pytest

from comfygen_mcp.engine.nodes import registry
from comfygen_mcp.engine.nodes.distilled import is_distilled
from comfygen_mcp.engine.options import Dialect
from comfygen_mcp.engine.renderer import decode_latent, decode_video
from comfygen_mcp.engine.values import Conditioning, Latent, Lora, Model

NODES = registry(Dialect(old=False))
SIZE = (160, 128)
BAR = 16
FULL, FEW = Model("flux1-dev.safetensors"), Model("flux1-schnell.safetensors")


class Quiet:
    def step(self, value, total, preview):
        pass


def sampled(model, steps, *, latent=None, text="a ship on the sea at sunset"):
    (result,) = NODES["KSampler"].run(
        Quiet(), model=model, seed=1, steps=steps, cfg=1.0, sampler_name="euler", scheduler="simple",
        positive=Conditioning(text), negative=Conditioning(""), latent_image=latent or Latent(*SIZE, 1),
        denoise=1.0,
    )  # fmt: skip
    return result


def in_two_passes(high, low, steps):
    """Sample a video as Wan 2.2 does: one model for the first half of the steps, one for the other."""
    latent = Latent(*SIZE, 1, frames=9)
    for model, start, end, leftover in (
        (high, 0, steps // 2, "enable"),
        (low, steps // 2, 10000, "disable"),
    ):
        (latent,) = NODES["KSamplerAdvanced"].run(
            Quiet(), model=model, add_noise="enable", noise_seed=1, steps=steps, cfg=1.0,
            sampler_name="euler", scheduler="simple", positive=Conditioning("a ship on the sea at sunset"),
            negative=Conditioning(""), latent_image=latent, start_at_step=start, end_at_step=end,
            return_with_leftover_noise=leftover,
        )  # fmt: skip
    return latent


def roughness(picture):
    """The mean step between neighbouring pixels of the sky, which is smooth where no noise is left."""
    sky = picture[: SIZE[1] // 4].astype(np.int16)
    return float(np.abs(np.diff(sky, axis=1)).mean())


@pytest.mark.parametrize("steps", [1, 4, 8])
def test_a_distilled_model_leaves_no_noise(steps):
    few, many = (decode_latent(sampled(FEW, count))[0] for count in (steps, 30))

    assert (few[:-BAR] == many[:-BAR]).all()


def test_another_model_leaves_less_noise_with_every_step():
    rough = [roughness(decode_latent(sampled(FULL, steps))[0]) for steps in (1, 2, 4, 8, 20)]

    assert rough == sorted(rough, reverse=True)
    assert rough[0] > 3 * rough[4]
    assert rough[3] == rough[4]


def test_a_lora_for_few_steps_makes_any_model_clean():
    lightning = FULL.with_lora("sub/Lightning-4steps.safetensors", 1.0)

    clean, few, rough = (
        decode_latent(sampled(model, steps))[0][:-BAR]
        for model, steps in ((lightning, 30), (lightning, 2), (FULL, 2))
    )

    assert (few == clean).all()
    assert roughness(few) < roughness(rough) / 1.5


@pytest.mark.parametrize("lora", ["wan2.2_t2v_lightx2v_4steps_lora_v1.1_high_noise", "style"])
def test_a_video_of_two_short_passes_is_clean(lora):
    model = FULL.with_lora(lora, 1.0)
    few, many = (decode_video(in_two_passes(model, model, steps)) for steps in (4, 20))

    # The label tells the steps, and nothing else differs.
    assert all((few.paint(index)[:-BAR] == many.paint(index)[:-BAR]).all() for index in (0, 8))


def test_the_previews_of_two_passes_get_clearer_from_the_first_to_the_last(monkeypatch):
    told = []

    def seen(latent):
        told.append(latent.paintings[-1].leftover)
        return b""

    monkeypatch.setattr(Quiet, "step", lambda self, value, total, preview: preview())
    monkeypatch.setattr("comfygen_mcp.engine.nodes.passes._preview", seen)
    in_two_passes(FEW, FEW, 8)

    assert told == [0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125, 0.0]


@pytest.mark.parametrize(
    ("name", "distilled"),
    [
        ("flux1-schnell-fp8.safetensors", True), ("sd_xl_turbo_1.0_fp16.safetensors", True),
        ("z_image_turbo_bf16.safetensors", True), ("flux-2-klein-4b-fp8.safetensors", True),
        ("Qwen-Image-Edit-2511-Lightning-4steps-V1.0-bf16.safetensors", True), ("lcm-lora-sdv1-5", True),
        ("Hyper-SDXL-8steps-lora.safetensors", True), ("dmd2_sdxl_4step_lora.safetensors", True),
        ("DreamShaperXL_Turbo_v2.safetensors", True), ("ltxv-2b-0.9.6-distilled.safetensors", True),
        ("flux-2-klein-base-4b.safetensors", False), ("z_image_bf16.safetensors", False),
        ("flux1-dev-kontext_fp8_scaled.safetensors", False), ("hyperrealism_v3.safetensors", False),
        ("v1-5-pruned-emaonly-fp16.safetensors", False), ("turbo/realistic.safetensors", False),
        ("turbo\\realistic.safetensors", False), ("mystery-12000steps.safetensors", False),
        ("wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors", False),
    ],
)  # fmt: skip
def test_a_file_says_whether_it_was_made_for_few_steps(name, distilled):
    assert is_distilled(Model(name)) is distilled
    assert is_distilled(Model("any", (Lora(name, 0.8),))) is distilled
    assert not is_distilled(Model("any", (Lora(name, -0.8),)))
