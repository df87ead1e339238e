"""The settings themselves: one field each, with its type, bounds and default."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import platformdirs
from pydantic import ConfigDict, Field, SecretStr, field_validator

from comfygen_mcp.config_blocks import BackendBlock, checked_url
from comfygen_mcp.models import Record

APP_NAME = "comfygen-mcp"

Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]


def user_data_folder() -> Path:
    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


def user_config_folder() -> Path:
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False))


class Fields(Record):
    """Base of the settings: YAML's own types are kept, so `"8765"` is no port and NaN is no number."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class EngineSettings(Fields):
    """The embedded engine: where it keeps its files, and how long it stays up without work."""

    folder: Path = Field(default_factory=lambda: user_data_folder() / "engine")
    idle_s: Seconds = 900.0


class HttpSettings(Fields):
    """The HTTP transport of `comfygen serve --http`."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8765, ge=0, le=65_535)
    path: str = "/mcp"
    token: SecretStr | None = Field(default=None, min_length=1)
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()

    @field_validator("path")
    @classmethod
    def _url_path(cls, path: str) -> str:
        if not path.startswith("/") or any(character in path for character in " ?#\\\n\t"):
            raise ValueError("must begin with '/', and hold no space, '?' or '#'")
        return path


class Settings(Fields):
    """Everything that can be configured; see docs/configuration.md.

    *comfyui_url* is None when nobody configured a host: only then may the implicit address be tried.
    *default_backend* names one of *backends* or a bundled workflow.
    """

    backends: dict[str, BackendBlock] = Field(default_factory=dict)
    default_backend: str | None = Field(default=None, min_length=1)
    comfyui_url: str | None = None
    store: str = Field(default_factory=lambda: str(user_data_folder() / "gallery"), min_length=1)
    incoming: Path = Field(default_factory=lambda: user_data_folder() / "incoming")
    workflow_dirs: tuple[Path, ...] = ()
    presets: Path | None = None
    timeout_image_s: Seconds = 300.0
    timeout_video_s: Seconds = 1800.0
    wait_s: float = Field(default=45.0, ge=0, le=45)
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    engine: EngineSettings = EngineSettings()
    http: HttpSettings = HttpSettings()

    @field_validator("comfyui_url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url)

    @field_validator("store")
    @classmethod
    def _local_folder(cls, store: str) -> str:
        if store.casefold().startswith("s3://"):
            raise ValueError("S3 stores come in a later version; give the path of a folder for now")
        if "://" in store:
            raise ValueError("must be the path of a folder, not a URL")
        return store
