"""Whatever is added, edited and asked for: an index answers as looking at everything does."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from index_entries import NOON, edit, entry, uuid7
from naive_index import NaiveIndex

from comfygen_mcp.index.base import Query

pytestmark = pytest.mark.anyio

WORDS = ("red", "castle", "cast", "casting", "blue", "cat", "sky")
word = st.sampled_from(WORDS)
prompts = st.lists(word, max_size=6).map(", ".join) | st.lists(word, max_size=6).map(" ".join)
names = st.sampled_from(("Ink", "ink", "glow", "flux.safetensors"))
tags = st.lists(st.sampled_from(("red", "Red", "blue sky", "cat")), max_size=3).map(tuple)
owners = st.sampled_from((None, "anna", "ben"))
scores = st.sampled_from((None, 0.0, 0.25, 0.9))
seeds = st.sampled_from((0, 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1))
numbers = st.integers(0, 11)
moments = numbers.map(lambda number: NOON + timedelta(seconds=number))
families = numbers.map(lambda number: uuid7(NOON, 900 + number % 3))

entries = st.builds(
    entry,
    numbers,
    prompt=prompts,
    negative_prompt=prompts,
    model=names,
    kind=st.sampled_from(("txt2img", "img2img")),
    preset=st.none() | names,
    loras=st.lists(names, max_size=2).map(tuple),
    tags=tags,
    seed=seeds,
    score=scores,
    owner=owners,
    shared=st.booleans(),
    group_id=st.none() | families,
    parent_id=st.none() | families,
)
edits = st.builds(
    lambda number, turn, **fields: edit(entry(number), turn, **fields),
    numbers,
    st.integers(0, 1000),
    tags=st.none() | tags,
    validation_score=scores,
    shared=st.none() | st.booleans(),
    deleted=st.sampled_from((False, False, False, True)),
)
steps = st.lists(
    st.tuples(st.just("add"), st.lists(entries, max_size=8))
    | st.tuples(st.just("edit"), st.lists(edits, max_size=4)),
    max_size=6,
)
terms = st.builds(
    lambda minus, words, star: (
        f"{minus}{words[0] if len(words) == 1 else chr(34) + ' '.join(words) + chr(34)}{star}"
    ),
    st.sampled_from(("", "", "-")),
    st.lists(word | st.sampled_from(("ca", "bl")), min_size=1, max_size=2),
    st.sampled_from(("", "*")),
)
queries = st.builds(
    Query,
    text=st.lists(terms, max_size=3).map(" ".join),
    contains=st.none() | st.sampled_from(("st", "ED, c", "cast", "t c", " ", "xy")),
    model=st.none() | names,
    lora=st.none() | names,
    preset=st.none() | names,
    kind=st.none() | st.sampled_from(("txt2img", "img2img")),
    tags=tags,
    seed=st.none() | seeds,
    seed_min=st.none() | seeds,
    seed_max=st.none() | seeds,
    score_min=scores,
    since=st.none() | moments,
    until=st.none() | moments,
    group_id=st.none() | families,
    parent_id=st.none() | families,
    visible_to=owners,
    sort=st.sampled_from(("newest", "relevance")),
)


async def paged(index, query, limit):
    """Return all entries, and what the first page said of their number."""
    page = first = await index.search(query, limit=limit, count=True)
    found = list(page.entries)
    while page.cursor is not None:
        page = await index.search(query, limit=limit, cursor=page.cursor)
        found.extend(page.entries)
    return found, first.total


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink an example takes longer than a test may
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # it begins by clearing the index
)
@given(steps=steps, asked=st.lists(queries, min_size=1, max_size=6), limit=st.integers(1, 9))
async def test_an_index_answers_as_looking_at_every_entry_does(index, steps, asked, limit):
    await index.clear()
    naive = NaiveIndex()
    for verb, given_ones in steps:
        await getattr(index, verb)(given_ones)
        getattr(naive, verb)(given_ones)

    for query in [*asked, Query()]:
        found, total = await paged(index, query, limit)
        expected = naive.search(query)
        if query.sort == "newest":
            assert found == expected
        else:
            assert sorted(e.id for e in found) == sorted(e.id for e in expected)
        assert total == len(expected)
        assert [e async for e in index.all_entries(query)] == expected
    assert await index.size() == len(naive.all())
    for facet in ("tag", "model", "lora", "preset", "kind"):
        for caller in (None, "anna"):
            counted = await index.counts(facet, visible_to=caller)
            assert {count.value.casefold(): count.entries for count in counted} == naive.counts(facet, caller)
