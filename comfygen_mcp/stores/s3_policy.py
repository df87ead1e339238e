"""The bucket policy that lets everybody read pictures: one statement of ours among those of others."""

import json
from typing import Any, cast

STATEMENT = "ComfygenPublicRead"
PUBLIC_EXTENSIONS = (
    *("png", "jpg", "jpeg", "webp", "gif", "avif", "bmp", "tiff", "svg"),
    *("mp4", "webm", "mkv", "mov", "flac", "mp3", "ogg", "opus", "wav"),
)
"""What becomes public; sidecars (.json) hold prompts and do not."""

_EMPTY = '{"Version": "2012-10-17", "Statement": []}'


def with_public_read(policy: str | None, bucket: str, prefix: str) -> str:
    """Return *policy* (None: there is none yet) with our statement in place of an older one of ours.

    Raises ValueError when *policy* is no policy.
    """
    document = _document(policy or _EMPTY)
    others = [each for each in _statements(document) if each.get("Sid") != STATEMENT]
    return json.dumps({**document, "Statement": [*others, _statement(bucket, prefix)]})


def allows_public_read(policy: str | None, bucket: str, prefix: str) -> bool:
    """Tell whether *policy* holds our statement for all that should be public."""
    try:
        statements = _statements(_document(policy or _EMPTY))
    except ValueError:
        return False
    wanted = set(_statement(bucket, prefix)["Resource"])
    ours = (each.get("Resource") for each in statements if each.get("Sid") == STATEMENT)
    return any(
        isinstance(found, list) and wanted <= set(map(str, cast("list[Any]", found))) for found in ours
    )


def _statement(bucket: str, prefix: str) -> dict[str, Any]:
    return {
        "Sid": STATEMENT,
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:GetObject"],
        "Resource": [f"arn:aws:s3:::{bucket}/{prefix}g/*.{extension}" for extension in PUBLIC_EXTENSIONS],
    }


def _document(policy: str) -> dict[str, Any]:
    found: object = json.loads(policy)
    match found:
        case dict():
            return cast("dict[str, Any]", found)
        case _:
            raise ValueError("a policy is an object")


def _statements(document: dict[str, Any]) -> list[dict[str, Any]]:
    found = document.get("Statement", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in cast("list[Any]", found)):
        raise ValueError("a policy's Statement is a list of objects")
    return cast("list[dict[str, Any]]", found)
