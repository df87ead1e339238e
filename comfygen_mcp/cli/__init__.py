"""The command line: thin commands over the services; nothing heavy is imported before a command runs."""

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:] == ["serve"]:
        # What MCP clients start, and wait for: nothing is imported that it does not need.
        serve_stdio()
        return
    try:
        from comfygen_mcp.cli.app import run_commands

        run_commands()
    except KeyboardInterrupt:
        # Before a command runs; from then on its own session says so.
        sys.stderr.write("error: cancelled\n")
        raise SystemExit(130) from None


def serve_stdio() -> None:
    """Run the MCP server over stdio: all that `uvx comfygen-mcp` needs; with arguments, the command line."""
    if sys.argv[1:] not in ([], ["serve"]):
        main()
        return
    from comfygen_mcp.cli.stdio import run_stdio

    run_stdio(None)
