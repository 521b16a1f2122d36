"""Places at the console socket: what one user can take, what stays for who can mend it."""

import pytest

from agent import limits
from agent.doors.admission import Admission
from agent.errors import AgentError

ROOT, OPERATOR, STRANGER = 0, 1000, 1001


def refused(admission: Admission, uid: int, level: int) -> str:
    with pytest.raises(AgentError) as caught:
        admission.take(uid, level)
    return caught.value.code


def fill(admission: Admission, uid: int, level: int) -> list[int]:
    """Takes places until it is refused."""
    taken = []
    for _place in range(limits.SESSIONS + 1):
        try:
            taken.append(admission.take(uid, level))
        except AgentError:
            break
    return taken


def test_the_numbers_are_those_of_the_design() -> None:
    assert (limits.SESSIONS, limits.SESSIONS_KEPT, limits.SESSIONS_OF_USER) == (16, 2, 7)


def test_places_are_numbered_and_given_back() -> None:
    admission = Admission()
    assert [admission.take(ROOT, 3) for _ in range(3)] == [0, 1, 2]
    admission.leave(1)
    admission.leave(1)
    assert [admission.take(ROOT, 3) for _ in range(2)] == [1, 3]


def test_one_user_below_level_3_takes_half_of_what_is_open_to_all() -> None:
    admission = Admission()
    assert fill(admission, OPERATOR, 2) == list(range(7))
    assert refused(admission, OPERATOR, 2) == "session-user"
    assert admission.take(STRANGER, 1) == 7
    admission.leave(0)
    assert admission.take(OPERATOR, 2) == 0


@pytest.mark.parametrize("held", range(3))
def test_two_places_stay_free_for_level_3_however_many_it_holds(held: int) -> None:
    admission = Admission()
    for _session in range(held):
        admission.take(ROOT, 3)
    for uid in range(OPERATOR, OPERATOR + 20):
        fill(admission, uid, 1)
    assert refused(admission, STRANGER + 100, 2) == "session-kept"
    assert len(fill(admission, ROOT, 3)) == limits.SESSIONS_KEPT
    assert refused(admission, ROOT, 3) == "session-full"


def test_level_3_may_take_every_place_and_others_read_that_all_are_taken() -> None:
    admission = Admission()
    assert len(fill(admission, ROOT, 3)) == limits.SESSIONS
    assert refused(admission, OPERATOR, 2) == "session-full"


def test_sessions_of_level_3_do_not_count_against_the_same_user_at_a_lower_one() -> None:
    admission = Admission()
    for _session in range(8):
        admission.take(OPERATOR, 3)
    assert len(fill(admission, OPERATOR, 2)) == 6  # two of sixteen stay free


def test_level_0_is_nobody() -> None:
    admission = Admission()
    assert refused(admission, ROOT, 0) == "session-stranger"
    assert admission.take(ROOT, 3) == 0
