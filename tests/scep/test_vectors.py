"""Hundreds of hostile replies from files: each meets its job and has the outcome of its row.

In this process, through the function by which a child answers (`agent.child.perform`), over real
sockets. What takes seconds by design is tried in `scep/test_vectors_child.py` alone.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from agent.catalogue.table import CATALOGUE
from agent.scep import ber, cms, operations
from tests.helpers import keeping
from tests.helpers.scep_lab import degenerate
from tests.vectors import desk
from tests.vectors.expected import LIES
from tests.vectors.row import ACCEPTED, Row, load, octets_of
from tests.vectors.server import Vectors
from tools.lab_ca import hostile
from tools.lab_ca.hostile.caset import CA_SETS
from tools.lab_ca.hostile.transport import TRANSPORT

ROWS = load()
WANTED = 300  # refused, by name
SLOW = ("answer-timeout", "answer-too-slow")
TEXT_CHARACTERS = 2000
# What a reply about a certificate must never lead to, whatever is wrong with it.
OURS = ("job-fault", "job-died", "job-request")


@pytest.fixture(scope="module")
def served() -> Iterator[Vectors]:
    with Vectors(ROWS) as vectors:
        yield vectors


@pytest.fixture
def device_key() -> Iterator[int]:
    descriptor = os.memfd_create("device-key")
    os.write(descriptor, desk.DEVICE_KEY)
    yield descriptor
    os.close(descriptor)


def outcome(answer: dict[str, Any]) -> str:
    """A code of the catalogue, or which of the good ends it was. What is kept because the clock
    may be wrong is no good end."""
    if "error" in answer:
        return str(answer["error"])
    ok = answer["ok"]
    return str(ok["doubt"]["error"] if ok.get("doubt") else ok.get("status", "ok"))


def test_enough_of_them_with_names_codes_and_reasons() -> None:
    assert sum(not row.accepted for row in ROWS) >= WANTED
    names = Counter(row.name for row in ROWS)
    assert max(names.values()) == 1
    for row in ROWS:
        assert row.outcome in CATALOGUE or row.outcome in ACCEPTED
        assert row.outcome not in OURS
        assert row.op in operations.OPS
        assert row.says
        assert row.why
        assert (row.body is None) != (row.http is None)


def test_every_lie_about_a_reply_is_a_row() -> None:
    """Those of the transport and of the published sets have rows of their own."""
    names = {row.name: row.outcome for row in ROWS}
    assert {name: names.get(name) for name in LIES} == LIES
    assert LIES.keys() == hostile.HOSTILE.keys() - TRANSPORT.keys() - CA_SETS.keys()


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.outcome not in SLOW], ids=lambda row: row.name
)
def test_the_outcome_of_a_row(row: Row, served: Vectors, device_key: int) -> None:
    answer = keeping.perform(desk.job(row, served.url(row)), [device_key])
    assert outcome(answer) == row.outcome, answer
    if row.accepted:
        _check_accepted(row, answer["ok"])
    else:
        _check_texts(answer["ok"]["doubt"] if "ok" in answer else answer)


def _check_texts(answer: dict[str, Any]) -> None:
    """Fit for a terminal and for a log, whatever the peer has sent."""
    for field in ("what", "cause", "remedy"):
        assert answer[field].isprintable()
        assert 0 < len(answer[field]) < TEXT_CHARACTERS


def _check_accepted(row: Row, ok: Any) -> None:
    """Nothing but the honest certificate, CA or list comes of it."""
    if row.outcome == "issued":
        assert ok["chain"] == [desk.certificate("ca")]
        assert ok["certificate"]["subject"] == "C=DE, O=Lab, CN=dev1"
    elif row.asked == "GetCACaps":
        assert [one["der"] for one in ok["certificates"]] == [desk.certificate("ca")]
        assert len(ok["caps"]) <= 64
        assert all(word.isprintable() and len(word) <= 64 for word in ok["caps"])
    elif row.op == "fetch-ca":
        assert len(ok["certificates"]) <= 2
    elif row.outcome == "pending":
        assert ok.keys() == {"status", "notes"}


HONEST = next(row for row in ROWS if row.name == "honest")
PIECE = 512  # cut lengths in one test, so that they spread over the processes of a test run


@pytest.mark.parametrize("begin", range(0, len(octets_of(HONEST.body or ())), PIECE))
def test_a_reply_that_is_cut_at_every_octet(begin: int) -> None:
    """What is left is no SignedData, however long it is: the reader says so before any check."""
    whole = octets_of(HONEST.body or ())
    for length in range(begin, min(begin + PIECE, len(whole))):
        with pytest.raises(ber.BerError):
            cms.read_signed(whole[:length])
    assert cms.read_signed(whole).content


@pytest.mark.parametrize("begin", range(0, len(desk.certificate("local")), 200))
def test_an_inside_that_is_cut_at_every_octet(begin: int) -> None:
    """The certificates inside the envelope, as `trust.opened` reads them."""
    whole = degenerate([desk.certificate("local")])
    for length in range(begin, min(begin + 200, len(whole))):
        with pytest.raises(ber.BerError):
            cms.read_signed(whole[:length])
