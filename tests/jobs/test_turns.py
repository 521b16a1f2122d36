"""Turns at the network: how many, whose, in which order; nobody waits for ever."""

from hypothesis import given
from hypothesis import strategies as st

from agent.jobs.turns import Turn, Turns

PLACES = 4


def turns(*waiting: Turn, places: int = PLACES) -> Turns:
    line = Turns(places)
    for turn in waiting:
        line.add(turn)
    return line


def taken(line: Turns) -> list[int]:
    """The numbers of all that may run now."""
    numbers = []
    while turn := line.take():
        numbers.append(turn.number)
    return numbers


def own(number: int, ca: str = "ca", attended: bool = False) -> Turn:
    """A job of a realm that has no other one."""
    return Turn(number, f"r{number}", ca, attended)


def test_so_many_run_at_once_and_one_that_ends_makes_room_for_the_next() -> None:
    line = turns(*map(own, range(10)))
    assert taken(line) == [0, 1, 2, 3]
    assert len(line) == 6
    assert line.drop(2) is False
    assert taken(line) == [4]


def test_a_realm_has_one_at_a_time() -> None:
    line = turns(Turn(1, "a", "ca", False), Turn(2, "a", "ca", False), Turn(3, "b", "ca", False))
    assert taken(line) == [1, 3]
    line.drop(1)
    assert taken(line) == [2]


def test_a_person_is_first() -> None:
    line = turns(own(1), own(2, attended=True), own(3, "other", attended=True), places=1)
    assert taken(line) == [2]
    line.drop(2)
    assert taken(line) == [3]
    line.drop(3)
    assert taken(line) == [1]


def test_people_leave_the_last_place_to_the_others_if_somebody_wants_it() -> None:
    line = turns(*(own(number, attended=True) for number in range(10)), own(99))
    assert taken(line) == [0, 1, 2, 99]
    alone = turns(*(own(number, attended=True) for number in range(10)))
    assert taken(alone) == [0, 1, 2, 3]


def test_each_ca_has_its_turn_and_a_dead_one_holds_up_its_own() -> None:
    line = turns(*(own(n, "dead") for n in range(100)), own(100, "good"), own(101, "good"))
    assert taken(line) == [0, 100, 1, 101]


def test_a_ca_that_answers_nothing_keeps_no_place_that_another_one_wants() -> None:
    line = turns(*(own(n, "dead") for n in range(100)), *(own(n, "good") for n in range(100, 200)))
    running = taken(line)
    done = 0
    while good := [number for number in running if number >= 100]:
        line.drop(good[0])
        running.remove(good[0])
        done += 1
        running += taken(line)
        assert done > 98 or sum(number < 100 for number in running) == PLACES // 2
    assert done == 100


def test_one_that_waits_can_be_dropped_and_costs_its_ca_no_turn() -> None:
    line = turns(own(1, "a"), own(2, "a"), own(3, "b"), places=1)
    assert line.drop(1) is True
    assert line.drop(1) is False
    assert taken(line) == [2]
    assert len(line) == 1


JOBS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("abc"), st.booleans()), min_size=1, max_size=60
)


@given(JOBS, st.integers(1, 5), st.data())
def test_whatever_comes_and_ends_all_have_their_turn(
    wanted: list[tuple[int, str, bool]], places: int, data: st.DataObject
) -> None:
    """Never too many, never two of a realm, each once; those of a realm in their order."""
    line, running, order = Turns(places), dict[int, Turn](), list[Turn]()
    left = [Turn(n, f"r{realm}", ca, person) for n, (realm, ca, person) in enumerate(wanted)]
    everything = list(left)
    while left or running or len(line):
        if left and (not running or data.draw(st.booleans())):
            line.add(left.pop(0))
        elif running:
            number = data.draw(st.sampled_from(sorted(running)))
            del running[number]
            assert line.drop(number) is False
        while turn := line.take():
            running[turn.number] = turn
            order.append(turn)
        assert len(running) <= places
        realms = [turn.realm for turn in running.values()]
        assert len(realms) == len(set(realms))
    assert sorted(order) == everything
    for realm in range(6):
        for kind in {(turn.ca, turn.attended) for turn in everything}:
            same = (f"r{realm}", *kind)
            of_kind = [turn.number for turn in order if turn[1:4] == same]
            assert of_kind == sorted(of_kind)


def most_overtaken(order: list[int]) -> int:
    """By how many that came later the unluckiest one was overtaken."""
    place, count = {number: at for at, number in enumerate(order)}, len(order)
    return max(
        sum(place[n + k] < place[n] for k in range(1, 20) if n + k < count) for n in range(count)
    )


def test_nobody_of_a_thousand_is_overtaken_by_many() -> None:
    """Realms of their own at three CAs, due at once; jobs end in another order than they began."""
    cas = ["a", "b", "c"]
    line = turns(*(own(number, cas[number % 3]) for number in range(1000)))
    order, running = [], []
    while True:
        new = taken(line)
        order += new
        running += new
        if not running:
            break
        line.drop(running.pop(len(order) * 7 % len(running)))
    assert sorted(order) == list(range(1000))
    assert most_overtaken(order) <= 8


def test_a_realm_keeps_its_place_until_it_has_no_job() -> None:
    line = turns(*map(own, range(3)), places=1)
    assert taken(line) == [0]
    line.add(Turn(3, "r0", "ca", False))
    line.drop(0)
    assert taken(line) == [3], "its next job is not behind the first ones of the others"
    line.drop(3)
    line.add(Turn(4, "r0", "ca", False))
    assert taken(line) == [1], "it has had its turn"
    line.drop(1)
    assert taken(line) == [2]


def test_of_a_thousand_applications_each_goes_on_once_it_has_begun() -> None:
    """Two jobs each, the second one asked for at the end of the first; jobs end in any order."""
    realms = 1000
    line = turns(*map(own, range(realms)))
    running, over = taken(line), list[int]()
    most = 0
    while running:
        number = running.pop(len(over) * 7 % len(running))
        if number < realms:
            line.add(Turn(number + realms, f"r{number}", "ca", False))
        else:
            over.append(number - realms)
        line.drop(number)
        running += taken(line)
        begun = {number % realms for number in (*running, *over)}
        most = max(most, len(begun) - len(over))
    assert sorted(over) == list(range(realms))
    assert most <= PLACES, "no more are under way than have a place"
    assert most_overtaken(over) <= 8


def behind(number: int, realm: str = "r0") -> Turn:
    return Turn(number, realm, "ca", False, behind=True)


def test_what_is_fetched_ahead_of_time_begins_when_nobody_else_can() -> None:
    line = turns(behind(0), own(1), own(2))
    assert taken(line) == [1, 2, 0]
    assert len(line) == 0
    crowd = turns(behind(0), *map(own, range(1, 9)))
    assert taken(crowd) == [1, 2, 3, 4]
    for number in range(1, 6):
        crowd.drop(number)
        assert 0 not in taken(crowd), "the last free place is for whoever comes"
    crowd.drop(6)
    assert taken(crowd) == [0]


def test_of_those_behind_one_runs_at_a_time_in_their_order_and_leaves_a_place_free() -> None:
    line = turns(*(behind(number, f"r{number}") for number in range(5)))
    assert taken(line) == [0]
    assert line.drop(0) is False
    assert taken(line) == [1]
    assert line.drop(3) is True
    line.drop(1)
    assert taken(line) == [2]
    assert len(line) == 1
    assert taken(turns(behind(0), places=1)) == [0], "a board with one place has no other way"


def test_one_behind_neither_holds_up_an_application_of_its_realm_nor_gives_it_a_place() -> None:
    line = turns(behind(0))
    assert taken(line) == [0]
    line.add(own(1))
    line.add(Turn(2, "r0", "ca", False))
    assert taken(line) == [1, 2]
    line.drop(0)
    line.add(behind(3))
    line.drop(2)
    line.drop(1)
    assert taken(line) == [3]
