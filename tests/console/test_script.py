"""Lines of a script: one at a time, each told how it ended."""

from agent.console.session.script import Script


def test_one_line_at_work_at_a_time() -> None:
    told: list[tuple[str, int]] = []
    script = Script()
    assert not script.waits
    for text in ("first", "second"):
        script.add(text, lambda status, text=text: told.append((text, status)))  # type: ignore[misc]
    assert script.waits
    assert script.next() == "first"
    assert not script.waits
    script.end(1)
    assert (told, script.untold) == ([("first", 1)], 0)
    assert script.waits
    assert script.next() == "second"
    script.end(0)
    assert told == [("first", 1), ("second", 0)]
    assert not script.waits


def test_what_fails_while_no_line_is_at_work_is_remembered() -> None:
    script, told = Script(), list[int]()
    script.end(1)
    assert script.untold == 1
    script.begin(told.append)
    script.end(0)
    assert (told, script.untold) == ([0], 0)
