"""What callers elsewhere do not see: where folders lie on the server's disk."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from mcp.types import CallToolResult, TextContent

if TYPE_CHECKING:
    from comfygen_mcp.config import Settings

Hide: TypeAlias = Callable[[str], str]
"""Text → the same without the server's folders."""


def hiding_folders(settings: "Settings") -> Hide:
    """Return a function that shortens every path below a configured folder to that folder's name."""
    configured = [
        *(settings.incoming, settings.spool, settings.cache, settings.index, settings.engine.folder),
        *(*settings.workflow_dirs, *settings.input_dirs),
    ]
    if "://" not in settings.store:
        configured.append(Path(settings.store))
    # The longest first: one folder may lie in another. The root and its children name nothing private.
    folders = sorted((f for f in configured if len(f.parts) > 2), key=lambda f: len(str(f)), reverse=True)

    def hidden(text: str) -> str:
        for folder in folders:
            text = text.replace(folder.as_uri(), folder.name).replace(str(folder), folder.name)
        return text

    return hidden


def hidden_result(result: CallToolResult, hide: Hide) -> CallToolResult:
    """Return *result* with every text of it hidden."""
    content = [
        block.model_copy(update={"text": hide(block.text)}) if isinstance(block, TextContent) else block
        for block in result.content
    ]
    return result.model_copy(
        update={"content": content, "structured_content": _hidden(result.structured_content, hide)}
    )


def _hidden(value: Any, hide: Hide) -> Any:
    match value:
        case str():
            return hide(value)
        case list():
            return [_hidden(item, hide) for item in cast("list[Any]", value)]
        case dict():
            return {key: _hidden(item, hide) for key, item in cast("dict[str, Any]", value).items()}
        case _:
            return value
