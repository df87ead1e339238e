"""Finds the bar of an earlier preview in a picture that is worked on, so that the new one replaces it."""

import numpy as np
from numpy.typing import NDArray

from comfygen_mcp.engine.renderer.colour import Plane
from comfygen_mcp.engine.renderer.label import BACKGROUND

NEAR_ENOUGH = 12
"""How far a pixel may be from the bar's colours, because pictures are scaled and saved as JPEG."""
BARE = 0.3
"""The least share of a row of the bar that holds nothing: its words fill the rest."""
LEAST_ROWS, MOST = 7, 0.12
"""How high a bar is: so many rows, and so large a share of the picture."""
YELLOW_LEAD, LEAST_YELLOW = 45, 0.01
"""By how much red leads blue in the notice, even in a JPEG, and how much of it there is."""


def old_bar(picture: NDArray[np.uint8], columns: slice = slice(None), bottom: int | None = None) -> int:
    """Return how many rows above *bottom* an earlier bar takes up; 0 where there is none."""
    part = picture[:bottom, columns].astype(np.int16)[::-1]
    bare = (np.abs(part - np.array(BACKGROUND, np.int16)).max(-1) <= NEAR_ENOUGH).mean(-1) >= BARE
    rows = int(np.argmin(bare)) if not bare.all() else 0
    if not LEAST_ROWS <= rows <= max(2 * LEAST_ROWS, MOST * len(part)):
        return 0
    yellow = part[:rows, :, 0] - part[:rows, :, 2] >= YELLOW_LEAD
    return rows if yellow.mean() >= LEAST_YELLOW else 0


def over_old_bar(mask: Plane, picture: NDArray[np.uint8]) -> Plane:
    """Return *mask* with the bar of what it keeps covered too: the new picture has a bar of its own."""
    kept = mask <= 0.5
    rows, columns = np.flatnonzero(kept.any(1)), np.flatnonzero(kept.any(0))
    if not rows.size:
        return mask
    bottom = int(rows[-1]) + 1
    height = old_bar(picture, slice(int(columns[0]), int(columns[-1]) + 1), bottom)
    if not height:
        return mask
    wider = mask.copy()
    wider[bottom - height :] = 1
    return wider
