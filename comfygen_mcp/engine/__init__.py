"""The embedded engine: a ComfyUI-compatible server whose sampler paints labelled preview pictures."""
