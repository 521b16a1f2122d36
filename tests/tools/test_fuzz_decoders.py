"""Fuzzing of the decoders: a slice of the inputs, and that the rig finds what is planted.

`make fuzz-decoders` does all of them; what it ever found stands in `decoder_regressions.json`.
"""

import base64
import functools
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import Pool
from multiprocessing.pool import Pool as Processes
from pathlib import Path
from random import Random

import pytest

from agent.errors import AgentError
from tests.rigs.planted.decoders import FAULTS
from tools.fuzz.decoders import __main__ as command
from tools.fuzz.decoders import corpus, judging, mutations, rig
from tools.fuzz.decoders.elements import exchanged, found_in
from tools.fuzz.decoders.targets import TARGETS, Place, Target
from tools.lab_ca.quirks import QUIRKS

ROOT = Path(__file__).resolve().parents[2]
REGRESSIONS = json.loads((ROOT / "tests/tools/decoder_regressions.json").read_text())
RUN_S = 300  # it takes ten seconds where nobody else is at work
SLICE = ("ber", "ca-pem", "chunked", "hresult", "oaep", "constructed-content")
BLOCKS = 600  # a planted fault shows in 25 of them; the keys of the corpus are new each time


@functools.cache
def small() -> corpus.Corpus:
    return corpus.made({name: QUIRKS[name] for name in SLICE[:3]})


@functools.cache
def places() -> list[Place]:
    return [Place.of(world) for world in small().worlds]


@contextmanager
def process(targets: Mapping[str, Target]) -> Iterator[Processes]:
    """A process of the rig: its limits are not for the tests."""
    with Pool(1, command.begin, (small(), targets)) as pool:
        yield pool


@pytest.mark.slow
def test_a_slice_with_nothing_found() -> None:
    quirks = [word for name in SLICE for word in ("--quirk", name)]
    done = subprocess.run(
        [sys.executable, "-m", "tools.fuzz.decoders", "--inputs", "20000", "--seed", "7", *quirks],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    shape = r"fuzz-decoders: inputs=20000 escapes=0 slow=0 big=0 growth=0 seconds=\d+ seed=7\n"
    assert re.fullmatch(shape, done.stdout), done.stdout + done.stderr
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("said", FAULTS)
def test_a_planted_fault_is_found_and_replayed(said: str) -> None:
    fault, targets = FAULTS[said]
    with process(targets) as pool:
        outcomes = pool.imap(command.work, ((1, number, rig.BLOCK) for number in range(BLOCKS)))
        failure = next(
            one.failure
            for one in outcomes
            if one.failure and one.failure.fault.text.startswith(said)
        )
    assert failure.fault.kind == fault
    if fault == rig.GROWN:  # it shows only after very many inputs
        return
    seed, number, count = map(int, failure.code.split("."))
    with process(targets) as pool:
        again = pool.apply(command.work, ((seed, number, count),)).failure
        before = pool.apply(command.work, ((seed, number, count - 1),)).failure
    assert again is not None
    assert (again.code, again.fault.kind, again.data) == (failure.code, fault, failure.data)
    assert before is None


@pytest.mark.parametrize("name", TARGETS)
def test_good_messages_get_through_every_decoder(name: str) -> None:
    """Or nothing but the door would be fuzzed."""
    target = TARGETS[name]
    samples = [sample for kind in target.kinds for sample in small().of(kind)]
    through = 0
    for sample in samples:
        try:
            target.decode(sample.data, places()[sample.world])
        except AgentError:
            continue
        through += 1
    assert samples
    assert through * 6 >= len(samples)


@pytest.mark.parametrize("row", REGRESSIONS, ids=lambda row: str(row["why"])[:40])
def test_what_was_found_once(row: dict[str, str]) -> None:
    data = zlib.decompress(base64.b64decode(row["data"], validate=True))
    with process(TARGETS) as pool:
        assert pool.apply(judge, (row["target"], data)) is None


def judge(target: str, data: bytes) -> judging.Fault | None:
    return judging.judged(TARGETS[target].decode, data, places()[0])


def test_an_element_can_be_exchanged_for_itself() -> None:
    for sample in small().of(corpus.CERT_REP):
        elements = found_in(sample.data)
        assert len(elements) > 30
        for number, one in enumerate(elements):
            same = sample.data[one.start : one.end]
            assert exchanged(sample.data, elements, number, same) == sample.data


def test_lengths_are_right_around_what_was_exchanged() -> None:
    (data,) = {sample.data for sample in small().of(corpus.LEAF)[:1]}
    for number in range(len(found_in(data))):
        changed = exchanged(data, found_in(data), number, b"\x04\x82\x01\x00" + bytes(256))
        assert found_in(changed)[0].end == len(changed)


def test_a_seed_means_the_same_inputs() -> None:
    pool = mutations.Pool([sample.data for sample in small().samples])
    for _ in range(2):
        first, second = (
            [mutations.mutated(Random(5), data, pool) for data in pool.messages] for _ in range(2)
        )
        assert first == second


def test_a_failure_is_made_small() -> None:
    leaf = small().of(corpus.LEAF)[0].data
    less = rig.shrunk(leaf, lambda data: b"dev1.example" in data)
    assert b"dev1.example" in less
    assert len(less) < 60


def test_what_fell_short_is_told_counted_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    fault = judging.Fault(judging.ESCAPED, "IndexError: x")
    bad = rig.Outcome(3, rig.Failure("1.0.3", "crl", fault, b"abc"))
    total = command.summed(iter([bad, rig.Outcome(250, None)]), lambda _done, _found: None)
    assert total.line(4, 1) == (
        "fuzz-decoders: inputs=253 escapes=1 slow=0 big=0 growth=0 seconds=4 seed=1"
    )
    told = capsys.readouterr().err
    assert "escapes: --replay 1.0.3 crl\n" in told
    row = json.loads(told.splitlines()[-1])
    assert (row["target"], row["why"]) == ("crl", "IndexError: x")
    assert zlib.decompress(base64.b64decode(row["data"])) == b"abc"


def test_every_input_is_done_once() -> None:
    assert list(command.blocks(1, rig.BLOCK + 1)) == [(1, 0, rig.BLOCK), (1, 1, 1)]
