"""The class of each error of the catalogue, by one rule: who has signed it.

What nobody has signed may be anybody's: a page of a proxy, a server in the place of the CA, one
that starts. It passes, so it is tried again by the table (`later`); a certificate must not come to
its end because somebody on the path said no. One try a day (`operator`) is for what the CA has
decided by its signature, and for what it issued and we refuse: each further try costs it a
certificate or an administrator. What is local waits for a change of the configuration.
"""

import pytest

from agent.catalogue.table import CATALOGUE, LATER, LOCAL, NOW, OPERATOR, PEER
from agent.enrolment import automatic, drafts
from agent.enrolment.actions import Now, Policy, Stored
from agent.enrolment.automatic import DAY_S, HOUR_S
from agent.enrolment.verdicts import FAILURES, is_verdict
from agent.errors import fail
from tests.helpers.engine_life import values_of

# Answers that the CA has signed to what a person has asked for.
ANSWERS = {"getcert-unknown", "getcert-refused", "getcert-other", "crl-not-offered"}
BUSY = {"http-busy", "http-empty"}
# Local faults that pass by themselves.
PASSES = {
    "job-answer", "job-died", "job-deadline", "job-start", "interfaces-unknown", "storage-failed",
    "source-missing", "session-full", "session-kept", "session-user", "session-descriptors",
    "requests-spent",
}  # fmt: skip
NOW_ = Now(1_800_000_000, 0, trusted=True)


def is_signed(code: str) -> bool:
    return code in FAILURES | ANSWERS or code.startswith("issued-")


@pytest.mark.parametrize("code", CATALOGUE)
def test_the_class_of_each_error_is_that_of_who_has_signed_it(code: str) -> None:
    row = CATALOGUE[code]
    if row.family == PEER:
        assert row.retry == (OPERATOR if is_signed(code) else NOW if code in BUSY else LATER)
    else:
        assert row.retry == (LATER if code in PASSES else OPERATOR)


@pytest.mark.parametrize("code", CATALOGUE)
def test_the_first_pause_is_that_of_its_class(code: str) -> None:
    """Without a certificate: a minute, a day for a verdict, an hour for what is local."""
    error = fail(code, **values_of(code))
    outcome = drafts.failed(None, error, NOW_)
    pause_s = automatic.pause_s(Stored(outcome=outcome), Policy(None, 1, 5, percent=100), NOW_, 7)
    wanted_s = 60
    if is_verdict(error):
        wanted_s = DAY_S
    elif CATALOGUE[code].family == LOCAL and code not in PASSES | {"store-failed"}:
        wanted_s = HOUR_S
    assert wanted_s // 2 <= pause_s <= wanted_s * 3 // 2
