"""A synthetic gallery: common and rare words; models, LoRAs and tags as unevenly used as in life."""

import hashlib
import itertools
import random
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from comfygen_mcp.index.base import Entry

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=61)
EVERYWHERE = ("masterpiece", "best quality", "highly detailed", "8k", "sharp focus", "cinematic lighting")
SUBJECTS = (
    *("castle", "cat", "dragon", "woman", "knight", "forest", "city", "robot", "mountain", "ship", "village"),
    *("astronaut", "wolf", "temple", "garden", "warrior", "library", "train", "lighthouse", "owl", "bridge"),
    *("猫", "城", "桜", "庭園", "замок", "кошка", "château", "🔥", "🐉"),
)
PLACES = (
    *(
        "on a hill",
        "in the rain",
        "at night",
        "under water",
        "in the snow",
        "by the sea",
        "in space",
        "at dawn",
    ),
    *("in a valley", "above the clouds", "in a meadow", "at sunset", "in fog", "in the desert", "on a cliff"),
)
STYLES = (
    *("oil painting", "photograph", "watercolor", "anime style", "pixel art", "concept art", "cyberpunk"),
    *("art nouveau", "steampunk", "line art", "studio ghibli style", "film grain", "isometric", "low poly"),
)
DETAILS = (
    *(
        "intricate details",
        "soft light",
        "volumetric fog",
        "golden hour",
        "rim lighting",
        "bokeh",
        "wide angle",
    ),
    *(
        "depth of field",
        "vivid colors",
        "muted palette",
        "dramatic sky",
        "long exposure",
        "close up",
        "from above",
    ),
    *("dark mood", "hand drawn", "trending", "subsurface scattering", "ray tracing", "(detailed eyes:1.2)"),
)
NEGATIVE = "blurry, lowres, bad anatomy, watermark, extra fingers, jpeg artifacts"
SYLLABLES = tuple(f"{consonant}{vowel}" for consonant in "bcdfghjklmnprstvwz" for vowel in "aeiou")
LORAS = tuple(
    f"{name}_v{number}.safetensors" for name in ("detail", "ink", "glow", "pose") for number in range(50)
)
TAGS = (
    "favourite",
    "to print",
    "draft",
    "client",
    "rejected",
    "wallpaper",
    *(f"project {n}" for n in range(60)),
)
MODELS = tuple(
    (f"model_{number}.safetensors", f"backend{number}", f"flow{number}.json") for number in range(12)
)


def entries(count: int, seed: int = 7) -> Iterator[Entry]:
    """Yield *count* entries, the oldest first, a minute apart; the same ones every time."""
    dice = random.Random(seed)  # noqa: S311  (nothing secret)
    names = rare_words(dice)
    return (_entry(number, dice, names) for number in range(count))


def rare_words(dice: random.Random) -> list[str]:
    """Return invented names, for the long tail of words that few prompts hold."""
    return ["".join(dice.choices(SYLLABLES, k=dice.randint(2, 5))) for _ in range(100_000)]


def unevenly(dice: random.Random, count: int) -> int:
    """Return a number below *count*; 0 is drawn far more often than the last."""
    return min(count - 1, int(count * dice.random() ** 3))


def _entry(number: int, dice: random.Random, names: Sequence[str]) -> Entry:
    created_at = FIRST + number * APART
    identifier = _id(created_at, dice)
    model, backend, workflow = MODELS[unevenly(dice, len(MODELS))]
    return Entry.model_construct(
        id=identifier,
        key=f"g/{created_at:%Y/%m/%d/%Y%m%d_%H%M%S}_{identifier}_0.png",
        created_at=created_at,
        prompt=_prompt(dice, names),
        negative_prompt=NEGATIVE if dice.random() < 0.7 else "",
        kind="txt2img" if dice.random() < 0.9 else "img2img",
        media="image",
        mime="image/png",
        model=model,
        backend=backend,
        workflow=workflow,
        preset="quality" if dice.random() < 0.3 else None,
        style=dice.choice(STYLES) if dice.random() < 0.2 else None,
        loras=tuple({LORAS[unevenly(dice, len(LORAS))] for _ in range(dice.choice((0, 0, 1, 1, 2)))}),
        seed=dice.getrandbits(53),
        steps=dice.choice((4, 20, 28, 30)),
        cfg=dice.choice((1.0, 3.5, 7.0)),
        sampler=dice.choice(("euler", "dpmpp_2m")),
        scheduler="normal",
        width=1024,
        height=dice.choice((768, 1024, 1344)),
        size_bytes=dice.randint(500_000, 2_000_000),
        sha256=hashlib.sha256(identifier.encode()).hexdigest(),
        job_id=_id(created_at, dice),
        group_id=_id(created_at - created_at.minute * timedelta(minutes=1), random.Random(number // 30))  # noqa: S311
        if number % 30 < 6
        else None,
        parent_id=_id(created_at, dice) if dice.random() < 0.1 else None,
        owner=("anna", "ben", "chris", None)[unevenly(dice, 4)],
        preview_engine=False,
        latency_ms=dice.randint(800, 60_000),
        score=round(dice.random(), 3) if dice.random() < 0.2 else None,
        tags=tuple({TAGS[unevenly(dice, len(TAGS))] for _ in range(dice.choice((0, 0, 0, 1, 2)))}),
        shared=dice.random() < 0.05,
    )


def _prompt(dice: random.Random, names: Sequence[str]) -> str:
    parts = [
        f"a {dice.choice(names)} {SUBJECTS[unevenly(dice, len(SUBJECTS))]} {dice.choice(PLACES)}",
        f"{dice.choice(STYLES)} by {dice.choice(names)} {dice.choice(names)}",
        *dice.sample(EVERYWHERE, k=dice.randint(1, 5)),
        *dice.sample(DETAILS, k=dice.randint(1, 5)),
        *(f"{dice.choice(names)} {dice.choice(names)}" for _ in range(dice.randint(0, 6))),
    ]
    return ", ".join(parts)


def _id(moment: datetime, dice: random.Random) -> str:
    milliseconds = int(moment.timestamp() * 1000)
    bits = (milliseconds << 80) | dice.getrandbits(80)
    return str(uuid.UUID(int=bits & ~(0xF << 76) & ~(0x3 << 62) | (0x7 << 76) | (0x2 << 62)))


def batches(source: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    while batch := list(itertools.islice(source, size)):
        yield batch
