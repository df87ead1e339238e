"""Every bound of the ComfyUI client in one record, so that tests can shrink them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Bounds and rhythms, in seconds."""

    connect_s: float = 5.0
    read_s: float = 15.0
    """How long the server may be silent within one HTTP exchange (a busy GPU host answers late)."""
    transfer_s: float = 900.0
    """How long one upload or download may take as a whole."""
    retry_s: float = 1.0
    """Pause before `/prompt` is sent again; when it may have arrived, it is looked for before and after."""
    heartbeat_s: float = 10.0
    """How often history is asked while a healthy socket already tells the progress."""
    end_s: float = 0.25
    """How long the last message of a prompt (`executing` without a node) may follow its result."""
    late_s: float = 0.05
    """First pause when a prompt has ended and its history is not yet written."""
    poll_s: float = 0.25
    """First pause between polls without events of our own; it grows up to *poll_max_s*."""
    poll_max_s: float = 2.0
    reconnect_max_s: float = 15.0
    """Longest pause between two attempts to open the socket again; the first is *retry_s*."""
    vanished_s: float = 1.0
    """A prompt is gone when two looks this far apart find it neither queued nor finished."""
    outage_s: float = 60.0
    """How long the server may be away while a job is followed (a restart takes about 20 s)."""
    cancel_s: float = 30.0
    """How long a cancelled prompt may take to stop (a model load cannot be interrupted)."""
    catalogue_life_s: float = 5.0
    """How long a file list is believed; a file installed a moment ago must be found."""
