"""resolve: a request becomes a Job - every blank filled, the seed drawn, the id given."""

import math
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.advice import settings_warnings
from comfygen_mcp.graph.library import Workflow
from comfygen_mcp.graph.template import fill, placeholders, substitution_map
from comfygen_mcp.ids import new_job_id
from comfygen_mcp.models import SEED_JSON_SAFE, SEED_MAX, Job, Scalar
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.presets import Presets, apply_style, preset_values
from comfygen_mcp.services.offers import Offer, model_file
from comfygen_mcp.sizes import Size, resolve_size

MAX_PROMPT_BYTES = 256 * 1024
"""Longest prompt that is sent on; text encoders read some hundred words of it at most."""
VIDEO_KINDS = ("txt2video", "img2video")


class Resolver:
    """Holds what every request is resolved against; *now* and *draw* are the only chance in it."""

    def __init__(
        self,
        *,
        presets: Presets,
        timeout_image_s: float,
        timeout_video_s: float,
        now: Callable[[], datetime],
        draw: Callable[[], int] = lambda: 1 + secrets.randbelow(SEED_JSON_SAFE - 1),
    ) -> None:
        self._presets = presets
        self._timeout_image_s = timeout_image_s
        self._timeout_video_s = timeout_video_s
        self._now = now
        self._draw = draw

    def resolve(self, request: GenerateRequest, offer: Offer, workflow: Workflow) -> Job:
        """Return the Job of *request*; raises BadRequest or UnknownName before anything is sent."""
        check_request(request)
        prompt, negative = self._styled(request)
        preset, notes = self._preset(request, workflow)
        values = substitution_map(
            request=_asked(request, prompt=prompt, negative=negative),
            preset=preset,
            block=offer.block.template_values(),
            defaults=workflow.metadata.defaults,
        )
        size = _size(request, preset, values, workflow)
        seed = parse_seed(request.seed) or self._draw()
        complete = {**values, "width": size.width, "height": size.height, "seed": seed}
        used = _used(workflow, complete)
        notes = (*notes, *size.notes, *self._warnings(request, workflow, complete))
        notes = (*notes, *_unused(request, preset, used))
        now = self._now()
        return Job(
            id=new_job_id(now),
            created_at=now,
            kind=workflow.metadata.kind,
            backend=offer.name,
            workflow=workflow.reference,
            model=model_file(offer, workflow),
            prompt=prompt,
            negative_prompt=_text(used.get("negative")) or negative,
            style=request.style,
            preset=request.preset,
            seed=seed,
            steps=_whole(used.get("steps")),
            cfg=_real(used.get("cfg")),
            sampler=_text(used.get("sampler")),
            scheduler=_text(used.get("scheduler")),
            width=_whole(used.get("width")),
            height=_whole(used.get("height")),
            values=used,
            timeout_s=offer.block.timeout_s or self._timeout_of(workflow),
            metadata=request.metadata,
            caller=request.caller,
            notes=notes,
        )

    def _styled(self, request: GenerateRequest) -> tuple[str, str]:
        negative = request.negative or ""
        if request.style is None:
            return request.prompt, negative
        return apply_style(self._presets.style(request.style), request.prompt, negative)

    def _warnings(
        self, request: GenerateRequest, workflow: Workflow, values: Mapping[str, Scalar]
    ) -> tuple[str, ...]:
        """Return the workflow's advice on what the caller chose; a style's negative is nobody's mistake."""
        return settings_warnings(workflow, {**values, "negative": request.negative or ""})

    def _preset(
        self, request: GenerateRequest, workflow: Workflow
    ) -> tuple[Mapping[str, Scalar], tuple[str, ...]]:
        if request.preset is None:
            return {}, ()
        preset = self._presets.preset(request.preset)
        return preset_values(
            preset, distilled=workflow.metadata.distilled, force=request.force_preset, name=request.preset
        )

    def _timeout_of(self, workflow: Workflow) -> float:
        return self._timeout_video_s if workflow.metadata.kind in VIDEO_KINDS else self._timeout_image_s


def check_request(request: GenerateRequest) -> None:
    """Raise BadRequest for values that no workflow can use, before anything else is looked at."""
    check_prompt(request.prompt)
    check_text("negative prompt", request.negative or "")
    check_numbers(request)


def check_prompt(prompt: str) -> None:
    """Raise BadRequest for a prompt that is empty or too long to be meant."""
    if not prompt.strip():
        raise BadRequest(
            "The prompt is empty. Describe the picture in words, for example 'a red fox in snow'."
        )
    check_text("prompt", prompt)


def check_text(what: str, text: str) -> None:
    """Raise BadRequest for a text that no encoder reads: far too long, or with a NUL in it."""
    size = len(text.encode("utf-8", errors="replace"))
    if size > MAX_PROMPT_BYTES:
        raise BadRequest(
            f"The {what} has {size:,} bytes; at most {MAX_PROMPT_BYTES:,} are accepted. "
            "Text encoders read only the first few hundred words: send a shorter description."
        )
    if "\x00" in text:
        raise BadRequest(f"The {what} holds a NUL character. Send plain text.")


def check_numbers(request: GenerateRequest) -> None:
    """Raise BadRequest for steps or cfg that no sampler accepts."""
    if request.steps is not None and not 1 <= request.steps <= 10_000:
        raise BadRequest(f"steps={request.steps} is not possible: use 1 to 10000 (4 to 50 are usual).")
    if request.cfg is not None and not (math.isfinite(request.cfg) and 0 <= request.cfg <= 100):
        raise BadRequest(f"cfg={request.cfg} is not possible: use 0 to 100 (1 to 12 are usual).")


def parse_seed(seed: int | str | None) -> int | None:
    """Return the explicit seed, or None for 0, -1 and nothing, which all mean: draw one.

    Raises BadRequest for anything that is not a whole number from 0 to 2**64 - 1.
    """
    if seed is None:
        return None
    try:
        value = int(seed) if isinstance(seed, int) else int(seed.strip(), 10)
    except ValueError:
        raise BadRequest(
            f"seed={str(seed)[:40]!r} is not a whole number. "
            f"Use 1 to {SEED_MAX}, or leave it out for a new one."
        ) from None
    if value in (0, -1):
        return None
    if not 0 < value <= SEED_MAX:
        raise BadRequest(
            f"seed={value} is out of range. Use 1 to {SEED_MAX}; 0, -1 or nothing draws a new one."
        )
    return value


def _asked(request: GenerateRequest, *, prompt: str, negative: str) -> dict[str, Scalar]:
    """The request fields that fill placeholders; seed and size are settled after the rest."""
    asked: dict[str, Scalar | None] = {
        "prompt": prompt,
        "negative": negative or None,
        "steps": request.steps,
        "cfg": request.cfg,
        "sampler": request.sampler,
        "scheduler": request.scheduler,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _size(
    request: GenerateRequest, preset: Mapping[str, Scalar], values: Mapping[str, Scalar], workflow: Workflow
) -> Size:
    asked_here = request.size is not None or request.width is not None or request.height is not None
    return resolve_size(
        size=request.size,
        width=request.width if asked_here else _whole(preset.get("width")),
        height=request.height if asked_here else _whole(preset.get("height")),
        default_width=_whole(values.get("width")) or 1024,
        default_height=_whole(values.get("height")) or 1024,
        limits=workflow.metadata.limits,
    )


def _used(workflow: Workflow, values: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the values that the template asks for; raises BadWorkflow for one that nobody gives."""
    wanted = placeholders(workflow.graph)
    if any(name not in values for name in wanted):
        fill(workflow.graph, values)
    return {name: values[name] for name in wanted}


def _unused(
    request: GenerateRequest, preset: Mapping[str, Scalar], used: Mapping[str, Scalar]
) -> tuple[str, ...]:
    """Say which knobs the caller, or the preset, turned that this workflow does not have."""
    knobs = ("steps", "cfg", "sampler", "scheduler")
    asked = {name: getattr(request, name) or preset.get(name) for name in knobs}
    return tuple(
        f"{name}={value} has no effect: this workflow has no such knob."
        for name, value in asked.items()
        if value is not None and name not in used
    )


def _whole(value: Scalar | None) -> int | None:
    return None if value is None or isinstance(value, str) else int(value)


def _real(value: Scalar | None) -> float | None:
    return None if value is None or isinstance(value, str) else float(value)


def _text(value: Scalar | None) -> str | None:
    return None if value is None else str(value)
