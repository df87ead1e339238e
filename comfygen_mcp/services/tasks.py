"""The words in which people name a task: the kind that is meant, the qualities, and what is left of them."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from comfygen_mcp.models import Kind
from comfygen_mcp.services.model_view import ModelView

TASKS = (
    *("text to image", "image to image", "inpaint", "edit a photo", "upscale", "text to video"),
    *("image to video", "fast", "small GPU", "commercial use"),
)
"""Tasks that are always understood; what models say they are good at comes besides."""

KIND_IN_WORDS: Mapping[Kind | None, str] = {
    "txt2img": "makes pictures from text",
    "img2img": "makes a new picture from one",
    "inpaint": "repaints a part of a picture, or around it",
    "edit": "edits a picture by instruction",
    "upscale": "enlarges pictures",
    "txt2video": "makes video from text",
    "img2video": "makes video from a picture",
}

_VIDEO = r"(videos?|clips?|movies?|films?|animations?|gifs?)"
_STILL = r"(images?|photos?|pictures?|stills?|portraits?)"
_KINDS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    (rf"{_STILL} (to|2|into) (an? )?{_VIDEO}|\bi(mg)?2v|\banimate\b|to life", ("img2video",)),
    (rf"text (to|2) {_VIDEO}|\bt(xt)?2v", ("txt2video",)),
    (rf"\b{_VIDEO}\b", ("txt2video", "img2video")),
    (r"upscal|enlarg|super.?res|higher res|sharper|\bbigger\b", ("upscale",)),
    (r"inpaint|outpaint|uncrop|\bmask|\bfill\b|\bextend\b", ("inpaint",)),
    (r"\b(img|image)\W?(to|2)\W?(img|image)|variation|restyl|from an? (sketch|picture|photo)", ("img2img",)),
    (r"\bedit|\bchange\b|\breplace|\bremove|retouch|\binstruct", ("edit",)),
    (rf"text to image|txt2img|\bt2i|\b{_STILL}\b|illustrat|\bdraw|\bposter|\blogo", ("txt2img",)),
)
"""Pattern → the kinds of task that it asks for, the likeliest first; the first pattern found counts."""


class Wish(NamedTuple):
    """A quality that words ask for: whether a model has it, and what is said of it then."""

    pattern: str
    has: Callable[[ModelView], bool]
    why: Callable[[ModelView], str]


def kinds_in(task: str) -> tuple[Kind, ...]:
    """Return the kinds of task that *task* names, the likeliest first; none when it names none."""
    text = " ".join(task.casefold().split())
    return next((kinds for pattern, kinds in _KINDS if re.search(pattern, text)), ())


def wishes_in(task: str) -> list[Wish]:
    """Return the qualities that *task* asks for."""
    return [wish for wish in _WISHES if re.search(wish.pattern, task, re.IGNORECASE)]


def words_in(text: str) -> frozenset[str]:
    """Return the words that tell models apart, without a plural's s; `text to image` is about no text."""
    about = re.sub(r"\btext\s+(to|2)\b", " ", text.casefold())
    found = (_singular(word) for word in re.findall(r"[^\W_]+", about))
    return frozenset(word for word in found if len(word) > 1 and word not in _FILLERS)


def _is_fast(view: ModelView) -> bool:
    return view.distilled and view.steps is not None and view.steps <= _FEW_STEPS


def _why_fast(view: ModelView) -> str:
    return f"fast: distilled, {view.steps} steps"


def _is_small(view: ModelView) -> bool:
    """Tell by the largest number in a note such as `10-12` or `about 8.5`."""
    numbers = re.findall(r"\d+(?:\.\d+)?", view.vram_gb)
    return bool(numbers) and max(map(float, numbers)) < _SMALL_BELOW_GB


def _why_small(_: ModelView) -> str:
    return "small"


def _is_free(view: ModelView) -> bool:
    return re.search(r"apache|\bmit\b|open ?rail", view.license, re.IGNORECASE) is not None


def _why_free(view: ModelView) -> str:
    return f"its licence allows commercial use: {view.license}"


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


_FEW_STEPS = 10
_SMALL_BELOW_GB = 10.0
_WISHES = (
    Wish(r"\bfast|\bquick|\bspeed|\bdraft|\binstant", _is_fast, _why_fast),
    Wish(r"\bsmall\b|\b(low|little).?(v?ram|memory)|\blaptop|\bweak", _is_small, _why_small),
    Wish(r"\bcommercial|\b(free|open) licen[cs]e", _is_free, _why_free),
)
_FILLERS = frozenset(
    """a about an and any at best can create do for from generate good great high image in into is it
    like make me model my nice of on or our picture quality some that the this to use using video want what
    which with
    """.split()  # noqa: SIM905 - a list of these would take forty lines
)
