"""Settings that a workflow warns of are obeyed, with a note."""

import pytest

from comfygen_mcp.graph.advice import settings_warnings
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.metadata import WorkflowMetadata
from comfygen_mcp.graph.parse import Workflow
from comfygen_mcp.graph.template import substitution_map

LIBRARY = WorkflowLibrary()


def warnings(name, **values):
    workflow = LIBRARY.load(name, allow_paths=False)
    block = {key: value for key, value in values.items() if key.startswith("default_") or key == "model"}
    request = {"prompt": "a fox", **{key: value for key, value in values.items() if key not in block}}
    merged = substitution_map(request=request, preset={}, block=block, defaults=workflow.metadata.defaults)
    return settings_warnings(workflow, merged)


@pytest.mark.parametrize("name", LIBRARY.names())
def test_a_workflows_own_settings_never_draw_a_warning(name):
    assert warnings(name) == ()


@pytest.mark.parametrize("name", ["flux2-klein", "flux2-klein-base"])
@pytest.mark.parametrize("file", ["flux-2-klein-base-4b-fp8.safetensors", "sub/FLUX-2-klein-BASE-4b.sft"])
def test_a_block_that_names_the_base_file_with_four_steps_is_warned(name, file):
    (note,) = warnings(name, model=file, default_steps=4, default_cfg=1.0)

    assert "base file of FLUX.2 klein" in note
    assert "20 steps" in note


def test_the_base_file_with_its_own_settings_is_not_warned():
    assert warnings("flux2-klein-base", model="flux-2-klein-base-4b.safetensors", default_steps=20) == ()


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("flux1-schnell", {"cfg": 7.0}, "distilled to run without guidance"),
        ("flux1-schnell", {"steps": 50}, "distilled for 4 steps"),
        ("flux1-schnell", {"negative": "blurry"}, "a negative prompt has no effect"),
        ("flux2-klein", {"negative": "blurry"}, "takes no negative prompt"),
        ("z-image-turbo", {"negative": "blurry"}, "takes no negative prompt"),
        ("z-image-turbo", {"scheduler": "karras"}, "karras"),
        ("sd35-medium", {"scheduler": "karras"}, "karras"),
        ("sd15", {"width": 1024, "height": 1024}, "about 512x512"),
        ("sdxl", {"width": 512, "height": 512}, "about one megapixel"),
    ],
)
def test_settings_that_spoil_the_picture_are_warned_of(name, values, words):
    (note,) = warnings(name, **values)

    assert words in note


@pytest.mark.parametrize(
    ("when", "values", "applies"),
    [
        ({"steps": 4}, {"steps": 4}, True),
        ({"steps": 4}, {"steps": 5}, False),
        ({"steps": 4}, {}, False),
        ({"steps": {"above": 4}}, {"steps": 5}, True),
        ({"steps": {"above": 4}}, {"steps": "many"}, False),
        ({"steps": {"above": 4, "below": 6}}, {"steps": 6}, False),
        ({"model": {"matches": "*base*"}}, {"model": "x-BASE-y"}, True),
        ({"model": {"one_of": ["a", "b"]}}, {"model": "c"}, False),
        ({"pixels": {"above": 99}}, {"width": 10, "height": 10}, True),
        ({"pixels": {"above": 99}}, {"width": 10}, False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, False),
    ],
)
def test_an_advice_applies_when_all_its_conditions_hold(when, values, applies):
    metadata = WorkflowMetadata.model_validate({"advice": [{"when": when, "note": "said"}]})
    workflow = Workflow(
        name="w", file="w.json", source="path", reference="w.json", graph={}, metadata=metadata
    )

    assert settings_warnings(workflow, values) == (("said",) if applies else ())
