"""What a liar sends, or somebody on the path: `--hostile NAME`. Nothing of it may be believed."""

from tools.lab_ca.hooks import Hooks
from tools.lab_ca.hostile.caset import CA_SETS
from tools.lab_ca.hostile.certificate import CERTIFICATES
from tools.lab_ca.hostile.encoding import ENCODINGS
from tools.lab_ca.hostile.envelope import ENVELOPES
from tools.lab_ca.hostile.signed import SIGNED
from tools.lab_ca.hostile.transport import TRANSPORT

TABLES = (TRANSPORT, CA_SETS, SIGNED, ENVELOPES, CERTIFICATES, ENCODINGS)
HOSTILE: dict[str, Hooks] = {name: row for table in TABLES for name, row in table.items()}
