"""One named block under `backends:`: which ComfyUI, which workflow, which values for its placeholders."""

import base64
import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeAlias
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.models import Host, Record, RequiredFile, Scalar

_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SECRET_HEADER = re.compile(r"auth|cookie|key|token|secret|password", re.IGNORECASE)
_SECRET_KNOB = re.compile(
    r"passw|passphrase|secret|credential|cookie|bearer|authori[sz]|token(?!i[sz]|s)|api[-_.]?key"
    r"|(?<![a-z])(pwd|key|auth)(?![a-z])",
    re.IGNORECASE,
)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
_UNFIT_FOR_A_URL = re.compile(r"[\x00-\x20\x7f\\]")


def _variable_name(name: str) -> str:
    if not _VARIABLE_NAME.fullmatch(name):
        raise ValueError("must be the name of an environment variable, such as MY_SECRET, not its value")
    return name


VariableName: TypeAlias = Annotated[str, AfterValidator(_variable_name)]


class _Fields(Record):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class FromEnvironment(_Fields):
    """A value that stays out of the file: `{env: MY_VARIABLE}`."""

    env: VariableName


class Auth(_Fields):
    """How to sign in at a ComfyUI behind a proxy; the secrets are named, never written."""

    type: Literal["basic", "bearer"]
    username: str | None = None
    username_env: VariableName | None = None
    password_env: VariableName | None = None
    token_env: VariableName | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "bearer":
            complete = self.token_env and not (self.username or self.username_env or self.password_env)
            wanted = "token_env"
        else:
            one_name = (self.username is None) != (self.username_env is None)
            complete = one_name and self.password_env and not self.token_env
            wanted = "username (or username_env) and password_env"
        if not complete:
            raise ValueError(f"type {self.type} takes exactly {wanted}")
        return self


class BackendBlock(_Fields):
    """One backend as configured. None means: not given, so the template's own value holds.

    *knobs* are all scalars of the block that are no field here; they fill placeholders of the workflow.
    """

    name: str = ""
    type: Literal["comfyui"] = "comfyui"
    """The only type so far; `replicate` comes in a later version."""
    base_url: str | None = None
    """The server's address: http or https, a path is allowed, user names are not (see `auth`)."""
    hosts: tuple[str, ...] = ()
    """A list of addresses in place of `base_url`; the first is used for now."""
    model: str | None = Field(default=None, min_length=1)
    """The model file; fills `${model}`. Required unless the workflow loads none."""
    workflow: str = Field(default="flux1-schnell", min_length=1)
    """A bundled name, a name in `workflow_dirs`, or a path to a `.json` file."""
    default_steps: int | None = Field(default=None, ge=1, le=10_000)
    """Steps of requests that name none."""
    default_sampler: str | None = Field(default=None, min_length=1)
    """Sampler, as ComfyUI calls it."""
    default_scheduler: str | None = Field(default=None, min_length=1)
    """Scheduler, as ComfyUI calls it."""
    default_cfg: float | None = Field(default=None, ge=0, le=100)
    """Guidance scale."""
    default_width: int | None = Field(default=None, ge=1)
    """Width in pixels."""
    default_height: int | None = Field(default=None, ge=1)
    """Height in pixels."""
    wake_hint: str | None = None
    """Shown when the host does not answer, for example how to wake it."""
    timeout_s: float | None = Field(default=None, gt=0, le=86_400)
    """Longest time for one job on this backend."""
    headers: dict[str, str | FromEnvironment] = Field(default_factory=dict)
    """Headers for every request, HTTP and WebSocket: `X-Name: text` or `X-Name: {env: MY_VARIABLE}`."""
    auth: Auth | None = None
    """`{type: basic, username: me, password_env: MY_PASSWORD}` (or `username_env`), or `{type: bearer,
    token_env: MY_TOKEN}`.
    """
    api_token_env: VariableName | None = None
    """The variable with a paid service's token (later version)."""
    requires: tuple[RequiredFile, ...] = ()
    """Model files needed on the host: a list of `{file, folder, url}`."""
    knobs: dict[str, Scalar] = Field(default_factory=dict)

    @property
    def urls(self) -> tuple[str, ...]:
        """Every configured address; the first one is used."""
        return self.hosts or ((self.base_url,) if self.base_url else ())

    def template_values(self) -> dict[str, Scalar]:
        """Return what the block gives to placeholders; a plain `steps:` beats `default_steps:`."""
        fields = (name for name in type(self).model_fields if name.startswith("default_"))
        named = {
            "model": self.model,
            **{name.removeprefix("default_"): getattr(self, name) for name in fields},
        }
        return {name: value for name, value in named.items() if value is not None} | self.knobs

    @field_validator("base_url")
    @classmethod
    def _base_url(cls, url: str | None) -> str | None:
        return None if url is None else checked_url(url)

    @field_validator("hosts")
    @classmethod
    def _hosts(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(checked_url(url) for url in urls))

    @field_validator("headers")
    @classmethod
    def _headers(cls, headers: dict[str, str | FromEnvironment]) -> dict[str, str | FromEnvironment]:
        for name, value in headers.items():
            _check_header(name, value)
        return headers

    @model_validator(mode="after")
    def _says_it_once(self) -> Self:
        if self.base_url and self.hosts:
            raise ValueError("takes base_url or a list hosts, not both")
        if self.auth and any(name.casefold() == "authorization" for name in self.headers):
            raise ValueError("takes auth or an Authorization header, not both")
        return self


def host_of(block: BackendBlock, environ: Mapping[str, str]) -> Host:
    """Return the first address of *block*, with the headers that its servers want."""
    headers = {name: _header_value(block, value, environ) for name, value in block.headers.items()}
    if block.auth is not None:
        headers["Authorization"] = _authorization(block, block.auth, environ)
    return Host(url=block.urls[0], headers=headers, wake_hint=block.wake_hint)


def sounds_secret(knob: str) -> bool:
    """Return whether a free key of a block is named like a secret; `tokenizer` and `keyframes` are not."""
    return _SECRET_KNOB.search(knob) is not None


def checked_url(url: str) -> str:
    """Return *url* in its normal form, without a trailing slash.

    Raises ValueError when it is not the address of an HTTP server, or carries a password.
    """
    if _UNFIT_FOR_A_URL.search(url.strip()):
        raise ValueError("must be one URL without spaces, such as http://127.0.0.1:8188")
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is no URL ({error}); write it like http://127.0.0.1:8188") from None
    _check_url_parts(parts)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    place = f"{host}:{port}" if port is not None else host
    return f"{parts.scheme}://{place}{parts.path.rstrip('/')}"


def _check_url_parts(parts: SplitResult) -> None:
    if parts.username is not None or parts.password is not None:
        raise ValueError("holds a user name or password; put them under auth: (type: basic) instead")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must begin with http:// or https:// and a host, such as http://127.0.0.1:8188")
    if parts.query or parts.fragment:
        raise ValueError("must end before any ? or #")


def _check_header(name: str, value: str | FromEnvironment) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a header name")
    if isinstance(value, FromEnvironment):
        return
    if _SECRET_HEADER.search(name):
        raise ValueError(f"{name} looks like a secret; name a variable: {name}: {{env: MY_VARIABLE}}")
    if _UNPRINTABLE.search(value):
        raise ValueError(f"the value of {name} must be one line of text")


def _header_value(block: BackendBlock, value: str | FromEnvironment, environ: Mapping[str, str]) -> str:
    return value if isinstance(value, str) else _variable(block, value.env, environ)


def _authorization(block: BackendBlock, auth: Auth, environ: Mapping[str, str]) -> str:
    if auth.token_env:
        return f"Bearer {_variable(block, auth.token_env, environ)}"
    username = auth.username or _variable(block, auth.username_env or "", environ)
    password = _variable(block, auth.password_env or "", environ)
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _variable(block: BackendBlock, name: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "")
    if not value:
        raise BadConfiguration(
            f"Backend {block.name!r} needs the environment variable {name}, which is not set. "
            f"Set {name} where the server is started, or change the block in comfygen.yaml."
        )
    if _UNPRINTABLE.search(value):
        raise BadConfiguration(
            f"The environment variable {name} (for backend {block.name!r}) must be one line of text."
        )
    return value
