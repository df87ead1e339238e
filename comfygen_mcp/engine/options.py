"""What an engine is started with, and how the ComfyUI versions that it can speak as differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from comfygen_mcp import __version__

ENGINE_VERSION = __version__
MAX_BODY_BYTES = 104_857_600

ComfyVersion: TypeAlias = Literal["0.33.0", "0.3.64"]


@dataclass(frozen=True)
class EngineOptions:
    """*folder* holds input/, output/, temp/ and models/.

    *step_ms* makes every sampler step take at least that long, *history_ms* is the time between
    `execution_success` and the entry in /history: both exist so that tests and demos can widen a window.
    """

    folder: Path
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    comfyui_version: ComfyVersion = "0.33.0"
    step_ms: float = 0
    history_ms: float = 0
    idle_s: float | None = None
    loopback_only: bool = True

    @property
    def dialect(self) -> "Dialect":
        return Dialect(old=self.comfyui_version == "0.3.64")


@dataclass(frozen=True)
class Dialect:
    """The wire differences between 0.3.64 (old) and 0.33.0."""

    old: bool

    @property
    def has_jobs(self) -> bool:
        return not self.old

    @property
    def prompt_id_is_uuid(self) -> bool:
        return not self.old

    @property
    def names_missing_node_type(self) -> bool:
        return not self.old

    @property
    def stamps_create_time(self) -> bool:
        return not self.old

    @property
    def previews_per_prompt(self) -> bool:
        return not self.old

    @property
    def save_nodes_have_outputs(self) -> bool:
        return not self.old
