"""What travels along the links of a graph here: light descriptions, and pictures as arrays."""

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from comfygen_mcp.engine.film import Film

Pictures: TypeAlias = NDArray[np.uint8]
"""A batch of pictures: (count, height, width, 3)."""
Masks: TypeAlias = NDArray[np.floating[Any]]
"""A batch of masks: (count, height, width), 1 where it applies."""
Frames: TypeAlias = Pictures | Film
"""What an IMAGE link carries to a node that can take its pictures one by one."""


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
class ClipVision:
    name: str


@dataclass(frozen=True)
class UpscaleModel:
    """A model that enlarges pictures by a fixed *factor*."""

    name: str
    factor: int


@dataclass(frozen=True)
class Conditioning:
    """Words, and for an edit the pictures that they are about."""

    text: str
    guidance: float | None = None
    loras: tuple[Lora, ...] = ()
    references: tuple[Pictures, ...] = ()


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

    *strength* is the denoise; *leftover* the share of noise that remains in the end; *mask* is 1 where it
    may paint at all.
    """

    guider: Guider
    seed: int
    steps: int
    sampler: str
    strength: float
    leftover: float
    mask: Masks | None = None


@dataclass(frozen=True)
class Latent:
    """Pictures before decoding: an encoded base or nothing (zeros), and the passes painted over it.

    It stays a description until a VAEDecode or a preview asks for pixels, so steps cost nothing.
    *frames* above one make each picture a video, which begins with *start* if there is one. *credit* is the
    pass that painted the base, where its pixels are already a sampler's work.
    """

    width: int
    height: int
    count: int
    base: Pictures | None = None
    paintings: tuple[Painting, ...] = ()
    frames: int = 1
    mask: Masks | None = None
    start: Pictures | None = None
    credit: Painting | None = None

    def painted(self, painting: Painting) -> "Latent":
        """Return the latent after one more pass, which takes up the noise that an earlier one left."""
        painting = replace(painting, mask=self.mask)
        if painting.strength >= 1 and self.mask is None:
            return replace(self, base=None, credit=None, paintings=(painting,))
        earlier = tuple(replace(pass_, leftover=0.0) for pass_ in self.paintings)
        return replace(self, paintings=(*earlier, painting))

    @property
    def author(self) -> Painting | None:
        """The pass whose work the pictures are; None when no sampler has painted them."""
        return self.paintings[-1] if self.paintings else self.credit


@dataclass(frozen=True)
class Sound:
    """Silence of a length, the only sound made here."""

    rate: int
    channels: int
    samples: int


@dataclass(frozen=True)
class Video:
    frames: Frames
    fps: float
    sound: Sound | None = None
