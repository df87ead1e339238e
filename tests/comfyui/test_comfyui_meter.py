"""Progress: phases by node class, steps, fractions that never go back, time left."""

import pytest
from replay_server import transcript

from comfygen_mcp.comfyui.events import Ended, Executing, QueueChanged, Started, Stepped, read_event
from comfygen_mcp.comfyui.meter import ProgressMeter, phase_of

GRAPH = {
    "1": {"class_type": "UNETLoader", "inputs": {}},
    "2": {"class_type": "KSamplerAdvanced", "inputs": {"steps": 4}},
    "3": {"class_type": "KSamplerAdvanced", "inputs": {"steps": 4}},
    "4": {"class_type": "VAEDecode", "inputs": {}},
    "5": {"class_type": "SaveImage", "inputs": {}},
}


def played(meter, events):
    return [meter.take(event, at) for at, event in enumerate(events)]


@pytest.mark.parametrize(
    ("class_type", "phase"),
    [
        ("CheckpointLoaderSimple", "loading"),
        ("KSampler", "sampling"),
        ("SamplerCustomAdvanced", "sampling"),
        ("KSamplerSelect", "running"),
        ("VAEDecodeTiled", "decoding"),
        ("SaveImage", "saving"),
        ("PreviewImage", "saving"),
        ("CLIPTextEncode", "running"),
        (None, "running"),
    ],
)
def test_the_phase_follows_from_the_class_of_the_node(class_type, phase):
    assert phase_of(class_type) == phase


def test_steps_are_told_with_a_message_and_the_time_that_both_samplers_still_need():
    meter = ProgressMeter(GRAPH)
    seen = played(meter, [Started(), Executing("2"), Stepped("2", 1, 4), Stepped("2", 2, 4)])

    assert [p.message for p in seen] == ["running", "sampling", "step 1/4", "step 2/4"]
    assert (seen[-1].step, seen[-1].steps, seen[-1].class_type) == (2, 4, "KSamplerAdvanced")
    assert seen[-2].eta_s is None
    assert seen[-1].eta_s == 6.0


def test_the_same_step_told_twice_does_not_disturb_the_pace():
    meter = ProgressMeter(GRAPH)
    played(meter, [Executing("2"), Stepped("2", 1, 4), Stepped("2", 2, 4)])
    again = meter.take(Stepped("2", 2, 4), 100.0)

    assert again.eta_s == 6.0


def test_the_place_in_the_queue_only_comes_nearer():
    meter = ProgressMeter(GRAPH)
    changes = [QueueChanged(9, first=True), *(QueueChanged(n, first=False) for n in (4, 5, 3, 1))]
    seen = played(meter, changes)

    assert [p.queue_position for p in seen] == [None, 3, 3, 2, 0]
    assert seen[1].message == "queued, 3 jobs ahead"
    assert seen[-1].message == "queued"
    assert meter.take(Started(), 9).phase == "running"
    assert meter.take(QueueChanged(7, first=False), 9).phase == "running"


def test_without_a_graph_steps_are_still_told():
    meter = ProgressMeter(None)

    assert meter.take(Executing("7"), 0).message == "running node 7"
    assert meter.take(Stepped("7", 3, 8), 1).message == "step 3/8"
    assert meter.finished().fraction == 1.0


@pytest.mark.parametrize("name", ["sd15_2steps_preview_auto_flag", "sd15_2steps_preview_latent2rgb_noflag"])
def test_the_fraction_of_a_captured_run_never_goes_back_and_stays_below_one(name):
    run = transcript(f"run_{name}")
    prompt_id = run["prompt_response"]["prompt_id"]
    meter = ProgressMeter(run["history"][prompt_id]["prompt"][2])
    events = [read_event(m, prompt_id) for m in run["messages"] if "type" in m]
    fractions = [p.fraction for p in played(meter, [e for e in events if e])]

    assert fractions == sorted(fractions)
    assert 0.9 < fractions[-1] < 1
    assert events[-1] == Ended(last=True)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "executing", "data": {"node": "6"}},
        {"type": "progress", "data": {"value": 1, "max": 3, "prompt_id": "other", "node": "3"}},
        {"type": "assets.seeded", "data": {"prompt_id": "mine"}},
        {"type": "logs"},
        {"type": ["odd"], "data": {"prompt_id": "mine"}},
        {"type": "status", "data": None},
        {"type": "executed", "data": {"prompt_id": "mine", "node": None}},
        {"type": "progress", "data": {"prompt_id": "mine", "node": "3", "value": None, "max": 0}},
        {"type": "progress", "data": {"prompt_id": "mine"}},
        {"type": "execution_error", "data": {"prompt_id": "mine", "exception_type": "ExecutionBlocked"}},
    ],
)
def test_messages_of_others_and_unknown_ones_say_nothing(message):
    assert read_event(message, "mine") is None
