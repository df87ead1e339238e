"""Which model for which task: ranks models by what a few words ask for, and says why."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.services.model_view import ModelView
from comfygen_mcp.services.tasks import KIND_IN_WORDS, TASKS, kinds_in, wishes_in, words_in

_MOST = 8


class _Score(NamedTuple):
    """How well a model fits; *hits* counts what the task asks for and the model has."""

    points: float
    hits: int
    why: tuple[str, ...]


def recommend(task: str, views: Sequence[ModelView]) -> list[ModelView]:
    """Return the models that fit *task*, ready ones first, the best of each first, with *why* filled in.

    *views* come best first for no particular task. Raises UnknownName when no word of *task* is understood,
    and BadRequest when no model is of its kind.
    """
    kinds = kinds_in(task)
    fitting = [view for view in views if view.kind in kinds or not kinds]
    if kinds and not fitting:
        able = ", ".join(sorted({view.kind for view in views if view.kind}))
        raise BadRequest(f"No known model {KIND_IN_WORDS[kinds[0]]} (task={task[:80]!r}). They do: {able}.")
    wishes = wishes_in(task)
    scored = [(_score(task, view), view) for view in fitting]
    if not kinds:
        # Somebody who only says how it should be most likely wants a picture.
        scored = [
            (score, view) for score, view in scored if score.hits or (wishes and view.kind == "txt2img")
        ]
    if not scored:
        known = dict.fromkeys([*TASKS, *(phrase for view in views for phrase in view.good_at)])
        raise UnknownName("task", task, known, hint="Without a task all models are listed.")
    scored.sort(key=lambda pair: (pair[1].state != "ready", -pair[0].points))
    return [view.model_copy(update={"why": score.why}) for score, view in scored[:_MOST]]


def _score(task: str, view: ModelView) -> _Score:
    words = words_in(task)
    wishes = [wish for wish in wishes_in(task) if wish.has(view)]
    good_at = [phrase for phrase in view.good_at if words_in(phrase) & words]
    whole = [phrase for phrase in good_at if words_in(phrase) <= words]
    mentioned = words & words_in(f"{view.name} {view.family} {view.good_for}")
    # Of several kinds the first is meant most.
    likeliest = (kinds_in(task) or ("txt2img",))[0]
    points = 2.0 * (view.kind == likeliest) + 4.0 * len(wishes) + 2.0 * (len(good_at) + len(whole))
    why = [
        KIND_IN_WORDS.get(view.kind, ""),
        *(wish.why(view) for wish in wishes),
        f"good at {', '.join([*whole, *(p for p in good_at if p not in whole)][:3])}" if good_at else "",
        view.good_for.rstrip(".") if mentioned and not good_at else "",
        f"{view.vram_gb} GB of VRAM" if view.vram_gb else "",
        f"but its licence is {view.license}" if _is_restricted(view) else "",
    ]
    return _Score(
        points=points + min(len(mentioned), 3),
        hits=len(wishes) + len(good_at) + len(mentioned),
        why=tuple(reason for reason in why if reason),
    )


def _is_restricted(view: ModelView) -> bool:
    return re.search(r"non-?commercial", view.license, re.IGNORECASE) is not None
