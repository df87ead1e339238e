"""Numeric knobs take numbers only, in a workflow's own defaults too, and the listing survives all else."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygen_mcp.config import BackendBlock
from comfygen_mcp.errors import BadWorkflow
from comfygen_mcp.graph.knobs import REAL_KNOBS, WHOLE_KNOBS, wrong_knob
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.parse import parse_workflow

NODES = {"1": {"class_type": "X", "inputs": {"cfg": "${cfg}"}}}


def workflow_with(**defaults):
    return json.dumps({"_workflow_metadata": {"defaults": defaults}, **NODES})


@given(value=st.integers(min_value=1, max_value=2**64 - 1), name=st.sampled_from(sorted(WHOLE_KNOBS)))
def test_a_whole_number_is_right_for_every_knob(value, name):
    assert wrong_knob(name, value) is None
    assert all(wrong_knob(real, value) is None for real in REAL_KNOBS)


@pytest.mark.parametrize("name", [*WHOLE_KNOBS, *REAL_KNOBS])
@pytest.mark.parametrize(
    "value",
    ["4", "high", "", True, math.nan, math.inf, -math.inf, 10**400, None, [1]],
    ids=lambda v: repr(v)[:9],
)
def test_what_is_no_number_is_wrong_for_every_knob(name, value):
    assert "number" in wrong_knob(name, value)


def test_a_fraction_is_right_for_real_knobs_only():
    assert all("whole number" in wrong_knob(name, 2.5) for name in WHOLE_KNOBS)
    assert all(wrong_knob(name, 2.5) is None for name in REAL_KNOBS)


@given(value=st.one_of(st.text(), st.booleans(), st.floats(), st.none()))
def test_other_names_take_anything(value):
    assert wrong_knob("sampler", value) is None


@pytest.mark.parametrize(
    ("defaults", "words"),
    [
        (
            {"cfg": "high"},
            "mine.json: _workflow_metadata.defaults: cfg is 'high', but it must be a finite number",
        ),
        ({"steps": 2.5}, "steps is 2.5, but it must be a whole number from 1 on"),
        ({"width": True}, "width is True, but it must be a whole number"),
    ],
)
def test_a_wrong_number_in_the_defaults_of_a_workflow_is_refused(defaults, words):
    with pytest.raises(BadWorkflow) as caught:
        parse_workflow(workflow_with(**defaults), file="mine.json")

    assert words in str(caught.value)


def test_text_that_cannot_be_sent_is_refused():
    with pytest.raises(BadWorkflow, match="half a character"):
        parse_workflow('{"1": {"class_type": "\\ud800", "inputs": {}}}', file="mine.json")


def test_a_file_with_a_wrong_number_is_broken_and_hides_no_other(tmp_path):
    (tmp_path / "good.json").write_text(workflow_with(cfg=2))
    (tmp_path / "mine.json").write_text(workflow_with(cfg="high"))

    library = WorkflowLibrary([tmp_path])

    assert "good" in library.names()
    assert "sdxl" in library.names()
    assert [(broken.file, "cfg is 'high'" in broken.reason) for broken in library.broken()] == [
        ("mine.json", True)
    ]


@pytest.mark.anyio
async def test_list_models_works_beside_a_broken_workflow(tmp_path, settings_for, connect, engine):
    (tmp_path / "good.json").write_text(workflow_with(cfg=2))
    (tmp_path / "mine.json").write_text(workflow_with(cfg="high"))
    settings = settings_for(COMFYUI_URL=engine.url, COMFYGEN_WORKFLOW_DIRS=str(tmp_path))

    async with connect(settings) as client:
        answer = await client.call_tool("list_models", {})
        status = (await client.call_tool("server_status", {})).structured_content

    assert not answer.is_error
    models = {model["name"]: model for model in answer.structured_content["models"]}
    assert models["good"]["cfg"] == 2.0
    assert "sdxl" in models
    assert "cfg is 'high'" in json.dumps(status)


@pytest.mark.anyio
async def test_list_models_survives_values_that_passed_no_check(tmp_path, settings_for, connect, engine):
    settings = settings_for(COMFYUI_URL=engine.url)
    wrong = {"cfg": "high", "steps": True, "width": 2.5, "height": "tall"}
    block = BackendBlock(name="odd", base_url=engine.url, workflow="sdxl", knobs=wrong)
    settings = settings.model_copy(update={"backends": {"odd": block}})

    async with connect(settings) as client:
        answer = await client.call_tool("list_models", {})

    assert not answer.is_error
    odd = next(model for model in answer.structured_content["models"] if model["name"] == "odd")
    assert [odd.get(name) for name in wrong] == [None] * 4
