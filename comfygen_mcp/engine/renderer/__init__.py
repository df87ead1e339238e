"""The preview renderer: deterministic scenes from a prompt's words, painted in place of a diffusion model."""

from comfygen_mcp.engine.renderer.decode import decode_latent, preview_jpeg

__all__ = ["decode_latent", "preview_jpeg"]
