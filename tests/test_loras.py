"""From the LoRAs of a request to installed files, with a real engine and real files."""

import json
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from engine_server import EngineServer
from safetensors_files import write_safetensors

from comfygen_mcp.app import open_app
from comfygen_mcp.backends.hosts import Clients
from comfygen_mcp.comfyui.client import ComfyUI
from comfygen_mcp.errors import BackendUnreachable, BadRequest, MissingModel, UnknownName
from comfygen_mcp.graph.lora_facts import LoraFacts
from comfygen_mcp.models import Host, LoraUse
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.lora_files import AT_ONCE, LIFE_S, LoraFiles

pytestmark = pytest.mark.anyio

WAN = "wan2.2_t2v_lightx2v_4steps_lora_v1.1_{}_noise.safetensors"


@pytest.fixture(scope="module")
def stocked(tmp_path_factory):
    """An engine with real LoRA files beside those that are only offered."""
    folder = tmp_path_factory.mktemp("stocked")
    loras = folder / "models" / "loras"
    write_safetensors(loras / "sdxl" / "ohwx.safetensors", {"ss_base_model_version": "sdxl_base_v1-0"})
    write_safetensors(loras / "flux" / "ohwx.safetensors", {"modelspec.architecture": "flux-1-dev/lora"})
    write_safetensors(loras / "toon.safetensors", {"modelspec.architecture": "flux-1-dev/lora"})
    (loras / "empty.safetensors").touch()
    with EngineServer(folder) as server:
        yield server


@pytest.fixture
def resolving(settings_for):
    """Return a function: host and fields of a request → the resolved LoRAs."""

    async def resolve(url, *loras, model="sdxl", presets_file=None, **fields):
        uses = tuple(use if isinstance(use, LoraUse) else LoraUse(name=use) for use in loras)
        extra = {} if presets_file is None else {"COMFYGEN_PRESETS": str(presets_file)}
        async with open_app(settings_for(COMFYUI_URL=url, **extra), {}) as app:
            offer = app.offers.find(model)
            request = GenerateRequest(loras=uses, **fields)
            return await app.loras.resolve(request, offer, app.offers.workflow(offer))

    return resolve


async def test_a_request_without_loras_asks_no_host(resolving):
    found = await resolving("http://127.0.0.1:9")

    assert (found.loras, found.notes) == ((), ())


async def test_names_become_installed_files_and_strengths_stay(resolving, stocked):
    asked = LoraUse(name="ohwx", strength=0.7, strength_clip=0.5, target="base")
    found = await resolving(
        stocked.url, "STYLE", "nested", asked.model_copy(update={"name": "sdxl\\ohwx"}), model="sdxl"
    )

    assert [use.name for use in found.loras] == [
        "style.safetensors",
        "sub/dir/nested.safetensors",
        "sdxl/ohwx.safetensors",
    ]
    assert found.loras[2] == asked.model_copy(update={"name": "sdxl/ohwx.safetensors"})
    assert found.notes == ()


async def test_an_unclear_name_is_refused_with_the_files_that_it_may_mean(resolving, stocked):
    with pytest.raises(
        BadRequest, match=r"'ohwx' may be any of flux/ohwx\.safetensors, sdxl/ohwx\.safetensors"
    ):
        await resolving(stocked.url, "ohwx")


async def test_a_lora_that_is_not_installed_is_refused_with_the_nearest(resolving, stocked):
    with pytest.raises(MissingModel) as caught:
        await resolving(stocked.url, "tune")

    assert "models/loras/" in str(caught.value)
    assert "toon.safetensors" in str(caught.value)
    assert "list_loras" in str(caught.value)


async def test_where_no_name_is_near_some_installed_loras_are_named(resolving, tmp_path):
    with (
        EngineServer(tmp_path / "engine", models={"loras": tuple(f"lo{at}.pt" for at in range(9))}) as server,
        pytest.raises(MissingModel) as unknown,
    ):
        await resolving(server.url, "qqqq")

    assert "Installed: lo0.pt, lo1.pt" in str(unknown.value)
    assert "and 1 more." in str(unknown.value)


async def test_a_known_lora_that_is_not_installed_comes_with_its_download(resolving, tmp_path):
    with EngineServer(tmp_path / "bare", models={}) as bare:
        with pytest.raises(MissingModel) as known:
            await resolving(bare.url, WAN.format("high").removesuffix(".safetensors"))
        with pytest.raises(MissingModel) as unknown:
            await resolving(bare.url, "whatever")

    assert f"/{WAN.format('high')} into models/loras/" in str(known.value)
    assert "No LoRA is installed there" in str(unknown.value)
    assert "Download" not in str(unknown.value)


async def test_a_file_installed_a_moment_ago_is_found(settings_for, tmp_path):
    with EngineServer(tmp_path / "engine", models={}) as server:
        async with open_app(settings_for(COMFYUI_URL=server.url), {}) as app:
            offer = app.offers.find("sdxl")
            workflow = app.offers.workflow(offer)
            request = GenerateRequest(loras=(LoraUse(name="fresh"),))
            with pytest.raises(MissingModel):
                await app.loras.resolve(request, offer, workflow)
            write_safetensors(server.folder / "models" / "loras" / "fresh.safetensors")
            found = await app.loras.resolve(request, offer, workflow)

    assert found.loras[0].name == "fresh.safetensors"


async def test_a_lora_for_another_model_is_noted(resolving, stocked):
    wrong = await resolving(stocked.url, "toon", model="sdxl")
    right = await resolving(stocked.url, "toon", model="flux1-schnell")

    assert [use.name for use in wrong.loras] == ["toon.safetensors"]
    assert "toon.safetensors is made for flux1, this model is sdxl" in wrong.notes[0]
    assert right.notes == ()


async def test_a_name_alone_makes_no_warning(resolving, tmp_path):
    with EngineServer(tmp_path / "engine", models={"loras": ("flux_style.safetensors",)}) as server:
        found = await resolving(server.url, "flux_style", model="sdxl")

    assert found.notes == ()


async def test_a_broken_file_is_used_without_a_note(resolving, stocked):
    found = await resolving(stocked.url, "empty")

    assert (found.loras[0].name, found.notes) == ("empty.safetensors", ())


async def test_the_same_lora_twice_is_noted_unless_it_is_for_two_stages(resolving, stocked):
    twice = await resolving(stocked.url, "style", "style.safetensors")
    staged = await resolving(
        stocked.url,
        LoraUse(name="style", target="high"),
        LoraUse(name="style", target="low"),
        model="wan22-t2v-full",
    )

    assert len(twice.loras) == 2
    assert twice.notes == ("LoRA style.safetensors is given 2 times: the strengths add up.",)
    assert staged.notes == ()


async def test_more_loras_than_any_picture_stands_are_refused(resolving, stocked):
    with pytest.raises(BadRequest, match="11 LoRAs are too many: at most 10"):
        await resolving(stocked.url, *["style"] * 11)


async def test_a_preset_comes_first_and_an_explicit_lora_of_the_same_file_replaces_its_own(
    resolving, stocked, tmp_path
):
    presets = tmp_path / "presets.yaml"
    presets.write_text(
        "lora_presets:\n  mine:\n    loras:\n"
        "      - {name: style, strength: 0.3}\n      - {name: nested, strength: 0.4}\n",
        encoding="utf-8",
    )
    own = (LoraUse(name="sdxl/ohwx", strength=0.9), LoraUse(name="STYLE.safetensors", strength=0.8))
    found = await resolving(stocked.url, *own, lora_preset="mine", presets_file=presets)

    assert [(use.name, use.strength) for use in found.loras] == [
        ("sub/dir/nested.safetensors", 0.4),
        ("sdxl/ohwx.safetensors", 0.9),
        ("style.safetensors", 0.8),
    ]


async def test_the_preset_in_the_documentation_works_as_it_is_written(resolving, tmp_path):
    page = (Path(__file__).parent.parent / "docs" / "loras.md").read_text(encoding="utf-8")
    presets = tmp_path / "presets.yaml"
    presets.write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    names = ("film.safetensors", "sdxl/ohwx.safetensors")
    with EngineServer(tmp_path / "engine", models={"loras": names}) as server:
        found = await resolving(server.url, lora_preset="old_film", presets_file=presets)

    assert [(use.name, use.strength, use.strength_clip) for use in found.loras] == [
        ("film.safetensors", 0.7, None),
        ("sdxl/ohwx.safetensors", 0.5, 0.4),
    ]


async def test_an_unknown_preset_and_a_strength_out_of_range_in_one_are_refused(resolving, stocked, tmp_path):
    presets = tmp_path / "presets.yaml"
    presets.write_text("lora_presets:\n  odd: {loras: [{name: style, strength: .nan}]}\n", encoding="utf-8")
    with pytest.raises(UnknownName, match="text_to_video"):
        await resolving(stocked.url, lora_preset="text-to-video")
    with pytest.raises(BadRequest, match="-100 to 100"):
        await resolving(stocked.url, lora_preset="odd", presets_file=presets)


async def test_a_preset_for_few_steps_in_a_job_with_many_is_noted_with_the_model_that_has_it_built_in(
    resolving, stocked
):
    slow = await resolving(stocked.url, lora_preset="text_to_video", model="wan22-t2v-full")
    right = await resolving(
        stocked.url, lora_preset="text_to_video", model="wan22-t2v-full", steps=4, cfg=1.0
    )
    undecided = await resolving(
        stocked.url, lora_preset="text_to_video", model="wan22-t2v-full", preset="fast"
    )

    assert [(use.name, use.target) for use in right.loras] == [
        (WAN.format("high"), "high"),
        (WAN.format("low"), "low"),
    ]
    assert right.notes == ()
    assert all("use model wan22-t2v, which has it built in" in note for note in slow.notes)
    assert len(slow.notes) == 2
    assert undecided.notes == ()


async def test_a_lora_that_the_workflow_has_itself_is_not_added_a_second_time(resolving, stocked):
    found = await resolving(stocked.url, "style", lora_preset="text_to_video", model="wan22-t2v")

    assert [use.name for use in found.loras] == ["style.safetensors"]
    assert [note.split(" is part of ")[0] for note in found.notes] == [
        f"LoRA {WAN.format('high')}",
        f"LoRA {WAN.format('low')}",
    ]


async def test_a_workflow_that_only_the_request_can_fill_gets_its_loras(settings_for, stocked, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    graph = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "${only_the_caller_knows}"}}
    }
    (folder / "mine.json").write_text(json.dumps(graph), encoding="utf-8")
    settings = settings_for(COMFYUI_URL=stocked.url, COMFYGEN_WORKFLOW_DIRS=str(folder))
    async with open_app(settings, {}) as app:
        offer = app.offers.find("mine")
        request = GenerateRequest(loras=(LoraUse(name="style"),))
        found = await app.loras.resolve(request, offer, app.offers.workflow(offer))

    assert found.loras[0].name == "style.safetensors"


async def test_an_absent_host_is_told(resolving):
    with pytest.raises(BackendUnreachable):
        await resolving("http://127.0.0.1:9", "style")


class Counting:
    """Counts requests for metadata, and how many were under way at once; fails while *failing*."""

    def __init__(self, app):
        self._app = app
        self.asked, self.now, self.most, self.failing = 0, 0, 0, False

    async def __call__(self, scope, receive, send):
        if not scope.get("path", "").startswith("/view_metadata"):
            await self._app(scope, receive, send)
            return
        self.asked, self.now = self.asked + 1, self.now + 1
        self.most = max(self.most, self.now)
        try:
            if self.failing:
                await send({"type": "http.response.start", "status": 503, "headers": []})
                await send({"type": "http.response.body", "body": b""})
            else:
                await self._app(scope, receive, send)
        finally:
            self.now -= 1


@asynccontextmanager
async def counted(folder, names):
    counters = []

    def wrap(app):
        counters.append(Counting(app))
        return counters[0]

    for name in names:
        write_safetensors(folder / "models" / "loras" / name, {"ss_base_model_version": "sdxl_base_v1-0"})
    with EngineServer(folder, wrap=wrap, models={}) as server:
        clients = Clients(ComfyUI)
        yield clients, Host(url=server.url), counters[0]
        await clients.aclose()


async def test_metadata_is_fetched_a_few_at_a_time_and_kept_for_a_while(tmp_path):
    names = [f"{number}.safetensors" for number in range(30)]
    clock = [0.0]
    async with counted(tmp_path, names) as (clients, host, counter):
        files = LoraFiles(clients, now=lambda: clock[0])
        first = await files.facts(host, [*names, names[0]])
        again = await files.facts(host, names[:5])
        asked_at_first = counter.asked
        clock[0] = LIFE_S + 1
        await files.facts(host, names[:5])

    assert {facts.base for facts in first.values()} == {"sdxl"}
    assert again == {name: first[name] for name in names[:5]}
    assert (asked_at_first, counter.asked) == (30, 35)
    assert 1 < counter.most <= AT_ONCE


async def test_metadata_that_cannot_be_had_is_asked_for_again_and_told_by_the_name_meanwhile(tmp_path):
    async with counted(tmp_path, ["flux.safetensors"]) as (clients, host, counter):
        files = LoraFiles(clients)
        counter.failing = True
        guessed = await files.facts(host, ["flux.safetensors"])
        counter.failing = False
        told = await files.facts(host, ["flux.safetensors"])

    assert guessed == {"flux.safetensors": LoraFacts(base="flux1", base_from_name=True)}
    assert told == {"flux.safetensors": LoraFacts(base="sdxl")}


async def test_what_is_kept_does_not_grow_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("comfygen_mcp.services.lora_files._MOST_KEPT", 3)
    names = [f"{number}.safetensors" for number in range(7)]
    async with counted(tmp_path, names) as (clients, host, counter):
        files = LoraFiles(clients)
        for name in names:
            await files.facts(host, [name])
        await files.facts(host, [names[-1]])

        assert counter.asked == 7
        assert len(files._known) <= 3
