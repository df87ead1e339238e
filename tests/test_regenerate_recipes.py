"""Regenerating, in parts: what a stored graph may hold over HTTP, what is not compared, what changes fit."""

import pytest
from conftest import ERAS

from comfygen_mcp.app import open_app
from comfygen_mcp.errors import BadRequest, StoreFailed
from comfygen_mcp.models_request import GenerateRequest
from comfygen_mcp.services.regeneration import wanted_seed
from comfygen_mcp.services.regeneration_check import reproduction_of
from comfygen_mcp.services.regeneration_request import Changes

pytestmark = pytest.mark.anyio


async def generated(app, **changes):
    given = {"prompt": "a red fox", "model": "sd15", "size": "256x256", "steps": 1, "seed": 5, **changes}
    started = await app.generation.start(GenerateRequest(**given))
    state = await app.generation.wait(started.job.id, timeout_s=60)
    assert state.status == "completed", state.error
    return state.generations[0]


async def again(app, original, **changes):
    started = await app.regeneration.start(original, Changes(**changes))
    return await app.generation.wait(started.job.id, timeout_s=60)


async def test_a_stored_graph_is_held_to_the_listed_classes_over_http_but_for_its_own_workflow(settings):
    async with open_app(settings, {}, http=True) as app:
        original = await generated(app)
        exact = await again(app, original)
        # The same graph in the name of no known workflow, as an import from elsewhere would bring it.
        foreign = original.model_copy(
            update={"job": original.job.model_copy(update={"workflow": "imported.json"})}
        )
        hidden = {**original.graph, "99": {"class_type": "RunShell", "inputs": {}}}
        for wrong, named in (
            (foreign, "KSampler"),
            (original.model_copy(update={"graph": hidden}), "RunShell"),
        ):
            for changes in ({}, {"steps": 2}):
                with pytest.raises(BadRequest, match=named):
                    await app.regeneration.plan(wrong, Changes(**changes))
        own = await generated_from_graph(app, original.graph)
        with pytest.raises(BadRequest, match="KSampler"):
            await app.regeneration.plan(own, Changes(seed=7))
    allowed = settings.model_copy(update={"allowed_nodes": ("core",)})
    async with open_app(allowed, {}, http=True) as app:
        plan = await app.regeneration.plan(foreign, Changes())

    assert exact.status == "completed"
    assert plan.problems == ()


async def generated_from_graph(app, graph):
    started = await app.generation.start(GenerateRequest(graph=graph))
    state = await app.generation.wait(started.job.id, timeout_s=60)
    return state.generations[0]


async def test_a_backend_that_is_gone_is_told_and_the_default_host_makes_it(tmp_path, engine):
    from comfygen_mcp.config import load_settings

    (tmp_path / "comfygen.yaml").write_text(
        f"""
backends:
  mine:
    base_url: {engine.url}
    workflow: sd15
    model: v1-5-pruned-emaonly-fp16.safetensors
    default_steps: 2
""",
        encoding="utf-8",
    )
    environ = {"COMFYGEN_STORE": str(tmp_path / "gallery"), "COMFYGEN_INDEX": str(tmp_path / "index")}
    async with open_app(load_settings(environ=environ, cwd=tmp_path).settings, {}) as app:
        original = await generated(app, model="mine", steps=None)
        there = await again(app, original, cfg=3.0)
    (tmp_path / "comfygen.yaml").unlink()
    alone = load_settings(environ={**environ, "COMFYUI_URL": engine.url}, cwd=tmp_path).settings
    async with open_app(alone, {}) as app:
        gone = await again(app, original)
        changed = await again(app, original, steps=3)

    assert (there.job.backend, there.job.steps, there.job.cfg) == ("mine", 2, 3.0)
    assert gone.status == "completed"
    assert "'mine' is no longer configured" in gone.job.notes[0]
    assert (changed.job.backend, changed.job.steps, changed.job.cfg) == ("sd15", 3, original.cfg)
    assert "'mine' is no longer configured" in " ".join(changed.job.notes)


async def test_an_input_picture_that_is_gone_is_said_to_be(settings, tmp_path):
    async with open_app(settings, {}) as app:
        source = await generated(app)
        original = await generated(app, images=(source.id,), kind="img2img")
        for file in (tmp_path / "gallery" / "inputs").rglob("*.png"):
            file.unlink()
        state = await again(app, original)
        with pytest.raises(StoreFailed, match="no longer in the store"):
            await app.regeneration.plan(original, Changes(model="sdxl"))

    assert "no longer in the store" in state.error


async def test_a_mask_goes_along_and_another_size_shapes_it_anew(settings):
    import io

    from PIL import Image

    mask = Image.new("L", (256, 256), 0)
    mask.paste(255, (64, 64, 192, 192))
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    import base64

    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    async with open_app(settings, {}) as app:
        source = await generated(app)
        original = await generated(
            app, images=(source.id,), mask=uri, kind="inpaint", model="sd15", size=None
        )
        prompt = await again(app, original, prompt="a hole")
        larger = await again(app, original, size="320x320")
        other = await app.regeneration.plan(original, Changes(model="sd15-inpaint", denoise=0.5))

    assert prompt.job.inputs == original.job.inputs
    assert (prompt.job.kind, prompt.job.prompt) == ("inpaint", "a hole")
    assert {file.placeholder for file in larger.job.inputs} == {"image", "mask"}
    assert {file.width for file in larger.job.inputs} == {320}
    assert other.job.denoise == 0.5


async def test_a_style_that_is_gone_is_told(settings, tmp_path):
    (tmp_path / "own.yaml").write_text(
        "styles:\n  mine: {prompt: 'drawn by me: {prompt}'}\n", encoding="utf-8"
    )
    own = settings.model_copy(update={"presets": tmp_path / "own.yaml"})
    async with open_app(own, {}) as app:
        original = await generated(app, style="mine")
        styled = await app.regeneration.plan(original, Changes(prompt="a wolf"))
    async with open_app(settings, {}) as app:
        plain = await app.regeneration.plan(original, Changes(prompt="a wolf"))

    assert styled.job.prompt == "drawn by me: a wolf"
    assert plain.job.prompt == "a wolf"
    assert "'mine' is no longer known" in plain.job.notes[-1]


async def test_loras_of_a_stored_graph_stay_when_its_workflow_is_gone(settings):
    async with open_app(settings, {}) as app:
        original = await generated(app, loras=({"name": "style.safetensors", "strength": 0.5},))
        lost = original.model_copy(update={"job": original.job.model_copy(update={"workflow": "gone.json"})})
        again_with = await app.regeneration.plan(
            lost, Changes(loras=({"name": "sub/dir/nested.safetensors", "strength": 0.3},))
        )

    names = [n["inputs"].get("lora_name") for n in again_with.graph.values() if "lora_name" in n["inputs"]]
    assert sorted(names) == ["style.safetensors", "sub/dir/nested.safetensors"]
    assert any("stay" in note for note in again_with.job.notes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"media": "video"}, "of this kind"),
        ({"size_bytes": 10**9}, "too large"),
        ({"key": "g/gone.png"}, "not in the store"),
    ],
)
async def test_what_cannot_be_compared_says_why(settings, changes, why):
    async with open_app(settings, {}) as app:
        original = await generated(app)
        other = original.model_copy(update={"sha256": "0" * 64, **changes})
        found = await reproduction_of(original, other, app.gallery.read_output)
        same = await reproduction_of(original, original, app.gallery.read_output)

    assert found.outcome == "not compared"
    assert why in found.differences[-1]
    assert (same.outcome, same.differences) == ("identical bytes", ())


async def test_a_file_that_is_no_picture_any_more_is_not_compared(settings):
    async with open_app(settings, {}) as app:
        original = await generated(app)
        path = app.store.local_path(original.key)
        broken = original.model_copy(update={"sha256": "0" * 64})
        path.write_bytes(b"no picture")
        found = await reproduction_of(original, broken, app.gallery.read_output)

    assert found.outcome == "not compared"
    assert "no readable picture" in found.differences[-1]


def test_a_seed_of_nothing_is_as_it_was_and_of_zero_a_new_one():
    assert wanted_seed(None) is None
    assert wanted_seed("18446744073709551615") == 2**64 - 1
    assert wanted_seed(0) > 0
    assert wanted_seed(-1) != wanted_seed(-1)
    with pytest.raises(BadRequest):
        wanted_seed("x")


@pytest.mark.parametrize("era", ERAS)
async def test_a_batch_is_compared_picture_by_picture(connect, settings, era):
    async with connect(settings, era) as client:
        made = await client.call_tool(
            "generate_image",
            {"prompt": "foxes", "model": "sd15", "size": "256x256", "steps": 1, "count": 3},
        )
        second = made.structured_content["outputs"][1]["generation_id"]
        view = (await client.call_tool("regenerate", {"generation_id": second})).structured_content
        others = [
            (await client.call_tool("get_generation", {"generation_id": output["generation_id"]}))
            for output in view["outputs"]
        ]

    assert len(view["outputs"]) == 3
    assert view["reproduction"]["outcome"] == "identical pixels"
    outcomes = [other.structured_content["reproduction"] for other in others]
    assert [outcome and outcome["outcome"] for outcome in outcomes] == [None, "identical pixels", None]


async def test_an_original_that_was_deleted_is_said_to_be_gone(settings, connect):
    async with open_app(settings, {}) as app:
        original = await generated(app)
        child = (await again(app, original)).generations[0]
        await app.gallery.delete(original.id)
    async with connect(settings) as client:
        view = (await client.call_tool("get_generation", {"generation_id": child.id})).structured_content

    assert view["reproduction"]["outcome"] == "not compared"
    assert view["reproduction"]["differences"] == ["The original is gone"]
