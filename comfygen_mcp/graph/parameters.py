"""What can be set in a workflow: its placeholders and its nodes' own values, typed by the node classes."""

from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from comfygen_mcp.graph.catalogue import Catalogue, InputSpec
from comfygen_mcp.graph.declared import declared_input
from comfygen_mcp.graph.knobs import REAL_KNOBS, WHOLE_KNOBS
from comfygen_mcp.graph.links import is_link
from comfygen_mcp.graph.parse import Workflow
from comfygen_mcp.graph.template import BUILT_IN_DEFAULTS, Place, placeholders
from comfygen_mcp.models import SEED_MAX, Graph, JsonValue, Record, Scalar

JsonType: TypeAlias = Literal["string", "integer", "number", "boolean"]

Media: TypeAlias = Literal["video", "sound"]

_MEDIA: Mapping[str, Media] = {"VIDEO": "video", "AUDIO": "sound"}
_PICTURES = ("image", "image2", "image3", "mask")
_JSON_TYPES: Mapping[str, JsonType] = {"INT": "integer", "FLOAT": "number", "BOOLEAN": "boolean"}
_FILLED_FOR_THE_CALLER = {"seed", "negative", "width", "height", "denoise", "batch_size", "frames", "fps"}
_MEANINGS: Mapping[str, str] = {
    "prompt": "What the picture shows",
    "negative": "What to avoid",
    "seed": "Repeats a result; left out, a new one is drawn",
    "width": "Pixels",
    "height": "Pixels",
    "steps": "Sampling steps",
    "cfg": "Guidance scale",
    "batch_size": "How many pictures at once",
    "denoise": "How much is painted anew, 0 to 1",
    "frames": "Length of the video in frames",
    "fps": "Frames per second",
    "model": "Model file",
    "scale": "Factor of enlargement",
    "mask": "Picture whose white parts are repainted: path, URL, data URI or generation id",
}
_OURS = "filename_prefix"
"""Every run sets its own (graph/prefix.py)."""
_PICTURE = "Picture: path, URL, data URI or generation id"


class Parameter(Record):
    """One value that a caller may set: a placeholder, or an input of a node as `node.input`.

    *picture* marks inputs that take an uploaded picture, *media* those for another file of the server's.
    *places* are the inputs that a placeholder fills.
    """

    name: str
    type: JsonType
    required: bool = False
    default: Scalar | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    step: int | float | None = None
    options: tuple[Scalar, ...] | None = None
    picture: bool = False
    media: Media | None = None
    description: str = ""
    places: tuple[str, ...] = ()


def parameters(workflow: Workflow, catalogue: Catalogue) -> tuple[Parameter, ...]:
    """Return the placeholders of *workflow*, then the values that stand in its nodes, as `node.input`."""
    found = placeholders(workflow.graph)
    named = [_of_placeholder(name, places, workflow, catalogue) for name, places in found.items()]
    return (*named, *_of_nodes(workflow.graph, catalogue))


def _of_placeholder(
    name: str, places: tuple[Place, ...], workflow: Workflow, catalogue: Catalogue
) -> Parameter:
    specs = [spec for place in places if (spec := _spec(place, catalogue))]
    media: list[Media] = [
        kind for place in places if (kind := _media(place.class_type, place.input, catalogue))
    ]
    joined = _joined(name, specs, media[0] if media else None)
    limits = _limits(name, workflow)
    default = workflow.metadata.defaults.get(name, BUILT_IN_DEFAULTS.get(name))
    ours = name in _FILLED_FOR_THE_CALLER or name in workflow.metadata.optional
    meaning = _MEANINGS.get(name) or _file_meant(joined.picture, joined.media)
    return joined.model_copy(
        update={
            **limits,
            "default": None if joined.picture else default,
            "required": not ours and (joined.picture or default is None),
            "description": meaning,
            "places": tuple(f"{place.node}.{place.input}" for place in places),
        }
    )


def _spec(place: Place, catalogue: Catalogue) -> InputSpec | None:
    node = catalogue.get(place.class_type)
    return node.inputs.get(place.input) if node else None


def _media(class_type: str, name: str, catalogue: Catalogue) -> Media | None:
    """Return what an input for uploads takes, if not a picture: what its node gives tells."""
    node = catalogue.get(class_type)
    wanted = node.inputs.get(name) if node else None
    if node is None or wanted is None or not wanted.upload:
        return None
    return next((_MEDIA[kind] for kind in _MEDIA if kind in node.outputs), None)


def _file_meant(picture: bool, media: Media | None) -> str:
    return f"A {media} in the server's input folder" if media else _PICTURE if picture else ""


def _joined(name: str, specs: list[InputSpec], media: Media | None) -> Parameter:
    """Return what all places allow together; without a place that is known, what the name tells."""
    options = [spec.options for spec in specs if spec.options is not None]
    uploaded = any(spec.upload for spec in specs)
    picture = media is None and (uploaded or name in _PICTURES)
    common = (
        tuple(value for value in options[0] if all(value in other for other in options)) if options else None
    )
    return Parameter(
        name=name,
        type="string" if picture else _json_type(name, specs),
        minimum=max((spec.minimum for spec in specs if spec.minimum is not None), default=None),
        maximum=min((spec.maximum for spec in specs if spec.maximum is not None), default=None),
        step=max((spec.step for spec in specs if spec.step is not None), default=None),
        options=None if picture else common,
        picture=picture,
        media=media,
    )


def _json_type(name: str, specs: list[InputSpec]) -> JsonType:
    if not specs:
        return _type_of_knob(name)
    kinds: list[JsonType] = [_type_of(spec) for spec in specs]
    return "integer" if "integer" in kinds else kinds[0]


def _type_of_knob(name: str) -> JsonType:
    if name in WHOLE_KNOBS:
        return "integer"
    return "number" if name in REAL_KNOBS else "string"


def _type_of(spec: InputSpec) -> JsonType:
    if spec.options and all(isinstance(option, int) for option in spec.options):
        return "integer"
    kinds: list[JsonType] = [_JSON_TYPES[kind] for kind in spec.type.split(",") if kind in _JSON_TYPES]
    return kinds[0] if kinds else "string"


def _limits(name: str, workflow: Workflow) -> dict[str, float]:
    """Return the bounds that the workflow itself sets, which are closer than those of its nodes."""
    limits = workflow.metadata.limits
    match name:
        case "width" | "height":
            return {"minimum": limits.min_edge, "maximum": limits.max_edge, "step": limits.multiple_of}
        case "batch_size":
            return {"minimum": 1, "maximum": limits.max_count}
        case "frames":
            return {"minimum": 1, "maximum": limits.max_frames, "step": limits.frame_step}
        case "seed":
            return {"minimum": 0, "maximum": SEED_MAX}
        case _:
            return {}


def _of_nodes(graph: Graph, catalogue: Catalogue) -> Iterator[Parameter]:
    for node_id, node in graph.items():
        for name, value in node["inputs"].items():
            if name != _OURS and _is_settable(value):
                wanted = declared_input(node, name, catalogue)
                media = _media(node["class_type"], name, catalogue)
                yield _of_input(f"{node_id}.{name}", (node["class_type"], media), value, wanted)


def _is_settable(value: JsonValue) -> bool:
    if is_link(value) or (isinstance(value, str) and value.startswith("${") and value.endswith("}")):
        return False
    return isinstance(value, str | int | float | bool)


def _of_input(name: str, at: tuple[str, Media | None], value: Scalar, spec: InputSpec | None) -> Parameter:
    class_type, media = at
    picture = spec is not None and spec.upload and media is None
    meaning = _file_meant(picture, media)
    return Parameter(
        name=name,
        type=_type_of(spec) if spec else _type_of_value(value),
        default=value,
        minimum=spec.minimum if spec else None,
        maximum=spec.maximum if spec else None,
        step=spec.step if spec else None,
        options=spec.options if spec and not picture else None,
        picture=picture,
        media=media,
        description=f"{class_type}. {meaning}" if meaning else class_type,
    )


def _type_of_value(value: Scalar) -> JsonType:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case _:
            return "string"
