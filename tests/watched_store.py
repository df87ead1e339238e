"""A store that notes what is asked of it, and fails where a test says so: all else is the store behind it."""

from comfygen_mcp.errors import StoreFailed


class PowerCut(BaseException):
    """The process ends here: nothing of ours catches it."""


class WatchedStore:
    """*before* is called with the verb and the key of each call, and may raise."""

    def __init__(self, store, before=lambda verb, key: None):
        self._store = store
        self.before = before
        self.calls = []

    def _note(self, verb, key):
        self.calls.append((verb, key))
        self.before(verb, key)

    def of(self, verb, beginning=""):
        """Return the keys of all calls of *verb*."""
        return [key for called, key in self.calls if called == verb and key.startswith(beginning)]

    @property
    def name(self):
        return self._store.name

    async def put_file(self, key, path, **more):
        self._note("put", key)
        await self._store.put_file(key, path, **more)

    async def put_bytes(self, key, data, **more):
        self._note("put", key)
        await self._store.put_bytes(key, data, **more)

    async def read(self, key):
        self._note("read", key)
        return await self._store.read(key)

    async def stat(self, key):
        self._note("stat", key)
        return await self._store.stat(key)

    async def list(self, prefix="", *, start_after=""):
        self._note("list", prefix)
        async for file in self._store.list(prefix, start_after=start_after):
            yield file

    async def delete(self, key):
        self._note("delete", key)
        await self._store.delete(key)

    def url(self, key):
        return self._store.url(key)

    def local_path(self, key):
        return self._store.local_path(key)

    def is_waiting(self, key):
        return self._store.is_waiting(key)


def away(verb, key):
    """Fail like a store that nobody reaches."""
    raise StoreFailed(f"Cannot {verb} {key!r}: nobody answers.")


def power_cut_at(verb, number):
    """Return what ends the process at the *number*-th call of *verb*, before it does anything."""
    left = [number]

    def before(called, _key):
        if called == verb:
            left[0] -= 1
            if not left[0]:
                raise PowerCut

    return before
