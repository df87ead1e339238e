"""S3 as configured: `store: s3://bucket/prefix`, the server behind it, and the keys from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Self, TypeAlias

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from comfygen_mcp.config_blocks import VariableName, checked_url
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.models import Record

DEFAULT_BUCKET = "comfy-gen"
LONGEST_LINK_S = 7 * 86_400
"""S3 signs no link for longer."""
LONGEST_PREFIX = 100
"""In bytes; the rest of what S3 allows belongs to the keys."""

SETTING_ERROR = "setting"
"""Type of an error that a check of several settings found, about one of them."""

_SCHEME = "s3://"
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_UNFIT_BUCKET = re.compile(r"\.\.|\.-|-\.|\d+\.\d+\.\d+\.\d+")
_PREFIX_PART = re.compile(r"(?!\.{1,2}$)[\w.~-]+", re.ASCII)
_ACCESS_KEY, _SECRET_KEY = "COMFYGEN_S3_ACCESS_KEY", "COMFYGEN_S3_SECRET_KEY"
_AWS_ACCESS_KEY, _AWS_SECRET_KEY, _AWS_TOKEN = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)

Bound: TypeAlias = Annotated[float, Field(gt=0, le=600)]


class S3Settings(Record):
    """The S3 server of `store: s3://...`; its keys are named, never written."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    endpoint: str | None = Field(default=None, min_length=1)
    """Its address: `http://127.0.0.1:9000`, or `host:port` (see `s3.secure`), or
    `https://s3.REGION.amazonaws.com`.
    """
    public_endpoint: str | None = Field(default=None, min_length=1)
    """The address in links and in `minio_url`, where others reach the server by another name."""
    region: str = Field(default="us-east-1", min_length=1)
    """The region that requests are signed for."""
    access_key_env: VariableName = _ACCESS_KEY
    """The *name* of the variable with the access key."""
    secret_key_env: VariableName = _SECRET_KEY
    """The *name* of the variable with the secret key."""
    secure: bool = True
    """Whether an endpoint without `http://` or `https://` is reached over TLS."""
    public_read: bool = False
    """Let everybody read the pictures (not the sidecars) by their plain URL."""
    link_expires_s: int = Field(default=86_400, ge=1, le=LONGEST_LINK_S)
    """How long download links are valid (at most 604800, a week)."""
    connect_timeout_s: Bound = 3.0
    """Longest wait for a connection."""
    read_timeout_s: Bound = 15.0
    """Longest silence of the server."""
    spool_after_s: Bound = 20.0
    """After so long a file goes to the spool instead (big files get a second more per MB)."""

    @model_validator(mode="after")
    def _addresses(self) -> Self:
        for name in ("endpoint", "public_endpoint"):
            address: str | None = getattr(self, name)
            if address is not None:
                self._check_address(name, address)
        return self

    @property
    def url(self) -> str | None:
        """The endpoint as a URL; a bare `host:port` is taken as *secure* says."""
        return self._url(self.endpoint) if self.endpoint else None

    @property
    def public_url(self) -> str | None:
        """The endpoint as others reach it."""
        return self._url(self.public_endpoint) if self.public_endpoint else self.url

    def _check_address(self, name: str, address: str) -> None:
        try:
            has_path = self._url(address).count("/") > 2
        except ValueError as error:
            raise setting_error(str(error), name) from None
        if has_path:
            raise setting_error(
                "must be a server without a path, such as http://127.0.0.1:9000; "
                "the bucket stands in `store`",
                name,
            )

    def _url(self, address: str) -> str:
        if "://" not in address:
            address = f"{'https' if self.secure else 'http'}://{address}"
        return checked_url(address)


@dataclass(frozen=True)
class S3Place:
    """Where in S3 the store is; *prefix* is empty or ends with `/`."""

    bucket: str
    prefix: str


@dataclass(frozen=True)
class S3Keys:
    """What signs requests."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


def setting_error(problem: str, *keys: str) -> PydanticCustomError:
    """Return the error that a validator raises about the setting at *keys* below its own record."""
    return PydanticCustomError(SETTING_ERROR, "{problem}", {"problem": problem, "keys": keys})


def is_s3(store: str) -> bool:
    return store.casefold().startswith(_SCHEME)


def s3_place(store: str) -> S3Place:
    """Return what `s3://bucket/prefix` names; raises ValueError when it is no such place."""
    bucket, _, prefix = store[len(_SCHEME) :].partition("/")
    bucket, prefix = bucket or DEFAULT_BUCKET, prefix.strip("/")
    if not _BUCKET.fullmatch(bucket) or _UNFIT_BUCKET.search(bucket):
        raise ValueError(
            f"names the bucket {bucket[:80]!r}; a bucket has 3 to 63 of a-z, 0-9, '-' and '.', "
            "such as s3://comfy-gen"
        )
    parts = prefix.split("/") if prefix else []
    if len(prefix) > LONGEST_PREFIX or not all(map(_PREFIX_PART.fullmatch, parts)):
        raise ValueError(
            f"has the prefix {prefix[:80]!r}; it takes letters, digits, '.', '_', '~' and '-' between single "
            f"'/', at most {LONGEST_PREFIX} in all, such as s3://comfy-gen/team"
        )
    return S3Place(bucket, f"{prefix}/" if prefix else "")


def s3_keys(settings: S3Settings, environ: Mapping[str, str]) -> S3Keys:
    """Return the keys from the named variables, or from AWS's usual ones when none are named or set.

    Raises BadConfiguration that names the variable to set.
    """
    names = (settings.access_key_env, settings.secret_key_env)
    ours = names == (_ACCESS_KEY, _SECRET_KEY)
    if ours and not any(map(environ.get, names)) and environ.get(_AWS_ACCESS_KEY):
        token = environ.get(_AWS_TOKEN) or None
        return S3Keys(_given(environ, _AWS_ACCESS_KEY), _given(environ, _AWS_SECRET_KEY), token)
    return S3Keys(_given(environ, names[0]), _given(environ, names[1]))


def _given(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        aws = f" (or {_AWS_ACCESS_KEY} and {_AWS_SECRET_KEY})" if name in (_ACCESS_KEY, _SECRET_KEY) else ""
        raise BadConfiguration(
            f"The S3 store needs the environment variable {name}, which is not set. "
            f"Set {name}{aws} where the server is started, or give a folder as `store`."
        )
    if not value.isprintable() or not value.isascii():
        raise BadConfiguration(f"The environment variable {name} must be one line of plain ASCII text.")
    return value
