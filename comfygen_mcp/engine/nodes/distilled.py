"""Which models were distilled to need few steps, by what their files are called."""

import re

from comfygen_mcp.engine.values import Model

FEW_STEPS = re.compile(
    r"""
    turbo | schnell | lightning | distill | lightx2v | causvid | klein(?!.*base)
    | (?<![a-z]) (lcm | dmd2? | tcd | pcm | hyper | flash) (?![a-z])
    | (?<!\d) \d{1,2} [-_ ]? steps?
    """,
    re.IGNORECASE | re.VERBOSE,
)


def is_distilled(model: Model) -> bool:
    """Whether the model, or a LoRA on it, was made for a handful of steps."""
    names = [model.name, *(lora.name for lora in model.loras if lora.strength > 0)]
    return any(FEW_STEPS.search(name.replace("\\", "/").rpartition("/")[2]) for name in names)
