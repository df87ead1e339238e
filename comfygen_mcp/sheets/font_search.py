"""The fonts of this machine: as fontconfig lists them, else from the usual folders of each system."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FOLDERS = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts"),
    *("/System/Library/Fonts", "/Library/Fonts", "~/Library/Fonts"),
    *("C:/Windows/Fonts", "~/AppData/Local/Microsoft/Windows/Fonts"),
)
ENDINGS = frozenset((".ttf", ".otf", ".ttc", ".otc"))
MAX_FILES = 5000
SEARCH_S = 3.0
"""What finding the files may take; a sheet waits for it once per process."""


@cache
def system_fonts() -> tuple[Path, ...]:
    """Return the font files of this machine, listed once per process."""
    return listed_by_fontconfig() or found_in(FOLDERS)


def listed_by_fontconfig(seconds: float = SEARCH_S) -> tuple[Path, ...]:
    """Return what `fc-list` names; nothing when it is missing, fails or takes too long."""
    program = shutil.which("fc-list")
    if program is None:
        return ()
    try:
        listing = subprocess.run(  # noqa: S603 - a fixed command, found on the PATH of this process
            [program, "--format=%{file}\n"], capture_output=True, timeout=seconds, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    lines = listing.stdout.decode("utf-8", errors="surrogateescape").splitlines()
    return tuple(sorted({Path(line) for line in lines if Path(line).suffix.lower() in ENDINGS}))[:MAX_FILES]


def found_in(folders: tuple[str, ...], seconds: float = SEARCH_S) -> tuple[Path, ...]:
    """Return the font files below *folders*, as many as are found in time."""
    until = time.monotonic() + seconds
    found: list[Path] = []
    for path in _walk(folders):
        if len(found) >= MAX_FILES or time.monotonic() > until:
            break
        if path.suffix.lower() in ENDINGS:
            found.append(path)
    return tuple(sorted(found))


def _walk(folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        try:
            yield from Path(folder).expanduser().rglob("*")
        except (OSError, RuntimeError):
            # Unreadable, or a home folder that cannot be told: the other folders may do.
            continue
