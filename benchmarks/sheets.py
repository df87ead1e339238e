"""A contact sheet of 24 pictures of 1024 x 1024: how long it takes, and how much memory at its peak.

usage: python benchmarks/sheets.py [rounds]
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

from table import show

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

CELLS = 24
EDGE = 1024
GRAIN = 3.0
"""Of the noise over the pictures, in levels: with it they are as large as photographs (about 1 MB)."""


def main(rounds: int) -> None:
    """Draw each sheet in a process of its own: a peak is only seen once."""
    with tempfile.TemporaryDirectory() as folder:
        fresh = multiprocessing.get_context("spawn")
        with fresh.Pool(1) as pool:
            paths = pool.map(_picture, [(Path(folder), number) for number in range(CELLS)])
        with fresh.Pool(1, maxtasksperchild=1) as pool:
            measured = [pool.apply(_draw, (paths,)) for _ in range(rounds)]
    title = f"{CELLS} pictures of {EDGE} x {EDGE} on one sheet, full PNG and preview"
    names = ("first sheet of a process", "the next one", "the next one, processor time")
    show(title, {name: [each[place] for each in measured] for place, name in enumerate(names)}, unit="s")
    show(title, {"resident memory grows at most by": [each[-1] for each in measured]}, unit="MB")


def _picture(wanted: tuple[Path, int]) -> Path:
    import io

    import numpy as np
    from PIL import Image
    from sheet_pictures import landscape

    folder, number = wanted
    smooth = np.asarray(Image.open(io.BytesIO(landscape(EDGE, EDGE, number))), dtype=float)
    grain = np.random.default_rng(number).normal(0, GRAIN, smooth.shape[:2])[..., None]
    path = folder / f"{number}.png"
    Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8)).save(path)
    return path


def _draw(paths: list[Path]) -> tuple[float, float, float, float]:
    """Return the seconds of two sheets, the processor seconds of the second, and megabytes at the peak."""
    from comfygen_mcp.sheets.base import Sheet, SheetCell
    from comfygen_mcp.sheets.draw import draw_sheet

    cells = tuple(
        SheetCell(title=f"model {number}", subtitle="1840 ms · seed 42", picture=path)
        for number, path in enumerate(paths)
    )
    sheet = Sheet(header="a red fox in a snowy forest at dawn", subheader="24 models", cells=cells)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    draw_sheet(sheet)
    between, worked = time.perf_counter(), time.process_time()
    draw_sheet(sheet)
    ended, processor = time.perf_counter(), time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return between - started, ended - between, processor, peak / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6)
