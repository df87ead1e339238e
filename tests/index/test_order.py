"""The numbers that sort entries."""

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from index_entries import NOON, uuid7

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.order import HIGHEST_RID, LOWEST_RID, microseconds, rid_of, rids_between, uuid_of

AN_ID = uuid.UUID(uuid7(NOON, 5))
moments = st.datetimes(datetime(1900, 1, 1), datetime(2240, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (the strategy adds the zone)


@given(moments, moments)
def test_numbers_are_in_the_order_of_time(first, second):
    if microseconds(first) // 1000 < microseconds(second) // 1000:
        assert rid_of(AN_ID, first) < rid_of(AN_ID, second)
    assert LOWEST_RID <= rid_of(AN_ID, first) <= HIGHEST_RID


@given(moments)
def test_a_span_holds_its_beginning_and_not_its_end(moment):
    later = moment + timedelta(milliseconds=1)
    low, high = rids_between(moment, later)

    assert low <= rid_of(AN_ID, moment) <= high
    assert not low <= rid_of(AN_ID, later) <= high


@pytest.mark.parametrize("year", [1, 9999])
def test_far_times_stay_within_64_bits(year):
    moment = datetime(year, 6, 1, tzinfo=UTC)

    assert LOWEST_RID <= rid_of(AN_ID, moment) <= HIGHEST_RID
    assert all(LOWEST_RID <= rid <= HIGHEST_RID for rid in rids_between(moment, moment))


def test_zones_are_respected_and_none_means_utc():
    east = NOON.astimezone(timezone(timedelta(hours=9)))

    assert microseconds(east) == microseconds(NOON) == microseconds(NOON.replace(tzinfo=None))


def test_a_text_that_is_no_uuid_is_named():
    with pytest.raises(BadRequest, match="'nonsense' is not a generation id"):
        uuid_of("nonsense")
