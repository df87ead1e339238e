"""ComfyUI's caching, seen from outside."""

from engine_probe import png_bytes, trivial, txt2img


def cached(entry):
    return set(dict(entry["status"]["messages"])["execution_cached"]["nodes"])


def test_only_the_previous_prompt_is_remembered(start):
    client = start()

    results = [cached(client.run(trivial(colour))) for colour in (1, 2, 1, 1)]

    assert results == [set(), set(), set(), {"1", "2"}]


def test_renamed_node_ids_still_hit(start):
    client = start()
    client.run(trivial())
    renamed = {"a": trivial()["1"], "b": trivial()["2"]}
    renamed["b"]["inputs"]["images"] = ["a", 0]

    assert cached(client.run(renamed)) == {"a", "b"}


def test_another_prefix_runs_the_save_node_alone(start):
    client = start()
    client.run(txt2img())

    entry = client.run(txt2img(prefix="comfygen/job/img"))

    assert cached(entry) == {"3", "4", "5", "6", "7", "8"}
    assert entry["outputs"]["9"]["images"][0]["subfolder"] == "comfygen/job"


def test_a_cached_output_is_listed_although_its_file_is_gone(start):
    client = start()
    first = client.run(trivial())["outputs"]["2"]["images"][0]
    (client.server.folder / "output" / first["filename"]).unlink()

    again = client.run(trivial())["outputs"]["2"]["images"][0]

    assert again == first
    assert client.get("/view", params=again).status_code == 404


def test_two_identical_nodes_share_a_result(client):
    graph = {**trivial(16, "same"), "3": trivial(16, "same")["2"]}

    outputs = client.run(graph)["outputs"]

    assert outputs["2"] == outputs["3"]


def test_another_content_under_the_same_name_runs_again_and_history_shows_its_hash(start):
    client = start()
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }
    client.upload("a.png", png_bytes())
    first = client.run(graph)
    repeated = client.run(graph)
    client.upload("a.png", png_bytes(colour=(1, 2, 3, 255)), overwrite="true")

    changed = client.run(graph)

    assert cached(repeated) == {"1", "2"}
    assert cached(changed) == set()
    hashes = [entry["prompt"][2]["1"]["is_changed"] for entry in (first, repeated, changed)]
    assert hashes[0] == hashes[1] != hashes[2]


def test_free_memory_forgets_results(start):
    client = start()
    client.run(trivial())

    client.post("/free", {"unload_models": True, "free_memory": True})

    assert cached(client.run(trivial())) == set()


def test_free_memory_during_a_prompt_acts_after_it(start):
    client = start(step_ms=20)
    prompt_id = client.submit(txt2img(steps=20))
    while not client.get("/queue").json()["queue_running"]:
        pass

    client.post("/free", {"free_memory": True})

    client.wait(prompt_id)
    assert cached(client.run(txt2img(steps=20))) == set()
