"""Committed sheets: what is drawn today looks like them, and a lost label would be noticed."""

import io
import os

import pytest
from PIL import Image
from reference_sheets import (
    MOST_LOCAL,
    MOST_MEAN,
    SHAPED,
    SHEETS,
    as_reference,
    difference,
    drawn,
    reference_path,
)

from comfygen_mcp.sheets.pens import can_shape


def skip_without_shaping(name):
    if name in SHAPED and not can_shape():
        pytest.skip("FriBiDi is not installed: Pillow cannot shape text")


@pytest.mark.parametrize("name", SHEETS)
def test_a_sheet_looks_like_its_reference(name):
    skip_without_shaping(name)
    sheet = drawn(name)
    now = as_reference(sheet.full)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        now.save(reference_path(name), quality=90, method=6)
    before = Image.open(reference_path(name)).convert("RGB")

    assert now.size == before.size
    mean, local = difference(now, before)
    assert mean <= MOST_MEAN
    assert local <= MOST_LOCAL
    assert Image.open(io.BytesIO(sheet.full)).size == (sheet.width, sheet.height)
    assert Image.open(io.BytesIO(sheet.preview)).format == "WEBP"
    assert len(sheet.preview) <= 200_000


@pytest.mark.parametrize("name", ["two", "seven-with-failures", "twenty-four", "cjk"])
@pytest.mark.parametrize("lost", ["title", "subtitle", "reason"])
def test_a_lost_label_is_a_difference_from_the_reference(name, lost):
    cells = SHEETS[name].cells
    place = next((place for place, cell in enumerate(cells) if getattr(cell, lost)), None)
    if place is None:
        assert lost == "reason", "only a cell without a picture has no such label"
        return
    without = (*cells[:place], cells[place].model_copy(update={lost: ""}), *cells[place + 1 :])

    now = as_reference(drawn(name, cells=without).full)
    before = Image.open(reference_path(name)).convert("RGB")

    assert now.size != before.size or difference(now, before)[1] > MOST_LOCAL


def test_lost_letters_of_an_axis_are_a_difference_from_the_reference():
    now = as_reference(drawn("grid", column_labels=("4", "8", "12", "")).full)

    assert difference(now, Image.open(reference_path("grid")).convert("RGB"))[1] > MOST_LOCAL


def test_the_references_stay_small():
    sizes = [reference_path(name).stat().st_size for name in SHEETS]

    assert sum(sizes) < 1_500_000
