"""What travels along the links of a graph here: light descriptions, and pictures as arrays."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pictures: TypeAlias = NDArray[np.uint8]
"""A batch of pictures: (count, height, width, 3)."""
Masks: TypeAlias = NDArray[np.floating[Any]]
"""A batch of masks: (count, height, width), 1 where it applies."""


@dataclass(frozen=True)
class Lora:
    name: str
    strength: float


@dataclass(frozen=True)
class Model:
    name: str
    loras: tuple[Lora, ...] = ()

    def with_lora(self, name: str, strength: float) -> "Model":
        return replace(self, loras=(*self.loras, Lora(name, strength))) if strength else self


@dataclass(frozen=True)
class Clip:
    name: str
    loras: tuple[Lora, ...] = ()

    def with_lora(self, name: str, strength: float) -> "Clip":
        return replace(self, loras=(*self.loras, Lora(name, strength))) if strength else self


@dataclass(frozen=True)
class Vae:
    name: str


@dataclass(frozen=True)
class Conditioning:
    text: str
    guidance: float | None = None
    loras: tuple[Lora, ...] = ()


@dataclass(frozen=True)
class Noise:
    seed: int


@dataclass(frozen=True)
class Sampler:
    name: str


@dataclass(frozen=True)
class Sigmas:
    steps: int
    denoise: float = 1.0


@dataclass(frozen=True)
class Guider:
    model: Model
    positive: Conditioning
    negative: Conditioning
    cfg: float


@dataclass(frozen=True)
class Painting:
    """One sampler pass: a scene made of words, model and seed, and how far it replaces what was there.

    *strength* is the denoise; *leftover* the share of noise that remains in the end.
    """

    guider: Guider
    seed: int
    steps: int
    sampler: str
    strength: float
    leftover: float


@dataclass(frozen=True)
class Latent:
    """Pictures before decoding: an encoded base or nothing (zeros), and the passes painted over it.

    It stays a description until a VAEDecode or a preview asks for pixels, so steps cost nothing.
    """

    width: int
    height: int
    count: int
    base: Pictures | None = None
    paintings: tuple[Painting, ...] = ()

    def painted(self, painting: Painting) -> "Latent":
        kept = () if painting.strength >= 1 else self.paintings
        base = None if painting.strength >= 1 else self.base
        return replace(self, base=base, paintings=(*kept, painting))
