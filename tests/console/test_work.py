"""The task that a session waits for: its end, and what becomes of it when nobody waits."""

import pytest

from agent.console.commands.operator import Task
from agent.errors import fail
from hal.clock import SECOND_NS
from tests.helpers.appliance import FakeDevice
from tests.helpers.parts import Parts


def working(terminal: bool, *, quiet: bool = False) -> tuple[Parts, list[Task], list[object]]:
    """Parts that wait for a task of number 7; who starts it, and what comes of it."""
    parts, tasks, results = Parts(FakeDevice(), terminal=terminal), list[Task](), list[object]()
    parts.quiet = quiet

    def begin(task: Task) -> int:
        tasks.append(task)
        return 7

    parts.work.start("Working", begin, results.append, "Nothing is shown.")
    return parts, tasks, results


@pytest.mark.parametrize(
    ("terminal", "quiet", "said"),
    [(True, False, "Working "), (True, True, "Working "), (False, False, "Working ...\n"),
     (False, True, "")],
)  # fmt: skip
def test_the_result_of_a_task(terminal: bool, quiet: bool, said: str) -> None:
    parts, (task,), results = working(terminal, quiet=quiet)
    assert (parts.said(), parts.work.holds, results) == (said, True, [])
    task.note("the CA answers")
    assert parts.said().endswith("Info: the CA answers\n")
    task.done("good")
    task.done("again")
    assert (parts.work.holds, results, parts.went_on, task.over) == (False, ["good"], 1, True)


def test_a_task_that_fails_is_told() -> None:
    parts, (task,), results = working(terminal=False)
    task.done(fail("job-died"))
    assert (parts.errors, results, parts.work.holds) == (["job-died"], [], False)


def test_a_task_that_does_not_begin_holds_nothing() -> None:
    parts = Parts(FakeDevice(), terminal=False)

    def begin(_task: Task) -> int:
        raise fail("job-died")

    parts.run(lambda: parts.work.start("Working", begin, print))
    assert (parts.errors, parts.work.holds) == (["job-died"], False)


def test_who_leaves_reads_what_becomes_of_the_work_and_hears_no_more() -> None:
    parts, (task,), results = working(terminal=True)
    parts.work.leave()
    parts.work.leave()
    assert parts.said() == "Working \nInfo: Nothing is shown.\n"
    assert (parts.device.detached, task.over) == ([7], True)
    task.note("late")
    task.done("late")
    assert (parts.said(), results, parts.went_on) == ("", [], 0)


def test_dots_until_the_end_and_none_while_something_is_asked() -> None:
    parts, (task,), _ = working(terminal=True)
    reactor = parts.device.reactor
    reactor.advance(3 * SECOND_NS)
    assert parts.said() == "Working ..."
    parts.dialogue.choose("Continue?", lambda _yes: None)
    parts.said()
    reactor.advance(3 * SECOND_NS)
    assert (parts.said(), parts.work.holds) == ("", False)
    task.done(None)
    reactor.advance(3 * SECOND_NS)
    assert (parts.said(), parts.dialogue.asking) == ("", False)
