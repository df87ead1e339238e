"""Notes on settings that a workflow's own metadata warns of."""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from comfygen_mcp.graph.metadata import Advice, Condition
from comfygen_mcp.graph.parse import Workflow
from comfygen_mcp.models import Scalar


def settings_warnings(workflow: Workflow, values: Mapping[str, Scalar]) -> tuple[str, ...]:
    """Return the notes of every advice of *workflow* that *values* call for; nothing is changed."""
    known = {**values, **_derived(values)}
    return tuple(advice.note for advice in workflow.metadata.advice if _applies(advice, known))


def _derived(values: Mapping[str, Scalar]) -> dict[str, Scalar]:
    width, height = values.get("width"), values.get("height")
    if isinstance(width, int) and isinstance(height, int):
        return {"pixels": width * height}
    return {}


def _applies(advice: Advice, values: Mapping[str, Scalar]) -> bool:
    return all(name in values and _holds(wanted, values[name]) for name, wanted in advice.when.items())


def _holds(wanted: Scalar | Condition, value: Scalar) -> bool:
    if not isinstance(wanted, Condition):
        return value == wanted
    number = value if isinstance(value, int | float) else None
    text = str(value).casefold()
    checks = (
        wanted.below is None or (number is not None and number < wanted.below),
        wanted.above is None or (number is not None and number > wanted.above),
        wanted.matches is None or fnmatchcase(text, wanted.matches.casefold()),
        wanted.one_of is None or value in wanted.one_of,
    )
    return all(checks)
