"""The sidecar: its keys, its bytes, its schema, and older forms of it."""

import json
import os
import uuid
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from comfygen_mcp import ids, sidecar
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.models import SEED_MAX, Generation, HostFacts, Job, LoraUse, Output, Ticket, Timings
from comfygen_mcp.sidecar import FinishedRun
from comfygen_mcp.sidecar_migrations import SCHEMA_VERSION

NOW = datetime(2026, 11, 21, 8, 41, 0, 123000, tzinfo=UTC)
JOB_ID = "01f64c0a-2b3b-7000-8000-000000000001"
SCHEMA = Path(__file__).parent.parent / "docs/sidecar.schema.json"
SOURCE_FIELDS = [
    *("timestamp", "prompt", "negative_prompt", "workflow", "seed", "steps", "cfg", "sampler", "scheduler"),
    *("loras", "preset", "validation_score", "minio_url"),
]


def finished_run(**changes):
    job = Job(
        id=JOB_ID,
        created_at=NOW,
        kind="txt2img",
        backend="fox",
        workflow="flux1-schnell",
        model="flux1-schnell.safetensors",
        prompt="a red fox “quoted”\n雪",
        seed=7,
        steps=4,
        loras=(LoraUse(name="snow.safetensors", strength=0.7),),
        values={"prompt": "a red fox", "steps": 4, "cfg": 1.0},
        timeout_s=300,
    ).model_copy(update=changes)
    graph = {"6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a red fox", "clip": ["11", 0]}}}
    ticket = Ticket(
        job_id=job.id,
        backend="fox",
        host="http://fox:8188",
        remote_id=str(uuid.uuid4()),
        client_id="c",
        graph=graph,
        graph_sha256="0" * 64,
        submitted_at=NOW,
    )
    return FinishedRun(job, ticket, HostFacts(comfyui_version="0.3.64"), Timings(latency_ms=1200), "comfyui")


def output(**changes):
    file = Output(
        path=Path("/nowhere/fox_00001_.png"),
        filename="fox_00001_.PNG",
        media="image",
        mime="image/png",
        size_bytes=3,
        sha256="1" * 64,
        node_id="9",
        index=0,
    )
    return file.model_copy(update=changes)


def generation(**changes):
    run = finished_run(**changes)
    return sidecar.generation_of(run, output(), url="file:///g/fox.png", size=(1024, 512))


def test_a_key_holds_the_ids_own_time_the_id_and_the_number():
    job_id = ids.new_job_id(NOW)
    generation_id = ids.generation_id(job_id, 1)

    key = sidecar.key_of(generation_id, 1, "png")

    assert key == f"g/2026/11/21/20261121_084100_{generation_id}_1.png"
    assert key.startswith(sidecar.prefix_of(generation_id.upper()))
    assert sidecar.id_in(key) == sidecar.id_in(f"{key}.json") == generation_id


@pytest.mark.parametrize(
    ("extension", "safe"),
    [
        ("PNG", "png"),
        ("mp4", "mp4"),
        ("", "bin"),
        ("a/b", "bin"),
        ("..", "bin"),
        ("x" * 9, "bin"),
        ("é", "bin"),
    ],
)
def test_an_extension_is_plain_or_bin(extension, safe):
    assert sidecar.key_of(JOB_ID, 0, extension).endswith(f"_0.{safe}")


@pytest.mark.parametrize(
    "identifier",
    ["", "fox", "../../etc", str(uuid.uuid4()), "ffffffff-ffff-7fff-bfff-ffffffffffff", "g/" + "x" * 500],
)
def test_what_is_no_generation_id_is_refused_with_an_example(identifier):
    with pytest.raises(BadRequest, match="is not a generation id"):
        sidecar.prefix_of(identifier)


def test_a_sidecar_is_told_from_an_output_that_is_json_itself():
    key = sidecar.key_of(JOB_ID, 0, "json")

    assert not sidecar.is_sidecar(key)
    assert sidecar.is_sidecar(f"{key}.json")
    assert not sidecar.is_sidecar("g/2026/fox.png")
    assert sidecar.id_in("g/2026/fox.png") == ""


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2200, 1, 1)), st.integers(8, 31))  # noqa: DTZ001  (made aware below)
def test_the_span_of_a_beginning_encloses_the_keys_of_the_whole_id(moment, length):
    identifier = ids.new_job_id(moment.replace(tzinfo=UTC))
    key = sidecar.key_of(identifier, 0, "png")

    first, last = sidecar.span_of(identifier.replace("-", "")[:length])

    assert first < key < last


@pytest.mark.parametrize("beginning", [JOB_ID, "1234567", "not hex at all", "ffffffffff"])
def test_what_is_no_beginning_has_no_span(beginning):
    assert sidecar.span_of(beginning) is None


def test_the_first_thirteen_fields_have_the_names_and_types_others_rely_on():
    fields = json.loads(sidecar.to_json(generation(negative_prompt="", cfg=1.0, sampler="euler")))

    assert list(fields)[:13] == SOURCE_FIELDS
    assert fields["negative_prompt"] == ""
    assert fields["workflow"] == "flux1-schnell.json"
    assert fields["loras"] == [{"name": "snow.safetensors", "strength": 0.7}]
    assert (fields["preset"], fields["validation_score"]) == (None, None)
    assert fields["minio_url"] == "file:///g/fox.png"
    assert datetime.fromisoformat(fields["timestamp"]) == NOW


def test_a_generation_tells_all_that_is_known():
    made = generation(seed=SEED_MAX, parent_id="p", notes=("snapped",), caller="me", style="ink")

    assert made.id == ids.generation_id(JOB_ID, 0)
    assert made.id != made.job_id == JOB_ID
    assert made.key == sidecar.key_of(made.id, 0, "png")
    assert (made.width, made.height) == (1024, 512)
    assert made.seed_text == str(SEED_MAX)
    assert (made.host, made.comfyui_version) == ("http://fox:8188", "0.3.64")
    assert (made.parent_id, made.notes, made.caller, made.style) == ("p", ("snapped",), "me", "ink")


@pytest.mark.parametrize(
    ("reference", "name"),
    [("fox", "fox.json"), ("fox.json", "fox.json"), ("/a/fox.json", "fox.json"), ("a\\fox.json", "fox.json")],
)
def test_the_workflow_is_named_by_its_file_alone(reference, name):
    assert generation(workflow=reference).workflow == name


def test_a_timestamp_of_another_zone_is_told_in_utc():
    there = NOW.astimezone(timezone(timedelta(hours=9)))

    assert generation(created_at=there).timestamp.isoformat() == NOW.isoformat()


@given(st.text(), st.integers(0, SEED_MAX))
def test_what_is_written_is_read_again_unchanged(prompt, seed):
    made = generation(prompt=prompt, seed=seed)

    data = sidecar.to_json(made)

    assert sidecar.from_json(data, key=made.key) == made
    assert json.loads(data)["seed"] == seed


def test_a_lone_surrogate_becomes_an_escape_not_a_crash():
    made = generation()
    odd = made.model_copy(update={"graph": {"1": {"class_type": "X", "inputs": {"text": "a\ud800b"}}}})

    data = sidecar.to_json(odd)

    assert rb"a\ud800b" in data
    assert json.loads(data)["graph"]["1"]["inputs"]["text"] == "a\ud800b"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_lacks_is_never_written(number):
    made = generation()
    odd = made.model_copy(update={"graph": {"1": {"class_type": "X", "inputs": {"cfg": number}}}})

    with pytest.raises(StoreFailed, match="not finite"):
        sidecar.to_json(odd)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe{}", "not"),
        (b'{"prompt": "\xff"}', "not UTF-8"),
        (b"[]", "not a JSON object"),
        (b'{"seed": NaN}', "NaN"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{}", "no timestamp"),
        (b'{"schema_version": 1}', "timestamp: field required"),
        (b'{"schema_version": 4}', "newer than 3"),
        (b'{"schema_version": "1"}', "schema_version is '1'"),
        (b'{"timestamp": "2026-11-21T08:41:00", "seed": 1e999}', "sidecar"),
        (b'{"timestamp": "2026-11-21T08:41:00", "seed": [1]}', "sidecar"),
        (b'{"timestamp": "yesterday"}', "yesterday"),
        (b'{"timestamp": "0001-01-01T00:00:00"}', "sidecar"),
    ],
)
def test_a_corrupt_sidecar_is_an_error_that_names_its_key(data, reason):
    with pytest.raises(StoreFailed) as raised:
        sidecar.from_json(data, key="g/fox.png")

    assert "g/fox.png.json" in str(raised.value)
    assert reason in str(raised.value)


def source_sidecar(**changes):
    fields = {
        "timestamp": "2025-03-04T05:06:07",
        "prompt": "a fox",
        "negative_prompt": "",
        "workflow": "flux-dev.json",
        "seed": 42,
        "steps": 20,
        "cfg": 7.0,
        "sampler": "euler",
        "scheduler": "normal",
        "loras": [{"name": "snow", "strength": 0.5}, "ice"],
        "preset": "balanced",
        "validation_score": 0.31,
        "minio_url": "http://minio:9000/comfy-gen/20250304_050607_fox.png",
    }
    return json.dumps({**fields, **changes}).encode()


def test_a_sidecar_of_the_source_system_is_read_with_all_it_tells():
    old = sidecar.from_json(source_sidecar())

    assert old.schema_version == SCHEMA_VERSION
    assert old.timestamp == datetime(2025, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert (old.prompt, old.seed, old.steps, old.validation_score) == ("a fox", 42, 20, 0.31)
    assert old.loras == (LoraUse(name="snow", strength=0.5), LoraUse(name="ice"))
    assert (old.key, old.media, old.mime) == ("20250304_050607_fox.png", "image", "image/png")
    assert ids.id_time(old.id) == old.timestamp
    assert old.job.preset == "balanced"
    assert "thirteen fields" in old.notes[0]


def test_a_sidecar_of_the_source_system_has_the_same_ids_at_every_reading():
    first, again = sidecar.from_json(source_sidecar()), sidecar.from_json(source_sidecar())
    other = sidecar.from_json(source_sidecar(minio_url="http://minio/other.png"))

    assert first == again
    assert len({first.id, first.job_id, other.id}) == 3


@pytest.mark.parametrize(
    ("seed", "in_job", "text"), [(-1, 0, None), (2**64, 0, str(2**64)), (None, 0, None), ("12", 12, None)]
)
def test_a_seed_of_the_source_system_that_no_sampler_takes_is_kept_as_read(seed, in_job, text):
    old = sidecar.from_json(source_sidecar(seed=seed))

    assert (old.job.seed, old.seed_text) == (in_job, text)


def test_a_file_of_an_unknown_kind_is_other():
    old = sidecar.from_json(source_sidecar(timestamp="2025-03-04T05:06:07+02:00"), key="a/b.xyz123")

    assert (old.media, old.mime, old.key) == ("other", "application/octet-stream", "a/b.xyz123")


def test_the_published_schema_is_current():
    current = json.dumps(sidecar.json_schema(), indent=2) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SCHEMA.write_text(current, encoding="utf-8")

    assert SCHEMA.read_text(encoding="utf-8") == current, "run with UPDATE_SNAPSHOTS=1"


@pytest.mark.parametrize(
    "made", [generation(), generation(seed=SEED_MAX, preset="draft"), sidecar.from_json(source_sidecar())]
)
def test_sidecars_satisfy_the_published_schema(made):
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)

    Draft202012Validator(schema).validate(json.loads(sidecar.to_json(made)))


def test_the_published_schema_refuses_what_is_no_sidecar():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    fields = json.loads(sidecar.to_json(generation()))

    assert not Draft202012Validator(schema).is_valid({**fields, "seed": "7"})
    assert not Draft202012Validator(schema).is_valid({**fields, "extra": 1})
    assert not Draft202012Validator(schema).is_valid({k: v for k, v in fields.items() if k != "minio_url"})


def test_every_field_is_documented():
    text = (SCHEMA.parent / "sidecar.md").read_text(encoding="utf-8")

    assert [name for name in Generation.model_fields if f"`{name}`" not in text] == []
