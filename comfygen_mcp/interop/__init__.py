"""The interop suite: asks any ComfyUI, without disturbing anybody, whether our client and it agree."""
