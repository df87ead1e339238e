"""Frames that are painted when they are asked for: a video is too large to be held whole."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
"""One picture: (height, width, 3)."""


@dataclass(frozen=True)
class Film:
    """*count* frames of one size; *paint* gives each of them, the same one each time."""

    width: int
    height: int
    count: int
    paint: Callable[[int], Picture]
    first: int = 0

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape that the frames would have as one array."""
        return (self.count, self.height, self.width, 3)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Picture]:
        return (self.paint(self.first + index) for index in range(self.count))

    def check(self) -> None:
        """Raise a NodeFailure where the frames are too large to be held as one array."""
        from comfygen_mcp.engine.nodes.limits import check_pixels

        check_pixels(self.width, self.height, self.count)

    def part(self, start: int, length: int) -> "Film":
        """Return *length* of the frames, from *start* on."""
        return replace(self, first=self.first + start, count=length)


def whole(value: Any, check_interrupt: Callable[[], None]) -> Any:
    """Return the frames of a film as one array, and any other value as it is."""
    if not isinstance(value, Film):
        return value
    value.check()
    pictures = np.empty(value.shape, np.uint8)
    for index, picture in enumerate(value):
        check_interrupt()
        pictures[index] = picture
    return pictures
