"""The client of one ComfyUI server: submit, follow, fetch, cancel, and what it has installed."""
