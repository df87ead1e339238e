"""Estimates: how long a job will take, from what jobs like it took."""

from collections.abc import Sequence
from itertools import combinations
from statistics import median

from comfygen_mcp.models import Job
from comfygen_mcp.services.run_times import Run, RunTimes

WORTH_TELLING_S = 20.0
"""A shorter wait needs no announcement."""

_DISTINCT = 1.5
"""Two runs tell the fixed part of their time from the rest when their work differs by this factor."""
_FARTHEST = 32.0
"""So many times the largest run that is known; beyond that an estimate would be a guess."""
_FARTHEST_FROM_ONE = 16.0
"""... where nothing tells the fixed part,"""
_FARTHEST_FROM_SHORT = 4.0
"""... and where the runs were so short that most of their time may have been fixed."""
_SHORT_S = 5.0


class Estimates:
    """Judges by the last runs of the same workflow on the same backend."""

    def __init__(self, runs: RunTimes | None = None) -> None:
        self._runs = runs or RunTimes()

    def learn(self, job: Job, seconds: float) -> None:
        """Remember that *job* ran for *seconds*."""
        if seconds > 0:
            self._runs.add(_key(job), Run(_work(job), seconds))

    def seconds(self, job: Job) -> float | None:
        """Return how long *job* should run, or None while too little like it has run."""
        known = self._runs.of(_key(job))
        return _predicted(known, _work(job)) if known else None

    def announcement(self, job: Job, usual: str = "") -> str | None:
        """Return what to tell before a long run; *usual* is what the workflow says of itself."""
        seconds = self.seconds(job)
        if seconds is None:
            many = job.count > 1 or job.frames is not None
            if not many:
                return None
            known = f" One usually takes: {usual}." if usual else ""
            return f"{_amount(job)} with {job.backend}: this may take long.{known}"
        if seconds < WORTH_TELLING_S:
            return None
        each = f" ({job.count} x {_duration(seconds / job.count)})" if job.count > 1 else ""
        told = f"about {_duration(seconds)}{each}, judging by the last runs"
        return f"{_amount(job)} with {job.backend}: {told}."


def _predicted(runs: Sequence[Run], work: float) -> float | None:
    """Return seconds for *work*: a fixed part (loading, decoding, saving), and one that grows with it.

    Medians, because the first run of a model loads it, and any other may have waited for something.
    """
    largest = max(run.work for run in runs)
    pairs = [(a, b) for a, b in combinations(sorted(runs), 2) if b.work >= _DISTINCT * a.work]
    if not pairs:
        short = median(run.seconds for run in runs) < _SHORT_S
        farthest = _FARTHEST_FROM_SHORT if short else _FARTHEST_FROM_ONE
        rate, fixed = median(run.seconds / run.work for run in runs), 0.0
    else:
        farthest = _FARTHEST
        rate = max(median((b.seconds - a.seconds) / (b.work - a.work) for a, b in pairs), 0.0)
        fixed = max(median(run.seconds - rate * run.work for run in runs), 0.0)
    return fixed + rate * work if work <= farthest * largest else None


def _key(job: Job) -> str:
    return f"{job.backend} {job.workflow}"


def _work(job: Job) -> float:
    """Return the amount of sampling in a job: pixels, steps, frames and pictures all cost alike."""
    pixels = (job.width or 1024) * (job.height or 1024)
    return pixels * (job.steps or 1) * (job.frames or 1) * job.count


def _amount(job: Job) -> str:
    if job.frames is not None:
        return f"A video of {job.frames} frames"
    return f"{job.count} pictures" if job.count > 1 else "A picture"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 90 else f"{seconds:.0f} s"
