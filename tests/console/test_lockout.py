"""Delays and locks of a line: when they begin, that they end, that they stay small."""

from hypothesis import given
from hypothesis import strategies as st

from agent import limits
from agent.console.login.lockout import SECOND_NS, Lockout

LOCK_NS = limits.LOGIN_LOCK_S * SECOND_NS


def test_the_delay_grows_to_its_end_and_success_ends_it() -> None:
    lockout, now_ns, waits = Lockout(), 0, []
    for number in range(6):
        lockout.failed(f"u{number}", now_ns)
        waits.append(lockout.wait_ns(now_ns) // SECOND_NS)
        now_ns += lockout.wait_ns(now_ns)
        assert lockout.wait_ns(now_ns) == 0
    assert waits == [1, 2, 4, 8, 8, 8]
    assert lockout.succeeded("u0") == 6
    assert (lockout.succeeded("u0"), lockout.wait_ns(now_ns)) == (0, 0)


def test_the_fifth_failure_of_a_name_locks_it_and_the_lock_ends_by_itself() -> None:
    lockout = Lockout()
    assert [lockout.failed("a", 0) for _try in range(5)] == [False] * 4 + [True]
    lockout.failed("b", 0)
    assert lockout.locked_ns("a", 0) == LOCK_NS
    assert lockout.locked_ns("a", LOCK_NS - 1) == 1
    assert lockout.locked_ns("b", 0) == 0
    assert lockout.locked_ns("a", LOCK_NS) == 0
    assert not lockout.failed("a", LOCK_NS), "it counts anew"


def test_success_of_one_name_does_not_unlock_another() -> None:
    lockout = Lockout()
    for _try in range(5):
        lockout.failed("a", 0)
    lockout.succeeded("b")
    assert lockout.locked_ns("a", 0) == LOCK_NS


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 20)), max_size=400))
def test_thousands_of_names_are_bounded_and_a_lock_holds(tries: list[tuple[int, int]]) -> None:
    """Who keeps to the delays cannot push a locked name out with other names."""
    lockout, now_ns = Lockout(), 0
    locked: dict[str, int] = {}
    for number, pause_s in tries:
        now_ns += lockout.wait_ns(now_ns) + pause_s * SECOND_NS
        name = f"u{number}"
        for one, end_ns in locked.items():
            assert lockout.locked_ns(one, now_ns) == max(0, end_ns - now_ns)
        if not lockout.locked_ns(name, now_ns) and lockout.failed(name, now_ns):
            locked[name] = now_ns + LOCK_NS
        assert len(lockout._tries) <= limits.LOGIN_NAMES
