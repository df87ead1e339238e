"""The Range header, case by case, and against a slice of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygen_mcp.server.ranges import Unsatisfiable, wanted_span


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-", 0, 99),
        ("bytes=10-19", 10, 19),
        ("bytes=99-99", 99, 99),
        ("bytes=90-500", 90, 99),
        ("bytes=-1", 99, 99),
        ("bytes=-500", 0, 99),
        (" Bytes = 5 - 6 ", 5, 6),
    ],
)
def test_one_range_is_understood(header, first, last):
    span = wanted_span(header, 100)

    assert (span.first, span.last) == (first, last)
    assert span.content_range == f"bytes {first}-{last}/100"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-4",
        "items=0-1",
        "bytes=0-1,3-4",
        "bytes=0x1-2",
        "0-1",
    ],
)
def test_anything_else_means_the_whole_file(header):
    assert wanted_span(header, 100) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=100-", 100), ("bytes=200-300", 100), ("bytes=-0", 100), ("bytes=0-", 0)]
)
def test_a_range_without_a_byte_is_refused(header, size):
    with pytest.raises(Unsatisfiable):
        wanted_span(header, size)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 60), st.integers(0, 60))
def test_a_span_is_the_slice_of_the_same_bounds(data, first, last):
    try:
        span = wanted_span(f"bytes={first}-{last}", len(data))
    except Unsatisfiable:
        assert first >= len(data)
        return
    if span is None:
        assert last < first
    else:
        assert data[span.first : span.last + 1] == data[first : last + 1]
        assert span.length == len(data[first : last + 1])
