"""Values given by name: a request's own fields, placeholders, single inputs - or nothing that exists."""

import pytest

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.request_values import given_values


@pytest.fixture(scope="module")
def workflow():
    return WorkflowLibrary().load("flux1-schnell", allow_paths=False)


def test_nothing_given_changes_nothing(workflow):
    request = GenerateRequest(prompt="a fox")

    assert given_values(request, workflow).request is request


def test_a_name_that_the_request_has_a_field_for_is_that_field(workflow):
    given = given_values(
        GenerateRequest(
            values={"prompt": "a fox", "steps": 6, "seed": "18446744073709551615", "batch_size": 2}
        ),
        workflow,
    )

    assert given.request == GenerateRequest(prompt="a fox", steps=6, seed="18446744073709551615", count=2)
    assert (given.values, given.overrides) == ({}, {})


def test_another_placeholder_is_filled_as_it_is_and_a_dotted_name_sets_one_input(workflow):
    given = given_values(GenerateRequest(values={"max_shift": 1.15, "31.denoise": 0.9}), workflow)

    assert given.values == {"max_shift": 1.15}
    assert given.overrides == {"31.denoise": 0.9}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_shfit": 1}, "has no parameter 'max_shfit'. Did you mean max_shift"),
        ({"zzz": 1}, "It has: .*prompt"),
        ({"max_shift": [1]}, "is no text, number, true or false"),
        ({"steps": "many"}, r"steps='many' does not fit"),
    ],
)
def test_a_name_or_value_that_fits_nothing_is_refused_with_what_does(workflow, values, message):
    with pytest.raises(BadRequest, match=message):
        given_values(GenerateRequest(values=values), workflow)
