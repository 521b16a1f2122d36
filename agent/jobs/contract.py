"""The contract of the jobs: one row for each operation, read by the agent and by its children.

The agent builds a job from settings and records, and gives to the child what the row says: the
device key only where something is unsealed or sealed, a network only where one is used, open files,
and time. The child checks the job against the row before it does anything; the agent checks the
answer, whose child has read bytes of a peer. So no field crosses whose type is not in this table.

A shape is a text `name:type name:type?`. The question mark: the field may be absent or None. Types:
text, bytes, int, bool, map, and lists of one type (texts, blobs, maps). The inside of a map is
checked by the function that reads it. Texts are split when a job is checked, so that this table
costs the idle agent little. `docs/JOBS.md` is made from it.

No process holds a private key and talks to the network, or reads what has come from there. A job
that needs both has two children: one that keeps keys, and one that asks it. What may be asked, and
how often, is in the row (`asks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent import limits
from hal.named import NamedTuple

TYPES: dict[str, type] = {"text": str, "bytes": bytes, "int": int, "bool": bool, "map": dict}
LISTS: dict[str, type] = {"texts": str, "blobs": bytes, "maps": dict}


class Operation(NamedTuple):
    """The fields that cross to a child for one operation, and back.

    takes, gives: shapes of the job (beside `op`) and of the answer. opens: the fields of the job in
    which something sealed is unsealed, and of which key pairs sign; seals: the fields of the answer
    that are sealed. Either of them needs the device key, which is the first descriptor; without_key
    names the values of `kind` that need none. files: further descriptors, open for writing, in this
    order. deadline_s: None for a job that uses the network, which has the board's time-outs.

    asks: `field:signatures:unwraps` for each key that a child without network keeps for the one
    that talks; asks_renewing: the same where the job has a `renewal`, whose certificate signs.
    hands_over: the sealed password that the talking child gets in plain. places: the key pair whose
    private key the key child writes into the last two files; the other one gets all but the last.

    pkcs12: it may read or write PKCS#12, whose library the worker loads for it.
    """

    takes: str = ""
    gives: str = ""
    opens: str = ""
    seals: str = ""
    without_key: tuple[str, ...] = ()
    files: str = ""
    asks: str = ""
    asks_renewing: str = ""
    hands_over: str = ""
    places: str = ""
    pkcs12: bool = False
    deadline_s: int | None = limits.LOCAL_JOB_S

    @property
    def network(self) -> bool:
        """Whether the child has a network; that of every other job has none at all."""
        return self.deadline_s is None

    def needs_device_key(self, kind: object) -> bool:
        """Whether something is unsealed or sealed; `kind`: that field of the job, if it has one.

        A child that parses what nobody has signed, and needs no key, is not given one.
        """
        return bool(self.opens or self.seals) and kind not in self.without_key


# Fields that jobs have in common.
_MOMENT = " now_s:int clock_trusted:bool"
_LINE = " limits:map https_ca:bytes? nonce:bytes"  # added by the runner
_POLICY = (
    " realm:text source:map https_ca_file:text? http:text? cipher:text? ra_fingerprint:map?"
    " weak:texts subject_match:text compatibility:texts"
)
_SERVER = " ca_id:text? ra:bool" + _POLICY + _LINE + _MOMENT
_PUBLISHED = "digest:text ca:map fingerprint:map? caps:texts" + _SERVER
_REQUEST = (
    "url:text transaction:text request_time_s:int password:text? key:map renewal:map?"
    " entity:map key_usage:texts revocation:map? "
) + _PUBLISHED
_HELD = " certificate:bytes? waiting:bytes? before_s:int? "
_LIST = "url:text? cdp_url:text? from_ca:bool" + _HELD + _PUBLISHED
_SERVED = "ca:map? chain:blobs weak:texts revocation:map?" + _MOMENT
_OUTCOME = "status:text certificate:map? chain:blobs? ra_proven:bool? doubt:map? notes:texts"
_CRL = (
    "crl:bytes issuer:text this_update_s:int next_update_s:int? count:int source:text"
    " revoked:texts notes:texts"
)
# Signatures: of the certificate that signs (RFC 8894 2.3), the pkiMessage, in `enrol` the PKCS#10.
_OWN, _RENEWING = "key:2:1", "renewal.key:1:1"

ROWS: dict[str, Operation] = {
    "rungs": Operation(gives="held:texts missing:texts"),
    "generate-key": Operation(
        takes="name:text generation:int bits:int",
        gives="sealed:bytes spki:bytes bits:int",
        seals="sealed",
        deadline_s=limits.KEY_JOB_S,
    ),
    "seal": Operation(
        takes="plain:text before:text?", gives="sealed:text", opens="before", seals="sealed"
    ),
    "check-sealed": Operation(takes="sealed:text", opens="sealed"),
    "hash-password": Operation(takes="plain:text before:text?", gives="hash:text"),
    "check-password": Operation(takes="plain:text hash:text", gives="matches:bool"),
    "fetch-ca": Operation(
        takes="url:text stored:bytes? anchors:maps?" + _SERVER,
        gives="caps:texts certificates:maps notes:texts",
        deadline_s=None,
    ),
    "enrol": Operation(
        takes=_REQUEST,
        gives=_OUTCOME,
        opens="key password renewal.key",
        asks="key:3:1",
        asks_renewing="key:1:0 " + _RENEWING,
        hands_over="password",
        deadline_s=None,
    ),
    "poll": Operation(
        takes=_REQUEST,
        gives=_OUTCOME,
        opens="key renewal.key",
        asks=_OWN,
        asks_renewing=_RENEWING,
        deadline_s=None,
    ),
    "get-cert": Operation(
        takes="serial:text " + _REQUEST,
        gives=_OUTCOME,
        opens="key renewal.key",
        asks=_OWN,
        asks_renewing=_RENEWING,
        deadline_s=None,
    ),
    "next-ca": Operation(
        takes="url:text " + _PUBLISHED,
        gives="certificates:maps message:bytes via:blobs notes:texts",
        deadline_s=None,
    ),
    "fetch-crl": Operation(takes=_LIST, gives=_CRL, deadline_s=None),
    "get-crl": Operation(
        takes="signer:map transaction:text " + _LIST,
        gives=_CRL,
        opens="signer.key",
        asks="signer.key:1:1",
        deadline_s=None,
    ),
    "import-crl": Operation(
        takes="name:text data:bytes realm:text ca:map fingerprint:map? weak:texts"
        + _HELD
        + _MOMENT,
        gives=_CRL,
    ),
    "fetch-file": Operation(
        takes="url:text realm:text source:map https_ca_file:text?" + _LINE + _MOMENT,
        gives="data:bytes",
        deadline_s=None,
    ),
    "request": Operation(
        takes="entity:map key_usage:texts digest:text key:map password:text?",
        gives="request:bytes",
        opens="key password",
    ),
    "inspect": Operation(takes="kind:text ders:blobs", gives="texts:texts items:maps"),
    "diagnose": Operation(
        takes="realm:text ca:map ra:bool ra_fingerprint:map? compatibility:texts weak:texts"
        " caps:texts cipher:text? digest:text" + _MOMENT,
        gives="recipient:text notes:texts",
    ),
    "validate": Operation(
        takes="kind:text certificate:bytes? " + _SERVED, gives="rows:maps chain:blobs"
    ),
    "import": Operation(
        takes="kind:text format:text? data:bytes password:text? key:map? name:text?"
        " generation:int? stored:bytes? anchors:maps? weak:texts? ra_fingerprint:map? now_s:int?"
        " clock_trusted:bool?",
        gives="certificates:maps? certificate:map? chain:blobs? key:map? sealed:bytes? spki:bytes?"
        " bits:int?",
        seals="sealed key.sealed",
        without_key=("ca",),
        pkcs12=True,
        deadline_s=limits.KEY_JOB_S,
    ),
    "export": Operation(
        takes="kind:text format:text key:map? password:text? certificate:bytes? ca:map?"
        " chain:blobs? weak:texts? revocation:map? now_s:int? clock_trusted:bool?",
        gives="data:bytes",
        opens="key",
        without_key=("ca",),
        pkcs12=True,
        deadline_s=limits.KEY_JOB_S,
    ),
    "activate": Operation(
        takes="key:map certificate:bytes " + _SERVED,
        gives="chain:blobs ca:blobs notes:texts",
        opens="key",
        asks="key:0:0",
        places="key",
        files="cert.pem chain.pem ca.pem bundle.pem key.pem",
    ),
}


def fields(shape: str) -> Iterator[tuple[str, str, bool]]:
    """The fields of a shape: name, type, and whether it may be absent or None."""
    for part in shape.split():
        name, _, kind = part.partition(":")
        yield name, kind.removesuffix("?"), kind.endswith("?")


def fault(shape: str, values: Mapping[str, object]) -> str | None:
    """The first field that is missing or of another type; None: all are as they should be.

    Further fields are not looked at: nobody reads them.
    """
    for name, kind, optional in fields(shape):
        value = values.get(name)
        if not (optional if value is None else _is(kind, value)):
            return name
    return None


def _is(kind: str, value: object) -> bool:
    """Types are exact: a truth value is no number."""
    if kind in TYPES:
        return type(value) is TYPES[kind]
    return isinstance(value, list) and all(type(item) is LISTS[kind] for item in value)
