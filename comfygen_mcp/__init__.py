"""comfygen-mcp: a dependable, reproducible picture service for AI agents, in front of ComfyUI."""

__version__ = "0.1.0"
