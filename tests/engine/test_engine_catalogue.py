"""What the engine says it has: nodes, model files, itself."""

import pytest
from engine_probe import captured

from comfygen_mcp import __version__

CAPTURED = captured("object_info")
DECLARATIONS = captured("declarations")
"""What 0.33.0 says of each node that the engine has, without words for people and names of files."""
PRESENTATION = {"tooltip", "display_name"}


@pytest.mark.parametrize("name", CAPTURED)
def test_a_node_is_described_as_captured(client, name):
    got, expected = client.get(f"/object_info/{name}").json()[name], CAPTURED[name]

    for key in ("input_order", "output", "output_name", "output_is_list", "output_node", "category", "name"):
        assert got[key] == expected[key]
    for input_name, spec in expected["input"]["required"].items():
        ours = got["input"]["required"][input_name]
        assert ours[1] == spec[1]
        if input_name != "lora_name":
            assert ours[0] == spec[0]


def declared(entry):
    """Reduce what /object_info says of a node to the form of the captured declarations."""
    hidden = list(entry["input"].get("hidden", ()))
    facts = {
        "inputs": {name: spec_of(wire) for name, wire in entry["input"]["required"].items()},
        "optional": {name: spec_of(wire) for name, wire in entry["input"].get("optional", {}).items()},
        "outputs": [
            f"{kind}:{name}" for kind, name in zip(entry["output"], entry["output_name"], strict=True)
        ],
        "category": entry["category"],
        "output_node": entry["output_node"],
        "deprecated": entry.get("deprecated", False),
        "experimental": entry.get("experimental", False),
        "module": "" if entry["python_module"] == "nodes" else entry["python_module"],
        "hidden": hidden,
    }
    return {key: value for key, value in facts.items() if value or key in {"inputs", "outputs"}}


def spec_of(wire):
    """Return type and options; the older form of a combo, a list, counts as COMBO without `multiselect`."""
    kind, options = wire
    if isinstance(kind, list):
        kind, options = "COMBO", {**options, "options": kind}
    return [kind, plain(options)]


def plain(options):
    """Leave out words for people, wherever a dynamic combo holds them."""
    if isinstance(options, dict):
        return {key: plain(value) for key, value in options.items() if key not in PRESENTATION}
    return [plain(value) for value in options] if isinstance(options, list) else options


@pytest.mark.parametrize("name", DECLARATIONS)
def test_a_node_is_declared_as_in_comfyui(client, name):
    ours, theirs = declared(client.get(f"/object_info/{name}").json()[name]), DECLARATIONS[name]

    for group in ("inputs", "optional"):
        assert list(ours.get(group, {})) == list(theirs.get(group, {}))
        for given, (kind, options) in theirs.get(group, {}).items():
            our_kind, our_options = ours[group][given]
            assert our_kind == kind
            assert {key: our_options.get(key) for key in options} == options
    for key in ("outputs", "category", "output_node", "deprecated", "experimental", "module", "hidden"):
        assert ours.get(key) == theirs.get(key), key


def test_nothing_is_offered_that_comfyui_does_not_have(client):
    assert set(client.get("/object_info").json()) == set(DECLARATIONS)


def test_every_node_of_the_catalogue_is_described_whole(client):
    nodes = client.get("/object_info").json()

    assert len(nodes) > 40
    for name, node in nodes.items():
        assert node["name"] == name
        listed = {input_name for group in node["input"].values() for input_name in group}
        assert listed == {input_name for group in node["input_order"].values() for input_name in group}
        assert len(node["output"]) == len(node["output_name"]) == len(node["output_is_list"])


def test_combos_come_in_both_forms(client):
    nodes = client.get("/object_info").json()

    old = nodes["KSampler"]["input"]["required"]["sampler_name"]
    new = nodes["KSamplerSelect"]["input"]["required"]["sampler_name"]

    assert new[0] == "COMBO"
    assert new[1]["options"] == old[0]


def test_a_new_model_file_shows_without_a_restart(client):
    folder = client.server.folder / "models" / "loras" / "sub"
    before = client.get("/models/loras").json()
    folder.mkdir(parents=True)
    (folder / "fresh.safetensors").write_bytes(b"0" * 16)
    (folder / "notes.txt").write_text("no model", encoding="utf-8")

    after = client.get("/models/loras").json()

    assert set(after) - set(before) == {"sub/fresh.safetensors"}
    lora = client.get("/object_info/LoraLoader").json()["LoraLoader"]["input"]["required"]["lora_name"][0]
    assert lora == after


def test_uploads_are_offered_by_load_image(client):
    client.upload("offered.png", b"x")

    node = client.get("/object_info/LoadImage").json()["LoadImage"]

    assert "offered.png" in node["input"]["required"]["image"][0]


def test_embeddings_are_named_without_their_ending(start):
    client = start(models={"embeddings": ("EasyNegative.safetensors",), "mine": ("x",)})

    assert client.get("/embeddings").json() == ["EasyNegative"]
    assert client.get("/models").json()[-1] == "mine"
    assert client.get("/models/mine").json() == ["x"]


def test_system_stats_say_that_no_model_is_at_work(client):
    stats = client.get("/system_stats").json()

    assert stats["system"]["comfyui_version"] == "0.33.0"
    assert stats["system"]["comfygen_engine"] == {"version": __version__, "renderer": "procedural"}
    assert stats["system"]["argv"] == []
    assert [device["name"] for device in stats["devices"]] == ["procedural (no model)"]


def test_everything_answers_below_api_too(client):
    for path in ("prompt", "queue", "history", "models", "embeddings", "system_stats", "features"):
        assert client.get(f"/api/{path}").json() == client.get(f"/{path}").json()
    assert client.get("/api/api/jobs").status_code == 200
