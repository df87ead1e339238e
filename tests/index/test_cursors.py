"""Cursors come back as they were given, and only to the same search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import Query
from comfygen_mcp.index.cursors import Position, cursor_of, position_of

numbers = st.integers(-(2**63), 2**63 - 1)
positions = st.builds(Position, numbers, numbers, st.floats(allow_nan=False))


@given(positions)
def test_a_cursor_leads_back_to_its_position(position):
    query = Query(text="castle", tags=("a",), seed=2**64 - 1)

    cursor = cursor_of(position, query)

    assert position_of(cursor, query) == position
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(positions, st.integers(0, 42), st.integers(1, 255))
def test_a_changed_cursor_is_refused(position, place, change):
    query = Query()
    cursor = cursor_of(position, query)
    other = chr((ord(cursor[place]) + change) % 128)

    if other != cursor[place]:
        with pytest.raises(BadRequest, match="belongs to another search, or was changed"):
            position_of(cursor[:place] + other + cursor[place + 1 :], query)
