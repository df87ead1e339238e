"""A process that works on an embedded index beside others: adds entries, searches, or builds it again.

usage: python index_worker.py FOLDER add|search|reindex FIRST COUNT
"""

import asyncio
import sys
from pathlib import Path

from index_entries import edit, entry

from comfygen_mcp.index.base import Query, Reading
from comfygen_mcp.index.sqlite import SqliteIndex

STORE = "a store of several processes"


async def main(folder, role, first, count):
    index = SqliteIndex(Path(folder), STORE)
    numbers = range(int(first), int(first) + int(count))
    try:
        await {"add": add, "search": search, "reindex": reindex}[role](index, numbers)
    finally:
        await index.aclose()


async def add(index, numbers):
    """Add as jobs do, one by one; every third is tagged at once."""
    for number in numbers:
        await index.add([entry(number, prompt=f"castle {number}")])
        if number % 3 == 0:
            await index.edit([edit(entry(number), 1, tags=("third",))])


async def search(index, numbers):
    """Page through everything, again and again; each page must be in order."""
    for _ in numbers:
        page = await index.search(Query(text="castle"), limit=20, count=True)
        seeds = [found.seed for found in page.entries]
        assert seeds == sorted(seeds, reverse=True)
        assert page.total >= len(seeds)


async def reindex(index, numbers):
    await index.clear()
    await index.add([entry(number, prompt=f"castle {number}") for number in numbers])
    await index.edit([edit(entry(number), 1, tags=("third",)) for number in numbers if number % 3 == 0])
    await index.set_reading(Reading(complete=True))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
