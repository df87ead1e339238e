"""When to ask history, when to open the socket again, and when a prompt or a server counts as gone."""

from comfygen_mcp.comfyui.timing import Timing


class Rhythm:
    """Times of one followed prompt; *live* while its own socket tells every event."""

    def __init__(self, timing: Timing, now: float, *, live: bool) -> None:
        self._timing = timing
        self.live = live
        self._pause = timing.poll_s
        self._poll_at = now + timing.heartbeat_s if live else now
        self._connect_at = now
        self._connect_pause = timing.retry_s
        self._missing_since: float | None = None
        self._away_since: float | None = None
        self._late_polls = 0

    def poll_due(self, now: float) -> bool:
        return now >= self._poll_at

    def connect_due(self, now: float) -> bool:
        return now >= self._connect_at

    def wait_s(self, now: float, *, connected: bool) -> float:
        """Return how long nothing but the socket can bring news."""
        until = self._poll_at if connected else min(self._poll_at, self._connect_at)
        return max(0.0, until - now)

    @property
    def expects_history(self) -> bool:
        """True while the end has been told and history is only late."""
        return self._late_polls > 0

    def ended(self, now: float, *, last: bool) -> None:
        """Plan the look at history: at once after the last message, else when that one is overdue."""
        self._poll_at = min(self._poll_at, now if last else now + self._timing.end_s)
        self._pause = self._timing.late_s
        self._late_polls = 6
        self.live = False

    def hurry(self, now: float) -> None:
        """Ask at once: something has changed on the server."""
        if self._missing_since is None and not self.expects_history:
            self._poll_at = now
            self._pause = self._timing.poll_s

    def socket_lost(self, now: float) -> None:
        """Look at once and connect again; but a socket that breaks again and again is not hurried after."""
        self.live = False
        self._poll_at = now
        self._connect_at = max(self._connect_at, now)
        self._pause = self._timing.poll_s

    def connected(self, now: float, *, success: bool) -> None:
        if success:
            self._connect_pause = self._timing.retry_s
            self.hurry(now)
        else:
            self._connect_pause = min(self._connect_pause * 2, self._timing.reconnect_max_s)
        self._connect_at = now + self._connect_pause

    def polled(self, now: float) -> None:
        """Plan the next look after an answered one."""
        self._away_since = None
        self._late_polls = max(0, self._late_polls - 1)
        self._next_poll(now)

    def outage_over(self, now: float) -> bool:
        """Note an unanswered look; True when the server has been away for too long."""
        self._away_since = now if self._away_since is None else self._away_since
        self.live = False
        self._next_poll(now)
        return now - self._away_since >= self._timing.outage_s

    def missed_again(self, now: float) -> bool:
        """Note that the prompt was not found; True when that was so long enough ago already."""
        if self._missing_since is None:
            self._missing_since = now
            self._poll_at = now + self._timing.vanished_s
            return False
        return now - self._missing_since >= self._timing.vanished_s

    def seen(self) -> None:
        self._missing_since = None

    def _next_poll(self, now: float) -> None:
        self._poll_at = now + (self._timing.heartbeat_s if self.live else self._pause)
        self._pause = min(self._pause * 1.5, self._timing.poll_max_s)
