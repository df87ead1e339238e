"""Placeholders become typed values, whatever the values are; nothing else changes."""

import copy
import json
import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from comfygen_mcp.errors import BadRequest, BadWorkflow
from comfygen_mcp.graph.template import BUILT_IN_DEFAULTS, Place, fill, placeholders, substitution_map

NAMES = st.one_of(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True),
    st.sampled_from(["größe", "prompt-x", "", "a b", "${", "1", "名前", "line\nline"]),
    st.text(st.characters(exclude_characters="}", exclude_categories=["Cs"]), max_size=20),
)
SCALARS = st.one_of(
    st.text(),
    st.booleans(),
    st.integers(min_value=-(2**64), max_value=2**64),
    st.floats(allow_nan=False, allow_infinity=False),
)
NASTY_TEXT = st.one_of(
    st.text(),
    st.sampled_from(
        [
            "${seed}",
            "${prompt}",
            "a ${seed} b",
            "${unknown}",
            "$${prompt}",
            "\"quotes\" 'and' \\ backslashes",
            "line\nline\r\n\ttab",
            "\u0000\u2028",
            "\U0001f98a a fox \U0001f1f8\U0001f1ea",
            "%s {prompt} {{x}} %date:yyyy%",
            "x" * 100_000,
        ]
    ),
)
GRAPH = {
    "1": {"class_type": "CLIPTextEncode", "inputs": {"text": "${prompt}", "clip": ["4", 1]}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a ${prompt} b", "clip": ["4", 1]}},
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": "${seed}", "cfg": "${cfg}", "add_noise": "${noise}", "model": ["4", 0]},
        "_meta": {"title": "${prompt}"},
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "x ${seed}"}},
}


def same(left, right):
    """Equality that also tells 1 from 1.0 and from true."""
    return repr(left) == repr(right)


def leaves(value):
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def test_a_placeholder_becomes_the_typed_value_and_everything_else_stays():
    values = {"prompt": "a fox", "seed": 7, "cfg": 1.0, "noise": True}

    graph = fill(GRAPH, values)

    assert same(graph["3"]["inputs"], {"seed": 7, "cfg": 1.0, "add_noise": True, "model": ["4", 0]})
    assert graph["1"]["inputs"] == {"text": "a fox", "clip": ["4", 1]}
    assert graph["2"]["inputs"]["text"] == "a ${prompt} b"
    assert graph["3"]["_meta"] == {"title": "a fox"}
    assert graph["4"] == GRAPH["4"]


@given(prompt=NASTY_TEXT, seed=st.integers(min_value=0, max_value=2**64 - 1), noise=st.booleans())
@example(prompt="${seed}", seed=2**64 - 1, noise=False)
def test_a_value_changes_nothing_but_its_own_place(prompt, seed, noise):
    before = copy.deepcopy(GRAPH)

    graph = fill(GRAPH, {"prompt": prompt, "seed": seed, "cfg": 2.5, "noise": noise, "unused": "${prompt}"})

    expected = copy.deepcopy(GRAPH)
    expected["1"]["inputs"]["text"] = prompt
    expected["3"]["inputs"] |= {"seed": seed, "cfg": 2.5, "add_noise": noise}
    expected["3"]["_meta"]["title"] = prompt
    assert same(graph, expected)
    assert before == GRAPH
    assert same(json.loads(json.dumps(graph)), graph)


@given(values=st.dictionaries(NAMES, SCALARS, min_size=1), data=st.data())
def test_types_survive_at_every_depth(values, data):
    names = st.sampled_from(sorted(values))
    plain = st.one_of(
        st.integers(), st.booleans(), st.none(), st.sampled_from(["text", "x${a}", "${", "${a}${a}"])
    )
    nested = st.recursive(
        st.one_of(names.map(lambda name: f"${{{name}}}"), plain),
        lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.sampled_from(["a", "${b}"]), inner)),
        max_leaves=12,
    )
    value = data.draw(nested)
    graph = {"1": {"class_type": "X", "inputs": {"value": {"__value__": value}}}}
    before = copy.deepcopy(graph)

    made = fill(graph, values)["1"]["inputs"]["value"]["__value__"]

    by_placeholder = {f"${{{name}}}": value for name, value in values.items()}
    wanted = [by_placeholder.get(leaf, leaf) if isinstance(leaf, str) else leaf for leaf in leaves(value)]
    assert same(leaves(made), wanted)
    assert graph == before


@given(known=st.dictionaries(NAMES, SCALARS), name=NAMES)
def test_a_placeholder_without_a_value_never_leaves(known, name):
    known.pop(name, None)
    graph = {"5": {"class_type": "X", "inputs": {"a": {"b": [f"${{{name}}}"]}}}}

    with pytest.raises(BadWorkflow) as caught:
        fill(graph, known)

    assert f"${{{name}}}" in str(caught.value)
    assert "node '5' (X), input 'a.b[0]'" in str(caught.value)


@given(name=NAMES, data=st.data())
def test_a_placeholder_is_filled_wherever_it_stands(name, data):
    values = {name: data.draw(st.text(min_size=1))}
    text = f"${{{name}}}"
    graph = {"5": {"class_type": text, "inputs": {"a": [{"b": text}]}, "_meta": {"title": text, "n": [text]}}}

    value = values[name]
    assert fill(graph, values) == {
        "5": {"class_type": value, "inputs": {"a": [{"b": value}]}, "_meta": {"title": value, "n": [value]}}
    }
    assert [place.input for place in placeholders(graph)[name]] == [
        "class_type",
        "a[0].b",
        "_meta.title",
        "_meta.n[0]",
    ]


@pytest.mark.parametrize(
    ("node", "place"),
    [
        ({"class_type": "${x}", "inputs": {}}, "(${x}), input 'class_type'"),
        ({"class_type": "X", "inputs": {}, "_meta": {"title": "${x}"}}, "(X), input '_meta.title'"),
    ],
)
def test_an_unknown_placeholder_beside_the_inputs_is_refused_too(node, place):
    with pytest.raises(BadWorkflow) as caught:
        fill({"5": node}, {})

    assert f"of node '5' {place}, has no value" in str(caught.value)


@pytest.mark.parametrize("value", [3, True, 1.5, ""])
def test_a_class_that_becomes_no_name_is_refused(value):
    with pytest.raises(BadWorkflow, match=r"class_type of node '5' is \$\{x\}"):
        fill({"5": {"class_type": "${x}", "inputs": {}}}, {"x": value})


@given(before=st.text(max_size=5), after=st.text(max_size=5), name=NAMES)
def test_a_partial_match_stays_alone(before, after, name):
    text = f"{before}${{{name}}}{after}"
    assume(not (text.startswith("${") and text.find("}") == len(text) - 1))
    graph = {"5": {"class_type": text, "inputs": {"a": text}, "_meta": {"title": text}}}

    assert placeholders(graph) == {}
    assert fill(graph, {}) == graph


def test_a_missing_value_names_the_nearest_known_one():
    graph = {"5": {"class_type": "KSampler", "inputs": {"steps": "${step}"}}}

    with pytest.raises(BadWorkflow, match=r"Did you mean \$\{steps\}\?.*_workflow_metadata"):
        fill(graph, {"steps": 4, "prompt": "x"})


def test_links_are_never_taken_for_values():
    graph = {"1": {"class_type": "X", "inputs": {"link": ["${prompt}", 0], "list": ["${seed}", "b"]}}}

    assert fill(graph, {"prompt": "p", "seed": 3})["1"]["inputs"] == {
        "link": ["${prompt}", 0],
        "list": [3, "b"],
    }


def test_a_filled_graph_shares_nothing_with_its_template():
    inputs = {"a": {"b": []}, "link": ["1", 0]}
    graph = {"1": {"class_type": "X", "inputs": inputs, "_meta": {"title": "t"}}}
    before = copy.deepcopy(graph)

    made = fill(graph, {})
    made["1"]["inputs"]["a"]["b"].append(1)
    made["1"]["inputs"]["link"].append(1)
    made["1"]["_meta"]["title"] = "changed"

    assert graph == before


def test_placeholders_lists_every_place_of_each():
    assert placeholders(GRAPH) == {
        "prompt": (Place("1", "CLIPTextEncode", "text"), Place("3", "KSampler", "_meta.title")),
        "seed": (Place("3", "KSampler", "seed"),),
        "cfg": (Place("3", "KSampler", "cfg"),),
        "noise": (Place("3", "KSampler", "add_noise"),),
    }


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_refused_by_name(number):
    with pytest.raises(BadRequest, match="cfg="):
        substitution_map(request={"cfg": number}, preset={}, block={}, defaults={})
    with pytest.raises(BadRequest, match="cfg="):
        fill(GRAPH, {"prompt": "", "seed": 1, "cfg": number, "noise": False})


LAYERS = ("request", "preset", "block", "defaults")


@pytest.mark.parametrize("winner", range(len(LAYERS)))
def test_the_nearest_layer_wins(winner):
    layers = {layer: {"steps": 100 + at} if at >= winner else {} for at, layer in enumerate(LAYERS)}

    assert substitution_map(**layers)["steps"] == 100 + winner


def test_without_any_layer_the_built_in_defaults_are_left():
    assert substitution_map(request={}, preset={}, block={}, defaults={}) == BUILT_IN_DEFAULTS


def test_none_means_not_given():
    request, preset = {"steps": None, "cfg": 3.0}, {"steps": None, "sampler": "lcm"}

    values = substitution_map(request=request, preset=preset, block={"steps": 9}, defaults={})

    assert (values["steps"], values["cfg"], values["sampler"]) == (9, 3.0, "lcm")


def test_every_scalar_of_a_block_is_a_value_except_what_configures_the_backend():
    block = {
        "type": "comfyui",
        "base_url": "http://127.0.0.1:8188",
        "hosts": ["http://a:1"],
        "workflow": "sdxl",
        "wake_hint": "wake",
        "timeout_s": 60,
        "headers": {"X": "y"},
        "auth": "basic",
        "api_token_env": "TOKEN",
        "requires": "x",
        "default_steps": 8,
        "default_cfg": 2.0,
        "default_sampler": "lcm",
        "default_scheduler": "beta",
        "default_style": "photo",
        "model": "m.safetensors",
        "tiled": True,
        "shift": 5,
        "nothing": None,
    }

    values = substitution_map(request={}, preset={}, block=block, defaults={"model": "d", "steps": 1})

    assert values == {
        **BUILT_IN_DEFAULTS,
        "steps": 8,
        "cfg": 2.0,
        "sampler": "lcm",
        "scheduler": "beta",
        "model": "m.safetensors",
        "tiled": True,
        "shift": 5,
    }


def test_a_plain_knob_of_a_block_beats_its_default_form():
    values = substitution_map(request={}, preset={}, block={"steps": 6, "default_steps": 8}, defaults={})

    assert values["steps"] == 6


def test_a_block_can_never_shadow_the_request():
    block = {"prompt": "mine", "seed": 1, "negative": "mine"}

    values = substitution_map(
        request={"prompt": "yours", "seed": 2, "negative": ""}, preset={}, block=block, defaults={}
    )

    assert (values["prompt"], values["seed"], values["negative"]) == ("yours", 2, "")
