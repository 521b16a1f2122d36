"""Each lie of the lab CA does what its sentence says: seen with it, and not without.

The proofs are in the files beside this one; here is that none is missing.
"""

from tests.lab_ca.test_hostile_caset import CA_SETS
from tests.lab_ca.test_hostile_certificate import CERTIFICATES
from tests.lab_ca.test_hostile_encoding import ENCODINGS
from tests.lab_ca.test_hostile_envelope import ENVELOPES
from tests.lab_ca.test_hostile_signed import PROVED as SIGNED
from tests.lab_ca.test_hostile_transport import TRANSPORT
from tools.lab_ca import hostile

TABLES = (TRANSPORT, CA_SETS, SIGNED, ENVELOPES, CERTIFICATES, ENCODINGS)


def test_every_lie_is_proved() -> None:
    assert [set(table) for table in TABLES] == [set(table) for table in hostile.TABLES]
    assert len(hostile.HOSTILE) == sum(len(t) for t in hostile.TABLES), "a name comes twice"
