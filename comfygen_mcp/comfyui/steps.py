"""The pace of a sampler, measured from the moments at which its steps were reported."""


class StepClock:
    """Estimates the time left; the first step is not counted, for it moves the model into memory."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None
        self._latest: tuple[int, float] | None = None

    def restart(self) -> None:
        self._first = self._latest = None

    def tick(self, step: int, at: float) -> None:
        """Note that *step* was reported at the time *at*."""
        if self._first is None and step > 0:
            self._first = (step, at)
        self._latest = (step, at)

    def remaining_s(self, steps: int) -> float | None:
        """Return the seconds until step number *steps*, once two steps have been seen."""
        if self._first is None or self._latest is None or self._latest[0] <= self._first[0]:
            return None
        done = self._latest[0] - self._first[0]
        pace = (self._latest[1] - self._first[1]) / done
        return round(max(0.0, pace * (steps - self._latest[0])), 1)
