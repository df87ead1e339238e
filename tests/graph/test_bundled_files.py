"""A bundled graph is valid where exactly the files that it requires are listed, and only there."""

from dataclasses import replace

from bundled_workflows import EACH, WORKFLOWS, filled

from comfygen_mcp.graph.catalogue import Catalogue, shipped_catalogue
from comfygen_mcp.graph.check import validate
from comfygen_mcp.graph.files import folder_of


def installed(files):
    """Return the core node classes as a server with just these *files*, (folder, file), would list them."""

    def listed(class_type, name, spec):
        folder = folder_of(class_type, name)
        if folder is None or spec.options is None:
            return spec
        return replace(spec, options=tuple(file for place, file in files if place == folder))

    return Catalogue(
        {
            node.class_type: replace(
                node, inputs={name: listed(node.class_type, name, spec) for name, spec in node.inputs.items()}
            )
            for node in shipped_catalogue()
        }
    )


@EACH
def test_a_graph_is_valid_where_exactly_its_files_are_listed(workflow):
    files = [(entry.folder, entry.file) for entry in workflow.metadata.requires]

    assert validate(filled(workflow), installed(files)) == ()


@EACH
def test_each_file_is_needed(workflow):
    requires, graph = workflow.metadata.requires, filled(workflow)

    for lacking in requires:
        files = [(entry.folder, entry.file) for entry in requires if entry != lacking]
        (problem,) = validate(graph, installed([*files, (lacking.folder, "other.safetensors")]))
        assert problem.type == "value_not_in_list"
        assert graph[problem.node]["inputs"][problem.input] == lacking.file


def test_only_resampling_needs_no_file():
    assert [workflow.name for workflow in WORKFLOWS if not workflow.metadata.requires] == ["upscale-lanczos"]
