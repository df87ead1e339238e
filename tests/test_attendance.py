"""Who waits for a job: a cancelled call takes its job along only when nobody else is waiting for it."""

import asyncio

import pytest
from observe import jobs_on, wait_until

from comfygen_mcp.app import open_app
from comfygen_mcp.models_request import GenerateRequest

pytestmark = pytest.mark.anyio


@pytest.fixture
async def running(settings_for, slow_engine, request):
    """Yield an app and a job of it that is running on the slow engine."""
    prompt = f"attended by {request.node.name}"
    async with open_app(settings_for(COMFYUI_URL=slow_engine.url), {}) as app:
        started = await app.generation.start(
            GenerateRequest(prompt=prompt, model="sd15", size="256x256", steps=2000)
        )
        await wait_until(lambda: jobs_on(slow_engine.url, prompt, "in_progress"))
        yield app, started.job.id


async def waiter(app, job_id, *, owner):
    """Return a task that attends the job, once it does."""
    attends = asyncio.Event()

    async def attend():
        async with app.generation.attended(job_id, owner=owner):
            attends.set()
            await app.generation.wait(job_id, timeout_s=60)

    task = asyncio.create_task(attend())
    await attends.wait()
    return task


async def cancelled(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_owner_that_leaves_while_somebody_else_waits_leaves_the_job_running(running):
    app, job_id = running
    owner = await waiter(app, job_id, owner=True)
    other = await waiter(app, job_id, owner=False)
    await cancelled(owner)
    state = await app.generation.wait(job_id, timeout_s=1)
    await cancelled(other)

    assert state.status == "running"


async def test_the_last_owner_that_leaves_takes_the_job_along(running):
    app, job_id = running
    await cancelled(await waiter(app, job_id, owner=True))
    state = await app.generation.wait(job_id, timeout_s=30)

    assert state.status == "cancelled"


async def test_one_who_only_looks_never_takes_the_job_along(running):
    app, job_id = running
    await cancelled(await waiter(app, job_id, owner=False))
    state = await app.generation.wait(job_id, timeout_s=1)

    assert state.status == "running"
