"""Batches of latents, and inpainting latents, by the pictures that come out."""

from dataclasses import replace

import numpy as np
import pytest

from comfygen_mcp.engine.nodes import registry
from comfygen_mcp.engine.options import Dialect
from comfygen_mcp.engine.renderer import decode_latent, paint_latent
from comfygen_mcp.engine.task import NodeFailure
from comfygen_mcp.engine.values import Clip, Conditioning, Guider, Latent, Model, Painting, Vae

NODES = registry(Dialect(old=False))
BASE = np.stack([np.full((64, 96, 3), value, np.uint8) for value in (40, 200)])
ENCODED = Latent(96, 64, 2, base=BASE)


def run(name, task=None, **inputs):
    result = NODES[name].run(task, **inputs)
    return result[0] if len(result) == 1 else result


def painted(latent, text="a red fox"):
    guider = Guider(Model("m"), Conditioning(text), Conditioning(""), 7.0)
    return latent.painted(Painting(guider, 1, 20, "euler", 1.0, 0.0))


def greys(latent):
    return paint_latent(latent)[:, 0, 0, 0].tolist()


def test_an_encoded_batch_is_repeated_and_taken_apart():
    repeated = run("RepeatLatentBatch", samples=ENCODED, amount=2)

    assert greys(repeated) == [40, 200, 40, 200]
    assert greys(run("LatentFromBatch", samples=repeated, batch_index=1, length=2)) == [200, 40]
    assert greys(run("LatentFromBatch", samples=Latent(96, 64, 3), batch_index=1, length=1)) == [117]


def test_what_a_sampler_painted_is_repeated_as_it_is_and_keeps_its_label():
    sampled = painted(Latent(96, 64, 1))

    repeated = decode_latent(run("RepeatLatentBatch", samples=sampled, amount=2))

    assert (repeated[0] == repeated[1]).all()
    assert (repeated[:1] == decode_latent(sampled)).all()


def test_two_batches_are_joined_at_the_size_of_the_first():
    joined = run("LatentBatch", samples1=ENCODED, samples2=painted(Latent(32, 32, 1)))

    assert (joined.count, joined.width, joined.height) == (3, 96, 64)
    assert greys(joined)[:2] == [40, 200]
    assert joined.author is not None


def test_sampled_videos_are_not_taken_apart_as_latents():
    video = painted(Latent(96, 64, 1, frames=9))

    with pytest.raises(NodeFailure, match="decode the latent first"):
        run("RepeatLatentBatch", samples=video, amount=2)


class Quiet:
    def check_interrupt(self):
        pass


def middle_mask():
    mask = np.zeros((1, 64, 96), np.float32)
    mask[:, 16:48, 32:64] = 1
    return mask


def test_only_what_the_mask_covers_is_painted_anew():
    latent = run("SetLatentNoiseMask", samples=ENCODED, mask=middle_mask())

    pixels = paint_latent(painted(latent))

    covered = middle_mask()[0] > 0
    assert (pixels[0][~covered] == 40).all()
    assert (pixels[1][~covered] == 200).all()
    assert (pixels[0][covered] != 40).mean() > 0.5


def test_a_mask_without_anything_covered_changes_nothing():
    latent = run("SetLatentNoiseMask", samples=ENCODED, mask=np.zeros((1, 64, 64), np.float32))

    assert greys(painted(latent)) == [40, 200]


def test_encoding_for_inpainting_hides_what_is_to_be_painted_and_grows_the_mask():
    latent = run(
        "VAEEncodeForInpaint", Quiet(), pixels=BASE, vae=Vae("v"), mask=middle_mask(), grow_mask_by=6
    )

    assert (latent.base[0, 20, 40] == 128).all()
    assert (latent.base[0, 0, 0] == 40).all()
    assert latent.mask.sum() == 38 * 38


def test_inpaint_conditioning_masks_with_or_without_a_noise_mask():
    given = {"positive": Conditioning("a"), "negative": Conditioning("b"), "vae": Vae("v")}
    odd = np.zeros((1, 70, 100, 3), np.uint8)
    mask = np.ones((1, 35, 50), np.float32)

    for noise_mask in (True, False):
        positive, negative, latent = run(
            "InpaintModelConditioning", Quiet(), **given, pixels=odd, mask=mask, noise_mask=noise_mask
        )
        assert (positive.text, negative.text) == ("a", "b")
        assert latent.mask.shape == latent.base.shape[:3] == (1, 64, 96)


def test_references_are_gathered_in_their_order():
    first, second = BASE[:1], BASE[1:]
    words = run("TextEncodeQwenImageEditPlus", clip=Clip("c"), prompt="p", image1=first, image3=second)

    more = run("ReferenceLatent", conditioning=words, latent=replace(ENCODED, base=first))
    kept = run("FluxKontextMultiReferenceLatentMethod", conditioning=more, reference_latents_method="index")

    assert [reference[0, 0, 0, 0] for reference in kept.references] == [40, 200, 40]
    assert run("TextEncodeQwenImageEdit", clip=Clip("c"), prompt="p", image=first).references == (first,)
    assert run("TextEncodeQwenImageEdit", clip=Clip("c"), prompt="p").references == ()
    assert run("ReferenceLatent", conditioning=words, latent=Latent(8, 8, 1)) == words
    assert run("ReferenceLatent", conditioning=words) == words


def test_conditionings_are_joined_and_clip_vision_passes_the_picture_on():
    joined = run(
        "ConditioningCombine", conditioning_1=Conditioning("a fox"), conditioning_2=Conditioning("snow")
    )

    assert joined.text == "a fox, snow"
    vision = run("CLIPVisionLoader", clip_name="v")
    assert run("CLIPVisionEncode", clip_vision=vision, image=BASE, crop="center") is BASE
    assert run("CLIPSetLastLayer", clip=Clip("c"), stop_at_clip_layer=-2) == Clip("c")
