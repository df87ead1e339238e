"""Where things stand on a sheet: inside it, apart from each other, with even margins."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygen_mcp.sheets.layout import (
    ALONE_EDGE,
    FLATTEST,
    MAX_EDGE,
    MIN_CARD,
    MIN_EDGE,
    MIN_WIDTH,
    Box,
    Measures,
    arrange,
    card_width_for,
    columns_for,
    content_width,
    edge_for,
    fitted,
    well_for,
)
from comfygen_mcp.sheets.theme import GAP, MARGIN

sizes = st.tuples(st.integers(1, 9000), st.integers(1, 9000))
measures = st.builds(
    lambda count, columns, heads, **rest: Measures(
        count=count, columns=min(count, columns), **(heads or {}), **rest
    ),
    count=st.integers(1, 60),
    columns=st.integers(1, 12),
    heads=st.none()
    | st.fixed_dictionaries(
        {
            "column_axis_height": st.integers(0, 60),
            "column_head_height": st.integers(20, 100),
            "row_head_width": st.integers(0, 220),
        }
    ),
    card_width=st.integers(MIN_CARD, 600),
    well_height=st.integers(60, 600),
    label_height=st.integers(0, 200),
    header_height=st.integers(0, 300),
    note_height=st.integers(0, 90),
)


def boxes(plan):
    every = (
        *(plan.header, plan.column_axis, plan.corner, plan.note),
        *(cell.card for cell in plan.cells),
        *plan.column_heads,
        *plan.row_heads,
    )
    return [box for box in every if box.width and box.height]


def overlap(one, other):
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


@given(measures)
def test_nothing_overlaps_and_everything_is_inside_the_margins(needs):
    plan = arrange(needs)
    placed = boxes(plan)

    for place, box in enumerate(placed):
        assert box.x >= MARGIN
        assert box.y >= MARGIN
        assert box.right <= plan.width - MARGIN
        assert box.bottom <= plan.height - MARGIN
        assert not any(overlap(box, other) for other in placed[place + 1 :])


@given(measures)
def test_margins_are_even_on_all_four_sides(needs):
    plan = arrange(needs)
    placed = boxes(plan)

    assert min(box.x for box in placed) == MARGIN
    assert max(box.right for box in placed) == plan.width - MARGIN
    assert min(box.y for box in placed) == MARGIN
    assert max(box.bottom for box in placed) == plan.height - MARGIN


@given(measures)
def test_cards_are_equal_and_equally_far_apart(needs):
    plan = arrange(needs)
    cards = [cell.card for cell in plan.cells]

    assert len({(card.width, card.height) for card in cards}) == 1
    for place, (card, following) in enumerate(pairwise(cards), start=1):
        if place % needs.columns:
            assert (following.x - card.right, following.y) == (GAP, card.y)
        else:
            assert (following.x, following.y - card.bottom) == (cards[0].x, GAP)
    for cell in plan.cells:
        assert (cell.well.y, cell.well.bottom) == (cell.card.y, cell.label.y)
        assert cell.label.bottom == cell.card.bottom


@given(measures)
def test_heads_stand_over_their_columns_and_beside_their_rows(needs):
    plan = arrange(needs)

    for head, cell in zip(plan.column_heads, plan.cells, strict=False):
        assert (head.x, head.width) == (cell.card.x, cell.card.width)
        assert head.bottom <= cell.card.y
    for head, cell in zip(plan.row_heads, plan.cells[:: needs.columns], strict=True):
        assert (head.y, head.height) == (cell.well.y, cell.well.height)


@given(sizes, st.integers(40, 700), st.integers(40, 700))
def test_a_picture_fits_its_place_whole_and_in_the_middle(size, width, height):
    well = Box(10, 20, width, height)
    place = fitted(size, well)

    assert well.x <= place.x < place.right <= well.right
    assert well.y <= place.y < place.bottom <= well.bottom
    assert abs((place.x - well.x) - (well.right - place.right)) <= 1
    assert abs((place.y - well.y) - (well.bottom - place.bottom)) <= 1
    scale = min(width / size[0], height / size[1], 2)
    assert abs(place.width - size[0] * scale) <= 1
    assert abs(place.height - size[1] * scale) <= 1


@given(st.lists(sizes, max_size=30), st.integers(1, 256))
def test_the_common_place_holds_every_picture_at_one_scale(many, count):
    edge = edge_for(count, many)
    well = well_for(edge, many)

    assert MIN_EDGE <= edge <= (MAX_EDGE if count > 1 else ALONE_EDGE)
    assert edge >= max(well) >= min(well) >= int(edge * FLATTEST)
    for width, height in many:
        assert round(width / max(width, height) * edge) <= well[0]
        assert round(height / max(width, height) * edge) <= well[1]


@given(st.integers(1, 256), st.integers(100, 600), st.integers(100, 700))
def test_every_row_has_a_cell(count, width, height):
    columns = columns_for(count, (width, height))

    assert 1 <= columns <= count


@pytest.mark.parametrize(
    ("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (6, 3), (7, 4), (8, 4), (9, 3), (12, 4), (24, 6)]
)
def test_square_pictures_stand_in_as_many_columns_as_a_person_would_choose(count, columns):
    edge = edge_for(count, [(1024, 1024)])

    assert columns_for(count, (edge, edge + 90)) == columns


def test_two_wide_pictures_stand_one_above_the_other():
    assert columns_for(2, (512, 290)) == 1


@given(st.integers(1, 20), st.integers(50, 512), st.integers(0, 220))
def test_the_header_always_has_room(columns, well_width, row_head_width):
    width = card_width_for(columns, well_width, row_head_width)

    assert width >= max(well_width, MIN_CARD)
    assert content_width(columns, width, row_head_width) + 2 * MARGIN >= MIN_WIDTH
