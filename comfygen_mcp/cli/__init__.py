"""The command line: thin commands over the services; nothing heavy is imported before a command runs."""

from comfygen_mcp.cli.app import main, serve_stdio

__all__ = ["main", "serve_stdio"]
