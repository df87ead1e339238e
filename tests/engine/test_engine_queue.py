"""Queue, history, interrupt and jobs."""

import uuid

import pytest
from engine_probe import captured, trivial, txt2img

REQUESTS = captured("requests")


@pytest.mark.parametrize("case", REQUESTS, ids=[case["name"] for case in REQUESTS])
def test_a_captured_request_gets_the_captured_reply(start, shared_server, client, case):
    body = case["body"]
    kind = {"content": body} if isinstance(body, str) else {"json": body} if body is not None else {}

    reply = client.http.request(case["method"], case["path"], **kind)

    assert reply.status_code == case["status"]
    if isinstance(case["response"], str):
        assert reply.text == case["response"]
    else:
        assert reply.json() == case["response"]
    if case["content_type"]:
        assert reply.headers["content-type"] == case["content_type"]


@pytest.fixture
def busy(start):
    """A client whose engine is at work on a prompt of 10 s, and that prompt's id."""
    client = start(step_ms=50)
    watcher = client.socket("watcher")
    prompt_id = client.submit(txt2img(steps=200), client_id="watcher")
    watcher.until_kind("progress")
    return client, prompt_id


def status_of(client, prompt_id):
    return client.get(f"/api/jobs/{prompt_id}").json().get("status")


def test_running_and_pending_prompts_are_listed_in_full(busy):
    client, running = busy
    pending = client.submit(trivial(), extra_data={"extra_pnginfo": {"workflow": {"id": "wf-1"}}})

    queue = client.get("/queue").json()

    assert [item[1] for item in queue["queue_running"]] == [running]
    number, prompt_id, graph, extra, outputs = queue["queue_pending"][0]
    assert (number, prompt_id, graph, outputs) == (1, pending, trivial(), ["2"])
    assert extra["extra_pnginfo"] == {"workflow": {"id": "wf-1"}}
    assert client.get("/prompt").json() == {"exec_info": {"queue_remaining": 2}}


def test_a_deleted_pending_prompt_leaves_no_trace(busy):
    client, running = busy
    pending = client.submit(trivial())

    client.post("/queue", {"delete": [pending, running]})

    assert client.get("/queue").json()["queue_pending"] == []
    assert [item[1] for item in client.get("/queue").json()["queue_running"]] == [running]
    assert client.get(f"/history/{pending}").json() == {}
    assert client.get(f"/api/jobs/{pending}").status_code == 404


def test_clearing_the_queue_leaves_the_running_prompt(busy):
    client, running = busy
    client.submit(trivial())

    client.post("/queue", {"clear": True})

    assert client.get("/prompt").json() == {"exec_info": {"queue_remaining": 1}}
    assert status_of(client, running) == "in_progress"


def test_an_interrupt_with_another_id_does_nothing(busy):
    client, running = busy
    pending = client.submit(trivial())

    client.post("/interrupt", {"prompt_id": pending})

    assert status_of(client, running) == "in_progress"
    assert status_of(client, pending) == "pending"


def test_front_runs_before_what_waits(busy):
    client, running = busy
    last, first = client.submit(trivial(1)), client.submit(trivial(2), front=True)

    client.post("/interrupt")
    for prompt_id in (running, first, last):
        client.wait(prompt_id)

    assert list(client.get("/history").json()) == [running, first, last]


@pytest.mark.parametrize("many", [False, True])
def test_a_job_is_cancelled_whether_it_waits_or_runs(busy, many):
    client, running = busy
    pending = client.submit(trivial())

    def cancel(prompt_id):
        if many:
            return client.post("/api/jobs/cancel", {"job_ids": [prompt_id]}).json()
        return client.post(f"/api/jobs/{prompt_id}/cancel").json()

    replies = [cancel(pending), cancel(running), cancel(str(uuid.uuid4()))]

    assert [reply["cancelled"] for reply in replies] == [True, True, False]
    client.wait(running)
    assert status_of(client, running) == "cancelled"


def test_jobs_show_every_state_and_can_be_filtered(busy):
    client, running = busy
    pending = client.submit(trivial(), extra_data={"extra_pnginfo": {"workflow": {"id": "wf-1"}}})

    page = client.get("/api/jobs", params={"status": "pending,in_progress"}).json()

    assert [(job["id"], job["status"]) for job in page["jobs"]] == [
        (pending, "pending"),
        (running, "in_progress"),
    ]
    assert page["jobs"][0]["workflow_id"] == "wf-1"
    assert page["pagination"] == {"offset": 0, "limit": None, "total": 2, "has_more": False}
    assert client.get("/api/jobs", params={"workflow_id": "wf-1"}).json()["pagination"]["total"] == 1


def test_a_finished_job_tells_times_outputs_and_workflow(client):
    prompt_id = client.submit(trivial(3, "a/b/job"))
    client.wait(prompt_id)

    job = client.get(f"/api/jobs/{prompt_id}").json()

    assert list(job)[:4] == ["id", "status", "priority", "create_time"]
    assert job["status"] == "completed"
    assert job["execution_start_time"] <= job["execution_end_time"]
    assert (job["outputs_count"], job["previewable_outputs_count"]) == (1, 1)
    shown = {"filename": "job_00001_.png", "subfolder": "a/b", "type": "output"}
    assert job["preview_output"] == {**shown, "nodeId": "2", "mediaType": "images"}
    assert job["outputs"] == {"2": {"images": [shown]}}
    assert job["workflow"]["prompt"] == trivial(3, "a/b/job")
    assert job["execution_status"]["completed"] is True


def test_a_failed_job_tells_its_error(client):
    prompt_id = client.submit(trivial(prefix="../../evil"))
    client.wait(prompt_id)

    job = client.get(f"/api/jobs/{prompt_id}").json()

    assert job["status"] == "failed"
    assert job["execution_error"]["node_type"] == "SaveImage"
    assert str(client.server.folder) not in str(job)


def test_jobs_are_paged_and_sorted(start):
    client = start()
    ids = [client.submit(trivial(colour)) for colour in range(3)]
    for prompt_id in ids:
        client.wait(prompt_id)

    newest = client.get("/api/jobs", params={"limit": 2}).json()
    oldest = client.get("/api/jobs", params={"sort_order": "asc", "offset": 1}).json()
    by_time = client.get("/api/jobs", params={"sort_by": "execution_duration", "sort_order": "asc"}).json()

    assert newest["pagination"] == {"offset": 0, "limit": 2, "total": 3, "has_more": True}
    assert len(oldest["jobs"]) == 2
    lasted = [job["execution_end_time"] - job["execution_start_time"] for job in by_time["jobs"]]
    assert lasted == sorted(lasted)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"sort_by": "colour"}, "sort_by"),
        ({"sort_order": "up"}, "sort_order"),
        ({"limit": "many"}, "limit"),
    ],
)
def test_a_bad_query_of_jobs_is_named(client, query, named):
    reply = client.get("/api/jobs", params=query)

    assert reply.status_code == 400
    assert named in reply.json()["error"]


def test_a_cancel_without_ids_is_refused(client):
    assert client.post("/api/jobs/cancel", {"job_ids": []}).status_code == 400
    assert client.post("/api/jobs/cancel", []).status_code == 400


def test_history_is_paged_oldest_first_and_can_be_deleted(start):
    client = start()
    ids = [client.submit(trivial(colour)) for colour in range(4)]
    for prompt_id in ids:
        client.wait(prompt_id)

    def page(**query):
        return list(client.get("/history", params=query).json())

    assert page() == ids
    assert page(max_items=2) == ids[2:]
    assert page(max_items=2, offset=0) == ids[:2]
    assert page(offset=3) == ids[3:]
    client.post("/history", {"delete": [ids[0], "unknown"]})
    assert page() == ids[1:]
    client.post("/history", {"clear": True})
    assert page() == []


def test_history_forgets_the_oldest_when_it_is_full(monkeypatch, start):
    monkeypatch.setattr("comfygen_mcp.engine.prompt_queue.MAX_HISTORY", 2)
    client = start()

    ids = [client.submit(trivial(colour)) for colour in range(3)]
    client.wait(ids[2])

    assert list(client.get("/history").json()) == ids[1:]


def test_the_history_entry_names_what_showed_each_output(client):
    meta = client.run(trivial(5))["meta"]

    assert meta == {"2": {"node_id": "2", "display_node": "2", "parent_node": None, "real_node_id": "2"}}
