"""What went wrong at an S3 server, in words: by HTTP status, because error bodies differ between servers."""

import re
from dataclasses import dataclass

from urllib3 import exceptions

_STATUS = re.compile(r"Response code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_MESSAGE = re.compile(r"<Message>([^<]{1,200})</Message>")


@dataclass(frozen=True)
class Trouble:
    """One failure; *status* is None when no HTTP answer came."""

    status: int | None
    reason: str
    advice: str


def trouble_of(error: Exception) -> Trouble:
    """Return what *error* of the SDK or of its HTTP library means."""
    if isinstance(error, exceptions.HTTPError):
        return Trouble(None, _connection_reason(error), "Check s3.endpoint, and that the server runs.")
    status, code, message = _answer(error)
    if status is None:
        text = " ".join(str(error).split())[:200] or type(error).__name__
        return Trouble(None, f"the server's answer makes no sense ({text})", "Check s3.endpoint.")
    told = ": ".join(part for part in (code, message) if part) or "no reason given"
    return Trouble(status, f"HTTP {status}, {told}".rstrip("."), _advice(status, code))


def _answer(error: Exception) -> tuple[int | None, str, str]:
    """Return HTTP status, S3's code and message of an error of the SDK."""
    from minio.error import S3Error, ServerError

    match error:
        case S3Error():
            return error.response.status, error.code or "", error.message or ""
        case ServerError():
            return error.status_code, "", ""
        case _:
            # Some servers label errors as text/xml: the SDK does not read them, but shows them.
            text = str(error)
            found = _STATUS.search(text), _CODE.search(text), _MESSAGE.search(text)
            status, code, message = (match[1] if match else "" for match in found)
            return int(status) if status else None, code, message


def _advice(status: int, code: str) -> str:
    if code == "RequestTimeTooSkewed":
        return "Set this machine's clock."
    match status:
        case 401 | 403:
            return "Check the keys (COMFYGEN_S3_ACCESS_KEY, COMFYGEN_S3_SECRET_KEY) and what they may do."
        case 413 | 507:
            return "The server has no room for it."
        case _ if status >= 500:
            return "The server is in trouble: look at its log, or try again later."
        case _:
            return "Check s3.endpoint, s3.region and the bucket's name in `store`."


def _connection_reason(error: exceptions.HTTPError) -> str:
    cause = error.reason if isinstance(error, exceptions.MaxRetryError) else error
    match cause:
        case exceptions.NameResolutionError():
            return "its name is not known"
        # A kind of ConnectTimeoutError, although nothing took long.
        case exceptions.NewConnectionError():
            return "it refuses connections or cannot be reached"
        case exceptions.ConnectTimeoutError() | exceptions.ReadTimeoutError():
            return "it does not answer in time"
        case exceptions.SSLError():
            return "its certificate or TLS does not fit (a private authority goes into SSL_CERT_FILE)"
        case _:
            return "the connection broke"
