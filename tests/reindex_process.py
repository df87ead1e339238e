"""A process that builds the index of a local store: `python reindex_process.py STORE INDEX [HOLD]`.

It prints how many are done; after HOLD of them it waits to be killed, with the work half done.
"""

import sys
from pathlib import Path

import anyio
from gallery_world import opened

from comfygen_mcp.stores.local import LocalStore


async def main(store, index, hold=0):
    def tell(done, _total):
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()
        if hold and done >= hold:
            sys.stdin.read()

    async with opened(LocalStore(Path(store)), Path(index)) as gallery:
        sys.stdout.write(f"{(await gallery.reindex(tell)).complete}\n")


anyio.run(main, sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
