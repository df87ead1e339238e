"""What the words of a prompt say about time, weather, place, subject, colours and style."""

import re
from collections.abc import Mapping
from itertools import pairwise

from comfygen_mcp.engine.renderer.colour import NAMED, Rgb

WORD = re.compile(r"[^\W_]+", re.UNICODE)
# "night falls" is not autumn.
_FILLERS = "a an and at by falls for from in into is it of on or over some the to under very with"
FILLERS = frozenset(_FILLERS.split())

TIMES = {
    "dawn": "dawn sunrise daybreak",
    "golden": "morning golden warm sunlit sunny autumn fall honey",
    "day": "day noon midday daylight afternoon summer clear bright",
    "sunset": "sunset evening sundown",
    "dusk": "dusk twilight gloaming",
    "night": "night midnight nocturnal moon moonlight moonlit star starry stars dark cyberpunk neon noir "
    "firefly aurora northern borealis lantern",
    "storm": "storm stormy overcast thunder cloudy gloomy grim thunderstorm",
}
WEATHERS = {
    "snow": "snow snowy winter snowfall blizzard frozen ice icy frost christmas arctic",
    "rain": "rain rainy drizzle wet thunderstorm storm stormy monsoon",
    "fog": "fog foggy mist misty haze hazy",
    "fireflies": "firefly fairy magical magic enchanted lantern glowing",
    "petals": "petal cherry blossom sakura spring",
    "leaves": "autumn fall maple",
    "aurora": "aurora northern borealis",
}
PLACES = {
    "table": "table tabletop desk counter windowsill kitchen",
    "space": "space galaxy nebula planet cosmos cosmic universe orbit",
    "underwater": "underwater reef coral aquarium",
    "city": "city skyline street urban town downtown tokyo york cyberpunk metropolis skyscraper building "
    "alley",
    "sea": "sea ocean wave beach coast shore island harbor harbour surf bay",
    "desert": "desert dune sahara sand mars canyon",
    "forest": "forest wood woods jungle pine trees woodland",
    "lake": "lake river pond reflection fjord",
    "mountain": "mountain peak alps alpine summit cliff valley volcano glacier",
    "meadow": "meadow field hill grass prairie farm garden countryside park",
}
HOMES = {
    "table": "vase bouquet cup mug coffee tea",
    "space": "astronaut rocket spaceship alien shuttle",
    "underwater": "fish jellyfish mermaid submarine octopus koi goldfish shark",
    "city": "car robot neon taxi android",
    "sea": "ship boat sail sailboat yacht lighthouse whale dolphin seagull orca",
    "desert": "camel cactus pyramid",
    "forest": "fox deer bear owl wolf fairy stag panda",
    "lake": "swan duck heron",
    "meadow": "flower rabbit horse butterfly windmill cow sheep house cottage tulip sunflower cat dog kitten "
    "puppy rose balloon barn",
}
"""Where a scene is when only its subject is named."""
TONES = {
    "brighter": "brighter lighter brighten",
    "darker": "darker darken dim moody",
    "vivid": "vivid saturated vibrant colourful colorful",
    "muted": "muted desaturated pale faded pastel",
    "warm": "warm warmer cosy cozy",
    "cold": "cold colder cool cooler chilly",
    "blurred": "blur blurred blurry",
}
"""What an instruction says of the picture as a whole."""
ADDING = frozenset(
    ["add", "put", "place", "insert", "include", "draw", "give", "into", "replace", "turn", "become"]
)
"""Words of an instruction after which a subject is one that is not there yet."""
STYLES = {
    "watercolor": "watercolor watercolour aquarelle gouache",
    "sketch": "sketch drawing pencil charcoal lineart engraving etching",
    "neon": "neon cyberpunk synthwave vaporwave retrowave",
    "ink": "monochrome noir bw grayscale greyscale ink",
    "vintage": "vintage retro sepia old antique polaroid",
    "pixel": "pixel pixelart voxel 8bit 8",
    "poster": "poster flat vector minimal minimalist cartoon anime comic logo icon",
    "photo": "photo photograph photography photorealistic realistic cinematic film bokeh",
    "oil": "oil painting impressionist impressionism monet gogh",
}
SUBJECTS = {
    "fox": "fox", "cat": "cat kitten kitty", "dog": "dog puppy hound corgi labrador", "wolf": "wolf husky",
    "rabbit": "rabbit bunny hare", "bear": "bear panda", "owl": "owl", "lion": "lion tiger leopard",
    "bird": "bird seagull gull eagle raven crow swallow crane", "fish": "fish goldfish koi shark",
    "whale": "whale dolphin orca", "horse": "horse pony unicorn", "deer": "deer stag elk reindeer",
    "butterfly": "butterfly moth", "tree": "tree oak", "flower": "flower rose tulip daisy sunflower "
    "peony lily poppy blossom bouquet",
    "house": "house cottage cabin barn home hut", "castle": "castle fortress palace tower",
    "ship": "ship boat sailboat sail yacht", "lighthouse": "lighthouse", "person": "person man woman girl "
    "boy portrait wizard knight samurai princess king queen monk traveler traveller hiker child human",
    "robot": "robot android mech", "car": "car automobile truck taxi", "rocket": "rocket spaceship shuttle",
    "balloon": "balloon balloons", "astronaut": "astronaut cosmonaut spaceman", "cup": "cup mug coffee tea",
    "dragon": "dragon wyvern", "cactus": "cactus", "pyramid": "pyramid",
    "vase": "vase", "ball": "ball sphere orb globe marble",
}  # fmt: skip


def tokens(text: str) -> list[str]:
    return [word.casefold() for word in WORD.findall(text)]


def content_words(text: str) -> list[str]:
    return [word for word in tokens(text) if word not in FILLERS]


def matches(found: list[str], table: Mapping[str, str], without: frozenset[str] = frozenset()) -> list[str]:
    """Return the entries of *table* that the words name, in the order of the words."""
    by_word = {word: entry for entry, words in table.items() for word in words.split()}
    entries = (by_word.get(word) or by_word.get(_singular(word)) for word in found if word not in without)
    return list(dict.fromkeys(entry for entry in entries if entry))


def colours(found: list[str]) -> list[Rgb]:
    return [NAMED[word] for word in dict.fromkeys(found) if word in NAMED]


def subject_colour(found: list[str], subject: str) -> Rgb | None:
    """Return the colour named just before the subject, as in `a red fox`."""
    return colour_before(found, SUBJECTS[subject].split())


def colour_before(found: list[str], names: list[str]) -> Rgb | None:
    """Return the colour named just before the first of *names*, one or two words away."""
    for position, word in enumerate(found):
        if word in names or _singular(word) in names:
            before = [NAMED[near] for near in found[max(0, position - 2) : position] if near in NAMED]
            return before[-1] if before else None
    return None


def sky_colour(found: list[str]) -> Rgb | None:
    """Return the colour of `a blue sky`."""
    pairs = pairwise(found)
    return next((NAMED[colour] for colour, noun in pairs if noun == "sky" and colour in NAMED), None)


def _singular(word: str) -> str:
    if len(word) < 4:
        return word
    return word[:-3] + "y" if word.endswith("ies") else word.removesuffix("s")
