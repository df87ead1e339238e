"""Renders the tables of docs/configuration.md from the settings: each field with its own text and default."""

import ast
import inspect
import itertools
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from comfygen_mcp.config import BackendBlock, Settings
from comfygen_mcp.config_environment import SECTIONS, variables
from comfygen_mcp.config_fields import user_cache_folder, user_data_folder

SECTION = re.compile(
    r"(<!-- (settings|block): made by scripts/generate-docs -->\n).*?(<!-- end -->)", re.DOTALL
)
UNLISTED = {"name", "knobs"}
"""Fields of a block that are no keys of it: the name stands before it, knobs are all other keys."""


def settings_page(page: Path) -> str:
    """Return *page* with its tables made anew."""
    tables = {"settings": _settings(), "block": _block()}
    text = page.read_text(encoding="utf-8")
    return SECTION.sub(lambda found: f"{found[1]}{tables[found[2]]}\n{found[3]}", text)


def _settings() -> str:
    rows = ["| key | variable | default | meaning |", "|---|---|---|---|"]
    for name, meaning in meanings(Settings).items():
        if name in SECTIONS:
            rows.append(f"| `{name}` | | | {meaning} |")
            section = SECTIONS[name]
            rows += [_setting(section, key, text, f"{name}.{key}") for key, text in meanings(section).items()]
        else:
            rows.append(_setting(Settings, name, meaning, name))
    return "\n".join(rows)


def _setting(record: type[BaseModel], name: str, meaning: str, key: str) -> str:
    named = [variable for variable, keys in variables().items() if ".".join(map(str, keys)) == key]
    told = " or ".join(f"`{variable}`" for variable in sorted(named, key=len)) or "-"
    return f"| `{key}` | {told} | {_default(record, name)} | {meaning} |"


def _block() -> str:
    rows = ["| key | default | meaning |", "|---|---|---|"]
    for name, meaning in meanings(BackendBlock).items():
        rows.append(f"| `{name}` | {_default(BackendBlock, name)} | {meaning} |")
    return "\n".join(rows)


def meanings(record: type[BaseModel]) -> dict[str, str]:
    """Return field → the text that stands below it in the source; raises KeyError for a field without one."""
    body = ast.parse(inspect.getsource(record)).body[0].body
    found: dict[str, str] = {}
    for field, text in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            found[ast.unparse(field.target)] = inspect.cleandoc(ast.literal_eval(text.value)).replace(
                "\n", " "
            )
    return {name: found[name] for name in record.model_fields if name not in UNLISTED}


def _default(record: type[BaseModel], name: str) -> str:
    value: Any = record.model_fields[name].get_default(call_default_factory=True)
    if isinstance(value, str | Path) and str(value).startswith(str(user_data_folder())):
        return f"`{Path(value).name}` in the user's data folder of comfygen-mcp"
    if value == user_cache_folder():
        return "the user's cache folder of comfygen-mcp"
    if value is None or value in ((), {}):
        return "-"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"
