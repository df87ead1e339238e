"""How the HTTP service says no: one small JSON object, never cached."""

from collections.abc import Mapping

from starlette.responses import JSONResponse


def refused(status: int, text: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer; *text* says what to do instead."""
    return JSONResponse({"error": text}, status, headers={"Cache-Control": "no-store", **(headers or {})})
