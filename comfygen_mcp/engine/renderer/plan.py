"""The plan of a scene: everything that is decided before the first pixel, whatever the size."""

from dataclasses import dataclass

import numpy as np

from comfygen_mcp.engine.renderer.bouquet import Bouquet, bouquet_of
from comfygen_mcp.engine.renderer.chance import fraction, generator
from comfygen_mcp.engine.renderer.colour import NAMED, Rgb, mix, scale, turn
from comfygen_mcp.engine.renderer.words import (
    HOMES,
    PLACES,
    STYLES,
    SUBJECTS,
    TIMES,
    TONES,
    WEATHERS,
    colour_before,
    colours,
    content_words,
    matches,
    sky_colour,
    subject_colour,
)
from comfygen_mcp.engine.values import Painting

ANY_TIME = ("dawn", "day", "golden", "sunset", "golden", "day")
"""Never a dark one: a night that nobody asked for is no good guess."""
DAY_SKIES = (NAMED["blue"], NAMED["azure"], NAMED["cyan"], NAMED["white"])
ON_TABLES = {"vase", "flower", "cup", "ball"}
SKYLESS = frozenset(["space", "underwater", "table"])
"""Places without sky and weather."""
ANY_PLACE = ("mountain", "lake", "meadow", "mountain", "forest", "sea")


@dataclass(frozen=True)
class Palette:
    """The colours of the light: the sky from top to horizon, what shines, and dark land up close."""

    zenith: Rgb
    middle: Rgb
    horizon: Rgb
    sun: Rgb
    land: Rgb
    light: float

    def turned(self, degrees: float, saturation: float) -> "Palette":
        shades = (self.zenith, self.middle, self.horizon, self.sun, self.land)
        zenith, middle, horizon, sun, land = (turn(shade, degrees, saturation) for shade in shades)
        return Palette(zenith, middle, horizon, sun, land, self.light)

    def tinted(self, colour: Rgb) -> "Palette":
        """Return a palette that leans to *colour*, most of all at the horizon."""
        return Palette(
            mix(self.zenith, scale(colour, 0.5), 0.3),
            mix(self.middle, scale(colour, 0.85), 0.42),
            mix(self.horizon, mix(colour, (1, 1, 1), 0.35), 0.45),
            mix(self.sun, mix(colour, (1, 1, 1), 0.6), 0.4),
            mix(self.land, scale(colour, 0.3), 0.4),
            self.light,
        )


PALETTES = {
    "dawn": Palette(
        (0.27, 0.36, 0.6), (0.74, 0.6, 0.7), (1.0, 0.81, 0.66), (1.0, 0.93, 0.8), (0.19, 0.2, 0.31), 0.8
    ),
    "day": Palette(
        (0.15, 0.41, 0.76), (0.42, 0.67, 0.91), (0.84, 0.92, 0.96), (1.0, 0.98, 0.9), (0.11, 0.22, 0.24), 1.0
    ),
    "golden": Palette(
        (0.3, 0.48, 0.7), (0.82, 0.74, 0.62), (1.0, 0.85, 0.55), (1.0, 0.95, 0.74), (0.24, 0.17, 0.15), 0.95
    ),
    "sunset": Palette(
        (0.17, 0.14, 0.38), (0.74, 0.29, 0.41), (1.0, 0.63, 0.3), (1.0, 0.9, 0.6), (0.13, 0.07, 0.17), 0.6
    ),
    "dusk": Palette(
        (0.07, 0.09, 0.25), (0.31, 0.26, 0.5), (0.86, 0.55, 0.56), (1.0, 0.86, 0.76), (0.06, 0.06, 0.15), 0.45
    ),
    "night": Palette(
        (0.015, 0.03, 0.1), (0.05, 0.1, 0.24), (0.17, 0.27, 0.46), (0.93, 0.95, 1.0), (0.015, 0.03, 0.07), 0.3
    ),
    "storm": Palette(
        (0.19, 0.22, 0.28),
        (0.38, 0.42, 0.47),
        (0.68, 0.71, 0.72),
        (0.86, 0.88, 0.88),
        (0.1, 0.13, 0.16),
        0.65,
    ),
}


@dataclass(frozen=True)
class Plan:
    """*named* says which of `time` and `place` the words name, and which were left to chance."""

    key: str
    words: tuple[str, ...]
    named: frozenset[str]
    tones: frozenset[str]
    time: str
    place: str
    weather: frozenset[str]
    styles: frozenset[str]
    subject: str | None
    subject_colour: Rgb | None
    bouquet: Bouquet | None
    palette: Palette
    accents: tuple[Rgb, ...]
    ground: Rgb | None
    horizon: float
    sun_x: float
    sun_y: float
    mirrored: bool
    contrast: float

    def chance(self, topic: str) -> np.random.Generator:
        """Return the generator of one topic, so that topics do not disturb each other."""
        return generator(self.key, topic)

    @property
    def is_dark(self) -> bool:
        return self.time in {"night", "dusk"}


def plan_of(painting: Painting, index: int) -> Plan:
    """Return the plan of picture *index* of a batch; the first equals that of a batch of one."""
    guider = painting.guider
    found = content_words(guider.positive.text)
    negative = guider.negative.text if guider.cfg != 1 else ""
    without = frozenset(content_words(negative))
    key = "|".join([str(painting.seed), str(index), " ".join(found), negative, guider.model.name])
    rng = generator(key, "plan")
    above = sky_colour(found)
    any_time = ("day",) if above in DAY_SKIES else ANY_TIME
    times, places = matches(found, TIMES, without), matches(found, PLACES, without)
    time = _first(times, any_time, rng)
    place = _first([*places, *matches(found, HOMES, without)], ANY_PLACE, rng)
    subject = _subject(matches(found, SUBJECTS, without))
    place = "table" if _is_still_life(subject, places) else place
    bouquet = bouquet_of(found, without) if subject in {"vase", "flower"} else None
    own_colour = subject_colour(found, subject) if subject else None
    table = colour_before(found, PLACES["table"].split()) if place == "table" else None
    used = {own_colour, above, table, bouquet and bouquet.colour}
    accents = tuple(colour for colour in colours(found) if colour not in used)
    shades = PALETTES["night" if place == "space" else time]
    return Plan(
        key=key,
        words=tuple(found),
        named=frozenset({"time"} if times else ()) | frozenset({"place"} if places else ()),
        tones=frozenset(matches(found, TONES, without)),
        time="night" if place == "space" else time,
        place=place,
        weather=frozenset(matches(found, WEATHERS, without)),
        styles=frozenset(matches(found, STYLES, without)),
        subject=subject,
        subject_colour=own_colour,
        bouquet=bouquet,
        palette=_characteristic(shades, painting, above or (accents[0] if accents else None), rng),
        accents=accents,
        ground=table or (accents[0] if accents and above else None),
        horizon=float(rng.uniform(0.52, 0.68)),
        sun_x=float(rng.uniform(0.14, 0.86)),
        sun_y=float(rng.uniform(0.3, 0.8)),
        mirrored=bool(rng.random() < 0.5),
        contrast=_contrast(guider.cfg, guider.positive.guidance),
    )


def _subject(subjects: list[str]) -> str | None:
    """Return the first subject; but flowers in a vase are part of it, whichever is named first."""
    return "vase" if "vase" in subjects else next(iter(subjects), None)


def _is_still_life(subject: str | None, places: list[str]) -> bool:
    """Whether a table is what the subject stands on: one of pine is no forest."""
    return subject in ON_TABLES and ("table" in places or (subject == "vase" and not places))


def _first(found: list[str], any_of: tuple[str, ...], rng: np.random.Generator) -> str:
    chosen = any_of[int(rng.integers(len(any_of)))]
    return found[0] if found else chosen


def _characteristic(
    palette: Palette, painting: Painting, tint: Rgb | None, rng: np.random.Generator
) -> Palette:
    """Lean the light to the colours named, and give every model and LoRA a cast of its own."""
    if tint is not None:
        palette = palette.tinted(tint)
    model = painting.guider.model
    degrees = 24 * (fraction("model", model.name) - 0.5) + float(rng.uniform(-9, 9))
    saturation = 0.9 + 0.3 * fraction("saturation", model.name)
    loras = {*model.loras, *painting.guider.positive.loras}
    for lora in sorted(loras, key=lambda lora: (lora.name, lora.strength)):
        strength = max(-2.0, min(2.0, lora.strength))
        degrees += strength * (14 + 34 * fraction("lora", lora.name)) * _sign(lora.name)
        saturation *= 1 + 0.25 * strength * (fraction("lora saturation", lora.name) - 0.3)
    return palette.turned(degrees, saturation)


def _sign(name: str) -> int:
    return 1 if fraction("sign", name) < 0.5 else -1


def _contrast(cfg: float, guidance: float | None) -> float:
    """Return a factor around 1 that grows with cfg, slowly."""
    if not 0 <= cfg <= 1000:  # also refuses NaN
        return 1.0
    guided = 0.0 if guidance is None else 0.03 * min(guidance, 10) / 3.5
    return 0.8 + 0.5 * cfg / (cfg + 6) + guided + (0.06 if cfg <= 1 else 0)
