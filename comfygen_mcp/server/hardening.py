"""What the MCP SDK does not do by default: unknown arguments refused, readable errors, schemas without noise.

This is the only file that touches the SDK's private names; tests/test_hardening.py watches them.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from mcp import MCPError
from mcp.server import MCPServer, ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp.server.mcpserver.tools.base import Tool
from mcp.types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    InputRequiredResult,
    ListResourcesResult,
    PaginatedRequestParams,
    ResourceTemplate,
)
from mcp.types import Tool as ListedTool
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from comfygen_mcp.errors import BadRequest, ComfygenError
from comfygen_mcp.images import mime_of
from comfygen_mcp.names import nearest_names
from comfygen_mcp.server.calls import Calls
from comfygen_mcp.server.privacy import Hide, hidden_result

if TYPE_CHECKING:
    from comfygen_mcp.tools import ToolEntry
    from comfygen_mcp.tools.context import OpenApp

ResourcePage: TypeAlias = Callable[[Context, str | None], Awaitable[ListResourcesResult]]
"""The request and a cursor → a page."""
Complete: TypeAlias = Callable[[Context, str, str, str | None], Awaitable[Completion]]
"""The request, an argument's name and its beginning, the template that has it → the values that begin so."""

SHOWN_VALUE = 80
"""Characters of a refused value that are repeated to the caller."""
MAX_ERROR_TEXT = 1900
"""Longest error text; clients cut far longer ones in the middle."""


class HardenedServer(MCPServer["OpenApp"]):
    """MCPServer whose tools say what was wrong: our errors keep their text, everything else stays private."""

    def __init__(  # noqa: PLR0913 - each is one kind of thing that a server offers, or does besides
        self,
        name: str,
        *,
        tools: "Callable[[], Iterable[ToolEntry]]",
        calls: Calls | None = None,
        hide: Hide | None = None,
        resources: "Callable[[HardenedServer], None] | None" = None,
        listing: ResourcePage | None = None,
        completing: Complete | None = None,
        **options: Any,
    ) -> None:
        """Make a server that asks *tools* for its tools when the first client wants to know them.

        *resources* adds what has an address, likewise when it is first asked for. *listing* returns a page
        of resources, *completing* what may follow a beginning.
        """
        super().__init__(name, **options)
        self._resources = resources
        self._listing = listing
        if completing is not None:
            self._add_completions(completing)
        self._tools = tools
        self._tools_added = False
        self._outlined: dict[str, str] = {}
        self._calls = calls or Calls()
        self._hide = hide or str

    async def list_tools(self) -> list[ListedTool]:
        self._add_tools()
        return await super().list_tools()

    def _add_tools(self) -> None:
        if self._tools_added:
            return
        self._tools_added = True
        for entry in self._tools():
            self._add(entry)

    def _tool_input_schema(self, name: str) -> dict[str, Any] | None:
        self._add_tools()
        return super()._tool_input_schema(name)

    def _add(self, entry: "ToolEntry") -> None:
        """Register a tool with a closed, compact schema."""
        self.add_tool(entry.function, title=entry.title, annotations=entry.annotations)
        tool = self._tool_manager.get_tool(entry.function.__name__)
        if tool is not None:
            _close(tool)
            self._name_alike(tool)

    def _name_alike(self, tool: Tool) -> None:
        """Say of a result that another tool has too only which one: it need not be read twice."""
        outline = tool.fn_metadata.output_schema
        first = self._outlined.setdefault(json.dumps(outline), tool.name)
        if outline and first != tool.name:
            tool.fn_metadata.output_schema = {"type": "object", "description": f"Like that of {first}"}

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: "Context[OpenApp, Any] | None" = None
    ) -> CallToolResult | InputRequiredResult:
        self._add_tools()
        tool = self._tool_manager.get_tool(name)
        if tool is None:
            known = [known.name for known in self._tool_manager.list_tools()]
            raise MCPError(INVALID_PARAMS, _unknown_tool(name, known))
        with self._calls.one(name):
            result = await self._worded(tool, arguments, context)
        return hidden_result(result, self._hide) if isinstance(result, CallToolResult) else result

    async def list_resource_templates(self) -> list[ResourceTemplate]:
        self._add_resources()
        return await super().list_resource_templates()

    def _add_resources(self) -> None:
        add, self._resources = self._resources, None
        if add is not None:
            add(self)

    async def read_resource(
        self, uri: Any, context: "Context[OpenApp, Any] | None" = None
    ) -> Iterable[ReadResourceContents] | InputRequiredResult:
        self._add_resources()
        try:
            contents = await super().read_resource(uri, context)
        except ResourceError as error:
            raise type(error)(self._hide(str(error))) from error
        return contents if isinstance(contents, InputRequiredResult) else [_named(item) for item in contents]

    async def _handle_list_resources(
        self, ctx: ServerRequestContext["OpenApp"], params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        """List page by page, which the SDK does not."""
        if self._listing is None:
            return await super()._handle_list_resources(ctx, params)
        try:
            return await self._listing(self._context(ctx), params.cursor if params else None)
        except BadRequest as error:
            raise MCPError(INVALID_PARAMS, _cut(self._hide(str(error)))) from error
        except ComfygenError as error:
            raise MCPError(INTERNAL_ERROR, _cut(self._hide(str(error)))) from error

    def _add_completions(self, completing: Complete) -> None:
        """Complete with the app at hand, which the SDK's own decorator does not give."""

        async def complete(
            ctx: ServerRequestContext["OpenApp"], params: CompleteRequestParams
        ) -> CompleteResult:
            argument = params.argument
            template = params.ref.uri if params.ref.type == "ref/resource" else None
            found = await completing(self._context(ctx), argument.name, argument.value, template)
            return CompleteResult(completion=found)

        self._lowlevel_server.add_request_handler("completion/complete", CompleteRequestParams, complete)

    def _context(self, ctx: ServerRequestContext["OpenApp"]) -> Context:
        return cast("Context", Context(request_context=ctx, mcp_server=self))

    async def _worded(
        self, tool: Tool, arguments: dict[str, Any], context: "Context[OpenApp, Any] | None"
    ) -> CallToolResult | InputRequiredResult:
        """Call the tool; what goes wrong is told in our own words."""
        try:
            return await super().call_tool(tool.name, arguments, context)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                raise ToolError(_invalid_arguments(tool, cause)) from cause
            if isinstance(cause, ComfygenError):
                raise ToolError(_cut(self._hide(str(cause)))) from cause
            raise


def _named(item: ReadResourceContents) -> ReadResourceContents:
    """Say what kind of file the bytes are: one template serves files of every kind."""
    found = mime_of(item.content) if isinstance(item.content, bytes) else None
    return replace(item, mime_type=found or item.mime_type)


def _close(tool: Tool) -> None:
    tool.description = cleandoc(tool.description)
    tool.parameters = {**_compact(tool.parameters), "additionalProperties": False}
    metadata = tool.fn_metadata
    metadata.arg_model.model_config["extra"] = "forbid"
    metadata.arg_model.model_rebuild(force=True)
    if metadata.output_schema:
        metadata.output_schema = _outline(metadata.output_schema)


def _compact(schema: Any, *, names: bool = False) -> Any:
    """Drop what costs tokens and says nothing: generated titles, and null for what may be left out anyway."""
    match schema:
        case list():
            return [_compact(item) for item in cast("list[Any]", schema)]
        case dict():
            kept = cast("dict[str, Any]", schema)
            return {
                key: _compact(value, names=key in {"properties", "$defs"})
                for key, value in (kept if names else _without_null(kept)).items()
                if names or (key != "title" and (key, value) != ("additionalProperties", True))
            }
        case _:
            return schema


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an optional argument as its plain type; null is still accepted when it comes."""
    if "default" not in schema or schema["default"] is not None or "anyOf" not in schema:
        return schema
    options = [option for option in schema["anyOf"] if option != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key not in {"anyOf", "default"}}
    return {**options[0], **rest} if len(options) == 1 else {"anyOf": options, **rest}


def _outline(schema: dict[str, Any]) -> dict[str, Any]:
    """Reduce an output schema to names and types; models read the values anyway.

    The server still validates each result against the whole model before it leaves.
    """
    return {
        "type": "object",
        "properties": {name: {"type": _types(value)} for name, value in schema["properties"].items()},
    }


def _types(schema: dict[str, Any]) -> str | list[str]:
    """Return the JSON type, or types, of one property; a reference to a record is an object."""
    if "anyOf" not in schema:
        return schema.get("type", "object")
    types = [_types(option) for option in schema["anyOf"]]
    flat = dict.fromkeys(name for entry in types for name in ([entry] if isinstance(entry, str) else entry))
    return list(flat) if len(flat) > 1 else next(iter(flat))


def _unknown_tool(name: str, known: list[str]) -> str:
    near = nearest_names(name, known, limit=1)
    return f"Unknown tool: {name[:SHOWN_VALUE]}" + (f" (did you mean {near[0]}?)" if near else "")


def _invalid_arguments(tool: Tool, error: ValidationError) -> str:
    known = list(tool.parameters["properties"])
    lines = [_argument_line(detail, known) for detail in error.errors(include_url=False)]
    return _cut("\n".join([f"Invalid arguments for {tool.name}:", *lines]))


def _argument_line(detail: ErrorDetails, known: list[str]) -> str:
    name = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        near = nearest_names(name, known, limit=1)
        hint = f"did you mean {near[0]!r}?" if near else f"allowed: {', '.join(known)}"
        return f"- unknown argument {name[:SHOWN_VALUE]!r}; {hint}"
    if detail["type"] == "missing":
        return f"- {name} is required"
    return f"- {name}: {detail['msg']} (got {str(detail['input'])[:SHOWN_VALUE]!r})"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_ERROR_TEXT else text[: MAX_ERROR_TEXT - 4] + " ..."
