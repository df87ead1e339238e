"""Measured rows as a table: minimum, median, 95th percentile, and the ratio to the first row."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(part * (len(ordered) - 1)))]


def show(title: str, rows: Mapping[str, Sequence[float]], *, unit: str = "ms") -> None:
    """Print *rows* (name → samples in *unit*); ratios are of medians, to the first row."""
    table = Table(
        "", "n", f"min {unit}", f"p50 {unit}", f"p95 {unit}", "ratio", title=title, title_justify="left"
    )
    base = percentile(next(iter(rows.values())), 0.5)
    for name, values in rows.items():
        middle = percentile(values, 0.5)
        cells = [f"{v:.2f}" for v in (min(values), middle, percentile(values, 0.95))]
        table.add_row(name, str(len(values)), *cells, f"{middle / base:.2f}")
    Console().print(table)
