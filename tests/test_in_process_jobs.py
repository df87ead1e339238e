"""Jobs in this process: started once, watched by many, cancelled in any state."""

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from comfygen_mcp import ids
from comfygen_mcp.errors import GraphRejected, JobCancelled, UnknownName
from comfygen_mcp.jobs.in_process import InProcessJobs
from comfygen_mcp.models import Job, Progress

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 21, 8, 41, 0, tzinfo=UTC)
LONG = 60


def job_of(job_id=None):
    return Job(
        id=job_id or ids.new_job_id(NOW),
        created_at=NOW,
        kind="txt2img",
        backend="fox",
        workflow="flux1-schnell",
        model="fox.safetensors",
        prompt="a red fox",
        seed=7,
        values={},
        timeout_s=300,
    )


class Work:
    """A run that goes on when it is told to, and remembers what happened to it."""

    def __init__(self, *, ending=None):
        self.ending = ending
        self.started = []
        self.stopped = []
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.publish = None

    async def __call__(self, job, publish):
        self.started.append(job.id)
        self.publish = publish
        self.begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.stopped.append(job.id)
            raise
        if self.ending:
            raise self.ending
        return ()


@pytest.fixture
async def engines():
    """Makes engines and closes them after the test."""
    made = []

    def make(run, **more):
        made.append(InProcessJobs(run, now=lambda: NOW, **more))
        return made[-1]

    yield make
    for engine in made:
        await engine.aclose()


def progress(step):
    return Progress(phase="sampling", step=step, steps=9)


async def started(engines, work, **more):
    jobs, job = engines(work, **more), job_of()
    await jobs.start(job)
    return jobs, job


async def test_a_job_runs_to_its_end_and_tells_when(engines):
    work = Work()
    jobs, job = await started(engines, work)

    assert (await jobs.state(job.id)).status == "queued"
    await work.begun.wait()
    running = await jobs.state(job.id)
    assert (running.status, running.started_at, running.finished_at) == ("running", NOW, None)
    work.may_end.set()
    done = await jobs.wait(job.id, timeout_s=LONG)

    assert (done.status, done.error, done.finished_at) == ("completed", None, NOW)
    assert done.finished


async def test_starting_the_same_job_twice_begins_it_once(engines):
    work = Work()
    jobs, job = await started(engines, work)
    await jobs.start(job)
    work.may_end.set()
    await jobs.wait(job.id, timeout_s=LONG)

    await jobs.start(job)

    assert work.started == [job.id]
    assert (await jobs.state(job.id)).status == "completed"


async def test_waiting_ends_with_the_state_so_far_when_the_time_is_up(engines):
    work = Work()
    jobs, job = await started(engines, work)
    await work.begun.wait()

    assert (await jobs.wait(job.id, timeout_s=0)).status == "running"
    assert work.stopped == []


async def test_many_may_wait_and_none_of_them_owns_the_job(engines):
    work = Work()
    jobs, job = await started(engines, work)
    waiters = [asyncio.create_task(jobs.wait(job.id, timeout_s=LONG)) for _ in range(50)]
    await work.begun.wait()

    waiters[0].cancel()
    await asyncio.wait([waiters[0]])
    work.may_end.set()
    states = await asyncio.gather(*waiters[1:])

    assert {state.status for state in states} == {"completed"}
    assert work.stopped == []


async def test_a_watcher_sees_each_new_state_until_the_end(engines):
    work = Work()
    jobs, job = await started(engines, work)
    seen = []

    async for state in jobs.watch(job.id):
        seen.append((state.status, state.progress.step if state.progress else None))
        if len(seen) == 2:
            work.publish(progress(1))
        if len(seen) == 3:
            work.may_end.set()

    assert seen == [("queued", None), ("running", None), ("running", 1), ("completed", 1)]


async def test_a_slow_watcher_gets_the_latest_state_only(engines):
    work = Work()
    jobs, job = await started(engines, work)
    await work.begun.wait()
    watch = jobs.watch(job.id)
    await anext(watch)

    for step in range(1, 1000):
        work.publish(progress(step))
    latest = await anext(watch)

    assert latest.progress.step == 999
    await watch.aclose()


async def test_many_watchers_see_the_end_and_a_late_one_only_that(engines):
    work = Work()
    jobs, job = await started(engines, work)

    async def last_of(watch):
        return [state.status async for state in watch][-1]

    watchers = [asyncio.create_task(last_of(jobs.watch(job.id))) for _ in range(20)]
    await work.begun.wait()
    work.may_end.set()

    assert set(await asyncio.gather(*watchers)) == {"completed"}
    assert [state.status async for state in jobs.watch(job.id)] == ["completed"]


async def test_a_running_job_is_cancelled_and_has_stopped_when_the_call_returns(engines):
    work = Work()
    jobs, job = await started(engines, work)
    await work.begun.wait()

    state = await jobs.cancel(job.id)

    assert (state.status, state.error) == ("cancelled", None)
    assert work.stopped == [job.id]


async def test_cancelling_twice_does_not_interrupt_the_clean_up_of_the_first(engines):
    begun, may_clean_up = asyncio.Event(), asyncio.Event()
    cleaned_up = []

    async def slow_to_stop(job, publish):
        try:
            begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await may_clean_up.wait()
            cleaned_up.append(job.id)
            raise

    jobs = engines(slow_to_stop)
    job = job_of()
    await jobs.start(job)
    await begun.wait()
    stopping = [asyncio.create_task(jobs.cancel(job.id)), asyncio.create_task(jobs.aclose())]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    may_clean_up.set()
    await asyncio.gather(*stopping)

    assert cleaned_up == [job.id]
    assert (await jobs.state(job.id)).status == "cancelled"


async def test_a_job_is_cancelled_before_its_first_step(engines):
    work = Work()
    jobs, job = await started(engines, work)

    state = await jobs.cancel(job.id)

    assert (state.status, state.finished_at) == ("cancelled", NOW)
    assert work.started == []


async def test_cancelling_a_finished_job_changes_nothing(engines):
    work = Work()
    work.may_end.set()
    jobs, job = await started(engines, work)
    await jobs.wait(job.id, timeout_s=LONG)

    assert (await jobs.cancel(job.id)).status == "completed"


async def test_cancelling_waits_no_longer_than_its_bound(engines):
    let_go = asyncio.Event()
    begun = asyncio.Event()

    async def stubborn(job, publish):
        begun.set()
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue
        return ()

    jobs, job = await started(engines, stubborn, cancel_timeout_s=0.01)
    await begun.wait()

    assert (await jobs.cancel(job.id)).status == "running"
    let_go.set()
    assert (await jobs.wait(job.id, timeout_s=LONG)).status == "completed"


@pytest.mark.parametrize(
    ("ending", "status", "error", "error_type"),
    [
        (GraphRejected("no such sampler"), "failed", "no such sampler", "GraphRejected"),
        (JobCancelled("stopped on the server"), "cancelled", "stopped on the server", "JobCancelled"),
        (asyncio.CancelledError(), "cancelled", None, None),
    ],
)
async def test_an_anticipated_ending_is_told_in_its_own_words(engines, ending, status, error, error_type):
    work = Work(ending=ending)
    work.may_end.set()
    jobs, job = await started(engines, work)

    state = await jobs.wait(job.id, timeout_s=LONG)

    assert (state.status, state.error, state.error_type) == (status, error, error_type)


async def test_a_crash_is_told_in_neutral_words_and_logged_with_its_traceback(engines, caplog):
    work = Work(ending=ZeroDivisionError("/secret/path"))
    work.may_end.set()
    jobs, job = await started(engines, work)

    with caplog.at_level(logging.ERROR):
        state = await jobs.wait(job.id, timeout_s=LONG)

    assert (state.status, state.error_type) == ("failed", "InternalError")
    assert state.error == "Internal error; see the server's log."
    assert job.id in caplog.text
    assert "ZeroDivisionError: /secret/path" in caplog.text


async def test_progress_after_the_end_is_not_shown(engines):
    work = Work()
    work.may_end.set()
    jobs, job = await started(engines, work)
    done = await jobs.wait(job.id, timeout_s=LONG)

    work.publish(progress(5))

    assert await jobs.state(job.id) == done


async def test_recent_is_newest_first(engines):
    work = Work()
    jobs = engines(work)
    made = [job_of() for _ in range(4)]
    for job in made:
        await jobs.start(job)

    recent = await jobs.recent(limit=3)

    assert [state.job.id for state in recent] == [job.id for job in reversed(made[1:])]
    assert await jobs.recent(limit=0) == []
    assert await jobs.recent(limit=-1) == []


async def test_only_the_newest_finished_jobs_are_remembered_and_running_ones_always(engines):
    first = Work()
    endings = {}

    async def run(job, publish):
        return await endings.get(job.id, first)(job, publish)

    jobs = engines(run, keep=2)
    running = job_of()
    await jobs.start(running)
    done = []
    for _ in range(4):
        job, work = job_of(), Work()
        work.may_end.set()
        endings[job.id] = work
        done.append(job.id)
        await jobs.start(job)
        await jobs.wait(job.id, timeout_s=LONG)

    assert [state.job.id for state in await jobs.recent(limit=9)] == [done[3], done[2], running.id]
    with pytest.raises(UnknownName, match="forgotten"):
        await jobs.state(done[0])


async def test_an_unknown_id_names_the_nearest_one(engines):
    jobs, job = await started(engines, Work())
    wrong = job.id[:-1] + "_"

    for attempt in (
        lambda: jobs.state(wrong),
        lambda: jobs.wait(wrong, timeout_s=0),
        lambda: jobs.cancel(wrong),
        lambda: anext(jobs.watch(wrong)),
    ):
        with pytest.raises(UnknownName, match=f"Did you mean '{job.id}'"):
            await attempt()


async def test_an_id_when_there_are_no_jobs_says_so(engines):
    with pytest.raises(UnknownName, match="There is no job at all"):
        await engines(Work()).state("fox")


async def test_closing_cancels_what_runs_and_refuses_what_comes(engines):
    work = Work()
    jobs, job = await started(engines, work)
    await work.begun.wait()

    await jobs.aclose()
    await jobs.aclose()

    assert work.stopped == [job.id]
    assert (await jobs.state(job.id)).status == "cancelled"
    with pytest.raises(JobCancelled, match="shutting down"):
        await jobs.start(job_of())


async def test_times_are_real_when_nobody_sets_the_clock():
    work = Work()
    work.may_end.set()
    jobs, job = InProcessJobs(work), job_of()
    await jobs.start(job)

    done = await jobs.wait(job.id, timeout_s=LONG)

    assert NOW.year <= done.started_at.year
    assert done.started_at <= done.finished_at
    await jobs.aclose()
