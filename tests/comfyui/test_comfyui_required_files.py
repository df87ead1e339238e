"""Every bundled workflow runs where exactly its files are installed, and names the one that is missing."""

from pathlib import PurePath

import pytest
from bundled_workflows import EACH, INPUTS, filled
from comfyui_runs import followed, new_id
from engine_server import EngineServer
from PIL import Image

from comfygen_mcp.errors import MissingModel

pytestmark = pytest.mark.anyio


class Host:
    """An engine with input pictures, whose model files change from test to test."""

    def __init__(self, engine, files):
        self.url = engine.url
        self._files = files

    def install(self, entries):
        self._files.clear()
        for folder, file in entries:
            self._files[folder] = (*self._files.get(folder, ()), file)


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    files = {}
    with EngineServer(tmp_path_factory.mktemp("required"), models=files) as engine:
        folder = engine.folder / "input" / "comfygen"
        folder.mkdir(parents=True)
        for name in INPUTS:
            Image.new("RGB", (256, 192), "white").save(folder / f"{name}.png")
        yield Host(engine, files)


def small(workflow):
    """Return the graph of a small and short job: two pictures, or a video of five frames."""
    return filled(workflow, width=256, height=192, steps=4, frames=5, batch_size=2, split_step=2)


@EACH
async def test_a_workflow_runs_where_exactly_its_files_are_installed(host, client_of, workflow):
    host.install((entry.folder, entry.file) for entry in workflow.metadata.requires)
    client, prompt_id = client_of(host.url), new_id()

    await client.submit(small(workflow), prompt_id=prompt_id, requires=workflow.metadata.requires)
    await followed(client, prompt_id)

    endings = sorted(PurePath(output.filename).suffix for output in await client.outputs(prompt_id))
    match workflow.metadata.kind:
        case "txt2video" | "img2video":
            assert endings in ([".mp4", ".png"], [".png", ".webp"])
        case "upscale":
            assert endings == [".png"]
        case _:
            assert endings == [".png", ".png"]


@EACH
async def test_any_single_file_that_is_missing_is_named_with_its_folder_and_download(
    host, client_of, workflow
):
    client, requires, graph = client_of(host.url), workflow.metadata.requires, small(workflow)

    for lacking in requires:
        alike = lacking.file.replace(".", "-v0.", 1)
        rest = [(entry.folder, entry.file) for entry in requires if entry != lacking]
        host.install([*rest, (lacking.folder, alike)])
        with pytest.raises(MissingModel) as caught:
            await client.submit(graph, prompt_id=new_id(), requires=requires)

        told = str(caught.value)
        assert f"Model {lacking.file!r} is not in the server's models/{lacking.folder}/" in told
        assert alike in told.partition("Nearest installed: ")[2]
        assert f"Download it from {lacking.url} into models/{lacking.folder}/." in told
        assert "See docs/models.md" in told
        assert [entry.file for entry in requires if f"Model {entry.file!r}" in told] == [lacking.file]
