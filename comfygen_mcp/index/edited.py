"""An entry with its edits folded in."""

from typing import Any

from comfygen_mcp.edits import Edited
from comfygen_mcp.index.base import Entry
from comfygen_mcp.index.order import uuid_of

_NAMES = {"tags": "tags", "validation_score": "score", "shared": "shared"}
"""Field of an edit → field of an entry."""


def with_changes(entry: Entry, changes: Edited) -> Entry:
    """Return *entry* with the fields that edits set; its id in the one form that it is compared in."""
    values = {_NAMES[name]: getattr(changes, name) for name in changes.changed_by if name in _NAMES}
    update: dict[str, Any] = {"id": str(uuid_of(entry.id)), **values}
    return entry.model_copy(update=update)
