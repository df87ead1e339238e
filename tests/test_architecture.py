"""The house rules that a machine can check: floors, sizes, module sentences, the environment's reader."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "comfygen_mcp"

FLOORS = {
    "__init__": 0,
    "errors": 0,
    "names": 0,
    "models": 0,
    "ids": 0,
    "signals": 0,
    "together": 0,
    "config": 1,
    "presets": 1,
    "sizes": 1,
    "images": 1,
    "loras": 1,
    "pictures": 1,
    "sidecar": 1,
    "graph": 1,
    "edits": 1,
    "metadata": 1,
    "compare": 1,
    "sheets": 1,
    "frames": 1,
    "videos": 1,
    "comfyui": 2,
    "stores": 2,
    "index": 2,
    "jobs": 2,
    "web": 2,
    "backends": 3,
    "services": 4,
    "interop": 4,
    "app": 5,
    "tools": 6,
    "server": 7,
    "cli": 8,
    "__main__": 9,
}
"""Floor of each top-level name; a module imports only from lower floors, or from its own package."""

WING = "engine"
"""The embedded engine stands apart: it uses floors 0-1, and nobody imports it but its tests."""

MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 300
MAX_FUNCTION_LINES = 40


def top_level(path):
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def floor_of(name):
    return FLOORS[name] if name in FLOORS else FLOORS[name.split("_")[0]]


def own_imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module]
            if node.module == "comfygen_mcp":
                names = [f"comfygen_mcp.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.startswith("comfygen_mcp."):
                yield name.split(".")[1]


def ids(paths):
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("path", MODULES, ids=ids(MODULES))
def test_a_module_imports_only_from_lower_floors_or_its_own_package(path):
    own = top_level(path)
    for target in own_imports(path):
        if target == own or (not (PACKAGE / target).exists() and not (PACKAGE / f"{target}.py").exists()):
            continue
        if own == WING:
            assert floor_of(target) <= 1, f"the engine imports {target}"
        else:
            assert target != WING, "only another process may run the engine"
            assert (
                floor_of(target) < floor_of(own)
                or floor_of(target) == floor_of(own) <= 1
                or (own.split("_")[0] == target.split("_")[0])
            ), f"{own} (floor {floor_of(own)}) imports {target} (floor {floor_of(target)})"


@pytest.mark.parametrize("path", MODULES, ids=ids(MODULES))
def test_a_module_opens_with_a_sentence_and_stays_small(path):
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)

    assert (ast.get_docstring(tree) or "").strip(), "no module docstring"
    assert len(text.splitlines()) <= MAX_LINES
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.lineno
            assert node.end_lineno - start < MAX_FUNCTION_LINES, f"{node.name} is too long"


def test_only_the_command_line_runs_the_interop_suite():
    users = {top_level(path) for path in MODULES if "interop" in own_imports(path)}

    assert users == {"interop", "cli"}


def test_the_environment_is_read_in_one_place():
    readers = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if "os.environ" in path.read_text(encoding="utf-8") or "getenv" in path.read_text(encoding="utf-8")
    }

    assert readers == {"config.py"}


def test_heavy_libraries_are_imported_where_they_are_first_used():
    heavy = {"PIL", "numpy", "minio", "yaml", "websockets"}
    for path in MODULES:
        if top_level(path) in {WING, "comfyui", "cli"}:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
                found = {name.split(".")[0] for name in names} & heavy
                assert not found, f"{path.relative_to(ROOT)} imports {found} at start-up"
