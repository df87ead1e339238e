"""The events of a running prompt: captured transcripts, and who hears what."""

import json
import uuid

import pytest
from engine_probe import brief, captured, trivial, txt2img

EVENTS = {case["name"]: case for case in captured("events")}
SD15 = [name for name in EVENTS if name.startswith("sd15")]


def replay(client, case):
    """Run a captured prompt with a socket of its own; return what the socket heard, in short, and history."""
    socket = client.socket(uuid.uuid4().hex, flags=case["flags"])
    heard = socket.until_kind("feature_flags" if case["flags"] else "status")
    client_id = heard[0]["data"]["sid"]
    prompt_id = client.submit(case["graph"], client_id=client_id, extra_data=case["extra_data"])
    heard += socket.until_done(prompt_id)
    socket.close()
    return [brief(message) for message in heard], client.wait(prompt_id)


def checked(client, case):
    heard, entry = replay(client, case)
    assert heard == case["events"]
    assert [message[0] for message in entry["status"]["messages"]] == case["history_messages"]
    assert {key: entry["status"][key] for key in ("status_str", "completed")} == case["status"]
    return entry


def test_a_saved_image_and_its_identical_resubmission_are_told_as_captured(start):
    client = start()

    first = checked(client, EVENTS["trivial_saveimage"])
    written = sorted((client.server.folder / "output").rglob("*"))
    second = checked(client, EVENTS["trivial_saveimage_identical_resubmit"])

    assert second["outputs"] == first["outputs"]
    assert sorted((client.server.folder / "output").rglob("*")) == written


def test_a_previewed_image_is_told_as_captured(start):
    checked(start(), EVENTS["trivial_previewimage"])


def test_samplers_with_and_without_previews_are_told_as_captured(start):
    client = start()

    for name in SD15:
        checked(client, EVENTS[name])


def test_a_model_file_without_content_fails_as_captured(start):
    client = start()
    empty = client.server.folder / "models" / "diffusion_models" / "flux1-schnell.safetensors"
    empty.parent.mkdir(parents=True)
    empty.touch()

    entry = checked(client, EVENTS["error_zero_byte_unet"])

    assert entry["outputs"] == {}


def test_a_failure_keeps_the_outputs_before_it_as_captured(start):
    client = start()
    client.run(txt2img())  # the captured server had node 6 in its cache from the prompt before
    empty = client.server.folder / "models" / "checkpoints" / "sd_xl_base_1.0.safetensors"
    empty.parent.mkdir(parents=True)
    empty.touch()

    entry = checked(client, EVENTS["error_one_output_ok_then_fail"])

    assert list(entry["outputs"]) == ["2"]


def test_metadata_previews_carry_the_node_and_a_jpeg(client):
    socket = client.socket("previews", flags={"supports_preview_metadata": True})
    more = {"client_id": "previews", "extra_data": {"preview_method": "latent2rgb"}}
    prompt_id = client.submit(txt2img(seed=901, steps=3), **more)

    frames = [m for m in socket.until_done(prompt_id) if isinstance(m, bytes)]

    assert len(frames) == 3
    length = int.from_bytes(frames[0][4:8], "big")
    assert json.loads(frames[0][8 : 8 + length]) == {
        "node_id": "3",
        "prompt_id": prompt_id,
        "display_node_id": "3",
        "parent_node_id": None,
        "real_node_id": "3",
        "image_type": "image/jpeg",
    }
    assert frames[0][8 + length :][:3] == b"\xff\xd8\xff"


def test_the_handshake_counts_only_as_the_first_valid_message(client):
    spoiled, late = client.socket("spoiled"), client.socket("late")
    spoiled.send("{not json")
    spoiled.send({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
    late.send({"type": "hello"})
    late.send({"type": "feature_flags", "data": {"supports_preview_metadata": True}})

    assert spoiled.until_kind("feature_flags")
    prompt_id = client.submit(trivial(902), client_id="late")
    assert "feature_flags" not in [m["type"] for m in late.until_done(prompt_id)]


def test_events_go_to_the_owner_and_status_to_everybody(client):
    owner, other = client.socket("owner"), client.socket("other")
    other.next()

    prompt_id = client.submit(trivial(903), client_id="owner")
    owner.until_done(prompt_id)
    heard = other.until(lambda m: m["data"]["status"]["exec_info"]["queue_remaining"] == 0)

    assert {m["type"] for m in heard} == {"status"}


def test_an_anonymous_prompt_broadcasts_progress_and_previews_only(client):
    listener = client.socket("listener", flags={"supports_preview_metadata": True})
    listener.until_kind("feature_flags")

    client.submit(txt2img(seed=904), extra_data={"preview_method": "auto"})
    heard = listener.until(
        lambda m: m["type"] == "status" and m["data"]["status"]["exec_info"]["queue_remaining"] == 0
    )

    kinds = {m[0] if isinstance(m, list) else m["type"] if isinstance(m, dict) else "binary" for m in heard}
    assert kinds == {"status", "progress_state", "progress", "binary"}
    assert {m[:4] for m in heard if isinstance(m, bytes)} == {b"\0\0\0\1"}


def test_who_connects_late_hears_the_current_node_without_a_prompt_id(start):
    client = start(step_ms=40)
    prompt_id = client.submit(txt2img(steps=40), client_id="late")
    watcher = client.socket("watcher")
    watcher.next()
    while client.server.engine.current is None or client.server.engine.current.last_node != "3":
        client.get("/queue")

    late = client.socket("late")

    assert brief(late.next()) == ["status", 1, True]
    assert late.next() == {"type": "executing", "data": {"node": "3"}}
    assert late.next()["type"] == "progress_state"
    client.post("/interrupt", {"prompt_id": prompt_id})
    late.until_done(prompt_id)


def test_of_two_sockets_with_one_id_the_newer_hears_and_goes_deaf_when_the_older_closes(client):
    older = client.socket("twice")
    older.next()
    newer = client.socket("twice")
    newer.next()

    newer.until_done(client.submit(trivial(905), client_id="twice"))
    older.close()
    while "twice" in client.server.engine.hub._sockets:
        client.get("/queue")
    client.wait(client.submit(trivial(906), client_id="twice"))

    assert len(older.messages) == 1
    with pytest.raises(TimeoutError):
        newer.next(timeout=0.2)


def test_a_socket_without_an_id_gets_one_that_works(client):
    socket = client.socket()
    minted = socket.next()["data"]["sid"]

    heard = socket.until_done(client.submit(trivial(907), client_id=minted))

    assert "execution_success" in [m["type"] for m in heard]


def test_an_interrupted_sampler_says_so_and_keeps_no_outputs(start):
    client = start(step_ms=30)
    socket = client.socket("owner")
    prompt_id = client.submit(txt2img(steps=200), client_id="owner")
    socket.until_kind("progress")

    client.post("/interrupt", {"prompt_id": prompt_id})
    heard = [brief(m) for m in socket.until_done(prompt_id)]

    assert heard[-3:] == [["execution_interrupted"], ["status", 0, False], ["executing", None]]
    entry = client.wait(prompt_id)
    assert entry["status"]["status_str"] == "error"
    assert entry["status"]["completed"] is False
    told = entry["status"]["messages"][-1][1]
    assert (told["node_id"], told["node_type"]) == ("3", "KSampler")
    assert set(told["executed"]) == {"4", "5", "6", "7"}
    assert entry["outputs"] == {}


def test_an_interrupted_anonymous_prompt_tells_everybody(start):
    client = start(step_ms=30)
    listener = client.socket("listener")
    prompt_id = client.submit(txt2img(steps=200))
    listener.until_kind("progress")

    client.post("/interrupt")

    assert listener.until_kind("execution_interrupted")[-1]["data"]["prompt_id"] == prompt_id


def test_history_may_be_written_later_than_success_is_told(start):
    client = start(history_ms=300)
    socket = client.socket("owner")
    prompt_id = client.submit(trivial(), client_id="owner")

    socket.until_kind("execution_success")
    early = client.get(f"/history/{prompt_id}").json()
    socket.until_done(prompt_id)

    assert early == {}
    assert prompt_id in client.get(f"/history/{prompt_id}").json()


def test_a_client_that_vanishes_does_not_hold_up_its_prompt(client):
    gone = client.socket("gone")
    gone.next()
    gone._connection.socket.close()

    assert client.run(txt2img(seed=908, steps=4), client_id="gone")["status"]["completed"]
