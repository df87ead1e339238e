"""The MCP server: built from tools and resources, hardened, and served over stdio or HTTP."""

from comfygen_mcp.server.build import INSTRUCTIONS, build_server
from comfygen_mcp.server.hardening import HardenedServer

__all__ = ["INSTRUCTIONS", "HardenedServer", "build_server"]
