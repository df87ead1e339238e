"""Model patches. They bend the noise schedule of a real model, and change nothing in a preview."""

from typing import Any

from comfygen_mcp.engine.nodes.spec import Input, Node, integer, link, maybe, number, slots, switch
from comfygen_mcp.engine.task import Task
from comfygen_mcp.engine.values import Model

MODULE = "comfy_extras.nodes_model_advanced"


def keep(_: Task, *, model: Model, **__: Any) -> tuple[Model]:
    return (model,)


def _shift(default: float) -> Input:
    return number(default, 0.0, 100.0, step=0.01)


def _size() -> Input:
    return integer(1024, 16, 16384, step=8)


NODES = (
    Node(
        "ModelSamplingFlux",
        "ModelSamplingFlux",
        "model/patch/flux",
        {
            "model": link("MODEL"),
            "max_shift": _shift(1.15),
            "base_shift": _shift(0.5),
            "width": _size(),
            "height": _size(),
        },
        slots("MODEL"),
        keep,
        module=MODULE,
    ),
    Node(
        "ModelSamplingSD3",
        "ModelSamplingSD3",
        "model/patch/stable diffusion",
        {"model": link("MODEL"), "shift": _shift(3.0)},
        slots("MODEL"),
        keep,
        module=MODULE,
    ),
    Node(
        "ModelSamplingAuraFlow",
        "ModelSamplingAuraFlow",
        "model/patch",
        {"model": link("MODEL"), "shift": _shift(1.73)},
        slots("MODEL"),
        keep,
        module=MODULE,
    ),
    Node(
        "CFGNorm",
        "CFGNorm",
        "advanced/guidance",
        {
            "model": link("MODEL"),
            "strength": number(1.0, 0.0, 100.0, step=0.01),
            "pre_cfg": maybe(switch(default=False)),
        },
        slots("MODEL:patched_model"),
        keep,
        module="comfy_extras.nodes_cfg",
        experimental=True,
    ),
    Node(
        "DifferentialDiffusion",
        "Differential Diffusion",
        "experimental",
        {"model": link("MODEL"), "strength": maybe(number(1.0, 0.0, 1.0, step=0.01))},
        slots("MODEL"),
        keep,
        module="comfy_extras.nodes_differential_diffusion",
        experimental=True,
    ),
)
