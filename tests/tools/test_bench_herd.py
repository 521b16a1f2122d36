"""What the rig of the herd makes of what it saw."""

from tools.bench.herd import Course

SECOND_NS = 1_000_000_000


def course(issued: str, gaps: int = 1, since_ns: int = 0) -> Course:
    """Realms a, b, c, ... fell due in the order of the alphabet; one is issued each `gaps` s."""
    moments = {realm: (at + 1) * gaps * SECOND_NS for at, realm in enumerate(issued)}
    return Course("first", sorted(issued), since_ns, moments, 4, [1000, 2000], ())


def test_overtaken_is_the_most_that_fell_due_later_and_were_issued_before() -> None:
    assert course("abcdefghij").overtaken == 0
    assert course("bcadefghij").overtaken == 2
    assert course("jihgfedcba").overtaken == 9
    assert course("abcdefghij").short() == []
    assert course("jihgfedcba").short() == ["first: one was overtaken by 9"]


def test_the_longest_wait_is_that_of_the_herd_at_its_rate() -> None:
    assert course("abcdefghij").ratio == 1000
    assert course("abcdefghij", gaps=7).ratio == 1000
    assert course("abcdefghij", since_ns=-2 * SECOND_NS).ratio == 1200
    late = course("abcdefghij", since_ns=-2 * SECOND_NS)
    assert late.slow() == ["first: the longest wait was 1.200 x all / rate"]


def test_what_was_not_issued_not_seen_or_failed_falls_short() -> None:
    whole = course("abcdefghij")
    part = whole._replace(issued={"a": 1}, jobs=0, errors=["STORE_ERR b"])
    assert part.short() == [
        "first: 1 were issued",
        "first: 0 network jobs at once",
        "first: 1 errors: ['STORE_ERR b']",
    ]
    assert whole._replace(jobs=5).short() == ["first: 5 network jobs at once"]
    assert whole._replace(echo_us=[30_000]).slow() == ["first: p99 of the echo was 30.0 ms"]
