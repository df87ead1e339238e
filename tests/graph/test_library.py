"""Workflow files are found by name, alias or path, and every bad one says what is wrong with it."""

import json
import os

import pytest

from comfygen_mcp.errors import BadRequest, BadWorkflow, UnknownName
from comfygen_mcp.graph.library import WorkflowLibrary, bundled_folder
from comfygen_mcp.models import Limits

NODE = {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "mine"
    made.mkdir()
    return made


def write(folder, name, content):
    file = folder / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file


def reason(folder, content):
    write(folder, "bad.json", content)
    library = WorkflowLibrary([folder])
    with pytest.raises(BadWorkflow) as caught:
        library.load("bad", allow_paths=False)
    assert [(broken.file, broken.reason) for broken in library.broken()] == [("bad.json", str(caught.value))]
    assert "sd15" in library.names()
    assert str(folder) not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("reference", ["sdxl", "sdxl.json"])
@pytest.mark.parametrize("allow_paths", [True, False])
def test_a_bundled_workflow_is_found_with_and_without_its_ending(reference, allow_paths):
    workflow = WorkflowLibrary().load(reference, allow_paths=allow_paths)

    assert (workflow.name, workflow.file, workflow.source) == ("sdxl", "sdxl.json", "bundled")
    assert "_workflow_metadata" not in workflow.graph


def test_an_alias_finds_the_workflow_that_has_it():
    library = WorkflowLibrary()

    assert library.aliases()["flux-dev"] == "sd15"
    assert library.load("schnell", allow_paths=False).name == "flux1-schnell"


def test_the_users_file_takes_the_place_of_the_bundled_one(folder):
    write(folder, "sdxl.json", {"9": NODE, "_workflow_metadata": {"rank": 1}})
    library = WorkflowLibrary([folder])

    workflow = library.load("sdxl", allow_paths=False)

    assert (workflow.source, list(workflow.graph)) == ("user", ["9"])
    assert library.names().count("sdxl") == 1
    assert library.names()[0] == "sdxl"


def test_the_first_folder_of_the_user_wins_and_a_name_beats_an_alias(folder, tmp_path):
    write(folder, "a.json", {"1": NODE})
    write(tmp_path, "a.json", {"2": NODE})
    write(tmp_path, "schnell.json", {"3": NODE})
    library = WorkflowLibrary([folder, tmp_path])

    assert list(library.load("a", allow_paths=False).graph) == ["1"]
    assert list(library.load("schnell", allow_paths=False).graph) == ["3"]
    assert "schnell" not in library.aliases()


def test_a_file_without_metadata_is_a_workflow_named_after_itself(folder):
    write(folder, "my graph.json", {"1": NODE})

    workflow = WorkflowLibrary([folder]).load("my graph", allow_paths=False)

    assert (workflow.name, workflow.metadata.kind, workflow.metadata.limits) == (
        "my graph",
        "other",
        Limits(),
    )


def test_a_path_is_followed_only_where_paths_are_allowed(folder):
    file = write(folder, "elsewhere.json", {"1": NODE})
    library = WorkflowLibrary()

    workflow = library.load(str(file), allow_paths=True)

    assert (workflow.name, workflow.source, workflow.reference) == ("elsewhere", "path", str(file))
    with pytest.raises(BadRequest, match="not a workflow name"):
        library.load(str(file), allow_paths=False)


def test_a_bare_file_name_means_a_known_workflow_first_and_the_current_folder_second(folder, monkeypatch):
    monkeypatch.chdir(folder)
    write(folder, "here.json", {"1": NODE})
    write(folder, "sdxl.json", {"1": NODE})
    library = WorkflowLibrary()

    assert library.load("here.json", allow_paths=True).source == "path"
    assert library.load("sdxl.json", allow_paths=True).source == "bundled"
    assert library.load("./sdxl.json", allow_paths=True).source == "path"
    with pytest.raises(UnknownName):
        library.load("here.json", allow_paths=False)


def test_a_workflows_reference_finds_it_again(folder):
    file = write(folder, "own.json", {"1": NODE})
    library = WorkflowLibrary([folder])

    for workflow in (*library.all(), library.load(str(file), allow_paths=True)):
        assert library.load(workflow.reference, allow_paths=True) == workflow


@pytest.mark.parametrize(
    "reference",
    [
        "../sdxl",
        "..",
        "/etc/passwd",
        "/etc/passwd.json",
        "a/b",
        "a\\b",
        "C:\\x.json",
        "~/x",
        "~root",
        "",
        "a\x00b",
    ],
)
def test_names_that_leave_the_folders_are_refused(reference):
    with pytest.raises(BadRequest, match="not a workflow name"):
        WorkflowLibrary().load(reference, allow_paths=False)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(folder, tmp_path):
    secret = write(tmp_path, "secret.json", {"1": NODE})
    (folder / "link.json").symlink_to(secret)
    write(folder, "inside.json", {"1": NODE})
    (folder / "again.json").symlink_to(folder / "inside.json")
    library = WorkflowLibrary([folder])

    with pytest.raises(UnknownName):
        library.load("link", allow_paths=False)
    assert library.load("again", allow_paths=False).name == "again"


def test_a_linked_folder_works(folder, tmp_path):
    write(folder, "own.json", {"1": NODE})
    (tmp_path / "linked").symlink_to(folder)

    assert "own" in WorkflowLibrary([tmp_path / "linked"]).names()


def test_an_unknown_name_names_the_nearest(folder):
    with pytest.raises(UnknownName, match="Did you mean 'flux1-schnell'"):
        WorkflowLibrary().load("flux1-schnel", allow_paths=False)


@pytest.mark.parametrize(
    "path", ["./nothing.json", "nothing.json", "/no/where", "~nobody-here/x", "x/" * 5000]
)
def test_a_missing_path_says_how_to_name_one(path):
    library = WorkflowLibrary()

    with pytest.raises((BadWorkflow, UnknownName), match=r"no workflow file '.*flux1-schnell"):
        library.load(path, allow_paths=True)


def test_bad_json_is_reported_with_line_and_column(folder):
    assert "bad.json line 2, column 8: not valid JSON" in reason(folder, '{\n  "1": }')


def test_a_file_of_comfyuis_editor_says_how_to_export(folder):
    assert "Export (API)" in reason(folder, {"nodes": [], "links": [], "version": 0.4})


def test_a_whole_request_says_what_to_save(folder):
    assert '"prompt"' in reason(folder, {"prompt": {"1": NODE}, "client_id": "x"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "no nodes"),
        ({"_workflow_metadata": {}}, "no nodes"),
        ([], "not a list"),
        ('"x"', "not text"),
        ("null", "not true, false or null"),
        ("3", "not a number"),
        ({"1": 3}, "node '1' must be an object"),
        ({"1": {"inputs": {}}}, "node '1' has no class_type"),
        ({"1": {"class_type": 3, "inputs": {}}}, "node '1' has no class_type"),
        ({"1": {"class_type": "X"}}, r"node '1' (X) has no inputs"),
        ('{"1": {"class_type": "X", "inputs": {"cfg": NaN}}}', "NaN is not a JSON number"),
        ("[" * 100_000, "nested too deeply"),
        ('{"1": {"class_type": "X", "inputs": {"a": ' + "[" * 100 + "]" * 100 + "}}}", "nested too deeply"),
    ],
)
def test_other_bad_files_say_what_is_wrong(folder, content, words):
    assert words in reason(folder, content)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (
            {"descripton": "x"},
            "_workflow_metadata.descripton is not a known key. Did you mean 'description'?",
        ),
        ({"zzz": "x"}, "See docs/workflows.md"),
        ({"limits": {"min_edgee": 1}}, "_workflow_metadata.limits.min_edgee is not a known key"),
        ({"kind": "picture"}, "_workflow_metadata.kind: Input should be 'txt2img'"),
        ("text", "_workflow_metadata: "),
    ],
)
def test_a_typo_in_the_metadata_is_named(folder, metadata, words):
    assert words in reason(folder, {"1": NODE, "_workflow_metadata": metadata})


def test_text_that_is_not_utf8_and_files_beyond_reason_are_refused(folder):
    (folder / "latin.json").write_bytes(b'{"1": "\xe9"}')
    with (folder / "huge.json").open("wb") as file:
        file.truncate(20_000_000)

    broken = dict(WorkflowLibrary([folder]).broken())

    assert "not UTF-8" in broken["latin.json"]
    assert "16 MB" in broken["huge.json"]


def test_a_byte_order_mark_does_no_harm(folder):
    (folder / "bom.json").write_bytes(b"\xef\xbb\xbf" + json.dumps({"1": NODE}).encode())

    assert WorkflowLibrary([folder]).load("bom", allow_paths=False).name == "bom"


def test_a_file_that_cannot_be_read_does_not_hide_the_others(folder):
    (folder / "gone.json").symlink_to(folder / "nowhere.json")
    (folder / "folder.json").mkdir()
    library = WorkflowLibrary([folder])

    assert [broken.file for broken in library.broken()] == ["gone.json"]
    assert "flux1-schnell" in library.names()


def test_a_folder_that_does_not_exist_is_reported(tmp_path):
    library = WorkflowLibrary([tmp_path / "typo"])

    assert library.broken()[0].file == "typo"
    assert "flux1-schnell" in library.names()


def test_a_file_is_read_again_only_when_it_has_changed(folder):
    file = write(folder, "own.json", {"1": NODE})
    library = WorkflowLibrary([folder])
    first = library.load("own", allow_paths=False)
    assert library.load("own", allow_paths=False) is first

    write(folder, "own.json", {"2": NODE, "3": NODE})
    os.utime(file, ns=(1, 1))

    assert list(library.load("own", allow_paths=False).graph) == ["2", "3"]


def test_the_metadata_of_other_systems_is_read_as_it_is(folder):
    told = {
        "workflow_name": "W",
        "input_requirements": ["a prompt", "a seed"],
        "output_resolution": {"width": 512},
        "nodes": 12,
    }
    write(folder, "other.json", {"1": NODE | {"is_changed": [1]}, "_workflow_metadata": told})

    workflow = WorkflowLibrary([folder]).load("other", allow_paths=False)

    assert (workflow.metadata.nodes, workflow.metadata.output_resolution) == (12, {"width": 512})
    assert workflow.graph["1"] == NODE


def test_the_bundled_folder_is_the_one_of_the_checkout():
    assert (bundled_folder() / "flux1-schnell.json").is_file()


def test_a_copy_of_a_bundled_workflow_does_not_take_its_aliases_along(tmp_path):
    bundled = WorkflowLibrary().load("sdxl", allow_paths=False)
    copy = {"_workflow_metadata": {"aliases": [*bundled.metadata.aliases, "my-alias"]}, **bundled.graph}
    (tmp_path / "a-copy.json").write_text(json.dumps(copy), encoding="utf-8")

    aliases = WorkflowLibrary([tmp_path]).aliases()

    assert bundled.metadata.aliases
    assert {aliases[alias] for alias in bundled.metadata.aliases} == {"sdxl"}
    assert aliases["my-alias"] == "a-copy"
