"""Declarations of node classes are asked once per version of a server; lists of files are asked anew."""

import json
import os

import pytest
from comfyui_runs import CHECKPOINT, new_id
from replay_server import ReplayServer, Reply

from comfygen_mcp.comfyui import object_info
from comfygen_mcp.comfyui.client import ComfyUI
from comfygen_mcp.comfyui.object_info import DeclarationCache, Key
from comfygen_mcp.comfyui.timing import Timing
from comfygen_mcp.errors import GraphRejected
from comfygen_mcp.models import Host

pytestmark = pytest.mark.anyio

SAMPLER = {"input": {"required": {"sampler_name": [["euler", "ddim"], {}]}}}
LOADER = {"input": {"required": {"ckpt_name": [["a.safetensors"], {}]}}}


def stats(version="0.33.0", **system):
    return {"system": {"comfyui_version": version, **system}, "devices": []}


def server(*declared, versions=("0.33.0",), system=None):
    routes = {
        ("GET", "/system_stats"): [Reply(stats(version, **(system or {}))) for version in versions],
        ("GET", "/object_info/KSampler"): [Reply({"KSampler": entry} if entry else {}) for entry in declared],
        ("GET", "/object_info/CheckpointLoaderSimple"): [
            Reply({"CheckpointLoaderSimple": entry} if entry else {}) for entry in declared
        ],
    }
    return ReplayServer(routes).serving()


@pytest.fixture
async def client_with(tmp_path):
    clients = []

    def open_client(url, folder="kept", **timing):
        cache = DeclarationCache(folder and tmp_path / folder)
        clients.append(ComfyUI(Host(url=url), timing=Timing(**timing), declarations=cache))
        return clients[-1]

    yield open_client
    for client in clients:
        await client.aclose()


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_class_is_asked_once_and_known_to_the_next_process(client_with, tmp_path):
    async with server(SAMPLER) as asked:
        client = client_with(asked.url)
        assert await client.object_info("KSampler") == SAMPLER
        assert await client.object_info("KSampler") == SAMPLER
        assert await client_with(asked.url).object_info("KSampler") == SAMPLER

        assert asked.count("GET", "/object_info") == 1
    assert len(files(tmp_path / "kept")) == 1


async def test_without_a_folder_nothing_outlives_the_process(client_with, tmp_path):
    async with server(SAMPLER) as asked:
        client = client_with(asked.url, folder=None)
        await client.object_info("KSampler")
        await client.object_info("KSampler")

        assert asked.count("GET", "/object_info") == 1
        await client_with(asked.url, folder=None).object_info("KSampler")
        assert asked.count("GET", "/object_info") == 2


async def test_another_version_of_the_server_is_asked_again(client_with):
    async with server(SAMPLER, LOADER, versions=("0.33.0", "0.34.0")) as asked:
        client = client_with(asked.url, catalogue_life_s=0)

        assert await client.object_info("KSampler") == SAMPLER
        assert await client.object_info("KSampler") == LOADER


async def test_a_list_of_files_is_believed_for_seconds_only(client_with):
    more = {"input": {"required": {"ckpt_name": [["a.safetensors", "b.safetensors"], {}]}}}
    empty = {"input": {"required": {"ckpt_name": ["COMBO", {"options": []}]}}}
    async with server(empty, LOADER, more) as asked:
        client = client_with(asked.url, catalogue_life_s=0)
        seen = [await client.object_info("CheckpointLoaderSimple") for _ in range(3)]

        assert seen == [empty, LOADER, more]
    async with server(LOADER, more) as asked:
        client = client_with(asked.url, catalogue_life_s=60)
        seen = [await client.object_info("CheckpointLoaderSimple") for _ in range(2)]

        assert seen == [LOADER, LOADER]
        assert await client.object_info("CheckpointLoaderSimple", fresh=True) == more


async def test_a_refused_value_makes_its_class_be_asked_again(client_with):
    refusal = {
        "error": {"type": "prompt_outputs_failed_validation", "message": "no"},
        "node_errors": {
            "3": {
                "class_type": "KSampler",
                "errors": [
                    {
                        "type": "value_not_in_list",
                        "message": "no",
                        "extra_info": {"input_name": "sampler_name"},
                    }
                ],
            }
        },
    }
    newer = {"input": {"required": {"sampler_name": [["euler", "uni_pc"], {}]}}}
    async with server(SAMPLER, newer) as asked:
        asked.routes["POST", "/prompt"] = Reply(refusal, status=400)
        client = client_with(asked.url)
        assert await client.object_info("KSampler") == SAMPLER
        graph = {"3": {"class_type": "KSampler", "inputs": {"sampler_name": "ddim"}}}
        with pytest.raises(GraphRejected, match="uni_pc"):
            await client.submit(graph, prompt_id=new_id())

        assert await client.object_info("KSampler") == newer
        assert asked.count("GET", "/object_info") == 2


async def test_a_class_that_is_gone_is_forgotten(client_with, tmp_path):
    async with server(SAMPLER, None) as asked:
        client = client_with(asked.url)
        await client.object_info("KSampler")

        assert await client.object_info("KSampler", fresh=True) == {}
    assert files(tmp_path / "kept") == []


@pytest.mark.parametrize("system", [{"comfygen_engine": {"version": "1"}}, {"comfyui_version": None}])
async def test_a_server_that_may_be_another_next_time_leaves_no_file(client_with, tmp_path, system):
    async with server(SAMPLER, system=system) as asked:
        client = client_with(asked.url)
        assert await client.object_info("KSampler") == await client.object_info("KSampler")

        assert asked.count("GET", "/object_info") == 1
    assert not (tmp_path / "kept").exists()


KEY = Key("http://127.0.0.1:8188", "0.33.0", "Fit It/x")


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:20],
        lambda text: "[" * 100_000,
        lambda text: text.replace("Fit It", "Other"),
        lambda text: text.replace('"at"', '"when"'),
        lambda text: json.dumps({**json.loads(text), "at": 5.0}),
        lambda text: json.dumps({**json.loads(text), "declared": []}),
        lambda text: text + " " * object_info.LARGEST_FILE,
    ],
)
async def test_a_file_that_cannot_be_used_is_as_if_it_were_not_there(tmp_path, damage):
    await DeclarationCache(tmp_path).put(KEY, SAMPLER)
    [file] = files(tmp_path)
    assert (await DeclarationCache(tmp_path).get(KEY)).declared == SAMPLER

    file.write_text(damage(file.read_text(encoding="utf-8")), encoding="utf-8")
    assert await DeclarationCache(tmp_path).get(KEY) is None
    await DeclarationCache(tmp_path).put(KEY, LOADER)
    assert (await DeclarationCache(tmp_path).get(KEY)).declared == LOADER


async def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    cache = DeclarationCache(tmp_path / "file")

    await cache.put(KEY, SAMPLER)
    assert (await cache.get(KEY)).declared == SAMPLER
    await cache.forget(KEY)
    assert await cache.get(KEY) is None


async def test_a_write_that_fails_halfway_leaves_nothing(tmp_path):
    cache = DeclarationCache(tmp_path)
    await cache.put(KEY, SAMPLER)
    [file] = files(tmp_path)
    file.unlink()
    file.mkdir()
    (file / "in the way").write_text("x", encoding="utf-8")
    await cache.put(KEY, SAMPLER)

    assert files(tmp_path) == [file / "in the way"]


async def test_what_is_too_large_or_too_much_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(object_info, "MOST_CLASSES", 3)
    monkeypatch.setattr(object_info, "MOST_SERVERS", 2)
    cache = DeclarationCache(tmp_path)
    await cache.put(KEY, {"input": "x" * object_info.LARGEST_FILE})
    assert files(tmp_path) == []

    for at, name in enumerate("abcde"):
        await cache.put(KEY._replace(class_type=name), SAMPLER)
        for path in files(tmp_path):
            os.utime(path, (at, at) if path.stat().st_mtime > 10**6 else None)
    assert len(files(tmp_path)) == 3
    for at, name in enumerate("xyz"):
        await cache.put(KEY._replace(server=name), SAMPLER)
        os.utime(next(iter(tmp_path.iterdir())), (at, at))
    assert len(list(tmp_path.iterdir())) == 2
    (tmp_path / "stray").write_text("x", encoding="utf-8")
    await cache.put(KEY._replace(server="new"), SAMPLER)
    assert len(list(tmp_path.iterdir())) == 2


async def test_the_embedded_engine_answers_for_the_classes_that_it_has(client_with, engine):
    client = client_with(engine.url)

    declared = await client.object_info("CheckpointLoaderSimple")
    assert CHECKPOINT in declared["input"]["required"]["ckpt_name"][0]
    assert await client.object_info("NoSuchNode") == {}
