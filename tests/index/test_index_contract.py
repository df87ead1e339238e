"""What every index does, whatever holds it."""

import re
from datetime import datetime, timedelta

import pytest
from index_entries import NOON, edit, entry, uuid7

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import COUNTED, MAX_PAGE, MAX_TEXT, Count, Query, Reading

pytestmark = pytest.mark.anyio


async def pages(index, query, limit):
    """Return the entries of all pages, one after the other."""
    found, cursor = [], None
    while True:
        page = await index.search(query, limit=limit, cursor=cursor)
        assert len(page.entries) <= limit
        found.extend(page.entries)
        if page.cursor is None:
            return found
        cursor = page.cursor


# Entries


async def test_an_entry_comes_back_as_it_was_added(index):
    whole = entry(
        3,
        created_at=NOON + timedelta(microseconds=123_457),
        prompt="Ein Schloß, 猫 and 🔥\n\ttabs 'quotes' \"double\" \\ %_",
        negative_prompt="blurry",
        preset="quality",
        style="anime",
        loras=("a.safetensors", 'größe, "x".safetensors'),
        seed=2**64 - 1,
        group_id=uuid7(NOON, 5),
        parent_id=uuid7(NOON, 6),
        owner="Anna",
        score=0.75,
        tags=("favourite", "to print"),
        shared=True,
        preview_engine=False,
    )
    bare = entry(4, seed=0, steps=None, cfg=None, sampler=None, scheduler=None, width=None, height=None)
    odd = entry(5, sha256="unknown", job_id="job-5", group_id="a group", model="")

    await index.add([whole, bare, odd])

    assert await index.get(whole.id) == whole
    assert await index.get(bare.id) == bare
    assert await index.get(odd.id) == odd
    assert (await index.search(Query(), limit=3)).entries == (odd, bare, whole)


async def test_half_characters_hide_nothing_and_come_back_as_text(index, ids):
    strange = entry(
        1, prompt="a fox \ud83d", tags=("\ude00", "red"), model="m\udfff", owner="\ud800", loras=("\ud83d",)
    )
    await index.add([strange, entry(2, prompt="another fox")])
    await index.add([strange])
    await index.edit([edit(strange, shared=True)])

    assert await ids(text="fox") == [entry(2).id, strange.id]
    assert await ids(tags=("red",)) == [strange.id]
    back = await index.get(strange.id)
    assert re.sub(r"[\ud800-\udfff]", "\ufffd", back.prompt) == "a fox \ufffd"
    assert await index.size() == 2
    assert len(await index.counts("model")) == 2


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00"])
async def test_times_at_the_ends_of_the_calendar_hide_nothing(index, ids, moment):
    far = entry(1).model_copy(update={"created_at": datetime.fromisoformat(moment)})
    await index.add([far, entry(2)])
    await index.edit([edit(far, tags=("far",))])

    assert set(await ids()) == {far.id, entry(2).id}
    assert await ids(tags=("far",)) == [far.id]
    back = await index.get(far.id)
    assert abs(back.created_at - far.created_at) <= timedelta(hours=14)
    assert [
        each.id async for each in index.all_entries(Query(since=NOON, until=NOON + timedelta(hours=1)))
    ] == [entry(2).id]


async def test_an_empty_index_answers_everything_with_nothing(index):
    assert await index.get(uuid7(NOON)) is None
    assert await index.get("no id") is None
    page = await index.search(Query(text="castle", model="x", visible_to="anna"), limit=5, count=True)
    assert (page.entries, page.cursor, page.total, page.more) == ((), None, 0, False)
    assert (await index.search(Query(text="-castle"), limit=5)).entries == ()
    assert await index.counts("model") == []
    assert await index.counts("model", visible_to="anna") == []
    assert await index.size() == 0
    assert await index.beginning_with("01", limit=5) == []
    assert [one async for one in index.all_entries(Query())] == []
    assert await index.reading() == Reading()


async def test_adding_again_changes_nothing_and_another_version_replaces(index):
    first, second = entry(1, prompt="a red castle", tags=("old",)), entry(2, prompt="a red castle")
    await index.add([first, second])
    await index.add([first, second, second])
    assert await index.size() == 2

    other = first.model_copy(update={"prompt": "a blue bridge", "tags": (), "model": "flux.safetensors"})
    await index.add([other])

    assert await index.size() == 2
    assert await index.get(first.id) == other
    assert [e.id for e in (await index.search(Query(text="castle"), limit=5)).entries] == [second.id]
    assert [e.id for e in (await index.search(Query(text="bridge"), limit=5)).entries] == [first.id]
    assert await index.counts("tag") == []
    assert await index.counts("model") == [
        Count(value="flux.safetensors", entries=1),
        Count(value="sd15.safetensors", entries=1),
    ]


async def test_an_id_that_is_no_uuid_is_refused_before_anything_is_added(index):
    with pytest.raises(BadRequest, match="'abc' is not a generation id"):
        await index.add([entry(1), entry(2, id="abc")])
    with pytest.raises(BadRequest, match="'abc' is not a generation id"):
        await index.edit([edit(entry(1), tags=("x",)), edit("abc", tags=("x",))])

    assert await index.size() == 0


async def test_ids_are_found_in_capitals_and_without_dashes(index):
    one = entry(1)
    await index.add([one])

    assert await index.get(one.id.upper()) == one
    assert await index.get(one.id.replace("-", "")) == one


async def test_many_entries_of_one_millisecond_and_one_ending_are_kept_apart(index):
    same = [entry(n, created_at=NOON, id=uuid7(NOON, (n << 24) | 0xFFFFF)) for n in range(30)]
    await index.add(same)

    assert await index.size() == 30
    found = await pages(index, Query(), 7)
    assert {e.id for e in found} == {e.id for e in same}
    assert len(found) == 30


# Text


CASTLES = (
    "a red castle on a hill",
    "a blue castle, red sky",
    "the castles of Éire, art nouveau",
    "a cat in a forest",
    "don't look: sci-fi city (neon:1.2), <lora:glow_up:0.8>",
    "桜の下の黒猫、夜",
    "красный ЖИРАФ на холме",
    "hot 🔥🐉 👩‍🚀 picture",
    "สวัสดีชาวโลก",
    "고양이가 잔다",
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("castle", {0, 1}),
        ("CASTLE red", {0, 1}),
        ('"red castle"', {0}),
        ('"castle red"', {1}),
        ("cas*", {0, 1, 2}),
        ("castle*", {0, 1, 2}),
        ('"red ca"*', {0}),
        ('"red ca*"', set()),
        ("castle -hill", {1}),
        ('castle -"red sky"', {0}),
        ("-ca* -city", {5, 6, 7, 8, 9}),
        ("eire", {2}),
        ("ÉIRE", {2}),
        ("don't", {4}),
        ("sci-fi", {4}),
        ("sci fi -castle", {4}),
        ("neon:1.2", {4}),
        ("glow_up", {4}),
        ("猫", {5}),
        ("黒猫", {5}),
        ("猫黒", set()),
        ("桜 夜", {5}),
        ("жираф", {6}),
        ("Красный жир*", {6}),
        ("🔥", {7}),
        ("🐉 🔥", {7}),
        ("🐉🔥", set()),
        ("👩‍🚀", {7}),
        ("🚀", {7}),
        ("ชาว", {8}),
        ("고양이", {9}),
        ("castle OR cat", set()),
        ("NOT cat", set()),
        ("  ", set(range(10))),
        ("", set(range(10))),
    ],
)
async def test_text_finds(index, text, found):
    entries = [entry(n, prompt=prompt) for n, prompt in enumerate(CASTLES)]
    await index.add(entries)

    matches = (await index.search(Query(text=text), limit=50)).entries

    assert {e.seed for e in matches} == found


async def test_text_is_looked_for_in_prompt_negative_prompt_and_tags_but_not_across_them(index):
    await index.add(
        [
            entry(1, prompt="red castle"),
            entry(2, negative_prompt="red castle"),
            entry(3, tags=("red castle",)),
            entry(4, tags=("red", "castle")),
            entry(5, prompt="red", negative_prompt="castle", tags=("hill",)),
        ]
    )

    words = await index.search(Query(text="red castle"), limit=9)
    phrase = await index.search(Query(text='"red castle"'), limit=9)

    assert [e.seed for e in words.entries] == [5, 4, 3, 2, 1]
    assert [e.seed for e in phrase.entries] == [3, 2, 1]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('castle" OR 1=1 --', 0),
        ("'; DROP TABLE entry; --", 0),
        ("NEAR(castle hill, 2) AND prompt : x", 0),
        ("^castle + hill", 1),
        ("{prompt tags}: castle", 0),
        ('a""on"a', 1),
        ("* castle", 1),
        ("castle*\0hill*", 0),
        ("castle hill\0", 1),
        ("\\ % _ $$ castle", 1),
        ("facets:castle", 0),
        (" ".join(["castle"] * 285), 1),
        (" ".join(f"castle{n}" for n in range(185)), 0),
        ("城" * MAX_TEXT, 0),
        (("ab " * MAX_TEXT)[:MAX_TEXT], 0),
        (" ".join(f"-w{n}" for n in range(300)), 1),
        ('"' * (MAX_TEXT - 6) + "castle", 1),
        ("\U000f0000 castle \ue000", 1),
    ],
)
async def test_syntax_of_databases_is_plain_text(index, text, found):
    await index.add([entry(1, prompt="a castle on a hill")])

    for sort in ("newest", "relevance"):
        page = await index.search(Query(text=text, sort=sort), limit=5, count=True)
        assert page.total == len(page.entries) == found
    assert await index.size() == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!! ...", "holds no word to look for"),
        ('""', "holds no word to look for"),
        ("-", "holds no word to look for"),
        ("castle a*", r"'a\*' begins too many words"),
    ],
)
async def test_text_that_cannot_be_looked_for_is_refused(index, text, message):
    with pytest.raises(BadRequest, match=message):
        await index.search(Query(text=text), limit=5)


# Pieces of the prompt


@pytest.mark.parametrize(
    ("piece", "found"),
    [
        ("ed cas", {0}),
        ("ED CAS", {0}),
        ("castle", {0, 1, 2}),
        ("e, r", {1}),
        ("'", {4}),
        ("_up", {4}),
        ("%", set()),
        ("_", {4}),
        ("の下の黒", {5}),
        ("ЫЙ жир", {6}),
        ("🔥🐉", {7}),
        ("ÉIRE", {2}),
        ("eire", set()),
        ("hill\0", set()),
        ("!", set()),
    ],
)
async def test_contains_finds_any_piece_of_the_prompt(index, piece, found):
    await index.add([entry(n, prompt=prompt, tags=("ed cas",)) for n, prompt in enumerate(CASTLES)])

    matches = (await index.search(Query(contains=piece), limit=50)).entries

    assert {e.seed for e in matches} == found


# Filters


async def test_each_filter_leaves_what_has_its_value(index, ids):
    made = entry(
        1,
        prompt="a castle",
        kind="img2img",
        media="video",
        model="Flux.safetensors",
        backend="flux-schnell",
        workflow="flux.json",
        preset="Quality",
        style="Anime",
        loras=("Ink.safetensors", "glow.safetensors"),
        tags=("Favourite", "to print"),
        score=0.5,
        job_id=uuid7(NOON, 77),
        group_id=uuid7(NOON, 78),
        parent_id=uuid7(NOON, 79),
    )
    await index.add([made, entry(2, prompt="a castle")])

    for filters in (
        {"kind": "img2img"},
        {"media": "video"},
        {"model": "flux.SAFETENSORS"},
        {"backend": "Flux-Schnell"},
        {"workflow": "FLUX.json"},
        {"preset": "quality"},
        {"style": "ANIME"},
        {"lora": "ink.safetensors"},
        {"lora": "GLOW.safetensors"},
        {"tags": ("favourite",)},
        {"tags": ("TO PRINT", "favourite")},
        {"score_min": 0.5},
        {"job_id": made.job_id.upper()},
        {"group_id": made.group_id},
        {"parent_id": made.parent_id},
        {"seed": 1},
        {"seed_max": 1},
    ):
        assert await ids(**filters) == [made.id], filters
        assert await ids(text="castle", contains="astl", **filters) == [made.id], filters
        assert await ids(text="bridge", **filters) == [], filters


@pytest.mark.parametrize(
    "filters",
    [
        {"model": "flux"},
        {"model": "sd15.safetensor"},
        {"lora": "none"},
        {"tags": ("a", "b")},
        {"tags": ("",)},
        {"job_id": "nothing"},
        {"parent_id": ""},
        {"score_min": 0.0},
        {"kind": "upscale"},
        {"seed": 2**64 - 1},
        {"model": "' OR 1=1 --"},
        {"seed_min": 5, "seed_max": 4},
    ],
)
async def test_a_filter_that_nothing_has_finds_nothing(index, ids, filters):
    await index.add([entry(n, tags=("a",)) for n in range(10)])

    assert await ids(**filters) == []


async def test_seeds_are_exact_and_in_order_over_all_64_bits(index, ids):
    seeds = [0, 1, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1]
    entries = [entry(n, seed=seed) for n, seed in enumerate(seeds)]
    await index.add(entries)

    for one in entries:
        assert await ids(seed=one.seed) == [one.id]
    assert await ids(seed_min=2**63) == [e.id for e in reversed(entries[5:])]
    assert await ids(seed_max=2**63 - 1) == [e.id for e in reversed(entries[:5])]
    assert await ids(seed_min=1, seed_max=2**53) == [entries[2].id, entries[1].id]
    assert await ids(seed=1, seed_min=2) == []


async def test_a_filter_that_thousands_have_is_answered_in_order_too(index, ids):
    entries = [entry(n, seed=n * 3, score=n / 2000, group_id=uuid7(NOON, 9)) for n in range(1500)]
    await index.add(entries)
    expected = [e.id for e in reversed(entries)]

    assert await ids(limit=20, seed_min=0) == expected[:20]
    assert await ids(limit=20, seed_min=3000, seed_max=3300) == expected[399:419]
    assert await ids(limit=20, score_min=0.1) == expected[:20]
    assert await ids(limit=20, score_min=0.7, text="picture") == expected[:20]
    assert await ids(limit=20, group_id=uuid7(NOON, 9), seed_max=30) == expected[-11:]


async def test_since_is_inclusive_and_until_is_not(index, ids):
    entries = [entry(n, created_at=NOON + timedelta(milliseconds=n)) for n in range(5)]
    await index.add(entries)

    def at(number):
        return NOON + timedelta(milliseconds=number)

    assert await ids(since=at(2)) == [e.id for e in reversed(entries[2:])]
    assert await ids(until=at(2)) == [e.id for e in reversed(entries[:2])]
    assert await ids(since=at(1), until=at(3), text="picture") == [entries[2].id, entries[1].id]
    assert await ids(since=at(3), until=at(1)) == []
    assert await ids(since=at(2).replace(tzinfo=None)) == [e.id for e in reversed(entries[2:])]


async def test_each_caller_sees_its_own_and_the_shared_ones(index, ids):
    anna = entry(1, owner="Anna", prompt="castle", tags=("a",))
    ben = entry(2, owner="ben", prompt="castle", tags=("b",))
    shared = entry(3, owner="ben", shared=True, prompt="castle", tags=("b",))
    nobody = entry(4, prompt="castle", tags=("n",))
    await index.add([anna, ben, shared, nobody])

    assert await ids() == [nobody.id, shared.id, ben.id, anna.id]
    for filters in ({}, {"text": "castle"}, {"contains": "astl"}, {"seed_min": 0}, {"text": "-bridge"}):
        assert await ids(visible_to="Anna", **filters) == [shared.id, anna.id]
        assert await ids(visible_to="ben", **filters) == [shared.id, ben.id]
        assert await ids(visible_to="anna", **filters) == [shared.id]
    assert await ids(visible_to="Anna", seed=2) == []
    page = await index.search(Query(visible_to="Anna", text="castle"), limit=1, count=True)
    assert page.total == 2
    assert await index.counts("tag", visible_to="Anna") == [
        Count(value="a", entries=1),
        Count(value="b", entries=1),
    ]
    assert await index.beginning_with("01", limit=9, visible_to="ben") == [shared.id, ben.id]
    assert [e.id async for e in index.all_entries(Query(visible_to="Anna"))] == [shared.id, anna.id]


# Pages


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"text": "picture"},
        {"text": "picture", "sort": "relevance"},
        {"contains": "ictu"},
        {"seed_min": 1, "seed_max": 100},
        {"model": "SD15.safetensors", "since": NOON},
    ],
)
async def test_pages_follow_each_other_without_gap_or_repetition(index, filters):
    entries = [entry(n, prompt="picture " * (1 + n % 3)) for n in range(1, 48)]
    await index.add(sorted(entries, key=lambda e: e.seed * 7 % 13))
    query = Query(**filters)

    whole = (await index.search(query, limit=MAX_PAGE)).entries

    assert len(whole) == 47
    for limit in (1, 7, 46, 47, 48):
        assert tuple(await pages(index, query, limit)) == whole
    if query.sort == "newest":
        assert [e.seed for e in whole] == list(range(47, 0, -1))


async def test_what_is_added_while_somebody_pages_moves_nothing(index):
    await index.add([entry(n) for n in range(10)])
    for query in (Query(text="picture"), Query(text="picture", sort="relevance")):
        first = await index.search(query, limit=4)
        await index.add([entry(100 + len(first.entries))])
        second = await index.search(query, limit=4, cursor=first.cursor)

        seen = [e.seed for e in (*first.entries, *second.entries)]
        assert len(set(seen)) == 8
        assert all(seed not in [e.seed for e in second.entries] for seed in (104,))


async def test_a_cursor_of_another_search_is_refused(index):
    await index.add([entry(n, model="a" if n % 2 else "b") for n in range(10)])
    cursor = (await index.search(Query(text="picture", visible_to=None), limit=2)).cursor

    others = [
        Query(),
        Query(text="pictures"),
        Query(text="picture", model="a"),
        Query(text="picture", visible_to="anna"),
        Query(text="picture", sort="relevance"),
    ]
    for query in others:
        with pytest.raises(BadRequest, match="belongs to another search, or was changed"):
            await index.search(query, limit=2, cursor=cursor)


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + "A", lambda c: "x" + c[1:], lambda _: ""])
async def test_a_cursor_that_was_changed_is_refused(index, change):
    await index.add([entry(n) for n in range(10)])
    cursor = (await index.search(Query(), limit=2)).cursor

    with pytest.raises(BadRequest, match="belongs to another search, or was changed"):
        await index.search(Query(), limit=2, cursor=change(cursor))


@pytest.mark.parametrize("cursor", ["nonsense", "ü", "a\0b", "=" * 40, "A" * 10_000, "' OR 1=1"])
async def test_a_text_that_is_no_cursor_is_refused(index, cursor):
    with pytest.raises(BadRequest, match="belongs to another search, or was changed"):
        await index.search(Query(), limit=2, cursor=cursor)


@pytest.mark.parametrize("limit", [0, -1, MAX_PAGE + 1, 2**70])
async def test_a_page_of_no_or_too_many_entries_is_refused(index, limit):
    with pytest.raises(BadRequest, match="limit must be 1 to 200"):
        await index.search(Query(), limit=limit)
    with pytest.raises(BadRequest, match="limit must be 1 to 200"):
        await index.beginning_with("01", limit=limit)
    with pytest.raises(BadRequest, match="limit must be 1 to 200"):
        await index.counts("model", limit=limit)


async def test_matches_are_counted_when_asked_for(index):
    await index.add([entry(n, prompt="castle" if n % 4 else "bridge") for n in range(40)])

    page = await index.search(Query(text="castle"), limit=3, count=True)
    assert (page.total, page.more) == (30, False)
    later = await index.search(Query(text="castle"), limit=3, cursor=page.cursor, count=True)
    assert later.total == 30
    relevant = await index.search(Query(text="castle", sort="relevance"), limit=3, count=True)
    assert relevant.total == 30
    assert (await index.search(Query(text="castle"), limit=3)).total is None


async def test_beyond_ten_thousand_matches_are_more(index):
    await index.add([entry(n) for n in range(COUNTED)])
    exact = await index.search(Query(text="picture"), limit=1, count=True)
    assert (exact.total, exact.more) == (COUNTED, False)

    await index.add([entry(COUNTED)])

    for query in (Query(), Query(text="picture"), Query(model="sd15.safetensors")):
        page = await index.search(query, limit=1, count=True)
        assert (page.total, page.more) == (COUNTED, True)


# Relevance


async def test_relevance_puts_what_speaks_most_of_it_first(index):
    await index.add(
        [
            entry(1, prompt="castle, a red castle, the castle"),
            entry(2, prompt="a castle among many other things " + "and more words " * 20),
            entry(3, prompt="sky", negative_prompt="castle"),
            entry(4, prompt="a forest", tags=("castle",)),
            entry(5, prompt="a castle"),
        ]
    )

    page = await index.search(Query(text="castle", sort="relevance"), limit=9)
    phrase = await index.search(Query(text='"a castle" -sky', sort="relevance"), limit=9)

    ranks = [e.seed for e in page.entries]
    assert sorted(ranks) == [1, 2, 3, 4, 5]
    assert ranks.index(1) < ranks.index(2)
    assert ranks.index(5) < ranks.index(2)
    assert ranks[-1] == 3
    assert [e.seed for e in phrase.entries] == [5, 2]


async def test_equally_relevant_ones_and_no_text_at_all_are_newest_first(index):
    await index.add([entry(n, prompt="castle") for n in range(5)])

    for text in ("castle", "cas*", "-bridge", ""):
        page = await index.search(Query(text=text, sort="relevance"), limit=9)
        assert [e.seed for e in page.entries] == [4, 3, 2, 1, 0]


# Edits


async def test_edits_change_what_is_found_and_the_last_writer_wins_in_any_order(index, ids):
    one = entry(1, prompt="castle", tags=("draft",), owner="anna")
    first, second = edit(one, 1, tags=("first",), validation_score=0.2), edit(one, 2, tags=("second", "b"))
    third = edit(one, 3, shared=True, validation_score=0.9)
    for order in ([first, second, third], [third, second, first], [second, third, first, second]):
        await index.clear()
        await index.add([one])
        for change in order:
            await index.edit([change])

        found = await index.get(one.id)
        assert (found.tags, found.score, found.shared) == (("second", "b"), 0.9, True)
        assert found.prompt == one.prompt
        assert await ids(text="second") == [one.id]
        assert await ids(tags=("b",), score_min=0.9, visible_to="ben") == [one.id]
        assert await ids(text="draft") == await ids(tags=("first",)) == []
        assert await index.counts("tag") == [Count(value="b", entries=1), Count(value="second", entries=1)]


async def test_edits_that_come_before_their_entry_are_kept(index, ids):
    one, two = entry(1, tags=("draft",)), entry(2)
    await index.edit([edit(one, 1, tags=()), edit(two, 2, deleted=True)])
    assert await index.size() == 0

    await index.add([one, two])

    assert await ids() == [one.id]
    assert (await index.get(one.id)).tags == ()
    assert await index.get(two.id) is None


async def test_what_was_deleted_stays_away(index, ids):
    one, two = entry(1, prompt="castle", tags=("a",)), entry(2, prompt="castle", tags=("a",))
    await index.add([one, two])
    await index.edit([edit(one, 1, deleted=True)])
    await index.edit([edit(one, 2, tags=("b",), shared=True)])
    await index.add([one, two])

    assert await ids() == await ids(text="castle") == await ids(tags=("a",)) == [two.id]
    assert await ids(tags=("b",)) == []
    assert await index.get(one.id) is None
    assert await index.size() == 1
    assert await index.counts("tag") == [Count(value="a", entries=1)]
    assert await index.beginning_with(one.id, limit=5) == []


async def test_an_edit_that_was_folded_in_survives_adding_the_sidecar_again(index):
    one = entry(1, tags=("draft",))
    await index.add([one])
    await index.edit([edit(one, 1, tags=("final",))])

    await index.add([one])

    assert (await index.get(one.id)).tags == ("final",)


# Facets, sizes, beginnings


async def test_values_are_counted_most_frequent_first(index):
    await index.add(
        [
            entry(n, model="Flux" if n % 3 else "sdxl", loras=("ink", "glow") if n % 2 else ())
            for n in range(12)
        ]
    )

    assert await index.counts("model") == [Count(value="Flux", entries=8), Count(value="sdxl", entries=4)]
    assert await index.counts("lora") == [Count(value="glow", entries=6), Count(value="ink", entries=6)]
    assert await index.counts("model", beginning="FL") == [Count(value="Flux", entries=8)]
    assert await index.counts("model", limit=1) == [Count(value="Flux", entries=8)]
    assert await index.counts("model", beginning="%") == []
    assert await index.counts("preset") == []
    await index.add([entry(20, tags=("red", "Red", "blue"))])
    assert await index.counts("tag") == [Count(value="blue", entries=1), Count(value="red", entries=1)]


async def test_the_ids_that_begin_so_are_found_the_newest_first(index):
    entries = [entry(n * 60) for n in range(5)]
    await index.add(entries)
    expected = [e.id for e in reversed(entries)]

    assert await index.beginning_with("", limit=9) == expected
    assert await index.beginning_with(expected[0][:6], limit=3) == expected[:3]
    for beginning in (expected[2], expected[2].upper(), expected[2][:11], expected[2][:13].replace("-", "")):
        assert await index.beginning_with(beginning, limit=9) == [expected[2]]
    for beginning in ("xyz", "0" * 33, "0" * 34, expected[2] + "0", "' OR 1=1", "\0", "é"):
        assert await index.beginning_with(beginning, limit=9) == []


async def test_all_entries_come_in_order_and_once(index):
    entries = [entry(n, prompt="castle" if n % 2 else "bridge") for n in range(2 * MAX_PAGE + 17)]
    await index.add(entries)

    found = [e async for e in index.all_entries(Query(sort="relevance", text="castle"))]

    assert found == [e for e in reversed(entries) if e.seed % 2]
    assert [e async for e in index.all_entries(Query())] == entries[::-1]


async def test_how_far_the_store_was_read_is_remembered_until_everything_is_forgotten(index):
    one = entry(1, tags=("a",))
    reading = Reading(
        generations_until="g/x", edits_until="edits/y", complete=True, skipped=2, skipped_keys=("a", "b")
    )
    await index.add([one])
    await index.edit([edit(one, 1, tags=("b",))])
    await index.set_reading(Reading())
    await index.set_reading(reading)
    assert await index.reading() == reading

    await index.clear()

    assert await index.reading() == Reading()
    assert await index.size() == 0
    assert await index.counts("tag") == []
    assert await index.get(one.id) is None
    await index.add([one])
    assert await index.get(one.id) == one
