"""LoRAs are read in every way that people write them; what is not one is refused with examples."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.loras import parse_lora, parse_loras
from comfygen_mcp.models import LoraUse

WINDOWS = "C:\\models\\loras\\fox v1.0.safetensors"


@pytest.mark.parametrize(
    ("written", "use"),
    [
        ("fox", LoraUse(name="fox")),
        ("  fox.safetensors : 0.7 ", LoraUse(name="fox.safetensors", strength=0.7)),
        ("fox:.5", LoraUse(name="fox", strength=0.5)),
        ("fox:-1", LoraUse(name="fox", strength=-1.0)),
        ("fox:1e-1", LoraUse(name="fox", strength=0.1)),
        ("fox:100", LoraUse(name="fox", strength=100.0)),
        ("fox:0", LoraUse(name="fox", strength=0.0)),
        ("fox:0.7:0.5", LoraUse(name="fox", strength=0.7, strength_clip=0.5)),
        ("sub/dir/x.safetensors:0.8", LoraUse(name="sub/dir/x.safetensors", strength=0.8)),
        ("sub\\dir\\x.safetensors:0.8", LoraUse(name="sub\\dir\\x.safetensors", strength=0.8)),
        (WINDOWS, LoraUse(name=WINDOWS)),
        (f"{WINDOWS}:0.8", LoraUse(name=WINDOWS, strength=0.8)),
        (f"{WINDOWS}:0.8:0", LoraUse(name=WINDOWS, strength=0.8, strength_clip=0.0)),
        ("style:v2.safetensors", LoraUse(name="style:v2.safetensors")),
        ("<lora:fox:0.8>", LoraUse(name="fox", strength=0.8)),
        ("狐:0.8", LoraUse(name="狐", strength=0.8)),
        ({"name": "fox"}, LoraUse(name="fox")),
        ({"name": "fox:0.6"}, LoraUse(name="fox", strength=0.6)),
        ({"name": "fox", "strength": 2}, LoraUse(name="fox", strength=2.0)),
        ({"name": "fox", "strength": "0.7"}, LoraUse(name="fox", strength=0.7)),
        ({"name": "fox", "strength": None, "target": None}, LoraUse(name="fox")),
        (
            {"name": WINDOWS, "strength": 0.7, "strength_clip": 0, "target": "high"},
            LoraUse(name=WINDOWS, strength=0.7, strength_clip=0.0, target="high"),
        ),
        (LoraUse(name="fox", strength=0.3), LoraUse(name="fox", strength=0.3)),
    ],
)
def test_a_lora_is_read_as_it_is_written(written, use):
    read = parse_lora(written)

    assert read == use
    assert type(read.strength) is float
    assert LoraUse.model_validate(read.model_dump()) == read


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "has no name"),
        (":0.7", "has no name"),
        ("  ", "has no name"),
        ("fox:", "the strength '', which is no number"),
        ("fox:strong", "the strength 'strong', which is no number"),
        ("fox:nan", "'nan', which is no number"),
        ("fox:inf", "'inf', which is no number"),
        ("fox:1_0", "'1_0', which is no number"),
        ("fox:0,7", "'0,7', which is no number"),
        ("fox:100.1", "outside -100 to 100"),
        ("fox:-101", "outside -100 to 100"),
        ("fox:1e999", "outside -100 to 100"),
        ("fox:0.1:0.2:0.3", "more than two strengths"),
        ({}, "has no name"),
        ({"name": 5}, "has no name"),
        ({"name": ""}, "has no name"),
        ({"strength": 0.7}, "has no name"),
        ({"name": "fox", "strenght": 0.7}, "unknown key 'strenght' (known: strength"),
        ({"name": "fox", "weight": 0.7}, "unknown key 'weight'"),
        ({"name": "fox", 7: 0.7}, "unknown key '7'"),
        ({"name": "fox", "strength": True}, "'True', which is no number"),
        ({"name": "fox", "strength": [1]}, "which is no number"),
        ({"name": "fox", "strength": math.nan}, "outside -100 to 100"),
        ({"name": "fox", "strength": 10**400}, "outside -100 to 100"),
        ({"name": "fox", "strength_clip": -math.inf}, "outside -100 to 100"),
        ({"name": "fox", "target": "middle"}, "unknown target 'middle' (known: high, low, base, refiner)"),
        ({"name": "fox", "target": ["high"]}, "unknown target"),
        (LoraUse(name="fox", strength=500), "outside -100 to 100"),
        (LoraUse(name="fox", strength_clip=math.inf), "outside -100 to 100"),
        (5, "LoRA 5 is no LoRA"),
        (None, "LoRA None is no LoRA"),
        (["fox"], "is no LoRA"),
        ({"name": "x" * 5000, "strength": "y"}, "..."),
    ],
)
def test_what_is_no_lora_is_refused_with_examples(written, words):
    with pytest.raises(BadRequest) as caught:
        parse_lora(written)

    assert words in str(caught.value)
    assert "Write 'name', 'name:0.7'" in str(caught.value)
    assert len(str(caught.value)) < 500


def test_several_are_read_in_their_order_and_one_may_stand_alone():
    assert parse_loras(["a:0.5", {"name": "b"}]) == (LoraUse(name="a", strength=0.5), LoraUse(name="b"))
    assert parse_loras("a:0.5") == (LoraUse(name="a", strength=0.5),)
    assert parse_loras({"name": "b"}) == (LoraUse(name="b"),)
    assert parse_loras(None) == parse_loras([]) == ()


@given(
    name=st.text(st.characters(codec="utf-8", exclude_characters=":<>"), min_size=1).filter(str.strip),
    strength=st.floats(-100, 100),
)
def test_any_name_and_strength_written_together_are_read_apart(name, strength):
    assert parse_lora(f"{name}:{strength}") == LoraUse(name=name.strip(), strength=strength)


@given(st.text() | st.dictionaries(st.text(), st.none() | st.text() | st.floats()))
def test_anything_is_a_lora_or_a_bad_request(written):
    try:
        assert -100 <= parse_lora(written).strength <= 100
    except BadRequest as error:
        assert "Write 'name'" in str(error)  # noqa: PT017 -- both outcomes are right
