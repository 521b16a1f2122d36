"""Two children of a job, as real processes: what one gets of the other, and how they end together.

The one that talks was taken over, and asks what no job asks.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.jobs.contract import ROWS
from agent.scep import crypto, vault
from agent.scep.keys import CONTENT_KEY_BYTES
from hal.ports import JobEnd
from tests.helpers import scep_lab as lab
from tests.helpers.confined import OWN_USERS
from tests.helpers.key_worker import ASK, WAIT_S, KeyWorker, answers
from tests.scep.test_keys import DEVICE_KEY, DIGEST, VALUE, pair, wrapped

BLOCK = wrapped(b"k" * 16)
SIGN, UNWRAP = ["sign", "key", DIGEST, VALUE], ["unwrap", "key", BLOCK, 16]
PAUSE: list[object] = ["pause"]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: looks into children")


def kept(**how: Any) -> dict[str, Any]:
    """The request to whoever keeps the keys."""
    sealed = vault.seal_password(DEVICE_KEY, "sekret")
    return {"keys": [pair(**how)], "digest": DIGEST, "password": sealed}


@pytest.fixture(scope="module")
def bench() -> Iterator[KeyWorker]:
    user = OWN_USERS if os.geteuid() == 0 else (-1, -1, 0)
    with KeyWorker(DEVICE_KEY, user) as made:
        yield made


def test_a_talking_child_gets_the_password_and_the_counted_answers(bench: KeyWorker) -> None:
    heard = answers(bench.ask(kept(signs=2), ["password"], SIGN, SIGN, UNWRAP))
    assert heard[0] == "sekret"
    assert heard[1] == heard[2]
    assert crypto.verify(lab.public_der("dev"), "rsa", DIGEST, heard[1], b"data")
    assert heard[3] == b"k" * 16


# -- what no job asks ------------------------------------------------------------------------------

QUESTION = b"S" + b"key".ljust(16, b"\0") + DIGEST.encode().ljust(8, b"\0") + bytes(10)


@pytest.mark.parametrize(
    "asking",
    [
        [SIGN, SIGN],  # one more than was counted
        [["sign", "renewal.key", DIGEST, VALUE]],
        [["sign", "key", "sha1", bytes(20)]],
        [["sign", "key", "none", VALUE]],
        [["sign", "key", DIGEST, VALUE + b"x"]],
        [["sign", "key", DIGEST, b""]],
        [["unwrap", "key", BLOCK[:-1], 16]],
        [["unwrap", "key", BLOCK + BLOCK, 16]],
        [["unwrap", "key", b"", 16]],
        [["unwrap", "key", BLOCK, 200]],
        [["raw", b"\xff" * 9]],
        [["raw", b"X" + QUESTION[1:] + VALUE]],
        [["raw", bytes(60_000)]],
    ],
)
def test_a_question_that_no_job_asks_ends_both(
    bench: KeyWorker, asking: list[list[object]]
) -> None:
    end = bench.ask(kept(), *asking, PAUSE)
    assert end == JobEnd(None, "died")
    assert answers(bench.ask(kept(), ["password"])) == ["sekret"], "others go on"


@pytest.mark.parametrize("more", [SIGN, UNWRAP], ids=["sign", "unwrap"])
def test_nobody_is_there_behind_the_last_block(bench: KeyWorker, more: list[object]) -> None:
    """A signature that was not asked for before the block is not given after it."""
    assert answers(bench.ask(kept(signs=2), SIGN, UNWRAP, more))[2] == "job-died"


def test_a_padding_oracle_sees_equal_lengths_and_nothing_else(bench: KeyWorker) -> None:
    """Were many blocks counted: each is answered, wrong ones as right ones, and alike each time."""
    broken = [bytes([0, 2]) + bytes(254), bytes(256), b"\xff" * 256, wrapped(b"k" * 16, "old")]
    broken += [BLOCK[:at] + bytes([BLOCK[at] ^ 1]) + BLOCK[at + 1 :] for at in range(0, 256, 32)]
    for size in CONTENT_KEY_BYTES:
        asking = [["unwrap", "key", block, size] for block in (*broken, BLOCK, *broken)]
        heard = answers(bench.ask(kept(unwraps=len(asking)), *asking))
        assert {type(one) for one in heard} == {bytes}
        assert {len(one) for one in heard} == {size}
        assert heard[: len(broken)] == heard[-len(broken) :]
        assert (heard[len(broken)] == b"k" * 16) == (size == 16)


def test_a_key_that_does_not_open_is_told_and_nothing_dies(bench: KeyWorker) -> None:
    request = kept()
    request["keys"][0]["generation"] += 1
    assert answers(bench.ask(request, SIGN)) == ["sealed-unreadable"]
    assert answers(bench.ask(request)) == []  # nobody asked: no question of ours is an end


# -- they end together -----------------------------------------------------------------------------


def gone(pids: list[int]) -> bool:
    return not any(Path(f"/proc/{pid}").exists() for pid in pids)


def paused(bench: KeyWorker, deadline_s: int = WAIT_S) -> tuple[int, list[JobEnd], list[int]]:
    """A job whose children both wait: its number, its end, whoever keeps keys and whoever talks."""
    job = {"op": "ask", "asking": [["password"], PAUSE]}
    number, ends = bench.start(ASK, job, kept(), deadline_s)
    return number, ends, bench.children(2)


@needs_root
@pytest.mark.parametrize("victim", [0, 1], ids=["keeping", "talking"])
def test_the_end_of_one_is_the_end_of_the_other(bench: KeyWorker, victim: int) -> None:
    _number, ends, pids = paused(bench)
    os.kill(pids[victim], signal.SIGKILL)
    assert bench.end(ends) == JobEnd(None, "died")
    assert gone(pids), "the report comes after both"


def test_a_deadline_and_a_cancellation_end_both(bench: KeyWorker) -> None:
    _number, ends, pids = paused(bench, deadline_s=5)
    assert bench.end(ends) == JobEnd(None, "deadline")
    assert gone(pids)
    number, ends, pids = paused(bench)
    bench.cancel(number)
    assert bench.end(ends) == JobEnd(None, "cancelled")
    assert gone(pids)


def test_whoever_has_no_question_left_ends_first(bench: KeyWorker) -> None:
    _number, ends = bench.start(ASK, {"op": "ask", "asking": [SIGN, UNWRAP, PAUSE]}, kept())
    (talking,) = bench.children(1)
    os.kill(talking, signal.SIGKILL)
    assert bench.end(ends) == JobEnd(None, "died")


def test_pairs_wait_for_two_places_and_the_oldest_is_first(bench: KeyWorker) -> None:
    jobs = [bench.start(ASK, {"op": "ask", "asking": [PAUSE]}, kept()) for _job in range(8)]
    waits = bench.start(ROWS["hash-password"], {"op": "hash-password", "plain": "x"})[1]
    bench.children(16)
    assert not waits
    bench.cancel(jobs[0][0])
    assert bench.end(waits).failure is None
    for number, _ends in jobs:
        bench.cancel(number)
    assert {bench.end(ends).failure for _number, ends in jobs} == {"cancelled"}


@needs_root
def test_both_have_users_of_their_own_and_nobody_looks_into_them(bench: KeyWorker) -> None:
    number, ends, pids = paused(bench)
    users = {os.stat(f"/proc/{pid}").st_uid for pid in pids}
    assert (len(users), 0 in users) == (2, False)
    owners = {os.stat(f"/proc/{pid}/mem").st_uid for pid in pids}
    assert owners == {0}, "that of a process that can be dumped is its user's"
    bench.cancel(number)
    bench.end(ends)
