"""Links to stored files: signed, and good for a while."""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from urllib.parse import quote, urlencode

PATH = "/files/"

_EXPIRY = re.compile(r"[0-9]{1,12}")


class FileLinks:
    """Signs keys with HMAC-SHA256; without a *secret*, links end with this process."""

    def __init__(self, secret: str | None, *, valid_s: float, now: Callable[[], float] = time.time) -> None:
        material = secret.encode() if secret else secrets.token_bytes(32)
        self._key = hashlib.sha256(b"comfygen file links\0" + material).digest()
        self._valid_s = valid_s
        self._now = now

    def url(self, base: str, key: str) -> str:
        """Return the link to *key* on the server at *base*."""
        expires = str(int(self._now() + self._valid_s))
        query = urlencode({"e": expires, "s": self._signature(key, expires)})
        return f"{base}{PATH}{quote(key)}?{query}"

    def remaining_s(self, key: str, expires: str, signature: str) -> int:
        """Return for how many seconds the link is still good; 0 when it is not, whatever the reason."""
        genuine = hmac.compare_digest(signature.encode(), self._signature(key, expires).encode())
        if not genuine or not _EXPIRY.fullmatch(expires):
            return 0
        return max(int(expires) - int(self._now()), 0)

    def _signature(self, key: str, expires: str) -> str:
        signed = hmac.new(self._key, f"{expires}\n{key}".encode(errors="replace"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode("ascii")
