"""Reads pictures from this machine's disk: from the allowed folders, and nothing but regular files."""

import os
import stat
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.names import nearest_names
from comfygen_mcp.pictures import too_many_bytes

_MOST_NAMES = 1000
"""So many entries of a folder are looked at for a similar name."""
_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
)
"""Opening a pipe must not wait for who writes into it; links were followed before."""


def inside(text: str, folders: Iterable[Path]) -> list[Path]:
    """Return what *text* can mean inside *folders*, with all links followed; nothing when it leads out.

    A relative path is looked for below each of them.
    """
    asked, found = _expanded(text), list[Path]()
    for folder in folders:
        home, place = _resolved(folder), _resolved(folder / asked)
        if home and place and place.is_relative_to(home):
            found.append(place)
    return list(dict.fromkeys(found))


def anywhere(text: str) -> list[Path]:
    """Return the file that *text* means to whoever may use all of this machine."""
    place = _resolved(_expanded(text))
    return [place] if place else []


def first_there(places: list[Path]) -> Path:
    """Return the first of *places* where something is; raises BadRequest with the nearest names."""
    there = next((place for place in places if os.path.lexists(place)), None)
    if there is not None:
        return there
    near = nearest_names(places[0].name, _names_beside(places))
    hint = f"Did you mean {' or '.join(repr(name) for name in near)}?" if near else "Check the path."
    raise BadRequest(f"There is no file {places[0].name!r} in {places[0].parent.name!r}. {hint}")


def read_file(path: Path, *, max_bytes: int) -> bytes:
    """Return the bytes of a regular file; raises BadRequest for any other, and for one too large."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError as error:
        raise BadRequest(
            f"{path.name!r} cannot be opened ({error.strerror}). Give a picture file that this user may read."
        ) from error
    try:
        status = os.fstat(descriptor)
        _check_regular(path, status.st_mode)
        _check_size(path, status.st_size, max_bytes)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(max_bytes + 1)
    finally:
        os.close(descriptor)
    _check_size(path, len(data), max_bytes)
    return data


def _expanded(text: str) -> Path:
    """Return *text* as a path, with a leading `~` followed where that leads anywhere."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)


def _resolved(path: Path) -> Path | None:
    """Return *path* with links followed; None for a loop of links, or what no path can hold."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _names_beside(places: Iterable[Path]) -> Iterator[str]:
    for place in places:
        try:
            with os.scandir(place.parent) as entries:
                yield from (entry.name for entry in islice(entries, _MOST_NAMES))
        except OSError:
            continue


def _check_regular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise BadRequest(f"{path.name!r} is a folder. Give one picture file of it.")
    if not stat.S_ISREG(mode):
        raise BadRequest(f"{path.name!r} is a device or a pipe. Give a picture file.")


def _check_size(path: Path, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise BadRequest(too_many_bytes(path.name, max_bytes))
