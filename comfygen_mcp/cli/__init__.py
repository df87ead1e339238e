"""The command line: thin commands over the services; nothing heavy is imported before a command runs."""

import os
import sys


def main() -> None:
    """Run the command line."""
    _leave_on_signal()
    if sys.argv[1:] == ["serve"]:
        # What MCP clients start, and wait for: nothing is imported that it does not need.
        _serve_stdio()
        return
    from comfygen_mcp.cli.app import run_commands

    run_commands()


def serve_stdio() -> None:
    """Run the MCP server over stdio: all that `uvx comfygen-mcp` needs; with arguments, the command line."""
    if sys.argv[1:]:
        main()
        return
    _leave_on_signal()
    _serve_stdio()


def _leave_on_signal() -> None:
    try:
        from comfygen_mcp.signals import leave_on_signal

        leave_on_signal()
    except KeyboardInterrupt:
        os.write(2, b"error: cancelled\n")
        os._exit(130)


def _serve_stdio() -> None:
    from comfygen_mcp.cli.stdio import run_stdio

    run_stdio(None)
