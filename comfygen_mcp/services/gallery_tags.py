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
    wanted = ({*tags} | {normal_tag(tag) for tag in add}) - {normal_tag(tag) for tag in remove}
    if len(wanted) > MOST:
        raise BadRequest(f"That would make {len(wanted)} tags, more than {MOST}. Remove some first.")
    return tuple(sorted(wanted))


def normal_tag(tag: str) -> str:
    """Return *tag* in small letters, without space around it and with single spaces inside."""
    normal = _SPACE.sub(" ", unicodedata.normalize("NFC", tag).strip()).casefold()
    problem = _problem(normal)
    if problem:
        raise BadRequest(
            f"{tag[:60]!r} cannot be a tag: {problem}. A tag is a word or a few, such as 'red fox' or 'keep'."
        )
    return normal


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
