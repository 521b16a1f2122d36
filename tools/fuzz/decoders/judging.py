"""One input at one decoder: which errors may come out, and what it may cost.

Promised, whatever the bytes: nothing or one error of the catalogue, which is told in printable
lines; CPU and memory within bounds. A timer of the kernel ends what takes too long.

The bounds. Nothing is larger than 256 KiB, and reading is linear: 20,000 elements, the most that
the reader takes, cost a tenth of a second; the rest is room for slow machines. A job's child may
take 48 MiB in all, of which it has 16 before it reads anything.
"""

import resource
import signal
from collections.abc import Callable
from types import FrameType
from typing import NamedTuple, NoReturn

from agent.errors import CATALOGUE, AgentError
from tools.fuzz.decoders.targets import Place

CPU_S = 2
MOST_KIB = 32 * 1024
ADDRESS_BYTES = 512 * 1024 * 1024  # beyond what the process has: ends what would end the machine
TEXT_CHARACTERS = 1200
ESCAPED, SLOW, BIG = FAULTS = ("escapes", "slow", "big")

Decode = Callable[[bytes, Place], None]


class Fault(NamedTuple):
    """What must not be: its kind, and how it showed."""

    kind: str
    text: str


class _TooSlowError(BaseException):
    """No Exception, since nobody may catch it on its way."""


def _ring(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _TooSlowError


def prepare() -> None:
    """The bounds of this process; it is one of the rig's own, or a test's child."""
    signal.signal(signal.SIGPROF, _ring)
    with open("/proc/self/statm", encoding="ascii") as pages:
        held = int(pages.read().split()[0]) * resource.getpagesize()
    _soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (held + ADDRESS_BYTES, hard))


def judged(decode: Decode, data: bytes, place: Place) -> Fault | None:
    """The fault that this input shows, if any."""
    before_kib = _peak_kib()
    fault = _outcome(decode, data, place)
    grown_kib = _peak_kib() - before_kib
    if fault is None and grown_kib > MOST_KIB:
        return Fault(BIG, f"{grown_kib} KiB for {len(data)} bytes")
    return fault


def _outcome(decode: Decode, data: bytes, place: Place) -> Fault | None:
    signal.setitimer(signal.ITIMER_PROF, CPU_S)
    try:
        decode(data, place)
    except AgentError as error:
        return _unfit(error)
    except _TooSlowError:
        return Fault(SLOW, f"more than {CPU_S} s for {len(data)} bytes")
    except MemoryError:
        return Fault(BIG, f"out of memory for {len(data)} bytes")
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a library in Rust panics past Exception
        return Fault(ESCAPED, f"{type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return None


def _unfit(error: AgentError) -> Fault | None:
    if error.code not in CATALOGUE:
        return Fault(ESCAPED, f"no code of ours: {error.code}")
    for text in (error.what, error.cause, error.remedy):
        if not text.isprintable() or not 0 < len(text) <= TEXT_CHARACTERS:
            return Fault(ESCAPED, f"{error.code} says {text!r}")
    return None


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
