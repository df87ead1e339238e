"""`python -m comfygen_mcp` is the same as `comfygen`."""

from comfygen_mcp.cli import main

if __name__ == "__main__":
    main()
