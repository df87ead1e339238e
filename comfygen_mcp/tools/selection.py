"""Which of the tools are offered, as the configuration chooses."""

from comfygen_mcp.config import Settings
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.names import nearest_names
from comfygen_mcp.tools import MANAGE, TOOLS, ToolEntry


def offered(settings: Settings) -> tuple[ToolEntry, ...]:
    """Return the tools that `tools`, `read_only` and `manage` leave; raises BadConfiguration."""
    known = {entry.function.__name__: entry for entry in (*TOOLS, *MANAGE)}
    for name in settings.tools:
        _check(name, known, settings)
    entries = (*TOOLS, *MANAGE) if settings.manage else TOOLS
    return tuple(
        entry
        for entry in entries
        if (not settings.tools or entry.function.__name__ in settings.tools)
        and (entry.annotations.read_only_hint or not settings.read_only)
    )


def _check(name: str, known: dict[str, ToolEntry], settings: Settings) -> None:
    if name not in known:
        near = nearest_names(name, known)
        meant = f"Did you mean {' or '.join(near)}?" if near else f"Known: {', '.join(known)}."
        raise BadConfiguration(f"tools: there is no tool {name[:80]!r}. {meant}")
    if known[name] in MANAGE and not settings.manage:
        raise BadConfiguration(
            f"tools: {name} changes what is stored. Set `manage: true` (--manage) as well."
        )
    if settings.read_only and not known[name].annotations.read_only_hint:
        raise BadConfiguration(f"tools: {name} does not only read. Leave it out, or leave out `read_only`.")
