"""The embedded index with a large synthetic gallery: building it, what it takes, and how fast it answers.

usage: python benchmarks/index.py [--count N] [--rounds N] [--folder FOLDER] [--keep]
"""

import argparse
import asyncio
import random
import shutil
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from gallery_entries import (
    APART,
    EVERYWHERE,
    FIRST,
    LORAS,
    MODELS,
    PLACES,
    SUBJECTS,
    TAGS,
    batches,
    entries,
    rare_words,
    unevenly,
)
from rich.console import Console
from rich.table import Table
from table import show

from comfygen_mcp.edits import Edit, new_edit_id
from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.base import Entry, Page, Query, Reading
from comfygen_mcp.index.sqlite import SqliteIndex

clock = time.process_time
"""Processor time: other programs change it little, and with the file in memory it is what a caller waits."""
PAGE = 50
BATCH = 1_000
Search = Callable[[], Query]


async def main(count: int, rounds: int, folder: Path, *, keep: bool) -> None:
    """Build the index (unless *folder* holds it), then search it."""
    index = SqliteIndex(folder, f"benchmark of {count}")
    source = entries(count + rounds)
    try:
        if await index.size() < count:
            await build(index, source, count, folder)
        else:
            skip(source, count)
        await one_by_one(index, list(source))
        await answers(index, count, rounds)
        print(f"resident now: {resident_mb():.0f} MB, at most: {resident_mb('VmHWM'):.0f} MB")
    finally:
        await index.aclose()
        if not keep:
            shutil.rmtree(folder)


async def build(index: SqliteIndex, source: Iterator[Entry], count: int, folder: Path) -> None:
    """Add *count* entries in batches; every tenth part is a row, so that growth would be seen."""
    table = Table(
        "entries", "per CPU second", "MB on disk", "resident MB", title="building", title_justify="left"
    )
    part = max(1, count // BATCH // 10)
    took, done = 0.0, 0
    for number, batch in enumerate(batches(take(source, count), BATCH), start=1):
        started = clock()
        await index.add(batch)
        took, done = took + clock() - started, done + len(batch)
        if number % part == 0:
            size = megabytes(folder)
            table.add_row(f"{done:,}", f"{part * BATCH / took:,.0f}", f"{size:,.0f}", f"{resident_mb():.0f}")
            took = 0.0
    Console().print(table)
    print(f"tidying up at the end: {await timed(index.set_reading(Reading(complete=True))) / 1000:.1f} s")
    print(f"{megabytes(folder) * 1e6 / count:.0f} bytes per entry")


async def one_by_one(index: SqliteIndex, fresh: list[Entry]) -> None:
    """What a job that ends costs, and an edit: transactions of their own."""
    added = [await timed(index.add([entry])) for entry in fresh]
    edits = [
        Edit(id=new_edit_id(entry.created_at), generation_id=entry.id, tags=("edited",)) for entry in fresh
    ]
    edited = [await timed(index.edit([edit])) for edit in edits]
    show("one at a time", {"add one": added, "edit one": edited})


async def answers(index: SqliteIndex, count: int, rounds: int) -> None:
    """Time pages of 50, a third of them further on by cursor; no two searches of a row are alike."""
    for title, searches in groups(count).items():
        rows = {name: await pages(index, search, rounds) for name, search in searches.items()}
        rows["all of these"] = [took for row in rows.values() for took in row]
        show(title, rows)
    show(
        "counts",
        {
            "matches of a common word": [
                await timed(index.search(Query(text="castle"), limit=1, count=True)) for _ in range(rounds)
            ],
            "matches of two words": [
                await timed(index.search(Query(text="cat castle"), limit=1, count=True))
                for _ in range(rounds)
            ],
            "values of a facet": [await timed(index.counts("model")) for _ in range(rounds)],
            "values of a facet, as one caller": [
                await timed(index.counts("tag", visible_to="anna")) for _ in range(rounds)
            ],
        },
    )


def groups(count: int) -> dict[str, dict[str, Search]]:
    """Return what is searched for; every call of a search draws anew."""
    dice = random.Random(11)  # noqa: S311  (nothing secret)
    names = rare_words(random.Random(7))  # noqa: S311

    def often(values: Sequence[Any]) -> Any:
        """Draw as galleries are filled: people look for what they make."""
        return values[unevenly(dice, len(values))]

    def subject() -> str:
        return often(SUBJECTS)

    def model() -> str:
        return often(MODELS)[0]

    def beginning() -> str:
        return f"{dice.choice(('cas', 'drag', 'wom', 'mast', 'water', 'kar', 'zel', 'detail'))}*"

    def in_week(**filters: str) -> Query:
        since = FIRST + dice.randrange(count) * APART
        return Query(since=since, until=since + timedelta(days=7), **filters)

    return {
        "text + filter, newest first": {
            "word + model": lambda: Query(text=subject(), model=model()),
            "word and place + model": lambda: Query(text=f"{subject()} {dice.choice(PLACES)}", model=model()),
            "phrase + LoRA": lambda: Query(text=f'"{dice.choice(PLACES)}"', lora=often(LORAS)),
            "beginning + tag": lambda: Query(text=f"{beginning()} night", tags=(often(TAGS),)),
            "word + model + LoRA + tag": lambda: Query(
                text=subject(), model=model(), lora=often(LORAS), tags=(often(TAGS),)
            ),
            "the same, all of them rare": lambda: Query(
                text=dice.choice(SUBJECTS[10:20]),
                model=dice.choice(MODELS[6:])[0],
                lora=dice.choice(LORAS[100:]),
                tags=(dice.choice(TAGS[30:]),),
            ),
            "word + score": lambda: Query(text=subject(), score_min=0.95),
            "word + one week": lambda: in_week(text=subject()),
            "word, as one caller": lambda: Query(text=subject(), visible_to="ben"),
            "word, without another": lambda: Query(text=f"{subject()} -night", model=model()),
            "rare word + model": lambda: Query(text=dice.choice(names), model=model()),
            "word in 4 of 5 + rare model": lambda: Query(text=EVERYWHERE[0], model=MODELS[-1][0]),
            "word that nowhere occurs + model": lambda: Query(text="xyzzy", model=model()),
        },
        "one thing, newest first": {
            "nothing: the latest": Query,
            "word in most": lambda: Query(text=EVERYWHERE[0]),
            "beginning": lambda: Query(text=beginning()),
            "rare word": lambda: Query(text=dice.choice(names)),
            "model": lambda: Query(model=model()),
            "LoRA + tag": lambda: Query(lora=dice.choice(LORAS), tags=(dice.choice(TAGS),)),
            "seed": lambda: Query(seed=dice.getrandbits(53)),
            "range of seeds": lambda: seeds(dice.getrandbits(52), 2**40),
            "wide range of seeds": lambda: seeds(dice.getrandbits(52), 2**52),
            "score": lambda: Query(score_min=0.999),
        },
        "slow by nature": {
            "relevance, two words": lambda: Query(text=f"{subject()} {subject()}", sort="relevance"),
            "relevance, word in most": lambda: Query(text=EVERYWHERE[0], sort="relevance"),
            "beginning of two letters": lambda: Query(text="ka*", model=model()),
            "contains, common piece": lambda: Query(contains=subject()[1:]),
            "contains, several words": lambda: Query(contains=f"{dice.choice(PLACES)[1:]}, "),
            "contains, piece of a rare word": lambda: Query(contains=dice.choice(names)[1:]),
            "contains, in no prompt": lambda: Query(contains="xyzzy"),
            "contains, signs that are no word": lambda: Query(contains="//"),
        },
    }


def seeds(low: int, span: int) -> Query:
    return Query(seed_min=low, seed_max=low + span)


async def pages(index: SqliteIndex, search: Search, rounds: int) -> list[float]:
    took: list[float] = []
    while len(took) < rounds:
        query, cursor = search(), None
        for _ in range(1 if len(took) % 3 else 2):
            started = clock()
            page = await answer(index, query, cursor)
            took.append((clock() - started) * 1000)
            if (cursor := page.cursor) is None:
                break
    return took


async def answer(index: SqliteIndex, query: Query, cursor: str | None) -> Page:
    """Return a page; a search that is stopped, after two seconds, has none."""
    try:
        return await index.search(query, limit=PAGE, cursor=cursor)
    except BadRequest:
        return Page(entries=())


async def timed(work: Awaitable[object]) -> float:
    started = clock()
    await work
    return (clock() - started) * 1000


def take(source: Iterator[Entry], count: int) -> Iterator[Entry]:
    return (entry for _, entry in zip(range(count), source, strict=False))


def skip(source: Iterator[Entry], count: int) -> None:
    for _ in take(source, count):
        pass


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir()) / 1e6


def resident_mb(field: str = "VmRSS") -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--count", type=int, default=1_000_000)
    words.add_argument("--rounds", type=int, default=150)
    words.add_argument("--folder", type=Path, default=Path("/tmp/bench-index"))  # noqa: S108
    words.add_argument("--keep", action="store_true")
    given = words.parse_args()
    asyncio.run(main(given.count, given.rounds, given.folder, keep=given.keep))
