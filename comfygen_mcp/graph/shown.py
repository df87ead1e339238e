"""Names out of foreign graphs, made fit for a message: one line, and not long."""

from collections.abc import Iterable

LONGEST_SHOWN = 80


def shown(name: str) -> str:
    """Return *name* in quotes, with control characters spelled out, cut where it is long."""
    return repr(name if len(name) <= LONGEST_SHOWN else f"{name[: LONGEST_SHOWN - 3]}...")


def bare(name: str) -> str:
    """Return *name* as `shown` does, without quotes."""
    return shown(name)[1:-1]


def listed(names: Iterable[str], most: int = 10) -> str:
    """Return the first *most* names, and how many more there are."""
    known = tuple(names)
    more = f" and {len(known) - most} more" if len(known) > most else ""
    return ", ".join(map(bare, known[:most])) + more
