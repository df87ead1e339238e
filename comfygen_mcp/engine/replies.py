"""HTTP replies in the shapes of aiohttp, which is what ComfyUI speaks."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What Python raises when a value does not have the expected shape."""


class Trouble(Exception):
    """The request is malformed in a way that ComfyUI answers with a plain 500."""


def json_reply(value: Any, status: int = 200) -> Response:
    # Not Starlette's JSONResponse: it refuses NaN, which ComfyUI passes on, and omits the charset.
    body = json.dumps(value).encode()
    return Response(body, status, headers={"content-type": "application/json; charset=utf-8"})


def empty(status: int = 200) -> Response:
    return Response(status_code=status)


def not_found() -> Response:
    return Response(status_code=404, headers={"content-type": "application/octet-stream"})


def trouble() -> Response:
    text = "500 Internal Server Error\n\nServer got itself in trouble"
    return Response(text, 500, headers={"content-type": "text/plain; charset=utf-8"})


async def read_json(request: Request) -> Any:
    try:
        return json.loads((await request.body()).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Trouble from error


@contextmanager
def malformed_is_trouble() -> Generator[None]:
    try:
        yield
    except (*MALFORMED, RecursionError) as error:
        raise Trouble from error
