"""Ids, names and errors: the ground that everything stands on."""

import inspect
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from comfygen_mcp import errors
from comfygen_mcp.errors import ComfygenError, UnknownName
from comfygen_mcp.ids import generation_id, id_time, new_job_id
from comfygen_mcp.names import nearest_names

NOW = datetime(2026, 11, 21, 8, 41, 30, 123_000, tzinfo=UTC)


def test_a_job_id_is_a_uuid7_of_its_moment():
    identifier = new_job_id(NOW)

    assert uuid.UUID(identifier).version == 7
    assert uuid.UUID(identifier).variant == uuid.RFC_4122
    assert id_time(identifier) == NOW
    assert identifier == str(uuid.UUID(identifier))


def test_later_ids_sort_after_earlier_ones_and_two_of_one_moment_differ():
    assert new_job_id(NOW) < new_job_id(NOW + timedelta(milliseconds=1))
    assert new_job_id(NOW) != new_job_id(NOW)


def test_generation_ids_are_fixed_by_the_job_and_the_index_and_share_its_moment():
    job = new_job_id(NOW)
    first, second = generation_id(job, 0), generation_id(job, 1)

    assert first == generation_id(job, 0)
    assert len({job, first, second}) == 3
    assert {uuid.UUID(first).version, uuid.UUID(second).version} == {7}
    assert id_time(first) == id_time(second) == NOW


@pytest.mark.parametrize("identifier", ["nonsense", str(uuid.uuid4())])
def test_an_id_of_another_kind_has_no_time(identifier):
    with pytest.raises(ValueError, match="UUID"):
        id_time(identifier)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("sd51", "sd15"), ("SD-15", "sd15"), ("flux2", "flux2-klein"), ("fluxschnell", "flux1-schnell")],
)
def test_the_nearest_name_is_what_somebody_probably_meant(name, nearest):
    assert nearest_names(name, ["flux1-schnell", "flux2-klein", "sd15", "sdxl"])[0] == nearest


def test_nothing_is_near_to_nonsense():
    assert nearest_names("zzzzzz", ["sd15", "sdxl"]) == []
    assert nearest_names("", ["sd15"]) == []


def test_an_unknown_name_lists_what_is_known_but_not_a_hundred_names():
    few = str(UnknownName("model", "sd51", ["sd15", "flux"], hint="Call list_models."))
    many = str(UnknownName("LoRA", "x" * 300, [f"lora{n}" for n in range(100)]))
    none = str(UnknownName("model", "a", []))

    assert few == "Unknown model 'sd51'. Did you mean 'sd15'? Known: sd15, flux. Call list_models."
    assert "and 80 more" in many
    assert len(many) < 400
    assert "There is no model at all" in none


def test_every_error_of_the_tree_is_drawn_at_the_top_of_its_file():
    classes = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, ComfygenError)]

    assert len(classes) <= 14
    for error in classes:
        assert error.__name__ in errors.__doc__
        assert error.__doc__
