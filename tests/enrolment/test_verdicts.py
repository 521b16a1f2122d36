"""What the code of an error means for the transaction, and that each code in the lists is one."""

import pytest

from agent import errors
from agent.enrolment.verdicts import ANSWERED, ENDED, FAILURES, FORGOTTEN, STALE, is_verdict
from agent.errors import AgentError


def test_every_code_is_of_the_catalogue() -> None:
    assert (ANSWERED | STALE | {ENDED, FORGOTTEN}) <= errors.CATALOGUE.keys()


@pytest.mark.parametrize(
    ("code", "decided"),
    [
        *((code, True) for code in sorted(FAILURES)),
        ("issued-key", True),
        *((code, False) for code in sorted((ANSWERED | STALE) - FAILURES)),
        (ENDED, False),
        ("issue", False),
    ],
)
def test_only_the_ca_decides(code: str, decided: bool) -> None:
    """Its signed FAILURE, or a certificate that can never be used."""
    assert is_verdict(AgentError(code, "text", "cause", "remedy", "later")) is decided
