"""Several waits at once: results in order, and nothing left behind when one fails or the caller goes."""

import asyncio

import pytest

from comfygen_mcp.together import together

pytestmark = pytest.mark.anyio


async def test_results_come_in_the_order_of_what_was_asked():
    async def after(turns, value):
        for _ in range(turns):
            await asyncio.sleep(0)
        return value

    assert await together(after(turns, turns) for turns in (3, 1, 2)) == [3, 1, 2]
    assert await together(()) == []


async def test_when_one_fails_the_others_have_ended_before_the_failure_is_told():
    ended = []

    async def waits():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("waits")

    async def fails():
        await asyncio.sleep(0)
        raise LookupError("the first")

    with pytest.raises(LookupError, match="the first"):
        await together([waits(), fails(), waits()])
    assert ended == ["waits", "waits"]


async def test_a_cancelled_caller_leaves_nothing_running():
    ended = []
    begun = asyncio.Event()

    async def waits():
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    waiting = asyncio.create_task(together([waits()]))
    await begun.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended == ["waits"]
