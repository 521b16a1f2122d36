"""Each quirk of the lab CA does what its sentence says: seen with it, and not without.

The proofs are in the files beside this one; here is that none is missing.
"""

from tests.lab_ca.test_quirks_capabilities import CAPABILITIES
from tests.lab_ca.test_quirks_caset import CA_SETS
from tests.lab_ca.test_quirks_polling import POLLING
from tests.lab_ca.test_quirks_renewal import RENEWALS
from tests.lab_ca.test_quirks_reply import REPLIES
from tests.lab_ca.test_quirks_request import REQUESTS
from tests.lab_ca.test_quirks_transport import TRANSPORT
from tools.lab_ca import quirks

TABLES = (CAPABILITIES, CA_SETS, TRANSPORT, REQUESTS, REPLIES, POLLING, RENEWALS)


def test_every_quirk_is_proved() -> None:
    assert [set(table) for table in TABLES] == [set(table) for table in quirks.TABLES]
    assert len(quirks.QUIRKS) == sum(len(table) for table in quirks.TABLES), "a name comes twice"
