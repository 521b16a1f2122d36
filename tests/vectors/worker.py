"""The worker as it is, whose children also write the peak of their memory into a file of the test.

    python -I -c "..." tests.vectors.worker   as `agent.worker`; the last descriptor of a job is the
                                              file, open for writing: KiB in decimal

Read in the child when its operation has ended, by an answer or by an error. `ru_maxrss` is a
high-water mark of this process alone: a fork starts it at what is resident in the child then.
"""

import os
import resource
from collections.abc import Callable, Sequence

from agent import worker
from agent.scep import operations
from agent.scep.jobmap import Answer, Job
from agent.scep.keys import Hands
from hal.ports import Link

Operation = Callable[[Job, Hands, Link], Answer]


def _measured(operation: Operation) -> Operation:
    def run(job: Job, hands: Hands, link: Link) -> Answer:
        try:
            return operation(job, hands, link)
        finally:
            if hands.files:  # the rehearsal of the worker has none
                peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                os.write(hands.files[-1], b"%d" % peak_kib)

    return run


def main(arguments: Sequence[str]) -> int:
    """Serves as `agent.worker.main` does."""
    operations.OPS.update(
        {name: _measured(operation) for name, operation in operations.OPS.items()}
    )
    return worker.main(arguments)
