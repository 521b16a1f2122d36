"""The worker as it is, whose answers also tell the peak memory of their child.

Read in the child, when its operation has returned: the rest of its life is one answer of some
kilobytes. `ru_maxrss` is a high-water mark of this process alone: a fork starts it at what is
resident in the child then, not at the peak of the parent (`dup_mm` in the kernel).
"""

import resource
from collections.abc import Callable, Sequence

from agent import worker
from agent.scep import operations
from agent.scep.jobmap import Answer, Job
from agent.scep.keys import Hands
from hal.ports import Link

PEAK = "bench_peak_kib"
Operation = Callable[[Job, Hands, Link], Answer]


def measured(operation: Operation) -> Operation:
    """The operation, its answer with the peak of this process in KiB."""

    def run(job: Job, hands: Hands, link: Link) -> Answer:
        answer = operation(job, hands, link)
        return {**answer, PEAK: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}

    return run


def main(arguments: Sequence[str]) -> int:
    """Serves as `agent.worker.main` does."""
    operations.OPS.update({name: measured(operation) for name, operation in operations.OPS.items()})
    return worker.main(arguments)
