"""The preview renderer: deterministic scenes from a prompt's words, painted in place of a diffusion model."""

from comfygen_mcp.engine.renderer.decode import decode_latent, paint_latent, preview_jpeg
from comfygen_mcp.engine.renderer.motion import decode_video

__all__ = ["decode_latent", "decode_video", "paint_latent", "preview_jpeg"]
