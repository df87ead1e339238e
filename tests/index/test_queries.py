"""Queries from raw values: read generously, refused by name."""

import math
from datetime import UTC, datetime

import pytest

from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.index.base import Query
from comfygen_mcp.index.queries import query_of


def test_values_become_a_query_and_none_means_not_given():
    query = query_of(
        {
            "text": "castle",
            "contains": None,
            "tags": ["a", "b"],
            "seed": "18446744073709551615",
            "since": "2026-11-20",
            "until": "2026-11-21T08:30Z",
            "kind": "img2img",
            "sort": None,
        }
    )

    assert query == Query(
        text="castle",
        tags=("a", "b"),
        seed=2**64 - 1,
        since=datetime(2026, 11, 20),  # noqa: DTZ001  (a date without a zone is UTC everywhere in the index)
        until=datetime(2026, 11, 21, 8, 30, tzinfo=UTC),
        kind="img2img",
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"text": "x" * 10_000}, "text has 10,000 characters, and at most 2,000"),
        ({"contains": "x" * 2_001}, "contains has 2,001 characters"),
        ({"text": "\ud800"}, r"text cannot be '\\ud800'"),
        ({"text": 5}, "text cannot be 5"),
        ({"kind": "txt2pic"}, "Unknown kind 'txt2pic'. Did you mean 'txt2img'"),
        ({"media": "film"}, "Unknown media 'film'"),
        ({"sort": "best"}, "Unknown sort 'best'"),
        ({"seed": -1}, "seed must be a whole number from 0 to 18446744073709551615, not -1"),
        ({"seed_max": 2**64}, "seed_max must be a whole number"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"since": "yesterday"}, "since must be a date such as 2026-11-20"),
        ({"until": [1]}, "until must be a date such as"),
        ({"modell": "x"}, "Unknown search filter 'modell'. Did you mean 'model'"),
        ({"tags": "a"}, "tags cannot be 'a'"),
        ({"model": "x" * 500, "score_min": {}}, "score_min cannot be {}"),
        ({"seed_min": 5, "seed_max": 4}, "seed_min 5 is above seed_max 4"),
        ({"since": "2026-11-20", "until": "2026-11-20T00:00Z"}, "is not before until"),
    ],
)
def test_values_that_cannot_be_used_are_refused_by_name(values, message):
    with pytest.raises(BadRequest, match=message) as refused:
        query_of(values)
    assert len(str(refused.value)) < 600


def test_a_choice_that_does_not_exist_names_those_that_do():
    with pytest.raises(UnknownName) as refused:
        query_of({"sort": "newst"})

    assert refused.value.known == ("newest", "relevance")


def test_a_score_that_is_no_number_finds_nothing_and_is_no_error():
    assert math.isnan(query_of({"score_min": float("nan")}).score_min)
