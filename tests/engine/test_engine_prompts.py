"""Captured /prompt requests, and the replies of a real ComfyUI to them."""

import json
import uuid

import pytest
from engine_probe import captured, trivial, txt2img

PROMPTS = captured("prompts")


def post(client, body):
    headers = {"content-type": "application/json"}
    content = body if isinstance(body, str) else json.dumps(body)
    return client.http.post("/prompt", content=content, headers=headers)


def without_traces(value):
    if isinstance(value, dict):
        return {k: [] if k == "traceback" else without_traces(v) for k, v in value.items()}
    return [without_traces(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", PROMPTS, ids=[case["name"] for case in PROMPTS])
def test_a_captured_request_gets_the_captured_reply(client, case):
    reply = post(client, case["body"])

    assert reply.status_code == case["status"]
    if isinstance(case["response"], str):
        assert reply.text == case["response"]
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
        return
    got = reply.json()
    if reply.status_code == 200:
        assert uuid.UUID(got.pop("prompt_id"))
        assert isinstance(got.pop("number"), int | float)
    assert without_traces(got) == case["response"]


def test_numbers_count_up_negative_in_front_and_as_given(start):
    client = start()

    numbers = [
        client.post("/prompt", {"prompt": trivial(), **more}).json()["number"]
        for more in ({}, {"front": True}, {"number": -5.5}, {})
    ]
    client.post("/prompt", {"prompt": {}})

    assert numbers == [0, -1, -5.5, 2]
    assert client.post("/prompt", {"prompt": trivial()}).json()["number"] == 4


def test_only_the_targets_of_a_partial_execution_run(client):
    graph = {**trivial(31), "3": {**trivial(31, "other")["2"]}}

    entry = client.run(graph, partial_execution_targets=["3"])

    assert list(entry["outputs"]) == ["3"]


def test_a_prompt_id_runs_twice_when_it_is_sent_twice(client):
    prompt_id = str(uuid.uuid4())

    for colour in (41, 42):
        client.submit(trivial(colour), prompt_id=prompt_id)
        entry = client.wait(prompt_id)
        while entry["prompt"][2]["1"]["inputs"]["color"] != colour:
            entry = client.wait(prompt_id)

    assert entry["status"]["completed"]


def test_a_null_prompt_id_gets_a_fresh_one(client):
    assert uuid.UUID(client.submit(trivial(), prompt_id=None))


def test_comfy_org_keys_are_kept_out_of_history(client):
    secret = {"api_key_comfy_org": "hidden", "auth_token_comfy_org": "hidden", "mine": "kept"}

    extra = client.run(trivial(), extra_data=secret)["prompt"][3]

    assert extra["mine"] == "kept"
    assert "hidden" not in extra.values()


def test_coerced_values_are_what_history_shows(client):
    graph = trivial()
    graph["1"]["inputs"] = {"width": "64", "height": 64.9, "batch_size": True, "color": "8"}

    inputs = client.run(graph)["prompt"][2]["1"]["inputs"]

    assert inputs == {"width": 64, "height": 64, "batch_size": 1, "color": 8}


def test_a_width_of_70_silently_gives_64_pixels(client):
    assert client.picture(txt2img(size=(70, 70))).size == (64, 64)


@pytest.mark.parametrize(
    "body",
    [
        "5",
        "null",
        '{"prompt": {"1": 5}}',
        '{"prompt": {}, "number": "high"}',
        '{"prompt": "text"}',
        "[" * 5000,
    ],
)
def test_a_body_of_another_shape_is_plain_trouble(client, body):
    reply = post(client, body)

    assert (reply.status_code, reply.text[:3]) == (500, "500")


def test_not_a_number_passes_validation_as_it_does_in_comfyui(client):
    body = json.dumps({"prompt": txt2img(cfg=float("nan"), seed=77)})

    prompt_id = post(client, body).json()["prompt_id"]

    assert client.wait(prompt_id)["status"]["completed"]


def test_an_input_of_infinity_is_an_invalid_input_type(client):
    graph = txt2img()
    graph["3"]["inputs"]["steps"] = float("inf")

    errors = post(client, json.dumps({"prompt": graph})).json()["node_errors"]["3"]["errors"]

    assert errors[0]["type"] == "invalid_input_type"


def test_a_list_wrapped_in_value_is_a_value(client):
    graph = trivial()
    graph["2"]["inputs"]["filename_prefix"] = {"__value__": "wrapped"}

    outputs = client.run(graph)["outputs"]

    assert outputs["2"]["images"][0]["filename"].startswith("wrapped_")


def test_the_old_version_speaks_its_own_shapes(start):
    client = start(comfyui_version="0.3.64")
    unknown, flux2 = trivial(), trivial()
    unknown["1"]["class_type"] = "NoSuchNode"
    flux2["1"]["class_type"] = "EmptyFlux2LatentImage"
    untyped = {"1": {"inputs": {}}}

    errors = [client.post("/prompt", {"prompt": g}).json()["error"] for g in (unknown, flux2, untyped)]
    ids = [client.submit(trivial(n), prompt_id=i) for n, i in enumerate((None, "any text"))]

    assert [e["type"] for e in errors] == ["invalid_prompt"] * 3
    assert errors[0]["message"] == "Cannot execute because node NoSuchNode does not exist."
    assert errors[0]["details"] == "Node ID '#1'"
    assert ids == ["None", "any text"]
    assert "create_time" not in client.wait("any text")["prompt"][3]
    assert client.get("/api/jobs").status_code == 404
    assert client.get("/object_info/SaveImage").json()["SaveImage"]["output"] == []
    assert client.get("/features").json() == {
        "supports_preview_metadata": True,
        "max_upload_size": 104857600,
    }


def chain(length):
    """Return a graph of that many nodes in a row, and the id of the last."""
    graph = {"0": trivial()["1"]}
    for number in range(1, length):
        graph[str(number)] = {"class_type": "ImageInvert", "inputs": {"image": [str(number - 1), 0]}}
    graph["out"] = {"class_type": "PreviewImage", "inputs": {"images": [str(length - 1), 0]}}
    return graph


def test_a_chain_of_thousands_of_nodes_runs(start):
    client = start()

    entry = client.run(chain(2000))

    assert entry["status"]["completed"], entry["status"]["messages"][-1]
    assert len(client.run(chain(2000))["status"]["messages"][1][1]["nodes"]) == 2001


def test_an_error_at_the_start_of_a_long_chain_is_blamed_on_its_node(client):
    graph = chain(2000)
    graph["0"]["inputs"]["width"] = 0

    reply = post(client, {"prompt": graph}).json()

    assert list(reply["node_errors"]) == ["0"]
    assert reply["node_errors"]["0"]["dependent_outputs"] == ["out"]


@pytest.mark.parametrize(
    "dropped",
    [
        {"class_type": "SaveImage"},
        {"class_type": "SaveImage", "inputs": None},
        {"class_type": "LoadImage", "inputs": {"image": "gone.png", "folders": 1, "task": 2}},
        {"class_type": "SaveImage", "inputs": {"images": ["loop", 0]}},
    ],
)
def test_a_dropped_part_of_a_graph_does_not_disturb_the_rest(client, dropped):
    loop = {"class_type": "ImageInvert", "inputs": {"image": ["loop", 0]}}

    entry = client.run({**trivial(51), "7": dropped, "loop": loop})

    assert entry["status"]["completed"]


def test_a_client_id_that_is_no_text_harms_nobody(client):
    assert client.run(trivial(52), client_id=["a", 1])["status"]["completed"]


def test_a_node_that_breaks_fails_its_prompt_and_the_next_one_runs(start, monkeypatch):
    client = start()

    def broken(*_, **__):
        raise AssertionError("a mistake of ours")

    monkeypatch.setattr("comfygen_mcp.engine.renderer.decode_latent", broken)

    failed = client.run(txt2img())["status"]["messages"][-1]

    assert failed[0] == "execution_error"
    assert failed[1]["exception_message"] == "a mistake of ours\n"
    assert client.run(trivial())["status"]["completed"]
