"""What a LoRA is made for: read from the metadata of its safetensors file, else guessed from its name."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, cast, get_args

from comfygen_mcp.graph.lora_stages import noise_stage_told_by
from comfygen_mcp.graph.metadata import Architecture
from comfygen_mcp.models import LoraTarget, Record

_MOST_WORDS = 6
_LONGEST_WORD = 60
_LONGEST_TITLE = 100

_BASES: tuple[tuple[str, str], ...] = (
    ("z-image", r"z-?image"),
    ("qwen-image", r"qwen-?(image|edit)"),
    ("chroma", r"(?<![a-z])chroma(?![a-z])"),
    ("flux2", r"flux-?2|(?<![a-z])klein"),
    ("flux1", r"(?<![a-z])flux|kontext"),
    ("wan22-5b", r"wan-?2-?2-(\w+-)?5b|(?<![a-z])ti2v"),
    ("wan22-14b", r"wan-?2-?2"),
    ("wan21", r"wan-?2-?1|(?<![a-z])wan(?![a-z])"),
    ("hunyuan-video", r"hunyuan-?video|(?<![a-z])framepack"),
    ("ltxv", r"(?<![a-z])ltx"),
    ("sdxl", r"sd-?xl|stable-diffusion-xl|illustrious|(?<![a-z])(pony|noobai)|(?<![a-z0-9])xl(?![a-z])"),
    ("sd3", r"(?<![a-z0-9])sd-?3(?!\d\d)|stable-diffusion-3"),
    ("sd2", r"(?<![a-z0-9])sd-?v?-?2(?!\d\d)|stable-diffusion-v?2"),
    ("sd15", r"(?<![a-z0-9])sd-?v?-?1(?!\d\d)|stable-diffusion-v?1|(?<![a-z])v1-5"),
)
"""Base → pattern in lower-case text whose other signs are single hyphens; the first that is found counts."""
_HINTS = ("modelspec.architecture", "ss_base_model_version", "ss_sd_model_name", "ss_network_module")
"""Keys that name the base model: Stability's ModelSpec and the kohya trainers', the surest first."""
_NO_TITLE = re.compile(r"lora@[\d.]+", re.IGNORECASE)
"""What kohya's trainers write when nobody gave a title."""

_STEPS = re.compile(r"(?<![\da-z])([1-9]|1[0-6])-?steps?(?![a-z])")
_ACCELERATION = re.compile(
    r"lightx2v|(?<![a-z])lcm(?![a-z])|(?<![a-z])dmd2|self-?forcing|hyper-?(sd|flux)|turbo-(alpha|lora)|lora-turbo"
)
"""Words of the well-known LoRAs that make a model work with few steps.

`turbo` alone is none: LoRAs for Z-Image Turbo carry it in their names. `500-steps` is a state of training.
"""
_HYPER_AT_EIGHTH = re.compile(r"hyper-?(sd-?3|flux)")
"""Hyper-SD's LoRAs for FLUX.1 and SD 3: their model card wants a scale of 0.125."""


class LoraFacts(Record):
    """What is known of one LoRA file; all texts are the file's own words, cut and on one line.

    *base* is an Architecture where it is one of ours, another model's name, or "" when nothing tells.
    *exact_strength* is set for acceleration LoRAs, which work at one strength only, and *steps* where their
    name says how many they are made for.
    """

    base: str = ""
    base_from_name: bool = False
    trigger_words: tuple[str, ...] = ()
    title: str = ""
    exact_strength: float | None = None
    steps: int | None = None
    stage: LoraTarget | None = None


def lora_facts(file: str, metadata: Mapping[str, str]) -> LoraFacts:
    """Return what *metadata* and the name of *file* tell."""
    name = _plain(file)
    steps = _STEPS.search(name)
    told, guessed = _told_base(metadata), _base_in(name)
    if told == "wan21" and guessed.startswith("wan22"):
        # The usual trainer for Wan writes wan2.1 for LoRAs of 2.2 too.
        told = ""
    return LoraFacts(
        base=told or guessed,
        base_from_name=not told and bool(guessed),
        trigger_words=_trigger_words(metadata),
        title=_title(file, metadata),
        exact_strength=_exact_strength(name),
        # Hyper-SD's `8steps-CFG` files are for a usual cfg.
        steps=int(steps[1]) if steps and "cfg" not in name else None,
        stage=noise_stage_told_by(file) if (told or guessed).startswith("wan") else None,
    )


def fits(base: str, architecture: Architecture | None) -> bool | None:
    """Tell whether a LoRA for *base* does anything on a model of *architecture*; None when nobody knows."""
    known = {*get_args(Architecture), *(name for name, _ in _BASES)}
    if architecture is None or base not in known:
        return None
    if {base, architecture} == {"wan21", "wan22-14b"}:
        # Wan 2.2's 14B models have 2.1's layers: LoRAs of its 14B models work, those of the 1.3B do not.
        return None
    return base == architecture


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())


def _told_base(metadata: Mapping[str, str]) -> str:
    for key in _HINTS:
        if found := _base_in(_plain(metadata.get(key, ""))):
            return found
    if metadata.get("ss_v2") == "True":
        return "sd2"
    return _one_line(metadata.get(_HINTS[0], "").split("/")[0], _LONGEST_WORD)


def _base_in(plain: str) -> str:
    return next((base for base, pattern in _BASES if re.search(pattern, plain)), "")


def _exact_strength(name: str) -> float | None:
    if _HYPER_AT_EIGHTH.search(name):
        return 0.125
    return 1.0 if _ACCELERATION.search(name) or _STEPS.search(name) else None


def _title(file: str, metadata: Mapping[str, str]) -> str:
    stem = PurePosixPath(file.replace("\\", "/")).stem
    titles = (metadata.get(key, "") for key in ("modelspec.title", "ss_output_name"))
    lines = (_one_line(title, _LONGEST_TITLE) for title in titles if not _NO_TITLE.fullmatch(title))
    return next((line for line in lines if line and line != stem), "")


def _trigger_words(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Return the phrase that the maker names, else the commonest captions, else the training folders."""
    for source in (_named_words, _commonest_tags, _folder_words):
        words = (_one_line(word, _LONGEST_WORD) for word in source(metadata))
        if found := tuple(dict.fromkeys(word for word in words if word)):
            return found[:_MOST_WORDS]
    return ()


def _named_words(metadata: Mapping[str, str]) -> list[str]:
    return metadata.get("modelspec.trigger_phrase", "").split(",")


def _commonest_tags(metadata: Mapping[str, str]) -> list[str]:
    """Return the captions that at least a third as many pictures have as the commonest one."""
    counts: Counter[str] = Counter()
    for _, tags in _json_object(metadata.get("ss_tag_frequency", "")):
        counts.update(dict(_counted(tags)))
    most = max(counts.values(), default=0)
    return [tag for tag, count in counts.most_common(_MOST_WORDS) if count * 3 >= most]


def _counted(tags: Any) -> Iterator[tuple[str, int]]:
    """Whole sentences are captions, but no trigger words."""
    if isinstance(tags, dict):
        for tag, count in cast("dict[str, Any]", tags).items():
            if isinstance(count, int) and count > 0 and 0 < len(tag.strip()) <= _LONGEST_WORD:
                yield tag.strip(), count


def _folder_words(metadata: Mapping[str, str]) -> list[str]:
    """Training folders are called `10_ohwx man`: repeats, and the caption of pictures without one."""
    found = (re.fullmatch(r"\d+_(.+)", name) for name, _ in _json_object(metadata.get("ss_dataset_dirs", "")))
    return [match[1] for match in found if match]


def _json_object(text: str) -> list[tuple[str, Any]]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return list(cast("dict[str, Any]", value).items()) if isinstance(value, dict) else []


def _one_line(text: str, longest: int) -> str:
    """Whoever made the file wrote this: it is data for a list, so it gets no line of its own."""
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in text[: 4 * longest]).split())
    return words if len(words) <= longest else words[: longest - 1] + "…"
