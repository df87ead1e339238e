"""The settings themselves: one field each, with its type, bounds and default."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

import platformdirs
from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from comfygen_mcp.config_blocks import BackendBlock, checked_url
from comfygen_mcp.config_s3 import S3Settings, is_s3, s3_place, setting_error
from comfygen_mcp.models import Record

APP_NAME = "comfygen-mcp"
SHORTEST_TOKEN = 16
"""Characters of a token that is not to be guessed over a network."""

OWN_PATHS = ("files", "gallery", "health", "ready", "metrics", "sse", "messages")
"""What the HTTP service serves beside the MCP endpoint."""

_TOKEN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}")

Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]


def user_data_folder() -> Path:
    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


def user_cache_folder() -> Path:
    return Path(platformdirs.user_cache_dir(APP_NAME, appauthor=False))


def user_config_folder() -> Path:
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False))


class Fields(Record):
    """Base of the settings: YAML's own types are kept, so `"8765"` is no port and NaN is no number."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class EngineSettings(Fields):
    """The embedded engine: where it keeps its files, and how long it stays up without work."""

    folder: Path = Field(default_factory=lambda: user_data_folder() / "engine")
    """Its files and the note by which it is found again."""
    idle_s: Seconds = 900.0
    """It stops after so many seconds without work."""


class HttpSettings(Fields):
    """The HTTP transport of `comfygen serve --http`.

    *public_url* is where clients reach the server when that is not the address it binds (behind a proxy).
    *file_secret* signs the links to files; without one they end with the process.
    """

    host: str = Field(default="127.0.0.1", min_length=1)
    """Address to listen on; any other needs a token of at least 16 characters."""
    port: int = Field(default=8765, ge=0, le=65_535)
    """0 takes a free one."""
    path: str = "/mcp"
    """Path of the MCP endpoint; not below `/files`, `/gallery`, `/health`, `/ready`, `/metrics`,
    `/sse` or `/messages`.
    """
    token: SecretStr | None = Field(default=None, min_length=1)
    """The bearer token that clients must send; better in the variable than in the file."""
    tokens: dict[str, SecretStr] = Field(default_factory=dict)
    """Further tokens (at least 16 characters each), a name for each: `alice: ...`, in the variable
    `alice=...,bob=...`. Whoever comes with one sees and deletes only their own pictures, and shared ones;
    `token` sees all.
    """
    allowed_hosts: tuple[str, ...] = ()
    """Further Host headers to accept, for example behind a proxy."""
    allowed_origins: tuple[str, ...] = ()
    """Further Origin headers to accept."""
    public_url: str | None = None
    """The address of the service as clients see it, behind a proxy; its Host and Origin are accepted, file
    links begin with it.
    """
    file_secret: SecretStr | None = Field(default=None, min_length=16)
    """Signs the file links (at least 16 characters); set it to keep links valid over a restart."""
    file_link_s: float = Field(default=86_400.0, ge=1, le=604_800)
    """How long file links are valid (at most 604800, a week)."""
    max_body_bytes: int = Field(default=4_194_304, ge=1024, le=67_108_864)
    """Largest request; larger ones get 413."""
    requests_per_minute: int = Field(default=1200, ge=1, le=1_000_000)
    """Requests of one client address, with the token and without counted apart; more get 429 with
    Retry-After.
    """
    request_burst: int = Field(default=200, ge=1, le=100_000)
    """How many of them may come at once."""
    shutdown_s: float = Field(default=8.0, ge=0, le=600)
    """How long running tool calls may go on after SIGTERM or Ctrl-C, before their jobs are cancelled."""

    @field_validator("path")
    @classmethod
    def _url_path(cls, path: str) -> str:
        if not path.startswith("/") or any(character in path for character in " ?#\\\n\t"):
            raise ValueError("must begin with '/', and hold no space, '?' or '#'")
        if path.split("/")[1] in OWN_PATHS:
            raise ValueError(f"must not begin with one of /{', /'.join(OWN_PATHS)}")
        return path

    @field_validator("tokens")
    @classmethod
    def _named_tokens(cls, tokens: dict[str, SecretStr]) -> dict[str, SecretStr]:
        wrong = [name for name in tokens if not _TOKEN_NAME.fullmatch(name)]
        if wrong:
            raise ValueError(f"name {wrong[0]!r}: use up to 32 letters, digits, '-', '_' or '.'")
        secrets = {token.get_secret_value() for token in tokens.values()}
        if any(len(secret) < SHORTEST_TOKEN for secret in secrets):
            raise ValueError(f"need at least {SHORTEST_TOKEN} characters each")
        if len(secrets) < len(tokens):
            raise ValueError("must differ from one another, or nobody could tell their owners apart")
        return tokens

    @field_validator("public_url")
    @classmethod
    def _public_address(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url)


class Settings(Fields):
    """Everything that can be configured; see docs/configuration.md.

    *comfyui_url* is None when nobody configured a host: only then may the implicit address be tried.
    *default_backend* names one of *backends* or a bundled workflow.
    """

    backends: dict[str, BackendBlock] = Field(default_factory=dict)
    """Named blocks, see below."""
    default_backend: str | None = Field(default=None, min_length=1)
    """The backend of requests that name none: a block's name or a bundled workflow; without it, the best
    that is ready.
    """
    comfyui_url: str | None = None
    """The ComfyUI of everything that has no block."""
    store: str = Field(default_factory=lambda: str(user_data_folder() / "gallery"), min_length=1)
    """Where pictures and sidecars go: a folder, or `s3://bucket/prefix` (`s3://` alone is the bucket
    `comfy-gen`), see [S3](#s3).
    """
    spool: Path = Field(default_factory=lambda: user_data_folder() / "spool")
    """Where pictures wait while S3 is down or slow; they are delivered later, in order."""
    cache: Path = Field(default_factory=user_cache_folder)
    """Where it is remembered which node classes the hosts have, and where small pictures are kept (up to 512
    MB); may be deleted at any time.
    """
    incoming: Path = Field(default_factory=lambda: user_data_folder() / "incoming")
    """Where outputs lie between the host and the store; what could not be stored stays here."""
    workflow_dirs: tuple[Path, ...] = ()
    """Folders with your workflows; they come before the bundled ones."""
    allowed_nodes: tuple[str, ...] = ()
    """Node classes that graphs of HTTP callers may use; `core` stands for all of ComfyUI's own."""
    allow_any_node: bool = False
    """Let HTTP callers run graphs of any node class; nodes of custom packs may run code on the host."""
    presets: Path | None = None
    """A file with your presets and styles."""
    input_dirs: tuple[Path, ...] = ()
    """Folders whose files tools may take as input pictures, besides the working folder and the gallery; over
    HTTP only these.
    """
    max_input_mb: float = Field(default=32.0, gt=0, le=1000)
    """Largest input picture, as a file or from a URL, in megabytes."""
    allow_private_urls: bool = False
    """Fetch input pictures also from this machine and its network; cloud metadata never."""
    timeout_url_s: Seconds = 30.0
    """Longest time for fetching one input picture from a URL."""
    timeout_image_s: Seconds = 300.0
    """Longest time for one image job, in seconds."""
    timeout_video_s: Seconds = 1800.0
    """The same for video."""
    outage_s: Seconds = 60.0
    """How long a host may be away while a job runs there (a restart takes about 20 s)."""
    wait_s: float = Field(default=45.0, ge=0, le=45)
    """How long a tool waits before it answers with a job id (0 to 45)."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """`debug`, `info`, `warning` or `error`; the log goes to stderr."""
    index: Path = Field(default_factory=lambda: user_data_folder() / "index")
    """The folder of the gallery's index, on a disk of this machine; may be deleted, it is built again."""
    index_database: SecretStr | None = None
    """A PostgreSQL server that several machines share the index on, `postgresql://user@host/database`; better
    in the variable than in the file. None: an index of this machine's own.
    """
    manage: bool = False
    """Offer the tools that change what is stored (tag, delete); without it they are not listed."""
    read_only: bool = False
    """Offer only the tools that read."""
    tools: tuple[str, ...] = ()
    """Offer only these tools, by name; none means all."""
    strip_metadata: Literal["never", "shared", "always"] = "shared"
    """When files lose the graph and the prompt inside them: `never`, `shared` (what leaves by a public link,
    an export or a shared entry; the private store keeps them), or `always` (before they are stored).
    """
    retention_days: float | None = Field(default=None, gt=0)
    """Delete what is older, except what has the tag `keep`; without it nothing is ever deleted."""
    quota_gb: float | None = Field(default=None, gt=0)
    """Delete the oldest, except what has the tag `keep`, when the gallery grows above it."""
    engine: EngineSettings = EngineSettings()
    """The embedded engine."""
    http: HttpSettings = HttpSettings()
    """`comfygen serve --http`."""
    s3: S3Settings = S3Settings()
    """The server of `store: s3://...`."""

    @field_validator("comfyui_url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url)

    @field_validator("store")
    @classmethod
    def _place(cls, store: str) -> str:
        """Check what `store` names; an S3 place gets its normal form."""
        if is_s3(store):
            place = s3_place(store)
            return f"s3://{place.bucket}/{place.prefix}".rstrip("/")
        if "://" in store:
            raise ValueError("must be the path of a folder, or s3://bucket/prefix")
        return store

    @model_validator(mode="after")
    def _s3_is_complete(self) -> Self:
        if is_s3(self.store) and self.s3.endpoint is None:
            raise setting_error(
                f"{self.store} needs s3.endpoint (or COMFYGEN_S3_ENDPOINT): the server's address, "
                "such as http://127.0.0.1:9000, or https://s3.eu-west-1.amazonaws.com",
                "store",
            )
        return self
