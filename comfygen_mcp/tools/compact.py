"""Results of lists: every row says only what it has to say, for lists are long and read by models."""

from mcp.types import CallToolResult, TextContent

from comfygen_mcp.models import Record
from comfygen_mcp.tools.views import View


def compact(text: str, view: View | Record) -> CallToolResult:
    """Return *text* and *view*, less the fields that hold their defaults."""
    return CallToolResult(
        content=[TextContent(type="text", text=text)],
        structured_content=view.model_dump(mode="json", exclude_defaults=True),
    )
