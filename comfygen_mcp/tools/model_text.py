"""What is told of models in words: a line each, a recommendation, or all about one."""

from collections.abc import Sequence

from comfygen_mcp.services.catalogue import missing_text
from comfygen_mcp.services.model_view import ModelView

STAND_IN = "The embedded preview engine stands in for ComfyUI: its pictures are sketches, whatever the model."


def models_text(views: Sequence[ModelView]) -> str:
    """Return the list: one line for each model, and how to learn more."""
    if not views:
        return "No model is ready; call again with ready_only=false to see what is missing."
    head = [STAND_IN] if any(view.preview_engine for view in views) else []
    head += unreachable_hosts(views).values()
    foot = "list_models(model=name) tells all about one, with downloads of what is missing."
    return "\n".join([*head, *map(_line, views), foot])


def unreachable_hosts(views: Sequence[ModelView]) -> dict[str, str]:
    """Return why each host that *views* would run on does not answer."""
    return {view.host: view.reason for view in views if view.state == "unreachable"}


def recommendation_text(task: str, views: Sequence[ModelView]) -> str:
    """Return the best ready model with its reasons, then the best one that is not."""
    ready = next((view for view in views if view.state == "ready"), None)
    other = next((view for view in views if view.state != "ready"), None)
    lines = [f"For {task!r}:"]
    lines.append(f"Use {ready.name}: {_why(ready)}." if ready else "No model that fits is ready.")
    if ready and ready.preview_engine:
        lines.append(STAND_IN)
    if other:
        lines.append(f"Not ready: {other.name}: {_why(other)}. {_trouble(other)}")
    also = [view.name for view in views if view not in (ready, other)]
    return "\n".join([*lines, *([f"Also: {', '.join(also)}."] if also else [])])


def detail_text(view: ModelView) -> str:
    """Return all there is to say about one model, downloads included."""
    state = "ready" if view.state == "ready" else f"{view.state}. {_trouble(view)}"
    facts = {
        "Good for": view.good_for,
        "Wants": view.wants,
        "Makes": view.makes or view.sizes,
        "Its family also does": ", ".join(view.also_does),
        "Settings": _settings(view),
        "Takes": view.takes,
        "Prompts": " ".join(view.prompt_tips),
        "VRAM": f"{view.vram_gb} GB" if view.vram_gb else "",
        "Licence": view.license,
        "Samplers": ", ".join(view.samplers),
        "Schedulers": ", ".join(view.schedulers),
    }
    head = f"{view.name}{_kind(view)}: {state}"
    return "\n".join([head, *([STAND_IN] if view.preview_engine else []), *_filled(facts)])


def _line(view: ModelView) -> str:
    told = [view.good_for.rstrip("."), _settings(view)]
    words = "; ".join(part for part in told if part)
    return f"- {view.name}{_kind(view)}: {_short_state(view)}{f' - {words}' if words else ''}"


def _short_state(view: ModelView) -> str:
    if view.missing:
        return f"needs {', '.join(f'{entry.folder}/{entry.file}' for entry in view.missing)}"
    # Why a host does not answer stands above, once for all of its models.
    told = view.reason and view.state != "unreachable"
    return f"{view.state} ({view.reason})" if told else view.state


def _trouble(view: ModelView) -> str:
    return missing_text(view.missing) if view.missing else view.reason


def _kind(view: ModelView) -> str:
    return f" ({view.kind})" if view.kind else ""


def _why(view: ModelView) -> str:
    return "; ".join(reason.rstrip(".") for reason in view.why)


def _settings(view: ModelView) -> str:
    parts = {
        f"{view.width}x{view.height}": view.width,
        f"{view.frames} frames": view.frames,
        f"{view.steps} steps": view.steps,
        f"cfg {view.cfg:g}" if view.cfg else "": view.cfg,
    }
    return ", ".join(words for words, there in parts.items() if there)


def _filled(facts: dict[str, str]) -> list[str]:
    return [f"{name}: {text}" for name, text in facts.items() if text]
