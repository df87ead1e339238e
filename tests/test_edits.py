"""Edits: read and written, and folded to the same result in whatever order they come."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest

from comfygen_mcp import edits
from comfygen_mcp.edits import Edit, Edited, folded, new_edit_id
from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.ids import new_job_id

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
GENERATION = new_job_id(NOON)


def edit(minute, **fields):
    return Edit(id=new_edit_id(NOON + timedelta(minutes=minute)), generation_id=GENERATION, **fields)


def test_an_edit_is_read_as_it_was_written_and_lies_under_its_own_day():
    made = edit(1, by="alice", tags=("größe", "🦊"), validation_score=0.5, shared=False)
    key = edits.key_of(made.id)

    assert edits.from_json(edits.to_json(made), key=key) == made
    assert key == f"edits/2026/11/21/{made.id}.json"


@pytest.mark.parametrize(
    "changes",
    [
        {"validation_score": "NaN"},
        {"validation_score": "Infinity"},
        {"generation_id": "../../etc"},
        {"id": "1f0c9a1e-0000-4000-8000-000000000000"},
        {"tags": "not a list"},
        {"colour": "red"},
    ],
)
def test_what_is_no_edit_is_refused_by_its_key(changes):
    fields = {**json.loads(edits.to_json(edit(1))), **changes}

    with pytest.raises(StoreFailed, match="edits/x"):
        edits.from_json(json.dumps(fields).encode(), key="edits/x")


def test_the_last_writer_wins_field_by_field_in_any_order():
    made = [
        edit(1, tags=("a",), shared=True),
        edit(3, tags=("b",)),
        edit(2, tags=("c",), validation_score=0.1),
        edit(4, shared=False),
    ]

    results = {folded(Edited(), order).model_dump_json() for order in itertools.permutations(made)}
    once = folded(Edited(), made)

    assert len({json.dumps({**json.loads(r), "changed_by": None}) for r in results}) == 1
    assert (once.tags, once.shared, once.validation_score) == (("b",), False, 0.1)
    assert folded(once, made) == once


def test_a_deletion_is_never_taken_back():
    made = [edit(2, tags=("x",)), edit(1, deleted=True)]

    assert folded(Edited(), made).deleted
    assert folded(folded(Edited(), made), [edit(9, tags=())]).deleted
