"""What can be set in a workflow is typed by its node classes and the workflow's own limits."""

import pytest

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.catalogue import Catalogue, InputSpec, NodeSpec, shipped_catalogue
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.metadata import WorkflowMetadata
from comfygen_mcp.graph.parameter_values import checked_value, unknown_parameter
from comfygen_mcp.graph.parameters import Parameter, parameters
from comfygen_mcp.graph.parse import Workflow
from comfygen_mcp.models import Limits


def workflow(graph, **metadata):
    described = WorkflowMetadata.model_validate(metadata)
    names = {"name": "mine", "file": "mine.json", "source": "user", "reference": "mine.json"}
    return Workflow(**names, graph=graph, metadata=described)


def node(class_type, **inputs):
    return {"class_type": class_type, "inputs": inputs}


def found(graph, catalogue=None, **metadata):
    known = parameters(workflow(graph, **metadata), catalogue or shipped_catalogue())
    return {parameter.name: parameter for parameter in known}


def test_a_placeholder_has_the_type_range_and_default_of_where_it_stands():
    known = found(
        {"3": node("KSampler", steps="${steps}", cfg="${cfg}", sampler_name="${sampler}", seed="${seed}")},
        defaults={"steps": 8},
    )

    steps = Parameter(name="steps", type="integer", default=8, minimum=1, maximum=10000, places=("3.steps",))
    assert known["steps"] == steps.model_copy(update={"description": "Sampling steps"})
    assert (known["cfg"].type, known["cfg"].step, known["cfg"].default) == ("number", 0.1, 1.0)
    assert "euler" in known["sampler"].options
    assert (known["seed"].required, known["seed"].maximum, known["seed"].default) == (False, 2**64 - 1, None)


def test_what_nobody_fills_is_required_and_what_is_optional_is_not():
    graph = {"1": node("CLIPTextEncode", text="${prompt}"), "2": node("LoadImage", image="${image2}")}

    assert found(graph)["prompt"].required
    assert found(graph)["image2"].required
    assert not found(graph, optional=("image2",))["image2"].required


def test_a_picture_is_any_input_for_uploads():
    known = found({"1": node("LoadImage", image="${start}"), "2": node("LoadImage", image="a.png")})

    assert (known["start"].picture, known["start"].options, known["start"].required) == (True, None, True)
    assert known["2.image"].picture
    assert known["2.image"].default == "a.png"
    assert "path" in known["2.image"].description


def test_a_video_and_a_sound_are_files_of_the_server_and_no_pictures():
    graph = {
        "1": {"class_type": "LoadVideo", "inputs": {"file": "clip.mp4"}},
        "2": {"class_type": "LoadAudio", "inputs": {"audio": "${song}"}},
    }
    known = found(graph)

    assert (known["1.file"].media, known["1.file"].picture) == ("video", False)
    assert (known["song"].media, known["song"].picture) == ("sound", False)
    assert known["song"].description == "A sound in the server's input folder"


def test_sizes_counts_and_lengths_have_the_workflows_own_limits():
    graph = {"1": node("EmptyLatentImage", width="${width}", height="${height}", batch_size="${batch_size}")}
    limits = Limits(multiple_of=16, min_edge=256, max_edge=1536, max_count=4, max_frames=81)
    known = found({**graph, "2": node("WanImageToVideo", length="${frames}")}, limits=limits.model_dump())

    assert (known["width"].minimum, known["height"].maximum, known["width"].step) == (256, 1536, 16)
    assert (known["batch_size"].minimum, known["batch_size"].maximum) == (1, 4)
    assert (known["frames"].maximum, known["frames"].step) == (81, 4)


def test_a_placeholder_in_several_places_may_be_what_all_of_them_allow():
    one = NodeSpec(
        "One", {"n": InputSpec("INT", minimum=0, maximum=9), "s": InputSpec("COMBO", options=("a", "b"))}
    )
    two = NodeSpec("Two", {"n": InputSpec("FLOAT", minimum=3), "s": InputSpec("COMBO", options=("b", "c"))})
    graph = {"1": node("One", n="${n}", s="${s}"), "2": node("Two", n="${n}", s="${s}")}

    known = found(graph, Catalogue({"One": one, "Two": two}))
    assert (known["n"].type, known["n"].minimum, known["n"].maximum) == ("integer", 3, 9)
    assert known["s"].options == ("b",)
    assert known["s"].places == ("1.s", "2.s")


def test_without_a_known_class_the_name_or_the_value_tells_the_type():
    graph = {
        "1": node("Own", a="${steps}", b="${cfg}", c="${word}", d=3, e=2.5, f=True, g="x", h=None, i=[1]),
        "2": {"class_type": "${which}", "inputs": {}},
    }
    known = found(graph)

    types = {name: parameter.type for name, parameter in known.items()}
    assert types == {
        **dict.fromkeys(("steps", "1.d"), "integer"),
        **dict.fromkeys(("cfg", "1.e"), "number"),
        **dict.fromkeys(("word", "which", "1.g"), "string"),
        "1.f": "boolean",
    }


def test_a_choice_among_numbers_is_a_number():
    spec = NodeSpec("One", {"n": InputSpec("COMBO", options=(1, 2, 4))})

    assert found({"1": node("One", n=2)}, Catalogue({"One": spec}))["1.n"].type == "integer"


def test_inputs_of_nodes_are_listed_but_for_links_and_the_file_name():
    graph = {
        "9": node("SaveImage", images=["3", 0], filename_prefix="x"),
        "3": node("KSampler", steps=20, denoise=0.5),
    }

    assert list(found(graph)) == ["3.steps", "3.denoise"]


@pytest.mark.parametrize("name", WorkflowLibrary().names())
def test_every_bundled_workflow_can_be_described(name):
    bundled = WorkflowLibrary().load(name, allow_paths=False)

    known = parameters(bundled, shipped_catalogue())
    assert known
    assert len({parameter.name for parameter in known}) == len(known)
    assert all(
        parameter.default is not None or parameter.required or "." not in parameter.name
        for parameter in known
    )


@pytest.mark.parametrize(
    ("kind", "value", "typed"),
    [
        ("integer", 3, 3),
        ("integer", "3", 3),
        ("integer", 3.0, 3),
        ("integer", str(2**64 - 1), 2**64 - 1),
        ("number", 2, 2),
        ("number", "2.5", 2.5),
        ("boolean", True, True),
        ("boolean", "False", False),
        ("string", "x", "x"),
        ("string", 42, "42"),
        ("string", True, "true"),
    ],
)
def test_values_are_brought_to_the_type_of_their_parameter(kind, value, typed):
    made = checked_value(Parameter(name="p", type=kind), value)

    assert (made, type(made)) == (typed, type(typed))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[("integer", wrong) for wrong in ("many", 2.5, True, None, [1], "2.5")],
        *[("number", wrong) for wrong in ("wide", float("nan"), "inf", {})],
        *[("boolean", wrong) for wrong in ("perhaps", 1)],
        *[("string", wrong) for wrong in (None, ["a"])],
    ],
)
def test_what_a_parameter_cannot_be_is_refused(kind, value):
    with pytest.raises(BadRequest, match=r"^p=.* is no "):
        checked_value(Parameter(name="p", type=kind), value)


def test_what_is_out_of_range_is_refused_with_the_range():
    known = Parameter(name="strength", type="number", minimum=0, maximum=1)

    with pytest.raises(BadRequest, match=r"strength=1.5 is out of range. Use 0 to 1"):
        checked_value(known, 1.5)
    assert checked_value(known.model_copy(update={"maximum": None}), 9) == 9
    large = Parameter(name="noise", type="integer", minimum=0, maximum=2**64 - 1)
    with pytest.raises(BadRequest, match=r"Use 0 to 18446744073709551615\."):
        checked_value(large, -1)
    assert checked_value(Parameter(name="seed", type="integer", minimum=0, maximum=9), -1) == -1


def test_an_unknown_parameter_is_told_with_the_nearest_ones():
    assert "Did you mean prompt?" in str(unknown_parameter("prmpt", ["prompt", "3.steps"], "mine"))
    assert "It has: prompt." in str(unknown_parameter("zzzz", ["prompt", "3.steps"], "mine"))
    assert "inputs of its nodes are 3.steps." in str(unknown_parameter("zzzz", ["3.steps"], "mine"))
    assert "It has: none." in str(unknown_parameter("zzzz", [], "mine"))
