"""Children that were taken over on purpose, and those who ask them what they can do."""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from agent import limits, resident
from agent.jobs.answers import field, items
from agent.loop import Loop
from hal import cbor
from hal.clock import LinuxClock
from hal.jobs import WorkerJobs
from hal.ports import JobEnd
from platforms.users import worker_user

TURN_NS = 50_000_000
DEADLINE_S = 120
START = (
    "import sys; sys.path[:0] = sys.argv.pop(1).split(':'); "
    "from tools.confinement.seized import main; sys.exit(main(sys.argv[1:]))"
)
Attempt = Sequence[int | str | bytes]


def worker_argv(
    python: str = sys.executable,
    packages: Sequence[str] = (),
    user: tuple[int, int, int] | None = None,
) -> list[str]:
    """How the agent starts the worker, but for `seize`. `user` of its children: None to stay."""
    numbers = (*(user or (-1, -1, 0)), limits.CHILD_MEMORY_BYTES, limits.CHILD_CPU_S)
    folders = ":".join((resident.ROOT, *packages))
    return [python, "-I", "-c", START, folders, *map(str, numbers)]


class Captor:
    """`with Captor() as captor:` `captor.outcomes(network, ["open", "/etc/passwd"], ...)`."""

    def __init__(self, argv: Sequence[str] | None = None) -> None:
        self._loop = Loop(LinuxClock())
        self.jobs = WorkerJobs(
            self._loop,
            argv or worker_argv(user=worker_user("")),
            answer_bytes=limits.JOB_BYTES,
            linger_s=60,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.jobs.close()
        for _turn in range(20):
            self._loop.turn(TURN_NS // 10)
        self._loop.close()

    def start(self, network: bool, *attempts: Attempt) -> list[JobEnd]:
        """Starts a child; the list gets its end."""
        request = cbor.dumps({"op": "seize", "attempts": [list(one) for one in attempts]})
        ends: list[JobEnd] = []
        self.jobs.start(request, [], DEADLINE_S, ends.append, network)
        return ends

    def turn(self) -> None:
        self._loop.turn(TURN_NS)

    def end(self, network: bool, *attempts: Attempt) -> JobEnd:
        """How a child that tries all this has ended."""
        ends = self.start(network, *attempts)
        while not ends:
            self.turn()
        return ends[0]

    def outcomes(self, network: bool, *attempts: Attempt) -> list[str]:
        """ "ok" or the errno of each attempt; AssertionError when the child did not survive."""
        return self.understood(self.end(network, *attempts))

    @staticmethod
    def understood(end: JobEnd) -> list[str]:
        """The outcomes that a child told."""
        assert end.answer is not None, end
        answer = cbor.loads(end.answer, max_bytes=limits.JOB_BYTES)
        assert isinstance(answer, dict)
        return items(field(answer, "ok", dict), "outcomes", str)
