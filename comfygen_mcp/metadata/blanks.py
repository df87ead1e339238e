"""Blanks: parts of a file that are overwritten in place, so that nothing behind them moves."""

from dataclasses import dataclass
from typing import BinaryIO

_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Blank:
    """*head* is written at *at*, and zeros behind it, *size* bytes together."""

    at: int
    head: bytes
    size: int

    def write(self, file: BinaryIO) -> None:
        file.seek(self.at)
        file.write(self.head)
        left = self.size - len(self.head)
        while left > 0:
            left -= file.write(bytes(min(left, _STEP)))


def read_at(file: BinaryIO, at: int, size: int) -> bytes:
    """Return *size* bytes from *at*; raises ValueError when there are fewer."""
    file.seek(at)
    data = file.read(size)
    if len(data) < size:
        raise ValueError("it is cut short")
    return data


def size_of(file: BinaryIO) -> int:
    return file.seek(0, 2)
