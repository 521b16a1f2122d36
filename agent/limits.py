"""Every cap and every default number, each with its reason.

Everything that is read from outside has a cap in bytes, items, depth and time. The units stand
last in the names. What the store holds is capped by the store itself (`hal/store.py`).
"""

from __future__ import annotations

from hal.named import NamedTuple

# -- what a CA may send ----------------------------------------------------------------------------
CAPS_BYTES = 4 * 1024  # the longest list seen is 120 bytes; an HTML error page is cut here
CA_SET_BYTES = 256 * 1024  # an RSA-4096 chain of four with RA certificates is below 16 kB
CA_SET_CERTIFICATES = 16  # root, two intermediates, RA pair, and a shadow set of the same
CA_PATHS = 64  # ways down from the pin; a set of cross-signed CAs has a handful
NAME_SUBTREES = 256  # of the name constraints of one CA; each is compared with each name
CONSTRAINED_NAMES = 256  # of a certificate below such a CA
CA_SET_DER_BYTES = 32 * 1024  # of its certificates: they are stored in one transaction of 64 KiB
NEXT_CA_BYTES = 8 * 1024  # an RSA-4096 CA with its root, signed, is below 6 kB; kept whole
CA_LINEAGE = 2  # roll-overs of a CA without a new `fingerprint`: decades
CERTIFICATE_BYTES = 16 * 1024  # one that was issued, stored together with its chain
SERIAL_BITS = 159  # of an issued certificate: positive, in 20 octets (RFC 5280 4.1.2.2)
# A list is stored whole, in one transaction of 64 KiB: some 1,300 revoked certificates.
CRL_BYTES = 48 * 1024
CRL_ENTRIES = 2_000  # of the shortest form, more than fit would be walked at each look
# What the records of a renewal take in the store, where nothing like them is stored yet.
REQUEST_BYTES = 1024  # beside its signer: 700 to 900; the longest settings take 3 kB
LOCAL_BYTES = 2048  # a certificate with its chain: 1,934 from a root with RSA-2048
CA_BYTES = 2048  # the CA certificates of a realm: 1,330 for a root with RSA-2048
OUTCOME_TEXT_BYTES = 400  # of each text of an error that is kept; the log has all of it
OUTCOME_BYTES = 3 * OUTCOME_TEXT_BYTES + 256
CRL_PEM_BYTES = 2 * CRL_BYTES  # base64 and its lines
CERTREP_BYTES = 256 * 1024  # the largest real reply seen is 5.7 kB
NONCE_BYTES = 16  # RFC 8894 3.2.1.5
HTTPS_CA_BYTES = 64 * 1024  # of `https ca-file`: a handful of roots; the system's have 220 kB
HTTP_HEADER_BYTES = 16 * 1024  # servers send below 1 kB
HTTP_HEADER_FIELDS = 64
HTTP_INTERIM_ANSWERS = 4  # 100 and 103 may come before the answer
HTTP_FRAMING = 8  # times a body's cap, with its chunks: one of a single octet takes 6 on the wire

# -- ASN.1 -----------------------------------------------------------------------------------------
DER_DEPTH = 32  # a CertRep with a chain inside needs 14
DER_ELEMENTS = 20_000  # the largest real reply has below 1,500
DER_TAG_NUMBER = 30  # nothing in CMS or X.509 needs the multi-byte form
CMS_RECIPIENTS = 16  # real replies have one; two were heard of, for a key and for an archive
CMS_ATTRIBUTES = 64  # real replies have below 12
# Of one value of a name (RFC 5280 A.1 has 64 to 255). Unicode's normal form, by which names are
# compared, takes the square of a run of accents: 20 seconds for 256 KiB of them.
FOLDED_CHARACTERS = 512
PEER_TEXT_CHARACTERS = 200  # failInfoText and error pages, shown after control characters went

# -- time on the network, in real seconds; the board file may say otherwise -----------------------
CONNECT_S = 10
RECEIVE_S = 30  # for one read
EXCHANGE_S = 60  # for one request and its whole answer, which may drip
RESOLVE_S = 5  # for a name: the C library waits so long for a server before it asks the next
TIMELESS_S = 3600  # after a start, for a time source to come, before a realm renews without one
AHEAD_S = 86_400  # a notBefore ahead of our clock that is accepted, with a note
REQUESTS = 2  # of a renewal that may each have been a certificate; then it is one a day
REQUESTS_LAST = 3  # in the last tenth of the window
SPREAD_S = 300  # the first attempts of a herd after a start
STORE_AGAIN_S = 60  # what flash has refused is tried again so long after it, and twice as long
STORE_REST_S = 3600  # each time, up to this
FAILURE_NOTED_S = 8 * 3600  # between two failures that are written: flash wears out, causes change
AGAIN_TIMES = 2  # in one attempt, where a server is busy for a moment and a person waits
AGAIN_S = 2  # before each of them, unless the server says Retry-After
RETRY_AFTER_S = 30  # and not at all for a server that wants to be left alone for longer
PEACE_S = 3600  # nor polled so long; the wish is unsigned, so no more of it is granted
JOB_EXCHANGES = 2  # GetCACaps and GetCACert; no job has more


class Timeouts(NamedTuple):
    """What a network job may wait for, in outside seconds. A slow line needs more."""

    connect_s: int = CONNECT_S
    receive_s: int = RECEIVE_S
    exchange_s: int = EXCHANGE_S

    def job_s(self) -> int:
        """When the child is killed: only a name server, or a fault of ours, takes so long."""
        return JOB_EXCHANGES * (RESOLVE_S + self.connect_s + self.exchange_s)


TIMEOUTS = Timeouts()


# -- jobs ------------------------------------------------------------------------------------------
JOB_BYTES = 1024 * 1024  # a job or an answer: two CA sets and a certificate
JOB_DESCRIPTORS = 8
IMPORT_BYTES = 256 * 1024  # a PKCS#12 with a chain of RSA-4096 is below 16 kB
KEY_JOB_S = 600  # RSA-4096 on the slowest board that we know takes minutes
LOCAL_JOB_S = 60
WORKER_LINGER_S = 5  # a second command of the same person finds the worker still there
CHILD_MEMORY_BYTES = 512 * 1024 * 1024  # address space, not resident: libraries map a lot
CHILD_CPU_S = 300  # RSA-4096 on a slow board; network jobs need below 5
CHILD_FILES = 64

QUIET_S = 30  # after the last line that was typed, before a realm applies by what it says
NEWCOMERS_AT_ONCE = 8  # realms that apply for their first certificate by themselves
KEYS_AT_ONCE = 2  # key pairs that realms without one get made
ACTIVATIONS_AT_ONCE = 4  # each is a child of some 10 MiB of its own; a boot may have 50 realms
USE_AGAIN_NS = 60_000_000_000  # a certificate that did not reach device memory is tried again

# -- files of others, and passwords --------------------------------------------------------------
PEM_BLOCKS = 64  # in one text: a whole CA set, a key, and what else an export of a tool holds
KDF_ROUNDS = 2_000_000  # of one file: the highest advice of 2026 is 600,000; minutes on a router
KDF_MEMORY_BYTES = 16 * 1024 * 1024  # of a scrypt, as openssl has it; a child stays below 48 MiB
EXPORT_KDF_ROUNDS = 100_000  # of a key that leaves: seconds on a router, tens of ms on a PC
LOGIN_PASSWORD_BYTES = 128
# scrypt of a login: 16 MiB for N = 2^14 and r = 8, 40 ms on a PC and below a second on a router.
# A hash in a configuration may ask for less, never for more.
SCRYPT_LOG2_COST, SCRYPT_BLOCK = 14, 8
PASSWORD_HASH_CHARACTERS = 128
CRL_SHOWN = 64  # revoked certificates of a CRL that are listed; all are counted

# -- VRP ranges ------------------------------------------------------------------------------------
NAME_CHARACTERS = 64  # realm, entity, key pair
CA_ID_CHARACTERS = 63
URL_CHARACTERS = 255
PASSWORD_BYTES = 255  # of a challenge (RFC 2985 5.4.1), and of a file
SEALED_PASSWORD_CHARACTERS = 400  # base64 of that, of nonce and tag, between two marks: 388
POLL_INTERVAL_MIN = (1, 1440)
POLL_INTERVAL_DEFAULT_MIN = 1
POLL_TIMES = (1, 100)
POLL_TIMES_DEFAULT = 5
KEY_BITS = (2048, 4096)
KEY_BITS_DEFAULT = 2048
RENEWAL_PERCENT = (10, 100)  # of the validity that has elapsed
RENEWAL_PERCENT_DEFAULT = 100
PREWARNING_DAYS = (7, 180)
PREWARNING_DEFAULT_DAYS = 90
ROOTS = 4  # `root-fingerprint`: a root, its successor, a cross-certificate and one to spare
CONFIRM_CA_S = 60  # how long the operator may think about a fingerprint
COMMON_NAME_CHARACTERS = 64
SUBJECT_CHARACTERS = 32  # state, locality, organization
UNIT_CHARACTERS = 31  # one organization unit
UNITS_CHARACTERS = 191  # the whole list, commas included
EMAIL_CHARACTERS = 128
FQDN_CHARACTERS = 253  # 255 octets on the wire (RFC 1035 2.3.4)
SERIAL_DIGITS = 40  # of a certificate, hexadecimal: 20 bytes (RFC 5280 4.1.2.2)
FILE_CHARACTERS = 127  # of a file in device storage (VRP `pki export-certificate`)
VPN_INSTANCE_CHARACTERS = 15  # a VRF is a network device of Linux (IFNAMSIZ)
ZONE_CHARACTERS = 32
ZONE_OFFSET_S = 14 * 3600  # Kiribati
INTERFACE_PART_CHARACTERS = 20  # the type of an interface, or its number
INTERFACE_CHARACTERS = 2 * INTERFACE_PART_CHARACTERS  # router names are longer than those of Linux

# -- console ---------------------------------------------------------------------------------------
LINE_CHARACTERS = 510
SCRIPT_BYTES = 64 * 1024  # of a script's lines, read ahead while one is at work; the rest waits
APPLY_BYTES = 1024 * 1024  # of a file: a thousand realms with a password have half of it
APPLY_BAD_LINES = 1000  # then reading stops: it is no configuration, and each line costs time
NETWORK_JOBS = 4  # at once; each takes two children, and some 40 MiB while it works
SESSIONS = 16  # at the socket, those that have not said yet what they are included
SESSIONS_KEPT = 2  # free for level 3, whatever the others do
SESSIONS_OF_USER = (SESSIONS - SESSIONS_KEPT) // 2  # of one uid below level 3
DESCRIPTORS = 64  # of the agent: what all sessions, four serial lines and all jobs take at once
DESCRIPTORS_LEAST = 32  # one serial line, one session and one job; below it nobody could be helped
HISTORY_LINES = 10
NAMES_LISTED = 12  # of what is there, by `?`: half a screen
ANSWERS = 3  # to one question, that are none; then it is answered No, or the command has failed
SESSION_OUTPUT_BYTES = 1024 * 1024  # unsent output of one session; beyond it the producer waits
SCREEN_LINES = 24
SCREEN_LINES_RANGE = (0, 512)  # 0: no paging
SCREEN_COLUMNS = 80  # of a terminal that does not say
SCREEN_COLUMNS_RANGE = (60, 512)  # VRP `screen-width`
TYPE_AHEAD_BYTES = 64 * 1024  # a configuration pasted while a key is generated
OUTPUT_LINES = 40  # produced at once before the transport is asked again whether it has room
LEFT_OUT_LINES = 1000  # by a filter, before other sessions have their turn
IDLE_SESSION_S = 600
IDLE_MINUTES = (0, 35791)  # VRP `idle-timeout`
IDLE_SECONDS = (0, 59)
IDLE_LOOK_S = 60  # how soon a running session feels that its time-out was changed
LOG_LINES = 512
MONITOR_LINES = 20  # of the log at a terminal, in a second: more than anybody reads

# -- who may ---------------------------------------------------------------------------------------
LEVELS = (0, 3)
USER_LEVEL_DEFAULT = 0  # of a local user whom nobody gave a level (VRP): may log in, and out
USERS = 32
LOGIN_S = 60  # for name and password; somebody else may want the line
LOGIN_DELAYS_S = (1, 2, 4, 8)  # after the first wrong password, the second, ...; then the last
LOGIN_FAILURES = 5  # in a row, then the user or the line is locked
LOGIN_LOCK_S = 300
ERASE_WAIT_S = 60  # between the word and the deed, at a line that lets nobody in
LOGIN_NAMES = 64  # remembered as failed; with the delays a line cannot lock more than 38 at a time
VERSION = "0.1.0"  # what `display version` shows; pyproject.toml says the same

# -- the clock ----------------------------------------------------------------------------------
CLOCK_OFF_YEARS = 5  # without power, and the clock is believed all the same
CLOCK_SHELF_YEARS = 10  # the same for a board whose last time nobody knows: its software may be old
CLOCK_ASK_S = (1, 60, 600, 3600, 86400)  # after the start and after each jump, then the last
BUILD_S = 1_795_000_000  # this program did not exist before (2026-11): a clock below it is wrong
