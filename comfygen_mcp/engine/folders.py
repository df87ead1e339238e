"""The engine's data folder: input/, output/, temp/ and models/, and paths that never leave them."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

ANNOTATION = re.compile(r"^(?P<name>.*?) ?\[(?P<kind>input|output|temp)\]$", re.DOTALL)
KINDS = ("input", "output", "temp")
DAY_S = 86_400


class OutsideFolder(Exception):
    """A path that would leave the folder it belongs to."""


@dataclass(frozen=True)
class Folders:
    root: Path

    def create(self) -> None:
        for kind in KINDS:
            (self.root / kind).mkdir(parents=True, exist_ok=True)

    def of(self, kind: str) -> Path:
        return self.root / kind

    def inside(self, kind: str, *parts: str) -> Path:
        """Return the real path of *parts* below the folder *kind*; raises OutsideFolder when it leaves it."""
        base = self.of(kind).resolve()
        try:
            path = base.joinpath(*parts).resolve()
        except (OSError, ValueError) as error:  # a loop of links, an embedded NUL
            raise OutsideFolder from error
        if not path.is_relative_to(base):
            raise OutsideFolder
        return path

    def input_image(self, annotated: str) -> Path | None:
        """Return the file that a LoadImage value such as `sub/a.png [output]` names, if it exists."""
        name, kind = split_annotation(annotated)
        try:
            path = self.inside(kind or "input", name)
        except OutsideFolder:
            return None
        return path if path.is_file() else None

    def input_names(self) -> list[str]:
        folder = self.of("input")
        return sorted(entry.name for entry in folder.iterdir() if entry.is_file()) if folder.is_dir() else []

    def sweep(self, *, now: float | None = None) -> int:
        """Remove everything in temp/ and outputs older than a day; return how many files went."""
        limit = (time.time() if now is None else now) - DAY_S
        stale = [path for path in _files(self.of("output")) if path.stat().st_mtime < limit]
        gone = [*stale, *_files(self.of("temp"))]
        for path in gone:
            path.unlink(missing_ok=True)
        return len(gone)


def split_annotation(name: str) -> tuple[str, str | None]:
    """Split `a.png [input]` into the name and its folder; None when nothing is annotated."""
    match = ANNOTATION.match(name)
    return (match["name"], match["kind"]) if match else (name, None)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
