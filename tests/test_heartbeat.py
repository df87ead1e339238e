"""The heartbeat of a long call: a job without news is told again and again, so that clients keep waiting."""

import asyncio
from datetime import UTC, datetime

from jumping_clock import JumpingLoop

from comfygen_mcp import ids
from comfygen_mcp.app import open_app
from comfygen_mcp.jobs.in_process import InProcessJobs
from comfygen_mcp.models import Job, Progress
from comfygen_mcp.tools.attendance import attend

IDLE_LIMIT_S = 15
"""Clients that give up on a silent call are not stricter than this."""


class Told:
    """The side of a tool call's context that progress goes to."""

    def __init__(self):
        self.at = []
        self.values = []
        self.messages = set()

    async def report_progress(self, value, _total, message):
        self.at.append(asyncio.get_running_loop().time())
        self.values.append(value)
        self.messages.add(message)


async def loading_for_ever(_job, publish):
    publish(Progress(phase="loading", fraction=0.1, message="loading the model"))
    await asyncio.Event().wait()


async def attended_for(settings, seconds):
    now = datetime.now(UTC)
    job = Job(
        id=ids.new_job_id(now),
        created_at=now,
        kind="txt2img",
        backend="fox",
        workflow="sd15",
        model="fox.safetensors",
        prompt="a fox",
        seed=7,
        values={},
        timeout_s=300,
    )
    told, jobs = Told(), InProcessJobs(loading_for_ever)
    async with open_app(settings, {}) as app:
        # The only part that is put in: jobs that need no host, for hosts have a clock of their own.
        app.generation._jobs = jobs
        await jobs.start(job)
        state = await attend(app, told, job.id, wait_s=seconds, owner=False)
        await jobs.aclose()
    assert state.status == "running"
    return told


def test_a_job_that_says_nothing_for_minutes_is_told_within_every_clients_idle_limit(settings_for):
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        told = runner.run(attended_for(settings_for(), 200))
    silences = [later - earlier for earlier, later in zip(told.at, told.at[1:], strict=False)]

    assert told.messages == {"loading the model"}
    assert told.values == sorted(set(told.values))
    assert len(told.at) == 20
    assert max(silences) < IDLE_LIMIT_S
