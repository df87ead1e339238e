"""Finds workflow files by name, alias or path, in the user's folders and among the bundled ones."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from comfygen_mcp.errors import BadRequest, BadWorkflow, UnknownName
from comfygen_mcp.graph.parse import Source, Workflow, parse_workflow

__all__ = ["BrokenFile", "Workflow", "WorkflowLibrary", "bundled_folder"]

_LARGEST_FILE = 16_000_000


class BrokenFile(NamedTuple):
    """A workflow file that cannot be used."""

    file: str
    reason: str


class _Cached(NamedTuple):
    stamp: tuple[int, int]
    workflow: Workflow | None
    error: str


def bundled_folder() -> Path:
    """Return the folder of the bundled workflows: inside an installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "workflows"
    return installed if installed.is_dir() else package.parent / "workflows"


class WorkflowLibrary:
    """Workflow files of *folders* (the user's, first wins), then the bundled ones.

    Files are read when they are asked for, and again when they have changed.
    """

    def __init__(self, folders: Sequence[Path] = (), *, bundled: Path | None = None) -> None:
        self._folders: list[tuple[Path, Source]] = [(folder.expanduser(), "user") for folder in folders]
        self._folders.append((bundled or bundled_folder(), "bundled"))
        self._cache: dict[Path, _Cached] = {}
        self._listings: dict[Path, tuple[int, tuple[Path, ...]]] = {}

    def all(self) -> tuple[Workflow, ...]:
        """Return every usable workflow, the preferred ones first."""
        found = [read.workflow for read in self._files().values() if read.workflow]
        return tuple(sorted(found, key=lambda workflow: (workflow.metadata.rank, workflow.name)))

    def names(self) -> tuple[str, ...]:
        return tuple(workflow.name for workflow in self.all())

    def aliases(self) -> dict[str, str]:
        """Return alias → name; a workflow's own name is never shadowed by an alias.

        A user's copy of a bundled workflow does not take its aliases along.
        """
        names = set(self.names())
        last_wins = [*reversed(self.all())]
        last_wins.sort(key=lambda workflow: workflow.source == "bundled")
        pairs = {alias: workflow.name for workflow in last_wins for alias in workflow.metadata.aliases}
        return {alias: name for alias, name in pairs.items() if alias not in names}

    def broken(self) -> tuple[BrokenFile, ...]:
        """Return the files, and the folders, that cannot be used, with the reason."""
        missing = [
            BrokenFile(folder.name, f"The workflow folder {folder.name!r} cannot be listed.")
            for folder, _ in self._folders
            if not folder.is_dir()
        ]
        files = [BrokenFile(name, read.error) for name, read in self._files().items() if read.error]
        return (*missing, *files)

    def load(self, reference: str, *, allow_paths: bool, files_first: bool = False) -> Workflow:
        """Return the workflow that *reference* names; raises UnknownName, BadRequest or BadWorkflow.

        A path is followed only with *allow_paths* (configuration and command line, never a tool call).
        A bare `name.json` is a known file's name first, so that a job keeps its workflow wherever the
        program runs; *files_first* is for people, who mean the file in their working folder.
        """
        if files_first and reference.endswith(".json") and Path(reference).is_file():
            return self._load_path(reference)
        if _looks_like_path(reference):
            if not allow_paths:
                raise BadRequest(
                    f"{reference[:80]!r} is not a workflow name. Name one of: {', '.join(self.names())}."
                )
            return self._load_path(reference)
        read = self._named(reference)
        if read is None and allow_paths and reference.endswith(".json"):
            return self._load_path(reference)
        if read is None:
            known = (*self.names(), *self.aliases())
            raise UnknownName(
                "workflow",
                reference,
                known,
                hint="list_models (or `comfygen models`) tells what each can do.",
            )
        return _usable(read)

    def _named(self, reference: str) -> _Cached | None:
        files = self._files()
        found = files.get(reference) or files.get(f"{reference}.json")
        return found or files.get(f"{self.aliases().get(reference)}.json")

    def _load_path(self, reference: str) -> Workflow:
        file = _existing_file(reference)
        if file is None:
            raise BadWorkflow(
                f"There is no workflow file {reference[:200]!r}. Give the path of an API-format JSON file, "
                f"or one of the names: {', '.join(self.names())}."
            )
        return _usable(self._read(file, "path"))

    def _files(self) -> dict[str, _Cached]:
        """File name → what was read, the user's folders first."""
        found: dict[str, _Cached] = {}
        for folder, source in self._folders:
            for file in self._listing(folder):
                if file.name not in found:
                    found[file.name] = self._read(file, source)
        return found

    def _listing(self, folder: Path) -> tuple[Path, ...]:
        """Return the workflow files of *folder*, listed again only when a name in it has changed."""
        try:
            changed = folder.stat().st_mtime_ns
        except OSError:
            return ()
        known = self._listings.get(folder)
        if known is None or known[0] != changed:
            known = self._listings[folder] = (changed, tuple(_json_files(folder)))
        return known[1]

    def _read(self, file: Path, source: Source) -> _Cached:
        try:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            known = self._cache.get(file)
            if known is None or known.stamp != stamp:
                known = self._cache[file] = _parse(file, source, stamp)
        except OSError as error:
            return _Cached((0, 0), None, f"{file.name} cannot be read: {error.strerror}.")
        return known


def _looks_like_path(reference: str) -> bool:
    if not reference or "\x00" in reference:
        raise BadRequest(f"{reference[:80]!r} is not a workflow name.")
    return any(mark in reference for mark in ("/", "\\", "..")) or reference.startswith("~")


def _existing_file(reference: str) -> Path | None:
    try:
        file = Path(reference).expanduser()
        return file if file.is_file() else None
    except (OSError, RuntimeError):
        return None


def _json_files(folder: Path) -> Iterator[Path]:
    """Files directly in *folder*; a link that leads out of it is not one of them."""
    try:
        files = sorted(folder.glob("*.json"))
        inside = folder.resolve()
    except OSError:
        return
    for file in files:
        if file.resolve().is_relative_to(inside) and not file.is_dir():
            yield file


def _parse(file: Path, source: Source, stamp: tuple[int, int]) -> _Cached:
    if stamp[1] > _LARGEST_FILE:
        return _Cached(stamp, None, f"{file.name} has {stamp[1]} bytes; a workflow has less than 16 MB.")
    reference = str(file.absolute()) if source == "path" else file.name
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return _Cached(stamp, parse_workflow(text, file=file.name, source=source, reference=reference), "")
    except UnicodeDecodeError as error:
        return _Cached(stamp, None, f"{file.name} is not UTF-8 text (byte {error.start}).")
    except BadWorkflow as error:
        return _Cached(stamp, None, str(error))


def _usable(read: _Cached) -> Workflow:
    if read.workflow is None:
        raise BadWorkflow(read.error)
    return read.workflow
