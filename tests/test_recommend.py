"""Which model for which task: what words are understood, who comes first, and why."""

import pytest

from comfygen_mcp.errors import BadRequest, UnknownName
from comfygen_mcp.services.model_view import ModelView
from comfygen_mcp.services.recommend import recommend
from comfygen_mcp.services.tasks import TASKS, kinds_in, words_in


def model(name, **fields):
    return ModelView(**{"name": name, "state": "ready", "kind": "txt2img", **fields})


QUICK = model("quick", distilled=True, steps=4, vram_gb="10-12", license="Apache-2.0")
GUIDED = model("guided", distilled=True, steps=20, vram_gb="about 20", license="X Non-Commercial License")
SMALL = model("small", vram_gb="about 4", license="CreativeML Open RAIL-M", good_at=("anime", "small GPU"))
LETTERS = model("letters", good_at=("text in pictures", "poster"), good_for="Posters and signs.")
EDITOR = model("editor", kind="edit", good_at=("change background",))
FILM = model("film", kind="txt2video", vram_gb="20")
LIVELY = model("lively", kind="img2video")
MODELS = [GUIDED, QUICK, SMALL, LETTERS, EDITOR, FILM, LIVELY]


@pytest.mark.parametrize(
    ("task", "kinds"),
    [
        ("edit a photo", ("edit",)),
        ("Replace the background of my picture", ("edit",)),
        ("video", ("txt2video", "img2video")),
        ("a short clip of waves", ("txt2video", "img2video")),
        ("image to video", ("img2video",)),
        ("turn a photo into a video", ("img2video",)),
        ("animate a picture", ("img2video",)),
        ("text  to   video", ("txt2video",)),
        ("t2v", ("txt2video",)),
        ("inpaint", ("inpaint",)),
        ("outpainting", ("inpaint",)),
        ("upscale a photo", ("upscale",)),
        ("image to image", ("img2img",)),
        ("variations of a picture", ("img2img",)),
        ("text in images", ("txt2img",)),
        ("txt2img", ("txt2img",)),
        ("img2img", ("img2img",)),
        ("img2video", ("img2video",)),
        ("txt2video", ("txt2video",)),
        ("portrait photo", ("txt2img",)),
        ("fast", ()),
        ("anime", ()),
    ],
)
def test_the_kind_is_read_from_the_words(task, kinds):
    assert kinds_in(task) == kinds


@pytest.mark.parametrize("task", TASKS)
def test_every_task_that_is_named_as_valid_is_understood(task):
    every = [*MODELS, *(model(kind, kind=kind) for kind in ("img2img", "inpaint", "upscale"))]

    assert recommend(task, every)


@pytest.mark.parametrize(
    ("task", "best", "reason"),
    [
        ("fast", "quick", "fast: distilled, 4 steps"),
        ("a quick draft", "quick", "fast: distilled, 4 steps"),
        ("small GPU", "small", "small"),
        ("for a laptop", "small", "small"),
        ("commercial use", "quick", "its licence allows commercial use: Apache-2.0"),
        ("text in images", "letters", "good at text in pictures"),
        ("posters", "letters", "good at poster"),
        ("a sign", "letters", "Posters and signs"),
        ("anime pictures", "small", "good at anime"),
        ("edit a photo", "editor", "edits a picture by instruction"),
        ("video", "film", "makes video from text"),
        ("photo to video", "lively", "makes video from a picture"),
        ("text to image", "guided", "but its licence is X Non-Commercial License"),
        ("text to image", "guided", "about 20 GB of VRAM"),
    ],
)
def test_the_best_model_comes_first_and_says_why(task, best, reason):
    first = recommend(task, MODELS)[0]

    assert (first.name, reason in first.why) == (best, True)


def test_what_is_ready_comes_before_what_would_be_better():
    missing = QUICK.model_copy(update={"state": "missing files"})

    found = recommend("fast", [missing, SMALL, EDITOR])

    assert [view.name for view in found] == ["small", "quick"]


def test_a_model_that_fits_no_better_keeps_its_rank():
    assert recommend("text to image", [SMALL, GUIDED, QUICK])[0].name == "small"
    assert recommend("text to image", [GUIDED, SMALL, LETTERS])[0].name == "guided"


def test_only_so_many_are_told():
    assert len(recommend("text to image", [model(str(number)) for number in range(20)])) == 8


def test_an_unknown_task_names_the_nearest_and_the_valid_ones():
    with pytest.raises(UnknownName) as caught:
        recommend("upscaaale", MODELS)

    assert "Did you mean 'upscale'?" in str(caught.value)
    assert "text in pictures" in str(caught.value)


def test_a_task_of_a_kind_that_no_model_does_says_what_they_do():
    with pytest.raises(BadRequest, match=r"No known model enlarges pictures .* edit, img2video"):
        recommend("upscale", MODELS)


def test_words_that_any_task_has_tell_nothing():
    assert words_in("I want to make some nice pictures of the classes") == {"classe"}
