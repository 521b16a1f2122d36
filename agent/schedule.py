"""When to ask again. Pure arithmetic on integers; the engine passes what it knows.

The retry list and the renewal point of automatic mode will stand here beside the polls.
"""

MINUTE_NS = 60 * 1_000_000_000


def next_poll_ns(now_ns: int, interval_min: int) -> int:
    """Monotonic time of the next CertPoll (VRP `enrollment-url ... interval`)."""
    return now_ns + interval_min * MINUTE_NS


def poll_after_boot_ns(now_ns: int) -> int:
    """Monotonic time of the first CertPoll after a start: when the network is likely to be up."""
    return now_ns + MINUTE_NS
