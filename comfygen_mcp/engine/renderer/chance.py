"""Chance that is the same in every process: SHAKE-256 of what is asked for keys a Philox generator."""

import hashlib

import numpy as np


def generator(*parts: object) -> np.random.Generator:
    key = int.from_bytes(digest(16, *parts), "big")
    return np.random.Generator(np.random.Philox(key=key))


def fraction(*parts: object) -> float:
    """Return a number in [0, 1) that belongs to *parts*."""
    return int.from_bytes(digest(6, *parts), "big") / 2**48


def digest(length: int, *parts: object) -> bytes:
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(length)
