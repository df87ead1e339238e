"""Estimates: how long a job will take, from what jobs like it took here."""

from collections import defaultdict, deque
from statistics import median

from comfygen_mcp.models import Job

_REMEMBERED = 5
WORTH_TELLING_S = 20.0
"""A shorter wait needs no announcement."""


class Estimates:
    """Remembers seconds per unit of work for each backend and workflow, for the life of the process."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))

    def learn(self, job: Job, seconds: float) -> None:
        """Remember that *job* ran for *seconds*."""
        self._known[job.backend, job.workflow].append(seconds / _work(job))

    def seconds(self, job: Job) -> float | None:
        """Return how long *job* should run, or None while nothing like it has run here."""
        known = self._known.get((job.backend, job.workflow))
        return median(known) * _work(job) if known else None

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
