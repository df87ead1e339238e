"""Keys and moments: where in time an object lies, and from which key on the later ones follow."""

import uuid
from datetime import UTC, datetime, timedelta

from comfygen_mcp import edits, ids, sidecar
from comfygen_mcp.backends.archive import ROOT
from comfygen_mcp.errors import BadRequest

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def moment_of(key: str) -> datetime | None:
    """Return the time inside the id that *key* holds, or None when *key* is none of ours."""
    identifier = sidecar.id_in(key) or _edit_id(key)
    try:
        return ids.id_time(identifier)
    except ValueError:
        return None


def is_our_sidecar(key: str) -> bool:
    """Tell a sidecar at its own place from everything else; nothing else is ever read."""
    identifier = sidecar.id_in(key) if sidecar.is_sidecar(key) else ""
    try:
        return bool(identifier) and key.startswith(sidecar.prefix_of(identifier))
    except BadRequest:
        return False


def is_our_file(key: str) -> bool:
    """Tell the file of a generation, whose sidecar's key is the same with `.json` behind it."""
    return is_our_sidecar(key + sidecar.SUFFIX)


def is_edit(key: str) -> bool:
    return bool(_edit_id(key)) and moment_of(key) is not None


def generations_from(moment: datetime) -> str:
    """Return a text before the keys of all generations since *moment*, and after those before it."""
    return f"{ROOT}{moment:%Y/%m/%d/%Y%m%d_%H%M%S}"


def edits_from(moment: datetime) -> str:
    """Return the same for edits."""
    # Ids know no time before 1970.
    moment = max(moment, _EPOCH)
    identifier = uuid.UUID(int=((moment - _EPOCH) // _MILLISECOND) << 80)
    return f"{edits.ROOT}{moment:%Y/%m/%d}/{str(identifier)[:13]}"


def day_of(key: str) -> str:
    """Return `2026/11/21` of a generation's key."""
    return key[len(ROOT) : len(ROOT) + len("2026/11/21")]


def next_day(day: datetime) -> datetime | None:
    """Return the beginning of the day after *day*, None when the calendar ends before."""
    try:
        return day + timedelta(days=1)
    except OverflowError:
        return None


def _edit_id(key: str) -> str:
    name = key.rpartition("/")[2].removesuffix(".json")
    try:
        return name if key == edits.key_of(name) else ""
    except ValueError:
        return ""
