"""Mask nodes, by the values they give."""

import numpy as np
import pytest

from comfygen_mcp.engine.nodes.masks import NODES, grown
from comfygen_mcp.engine.task import NodeFailure

RUN = {node.name: node.run for node in NODES}
DOT = np.zeros((1, 5, 5), np.float32)
DOT[0, 2, 2] = 1


class Quiet:
    def check_interrupt(self):
        pass


def run(name, **inputs):
    (result,) = RUN[name](Quiet(), **inputs)
    return result


def test_a_solid_mask_has_one_value_and_its_inverse_the_rest():
    mask = run("SolidMask", value=0.25, width=3, height=2)

    assert mask.shape == (1, 2, 3)
    assert (run("InvertMask", mask=mask) == 0.75).all()


@pytest.mark.parametrize(("tapered", "count"), [(True, 5), (False, 9)])
def test_a_mask_grows_by_a_pixel_with_or_without_its_corners(tapered, count):
    assert run("GrowMask", mask=DOT, expand=1, tapered_corners=tapered).sum() == count


def test_a_negative_growth_shrinks_and_takes_back_what_grew():
    larger = run("GrowMask", mask=DOT, expand=2, tapered_corners=False)

    assert larger.sum() == 25
    assert (
        run("GrowMask", mask=larger[:, 1:4, 1:4] * DOT[:, 1:4, 1:4], expand=-1, tapered_corners=False) == 0
    ).all()


def test_growing_further_than_the_mask_is_large_ends():
    assert grown(DOT, 16384, square=True).all()


def test_a_feathered_edge_rises_to_the_value_of_the_mask():
    mask = run("FeatherMask", mask=np.ones((1, 4, 6), np.float32), left=2, top=0, right=3, bottom=0)

    assert np.allclose(mask[0, 1], [0.5, 1, 1, 1, 2 / 3, 1 / 3])


def test_a_feather_wider_than_the_mask_still_reaches_its_end():
    mask = run("FeatherMask", mask=np.ones((1, 2, 4), np.float32), left=0, top=9, right=0, bottom=0)

    assert np.allclose(mask[0, :, 0], [0.5, 1])


@pytest.mark.parametrize(
    ("operation", "expected"),
    [("add", 1.0), ("subtract", 0.2), ("multiply", 0.48), ("and", 1.0), ("or", 1.0), ("xor", 0.0)],
)
def test_masks_are_combined_where_they_overlap(operation, expected):
    destination, source = np.full((1, 4, 4), 0.8, np.float32), np.full((1, 2, 2), 0.6, np.float32)

    mask = run("MaskComposite", destination=destination, source=source, x=3, y=1, operation=operation)

    assert np.allclose(mask[0, 1:3, 3], expected)
    assert np.allclose(mask[0, :, :3], 0.8)
    assert (destination == np.float32(0.8)).all()


def test_a_cut_starts_at_the_last_pixel_at_most():
    assert run("CropMask", mask=DOT, x=99, y=2, width=9, height=1).shape == (1, 1, 1)


def test_a_threshold_makes_a_mask_of_zeros_and_ones():
    assert run("ThresholdMask", mask=DOT * 0.6, value=0.5).sum() == 1


def test_masks_become_grey_pictures_and_channels_masks():
    picture = run("MaskToImage", mask=DOT)

    assert picture.dtype == np.uint8
    assert (picture[0, 2, 2] == 255).all()
    assert (run("ImageToMask", image=picture, channel="green") == DOT).all()


def test_a_picture_without_alpha_has_no_alpha_channel_to_take():
    with pytest.raises(NodeFailure, match="no alpha channel"):
        run("ImageToMask", image=run("MaskToImage", mask=DOT), channel="alpha")
