"""The form of keys, the same in every store, and the MIME type that a key's extension tells."""

import mimetypes
import re
import unicodedata

from comfygen_mcp.errors import BadRequest

LONGEST_KEY = 900
"""In bytes; S3 allows 1024, and some servers put a little before it."""
LONGEST_PART = 200
"""In bytes; file systems allow 255, and a temporary name is a little longer."""
TEMPORARY = ".incomplete-"
"""What the names of files begin with that are being written; no part of a key may."""

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\:*?"<>|]')
_MIME_TYPES = mimetypes.MimeTypes()
for _mime, _extension in (
    ("audio/flac", ".flac"),
    ("audio/ogg", ".ogg"),
    ("audio/wav", ".wav"),
    ("image/x-exr", ".exr"),
    ("text/markdown", ".md"),
    ("video/x-matroska", ".mkv"),
):
    _MIME_TYPES.add_type(_mime, _extension)


def checked_key(key: str) -> str:
    """Return *key*; raises BadRequest when it is not one that every store can hold."""
    problem = _problem(key) or next((p for p in map(_problem_of_part, key.split("/")) if p), None)
    if problem:
        raise BadRequest(
            f"The key {key[:80]!r} cannot be used: {problem}. Keys look like 'g/2026/11/21/a.png'."
        )
    return key


def is_key(key: str) -> bool:
    """Tell whether *key* has the form of one."""
    return not (_problem(key) or any(map(_problem_of_part, key.split("/"))))


def mime_of(key: str) -> str:
    """Return the MIME type by the extension of *key*."""
    return _MIME_TYPES.guess_type(key, strict=False)[0] or "application/octet-stream"


def _problem(key: str) -> str | None:
    if _FORBIDDEN.search(key):
        return 'it holds a control character or one of \\ : * ? " < > |'
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        return "it is not valid text"
    if size > LONGEST_KEY:
        return f"it has {size} bytes, more than {LONGEST_KEY}"
    if unicodedata.normalize("NFC", key) != key:
        return "its accents are not in composed form (NFC)"
    return None


def _problem_of_part(part: str) -> str | None:
    if part in ("", ".", ".."):
        return "it begins or ends with '/', or has an empty, '.' or '..' part"
    if part.startswith(TEMPORARY):
        return f"a part begins with {TEMPORARY!r}"
    if len(part.encode()) > LONGEST_PART:
        return f"a part has more than {LONGEST_PART} bytes"
    return None
