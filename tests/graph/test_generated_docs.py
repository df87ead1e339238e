"""docs/models.md is made from the workflows, and a stale page is noticed."""

import subprocess
import sys
from pathlib import Path

from comfygen_mcp.graph.library import WorkflowLibrary
from comfygen_mcp.graph.metadata import WorkflowMetadata
from comfygen_mcp.graph.models_page import models_page
from comfygen_mcp.graph.parse import Workflow
from comfygen_mcp.sizes import NAMED_RATIOS

ROOT = Path(__file__).parent.parent.parent


def generate(*arguments):
    command = [sys.executable, ROOT / "scripts" / "generate-docs", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_models_page_is_up_to_date():
    assert (ROOT / "docs" / "models.md").read_text(encoding="utf-8") == models_page(WorkflowLibrary().all())


def test_the_models_page_tells_files_links_memory_and_settings_of_every_model():
    page = models_page(WorkflowLibrary().all())

    for workflow in WorkflowLibrary().all():
        told = workflow.metadata
        assert f"\n## {workflow.name}\n" in page
        assert all(f"`{entry.folder}` | [{entry.file}]({entry.url})" in page for entry in told.requires)
        assert all(f"`{name}: {value}`" in page for name, value in told.defaults.items() if value != "")
        assert f"VRAM: {told.vram_gb} GB" in page
        assert all(entry.why in page for entry in told.differences)


def test_a_workflow_that_tells_little_gets_a_short_section():
    metadata = WorkflowMetadata.model_validate(
        {
            "use_case": ["a", "b"],
            "output_resolution": {"width": 5},
            "requires": [{"file": "f", "folder": "vae"}],
        }
    )
    workflow = Workflow(name="w", file="w.json", source="path", reference="w", graph={}, metadata=metadata)

    page = models_page([workflow])

    assert "| [`w`](#w) | a; b |" in page
    assert "- Makes: width: 5" in page
    assert "| `vae` | f |  |" in page
    assert "Settings" not in page
    assert "Differs" not in page


def test_the_script_tells_stale_pages_and_makes_them(tmp_path):
    (tmp_path / "docs").mkdir()
    page, into = tmp_path / "docs" / "models.md", ("--root", tmp_path)

    assert generate("--check", *into).returncode == 1
    assert not page.exists()
    assert generate(*into).returncode == 0
    assert generate("--check", *into).returncode == 0
    page.write_text("old", encoding="utf-8")
    stale = generate("--check", *into)
    assert stale.returncode == 1
    assert "docs/models.md is stale" in stale.stderr
    assert generate("--nonsense").returncode == 2


def test_the_workflow_guide_names_every_key_and_every_size():
    guide = (ROOT / "docs" / "workflows.md").read_text(encoding="utf-8")

    assert [key for key in WorkflowMetadata.model_fields if f"`{key}`" not in guide] == []
    assert [name for name, (a, b) in NAMED_RATIOS.items() if f"`{name}` | {a}:{b}" not in guide] == []
