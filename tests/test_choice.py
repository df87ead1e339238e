"""The choice: the model and the workflow that do what a request asks for, or who else could."""

import pytest
from engine_server import EngineServer
from observe import error_text

from comfygen_mcp.app import open_app
from comfygen_mcp.config import load_settings
from comfygen_mcp.errors import BadRequest, MissingModel
from comfygen_mcp.models_request import GenerateRequest

pytestmark = pytest.mark.anyio

SD15 = "v1-5-pruned-emaonly-fp16.safetensors"


@pytest.fixture(scope="module")
def sparse(tmp_path_factory):
    """A server with one checkpoint and nothing else."""
    models = {"checkpoints": (SD15, "dream.safetensors")}
    with EngineServer(tmp_path_factory.mktemp("sparse"), models=models) as server:
        yield server


@pytest.fixture
async def planned(settings_for, sparse):
    """Return a function: a request → the plan that the server with one checkpoint makes of it."""
    async with open_app(settings_for(COMFYUI_URL=sparse.url), {}) as app:

        async def plan(**request):
            return await app.generation.plan(GenerateRequest(**request), allow_paths=True)

        yield plan


@pytest.fixture
def picture(tmp_path):
    from PIL import Image

    path = tmp_path / "picture.png"
    Image.new("RGB", (320, 256), (90, 120, 60)).save(path)
    return str(path)


async def test_a_picture_without_a_model_goes_to_the_best_one_that_is_ready(planned, picture):
    plan = await planned(prompt="a hill", images=(picture,))

    assert (plan.job.backend, plan.job.kind) == ("sd15-img2img", "img2img")


async def test_a_model_that_cannot_do_it_says_what_it_can_and_which_installed_ones_can(planned, picture):
    with pytest.raises(BadRequest) as refused:
        await planned(prompt="a hill", images=(picture,), model="sd35-medium")

    assert str(refused.value) == (
        "Model sd35-medium cannot make a picture from a picture: it can make a picture from text. "
        "Installed models that can: sd15-img2img."
    )


async def test_where_none_that_can_is_installed_the_known_ones_are_named(planned, picture):
    with pytest.raises(BadRequest, match=r"None that can is installed; known ones: .*flux1-kontext") as told:
        await planned(kind="edit", prompt="make it winter", images=(picture,), model="sd15")

    assert "cannot edit a picture by instruction" in str(told.value)


async def test_without_a_model_and_without_its_files_the_nearest_one_is_named_with_what_is_missing(
    planned, picture
):
    with pytest.raises(MissingModel, match=r"None of the \d+ known models for edit is completely installed"):
        await planned(kind="edit", prompt="make it winter", images=(picture,))


async def test_a_model_named_for_nothing_else_does_what_it_is_for(planned):
    plan = await planned(prompt="waves", model="wan22-5b-t2v")

    assert plan.job.kind == "txt2video"
    assert {problem.type for problem in plan.problems} == {"value_not_in_list"}


async def test_a_workflow_that_takes_no_picture_refuses_one(planned, picture):
    with pytest.raises(BadRequest, match="Workflow sd15 takes no image: it can make a picture from text"):
        await planned(prompt="a hill", images=(picture,), workflow="sd15")


async def test_a_picture_is_demanded_where_the_workflow_needs_one(planned):
    with pytest.raises(BadRequest, match="image"):
        await planned(prompt="a hill", workflow="sd15-img2img")


async def test_a_configured_model_brings_its_file_and_knobs_to_the_familys_other_workflows(
    sparse, tmp_path, picture
):
    (tmp_path / "comfygen.yaml").write_text(
        "backends:\n  dream:\n    type: comfyui\n"
        f"    base_url: {sparse.url}\n    model: dream.safetensors\n    workflow: sd15\n"
        "    default_steps: 31\n    default_cfg: 6.5\n",
        encoding="utf-8",
    )
    settings = load_settings(environ={"COMFYGEN_STORE": str(tmp_path / "g")}, cwd=tmp_path).settings
    async with open_app(settings, {}) as app:
        request = GenerateRequest(prompt="a hill", model="dream", images=(picture,))
        plan = await app.generation.plan(request, allow_paths=True)

    job = plan.job
    assert (job.backend, job.workflow, job.kind) == ("dream", "sd15-img2img.json", "img2img")
    assert (job.model, job.steps, job.cfg) == ("dream.safetensors", 31, 6.5)
    assert plan.problems == ()


async def test_a_configured_model_leaves_files_behind_that_mean_something_else_there(
    sparse, tmp_path, picture
):
    (tmp_path / "comfygen.yaml").write_text(
        "backends:\n  film:\n    type: comfyui\n"
        f"    base_url: {sparse.url}\n    model: my_t2v_high.safetensors\n    workflow: wan22-t2v\n",
        encoding="utf-8",
    )
    settings = load_settings(environ={"COMFYGEN_STORE": str(tmp_path / "g")}, cwd=tmp_path).settings
    async with open_app(settings, {}) as app:
        request = GenerateRequest(kind="img2video", prompt="waves", model="film", images=(picture,))
        plan = await app.generation.plan(request, allow_paths=True)

    assert plan.job.workflow == "wan22-i2v.json"
    assert "my_t2v_high.safetensors" not in str(plan.graph)


async def test_generate_image_never_makes_a_video(connect, settings):
    async with connect(settings) as client:
        result = await client.call_tool("generate_image", {"prompt": "waves", "model": "wan22-t2v"})

    assert "Model wan22-t2v cannot make a picture from text: it can make a video from text" in error_text(
        result
    )
