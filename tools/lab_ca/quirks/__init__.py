"""What honest SCEP servers do, each in its own way: `--quirk NAME`."""

from tools.lab_ca.hooks import Hooks
from tools.lab_ca.quirks.capabilities import CAPABILITIES
from tools.lab_ca.quirks.caset import CA_SETS
from tools.lab_ca.quirks.polling import POLLING
from tools.lab_ca.quirks.renewal import RENEWALS
from tools.lab_ca.quirks.reply import REPLIES
from tools.lab_ca.quirks.request import REQUESTS
from tools.lab_ca.quirks.transport import TRANSPORT

TABLES = (CAPABILITIES, CA_SETS, TRANSPORT, REQUESTS, REPLIES, POLLING, RENEWALS)
QUIRKS: dict[str, Hooks] = {name: row for table in TABLES for name, row in table.items()}
