"""How strong a LoRA should be, in the words of lists and notes."""

from comfygen_mcp.graph.lora_facts import LoraFacts

STRENGTH_SCALE = (
    "Strength: 0.3-0.5 subtle, 0.6-0.8 typical, 0.9-1.0 strong, above 1.0 the maximum (some LoRAs want it); "
    "acceleration LoRAs exactly as listed."
)
TYPICAL = "0.6-0.8 typical"
_TOO_STRONG = 1.5
_HIGHEST_CFG = 2.0


def strength_advice(facts: LoraFacts) -> str:
    """Return the strength to begin with."""
    if facts.exact_strength is None:
        return TYPICAL
    steps = f", with {facts.steps} steps and cfg 1" if facts.steps else ""
    return f"exactly {facts.exact_strength}{steps}"


def strength_note(name: str, strength: float, facts: LoraFacts) -> str | None:
    """Return what is odd about using *name* at *strength*, or None."""
    exact = facts.exact_strength
    if strength == 0:
        return f"LoRA {name} has strength 0, so it does nothing."
    if exact is not None and strength != exact:
        return (
            f"LoRA {name} is an acceleration LoRA, made for strength {exact} exactly; at {strength:g} the "
            f"result looks unfinished or burnt. Use {name}:{exact}."
        )
    if exact is None and strength > _TOO_STRONG:
        return (
            f"LoRA {name} at {strength:g} is more than most LoRAs stand ({TYPICAL}): lower it if the picture "
            "looks burnt or distorted."
        )
    return None


def sampling_note(
    name: str, facts: LoraFacts, *, steps: int | None, cfg: float | None, built_into: str | None = None
) -> str | None:
    """Return what to do where a job has more *steps* or *cfg* than an acceleration LoRA is made for.

    *built_into* is the model that has it already, with all settings right.
    """
    if facts.steps is None or ((steps or 0) <= 2 * facts.steps and (cfg or 0) <= _HIGHEST_CFG):
        return None
    shown = [*([f"{steps} steps"] if steps else []), *([f"cfg {cfg:g}"] if cfg else [])]
    cure = (
        f"use model {built_into}, which has it built in"
        if built_into
        else f"set steps={facts.steps} and cfg=1"
    )
    return (
        f"LoRA {name} is made for {facts.steps} steps at cfg 1, this job has {' and '.join(shown)}: {cure}, "
        "or the result looks burnt."
    )
