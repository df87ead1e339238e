"""Edits: what is changed about a generation after it was stored, as small append-only objects.

A sidecar never changes; an edit of today lies under `edits/YYYY/MM/DD/<uuid7>.json` and is folded in.
"""

import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import Field, ValidationError

from comfygen_mcp import ids
from comfygen_mcp.errors import StoreFailed
from comfygen_mcp.models import Generation, Record

ROOT = "edits/"
"""What the keys of all edits begin with."""
MIME = "application/json"


class Edit(Record):
    """New values of some fields of one generation; None means: left as it is.

    *id* is a UUIDv7: its time is when the edit was made, and the last writer wins, field by field.
    *deleted* is the one that is never taken back.
    """

    id: str
    generation_id: str
    by: str | None = None
    tags: tuple[str, ...] | None = None
    validation_score: float | None = Field(default=None, allow_inf_nan=False)
    shared: bool | None = None
    deleted: bool = False


class Edited(Record):
    """The fields of a generation that edits may change, with all of its edits folded in."""

    tags: tuple[str, ...] = ()
    validation_score: float | None = None
    shared: bool = False
    deleted: bool = False
    changed_by: dict[str, str] = Field(default_factory=dict)
    """Field → id of the edit that set it; what came later is not overwritten by what is read later."""


def key_of(edit_id: str) -> str:
    """Return `edits/YYYY/MM/DD/<id>.json`, from the time inside the id."""
    return f"{ROOT}{ids.id_time(edit_id):%Y/%m/%d}/{edit_id}.json"


def new_edit_id(now: datetime) -> str:
    return ids.new_job_id(now.astimezone(UTC))


def to_json(edit: Edit) -> bytes:
    return (json.dumps(edit.model_dump(exclude_none=True), ensure_ascii=False) + "\n").encode()


def from_json(data: bytes, *, key: str) -> Edit:
    """Read an edit; raises StoreFailed, naming its key, when it is none."""
    try:
        edit = Edit.model_validate_json(data)
        uuid.UUID(edit.generation_id)
        ids.id_time(edit.id)
    except (ValidationError, ValueError) as error:
        raise StoreFailed(f"{key} is not an edit of a generation.") from error
    return edit


def folded(edited: Edited, edits: Iterable[Edit]) -> Edited:
    """Return *edited* with *edits* applied; in whatever order they come, the result is the same."""
    for edit in edits:
        edited = _with(edited, edit)
    return edited


def edited_of(generation: Generation) -> Edited:
    """Return what the sidecar itself says: older than any edit."""
    return Edited(tags=generation.tags, validation_score=generation.validation_score)


def with_edits(generation: Generation, edited: Edited) -> Generation:
    """Return *generation* as it is today."""
    return generation.model_copy(update={"tags": edited.tags, "validation_score": edited.validation_score})


def _with(edited: Edited, edit: Edit) -> Edited:
    given = {
        name: value
        for name in ("tags", "validation_score", "shared")
        if (value := getattr(edit, name)) is not None and edited.changed_by.get(name, "") < edit.id
    }
    if edit.deleted:
        given["deleted"] = True
    return edited.model_copy(
        update={**given, "changed_by": {**edited.changed_by, **dict.fromkeys(given, edit.id)}}
    )
