"""The plan of a comparison: axes as callers write them, cells, labels and file names."""

from datetime import UTC, datetime

import pytest

from comfygen_mcp import ids
from comfygen_mcp.compare import (
    Attempt,
    CompareRequest,
    Comparison,
    folder_of,
    from_json,
    seed_text,
    to_json,
)
from comfygen_mcp.compare_axes import parse_axes, with_shared
from comfygen_mcp.compare_plan import folder_name, planned_cells, slug, varying
from comfygen_mcp.compare_sheet import GONE, first_sentence, reason_in_words, sheet_of
from comfygen_mcp.errors import BadRequest, StoreFailed, UnknownName
from comfygen_mcp.models import LoraUse

NOW = datetime(2026, 11, 21, 8, 41, 0, tzinfo=UTC)


def cells_of(prompt="a red fox", **written):
    return planned_cells(prompt, parse_axes({"models": ["sd15"], "seeds": [7], **written}))


def comparison_of(**written):
    cells = cells_of(**written)
    axes = parse_axes({"models": ["sd15"], "seeds": [7], **written})
    return Comparison(
        id=ids.new_job_id(NOW),
        created_at=NOW,
        request=CompareRequest(prompt="a red fox", axes=axes),
        axes=varying(axes),
        cells=cells,
    )


def attempt_at(cell, **fields):
    usual = {"backend": "sd15", "status": "done", "seed": 7, "started_at": NOW}
    return Attempt(**{**usual, **fields, "cell": cell})


def test_a_list_is_an_axis_and_a_single_value_is_the_same_for_all_cells():
    cells = cells_of(steps=[4, "8"], cfg="3.5")

    assert [(cell.steps, cell.cfg, cell.seed) for cell in cells] == [(4, 3.5, 7), (8, 3.5, 7)]
    assert [cell.labels for cell in cells] == [("4",), ("8",)]


def test_two_axes_make_a_grid_row_by_row_whatever_their_order_was():
    cells = cells_of(cfg=[3, 7.5], models=["sd15", "sdxl"])

    assert [cell.labels for cell in cells] == [
        ("sd15", "3"),
        ("sd15", "7.5"),
        ("sdxl", "3"),
        ("sdxl", "7.5"),
    ]
    sheet = sheet_of(comparison_of(cfg=[3, 7.5], models=["sd15", "sdxl"]), {})
    assert (sheet.row_axis, sheet.row_labels) == ("model", ("sd15", "sdxl"))
    assert (sheet.column_axis, sheet.column_labels) == ("cfg", ("3", "7.5"))


def test_strengths_replace_those_of_the_loras_and_leave_a_cell_without_one_alone():
    cells = cells_of(loras=["none", "art/ink.safetensors:0.3:0.2"], strengths=[0.4, 1])

    assert [cell.loras for cell in cells] == [
        (),
        (),
        (LoraUse(name="art/ink.safetensors", strength=0.4),),
        (LoraUse(name="art/ink.safetensors", strength=1.0),),
    ]
    assert [cell.labels for cell in cells][2:] == [("ink", "0.4"), ("ink", "1")]


def test_several_loras_of_one_cell_stand_in_a_list_of_their_own():
    cells = cells_of(loras=[["ink:0.5", "pen"], "ink"])

    assert [cell.labels for cell in cells] == [("ink 0.5 + pen",), ("ink",)]


def test_loras_of_the_same_name_in_two_folders_keep_labels_and_files_of_their_own():
    cells = cells_of(loras=["a/ink", "b/ink", "none"])

    assert len({cell.labels for cell in cells}) == len({cell.name for cell in cells}) == 3
    assert cells[0].labels[0].startswith("a/ink")
    assert cells[2].labels == ("none",)


def test_values_that_differ_only_far_behind_the_point_are_told_apart():
    assert [cell.labels for cell in cells_of(cfg=[7, 7.00000001])] == [("7.0",), ("7.00000001",)]


def test_a_preset_of_none_is_the_models_own():
    cells = cells_of(presets=["none", "draft"])

    assert [(cell.preset, cell.labels[0]) for cell in cells] == [(None, "none"), ("draft", "draft")]
    assert cells_of(presets=[None, "draft"]) == cells


def test_values_given_twice_count_once_but_seeds_to_draw_each_count():
    assert len(cells_of(steps=[4, 4, 8])) == 2
    assert parse_axes({"seeds": [-1, -1, 5, 5, "0"]}).seeds == (-1, -1, 5, "0")


def test_files_are_called_by_prompt_and_backend_and_by_what_else_varies():
    models = cells_of("A Red Fox, in snow!", models=["sd15", "flux2-klein"])
    grid = cells_of("雪の中の狐", models=["sd15", "sdxl"], steps=[4, 8])

    assert [cell.name for cell in models] == ["a-red-fox-in-snow--sd15", "a-red-fox-in-snow--flux2-klein"]
    assert grid[1].name == "雪の中の狐--sd15--steps-8"
    assert folder_name("A Red Fox", NOW) == "20261121-084100-a-red-fox"


def test_names_that_would_be_the_same_are_numbered():
    names = [cell.name for cell in cells_of(models=["my model", "my-model", "my_model", "my-model-2"])]

    assert len(set(names)) == 4
    assert names[:2] == ["a-red-fox--my-model", "a-red-fox--my-model-2"]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("...", "untitled"),
        ("\ud83d", "untitled"),
        ("a" * 100, "a" * 40),
        ("ÅRØ  1.5", "årø-1.5"),
    ],
)
def test_a_slug_is_a_harmless_piece_of_a_file_name(text, made):
    assert slug(text, 40) == made


def test_the_longest_names_fit_a_file_system():
    names = [cell.name for cell in cells_of("狐" * 90, models=["狐" * 90, "狐" * 91])]

    assert len(set(names)) == 2
    assert all(len(name.encode()) < 240 for name in names)


BAD_AXES = {
    "an unknown axis": ({"step": [4, 8]}, UnknownName, "'steps'"),
    "three axes": (
        {"models": ["a", "b"], "steps": [1, 2], "cfg": [1, 2]},
        BadRequest,
        "models, steps, cfg",
    ),
    "one cell only": ({"steps": [4]}, BadRequest, "only one cell"),
    "an empty axis": ({"steps": []}, BadRequest, "steps is empty"),
    "too many cells": ({"steps": list(range(1, 21)), "cfg": list(range(1, 26))}, BadRequest, "500 cells"),
    "strengths of nothing": ({"strengths": [0.4, 0.8]}, BadRequest, "LoRA"),
    "strengths of none": ({"loras": ["none"], "strengths": [0.4, 0.8]}, BadRequest, "LoRA"),
    "a half step": ({"steps": [4, 4.5]}, BadRequest, "'4.5' on the axis steps"),
    "steps in words": ({"steps": ["few", "many"]}, BadRequest, "'few'"),
    "a cfg of NaN": ({"cfg": [1, "nan"]}, BadRequest, "'nan'"),
    "a cfg beyond floats": ({"cfg": [1, 10**400]}, BadRequest, "is not a number"),
    "a truth as cfg": ({"cfg": [True, 2]}, BadRequest, "'True'"),
    "a truth as seed": ({"seeds": [True, 2]}, BadRequest, "'True'"),
    "an enormous strength": ({"loras": "ink", "strengths": [1, 1e9]}, BadRequest, "-100 to 100"),
    "a nameless model": ({"models": ["sd15", " "]}, BadRequest, "models is not a name"),
    "a number as preset": ({"presets": [3, 4]}, BadRequest, "presets is not a name"),
    "a LoRA without a name": ({"loras": [":0.5", "ink"]}, BadRequest, "no name"),
}


@pytest.mark.parametrize(("written", "kind", "named"), BAD_AXES.values(), ids=BAD_AXES.keys())
def test_axes_that_cannot_be_used_are_refused_with_the_value(written, kind, named):
    with pytest.raises(kind) as refused:
        cells_of(**written)

    assert named in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("axis", "shared", "named"),
    [
        ({"steps": [4, 8]}, {"steps": 20}, "steps=20"),
        ({"seeds": [1, 2]}, {"seeds": 7}, "seed=7"),
        ({"models": ["a", "b"]}, {"models": ["c"]}, "models="),
    ],
)
def test_an_axis_and_a_value_for_all_cells_contradict_each_other(axis, shared, named):
    with pytest.raises(BadRequest, match="not both") as refused:
        with_shared(parse_axes(axis), **shared)

    assert named in str(refused.value)


def test_what_all_cells_share_becomes_an_axis_of_one():
    axes = with_shared(parse_axes({"cfg": [3, 7]}), models=["sd15"], seeds="9", steps=None)

    assert (axes.models, axes.seeds, axes.steps, axes.cfg) == (("sd15",), ("9",), (), (3.0, 7.0))


def test_the_record_is_read_back_as_it_was_written():
    made = comparison_of(steps=[4, 8])
    strange = made.request.model_copy(update={"prompt": "\ud83d a fox"})
    made = made.model_copy(update={"request": strange}).with_attempt(attempt_at(0, latency_ms=812))

    assert from_json(to_json(made), key="k") == made


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"id": 1}', b"\xff", b"[" * 100_000])
def test_a_foreign_record_is_refused_by_its_key(data):
    with pytest.raises(StoreFailed, match=r"c/compare\.json"):
        from_json(data, key="c/compare.json")


def test_a_record_lies_in_a_folder_of_its_day_and_id():
    made = comparison_of(steps=[4, 8])

    assert folder_of(made.id) == f"c/2026/11/21/{made.id}/"


def test_a_large_seed_is_text_too():
    assert seed_text(2**53) == str(2**53)
    assert seed_text(7) is None


def test_every_attempt_stays_on_record_and_the_last_one_decides():
    made = comparison_of(steps=[4, 8])
    made = made.with_attempt(attempt_at(0, status="running"))
    made = made.with_attempt(attempt_at(0, status="failed", error="No."))
    made = made.with_attempt(attempt_at(0, status="running")).with_attempt(attempt_at(0))

    assert [attempt.status for attempt in made.attempts] == ["failed", "done"]
    assert (made.cell_status(0), made.cell_status(1)) == ("done", "pending")


def test_the_sheet_says_of_every_cell_what_became_of_it(tmp_path):
    made = comparison_of(models=["sd15", "sdxl", "flux", "klein", "qwen"])
    made = made.with_attempt(attempt_at(0, latency_ms=812, key="g/a.png"))
    made = made.with_attempt(attempt_at(1, status="failed", error="Node 3 broke. Look there."))
    made = made.with_attempt(attempt_at(2, status="cancelled", error="x"))
    made = made.with_attempt(attempt_at(3, latency_ms=5, key="g/gone.png"))
    sheet = sheet_of(made, {0: tmp_path / "a.png"})

    assert [(cell.title, cell.subtitle, cell.state, cell.reason) for cell in sheet.cells] == [
        ("sd15", "812ms · seed 7", "done", ""),
        ("sdxl", "seed 7", "failed", "Node 3 broke."),
        ("flux", "seed 7", "skipped", "Cancelled."),
        ("klein", "5ms · seed 7", "failed", GONE),
        ("qwen", "seed 7", "pending", "Not made yet."),
    ]
    assert sheet.column_labels == sheet.row_labels == ()


def test_one_axis_is_a_labelled_row_and_a_long_one_has_its_values_in_the_cells():
    short = sheet_of(comparison_of(steps=[4, 8]), {})
    long = sheet_of(comparison_of(steps=list(range(1, 8))), {})
    seeds = sheet_of(comparison_of(seeds=list(range(1, 8))), {})

    assert (short.column_axis, short.column_labels) == ("steps", ("4", "8"))
    assert [cell.title for cell in short.cells] == ["sd15", "sd15"]
    assert long.column_labels == ()
    assert long.cells[6].title == "sd15 · steps 7"
    assert (seeds.cells[6].title, seeds.cells[6].subtitle) == ("sd15", "seed 7")


def test_the_sheet_tells_below_the_prompt_what_all_cells_have_in_common():
    made = comparison_of(loras=["ink:0.5"], cfg=[3, 7], steps=9, presets="draft")
    request = made.request.model_copy(update={"style": "noir", "size": "wide", "negative": "text"})
    made = made.model_copy(update={"request": request})

    told = sheet_of(made, {}).subheader
    assert told == "style noir · size wide · steps 9 · preset draft · LoRA ink 0.5 · without text"
    assert sheet_of(comparison_of(loras=["ink", "pen"], cfg=3), {}).subheader == "cfg 3"
    assert sheet_of(comparison_of(loras=["ink"], strengths=[0.4, 1]), {}).subheader == "LoRA ink"


def test_a_long_reason_is_cut_between_sentences_and_else_between_letters():
    assert reason_in_words("It broke.\n Look there.") == "It broke. Look there."
    assert reason_in_words("One. " + "x" * 300) == "One."
    assert reason_in_words("x" * 300) == "x" * 179 + "…"
    assert first_sentence("LoRA 'a.b' is not there. Install it.") == "LoRA 'a.b' is not there."
