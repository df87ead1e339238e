"""Graphs: pure functions over API-format ComfyUI graphs, and the workflow files they come from."""
