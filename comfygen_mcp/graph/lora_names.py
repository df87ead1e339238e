"""Which installed file a LoRA's name means: folder and extension may be left out where that is clear."""

from collections.abc import Sequence

from comfygen_mcp.names import nearest_names

_EXTENSIONS = (".safetensors", ".sft", ".ckpt", ".pt", ".pth", ".bin")


def matching_files(name: str, installed: Sequence[str]) -> tuple[str, ...]:
    """Return the files that *name* may mean; more than one when it is not clear, none when nothing fits.

    The same name wins over one without its folder or extension, and the same case over another.
    Servers on Windows list folders with a backslash, others with a slash: both mean the same.
    """
    if name in installed:
        return (name,)
    for fold in (_same, str.casefold):
        wanted = fold(_slashed(name))
        for fitting in (_is, _is_stem, _ends, _ends_stem):
            found = tuple(file for file in installed if fitting(fold(_slashed(file)), wanted))
            if wanted and found:
                return found
    return ()


def nearest_files(name: str, installed: Sequence[str]) -> list[str]:
    """Compare without folders and extensions, which make any two files look alike."""
    by_stem: dict[str, list[str]] = {}
    for file in installed:
        by_stem.setdefault(_stem(_slashed(file)).rpartition("/")[2], []).append(file)
    wanted = _stem(_slashed(name)).rpartition("/")[2]
    return [file for stem in nearest_names(wanted, by_stem) for file in by_stem[stem]][:3]


def _same(text: str) -> str:
    return text


def _slashed(path: str) -> str:
    return path.strip().replace("\\", "/").strip("/")


def _is(file: str, wanted: str) -> bool:
    return file == wanted


def _is_stem(file: str, wanted: str) -> bool:
    return _stem(file) == wanted


def _ends(file: str, wanted: str) -> bool:
    return file.endswith(f"/{wanted}")


def _ends_stem(file: str, wanted: str) -> bool:
    return _stem(file).endswith(f"/{wanted}")


def _stem(file: str) -> str:
    ending = next((ending for ending in _EXTENSIONS if file.lower().endswith(ending)), "")
    return file[: len(file) - len(ending)]
