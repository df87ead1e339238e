"""Tags: their one form, and what cannot be one."""

import re
import unicodedata
from collections.abc import Iterable

from comfygen_mcp.errors import BadRequest

KEEP = "keep"
"""What has this tag is never deleted by age or by size."""
LONGEST = 50
"""Characters of a tag."""
MOST = 50
"""Tags of one generation."""

_SPACE = re.compile(r"\s+")


def changed_tags(
    tags: Iterable[str], *, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return *tags* with *add* and without *remove*, sorted; raises BadRequest for what is no tag."""
    before = {*tags}
    # What was no tag of ours may at least be removed.
    gone = {_folded(tag) if tag in before else normal_tag(tag) for tag in remove}
    wanted = {tag for tag in before | {normal_tag(tag) for tag in add} if _folded(tag) not in gone}
    if len(wanted) > MOST:
        raise BadRequest(f"That would make {len(wanted)} tags, more than {MOST}. Remove some first.")
    return tuple(sorted(wanted))


def normal_tag(tag: str) -> str:
    """Return *tag* in small letters, without space around it and with single spaces inside."""
    normal = _folded(tag)
    problem = _problem(normal)
    if problem:
        raise BadRequest(
            f"{tag[:60]!r} cannot be a tag: {problem}. A tag is a word or a few, such as 'red fox' or 'keep'."
        )
    return normal


def imported_tags(tags: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """Return *tags* of another program as ours, and how many cannot be; a comma stands between two."""
    pieces = [piece for tag in tags for piece in tag.split(",") if piece.strip()]
    good = {_folded(piece) for piece in pieces if not _problem(_folded(piece))}
    most = sorted(good, key=lambda tag: (tag != KEEP, tag))[:MOST]
    refused = sum(bool(_problem(_folded(piece))) for piece in pieces)
    return tuple(sorted(most)), refused + len(good) - len(most)


def is_kept(tags: Iterable[str]) -> bool:
    """Tell whether one of *tags* is `keep`, however another program wrote it."""
    return any(_folded(tag) == KEEP for tag in tags)


def _folded(tag: str) -> str:
    return _SPACE.sub(" ", unicodedata.normalize("NFC", tag).strip()).casefold()


def _problem(tag: str) -> str | None:
    if not tag:
        return "it is empty"
    if len(tag) > LONGEST:
        return f"it has {len(tag)} characters, more than {LONGEST}"
    if "," in tag or '"' in tag:
        return "it holds a comma or a quotation mark"
    if any(unicodedata.category(character)[0] == "C" for character in tag):
        return "it holds a control character"
    return None
