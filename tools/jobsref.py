"""Writes `docs/JOBS.md` from the contract of the jobs (`agent/jobs/contract.py`).

python -m tools.jobsref docs/JOBS.md      write it
python -m tools.jobsref                   print it

The sentences are here, because the agent that idles must not hold them. A test finds an operation
or a field without one.
"""

import sys
from collections.abc import Iterator

from agent import limits
from agent.jobs.contract import ROWS, Operation, fields

HEAD = """# The jobs

Generated from `agent/jobs/contract.py` by `make docs`; a test compares it.

The agent sends one CBOR map `{{op, ...}}` to a child of the worker, and the child answers once:
`{{ok: map}}`, or the map of an error (`error`, `what`, `cause`, `remedy`, `retry`, `after_s`). The
child checks the fields of the job before it does anything (`job-request`), and the agent those of
the answer (`job-answer`). A field with `?` may be absent or None. Texts, blobs (bytes) and maps are
lists.

A child has the device key, open for reading as its first descriptor, only where the row says that
something is unsealed or sealed. It has a network only where the row says so. At its deadline it is
killed. With a network that is {job_s} s where the board file has the default time-outs.

No process holds a private key and a network, or a byte that has come from there. A job that needs
both has two children. The key child
has the device key, no network, and of the job what the row names under `asks`: it unseals these
keys, and answers no more than this many questions. The talking child gets the public half of a key
pair (`spki`) in place of the sealed one, and hears the password from the key child where the row
says so. `agent/keydoor.py` has the questions.
"""

OPERATIONS = {
    "rungs": "tells what confines a child here, and what does not. It is the one operation that is"
    " not of the protocol: the worker answers it.",
    "generate-key": "makes an RSA key pair.",
    "seal": "seals a password. If `before` holds the same password, it is given back unchanged.",
    "check-sealed": "finds out whether this device can unseal a password (`sealed-foreign`).",
    "hash-password": "makes the salted hash of a login password. If `before` is a hash of the same"
    " password, it is given back unchanged.",
    "check-password": "compares a password with its hash.",
    "fetch-ca": "asks GetCACaps and GetCACert (RFC 8894 3.5.1 and 4.2) and tells what each"
    " certificate vouches for. It decides nothing: nobody has signed the set.",
    "enrol": "sends a PKCSReq or a RenewalReq (RFC 8894 4.3) and checks all of the reply. The same"
    " job makes the same PKCS#10 at each try.",
    "poll": "sends a CertPoll (RFC 8894 4.4) for the transaction of an earlier `enrol`.",
    "get-cert": "sends a GetCert (RFC 8894 4.5).",
    "next-ca": "sends a GetNextCACert (RFC 8894 4.7), which the pinned CA has to sign.",
    "fetch-crl": "fetches the revocation list of the pinned CA by HTTP.",
    "get-crl": "sends a GetCRL (RFC 8894 4.6), signed with the certificate in use.",
    "import-crl": "judges a revocation list that lies in device storage.",
    "fetch-file": "gets whatever stands at a URL, and reads nothing of it.",
    "request": "makes a PKCS#10 that a person carries to the CA.",
    "inspect": "prints certificates, requests or revocation lists.",
    "diagnose": "goes the way of `enrol` up to its first byte: who would receive the request, and"
    " what is weak.",
    "validate": "judges the chain of a certificate (RFC 5280 6.1).",
    "import": "reads a file of a person. The answer follows `kind`: `ca` brings `certificates`;"
    " `local` brings `certificate`, `chain`, and `key` if the file has another key than the realm;"
    " `key` brings `sealed`, `spki`, `bits` and `certificates`.",
    "export": "makes a file for a person. A private key leaves only encrypted with `password`.",
    "activate": "writes a certificate, those around it and its private key into the files of device"
    " memory. The key child writes the key first, and reads no certificate. The answer has what the"
    " other one has written.",
}

FIELDS = {
    "before": "what is stored now, in the form that the answer has",
    "before_s": "thisUpdate of the stored list: an older one is refused",
    "bits": "size of an RSA key",
    "ca": "the stored CA: {certificates, pin, anchor, lineage, roots, ra_proven}; in an answer, DER"
    " of what consumers trust",
    "ca_id": "the `message` of GetCACaps, GetCACert and GetNextCACert",
    "caps": "capabilities that the CA lists",
    "cdp_url": "where the list is, as configured",
    "certificate": "DER of the certificate in question; in an answer, its fields",
    "certificates": "the fields of each certificate, with its fingerprints and relations",
    "chain": "DER of the issuers, upwards",
    "cipher": "content encryption that the realm demands",
    "clock_trusted": "whether `now_s` may call anything expired",
    "compatibility": "keywords of the realm",
    "count": "revoked certificates on the list",
    "crl": "DER of the list",
    "data": "content of the file",
    "ders": "what to print, as DER",
    "digest": "digest of our signatures",
    "doubt": "the error of dates that are wrong unless the clock is, else empty",
    "entity": "the subject and its alternative names",
    "fingerprint": "what the realm pins: {algorithm, hex}",
    "format": "pem, der or pkcs12",
    "from_ca": "whether the place of the list stands in the CA certificate",
    "generation": "generation of a key pair: a seal is bound to name and generation",
    "hash": "salted scrypt of a login password",
    "held": "rungs that hold",
    "http": "post or get, where the realm demands one",
    "https_ca": "content of `https_ca_file`",
    "https_ca_file": "file of the CAs that an https server is believed by",
    "issuer": "issuer of the list",
    "items": "the fields of each object, for JSON",
    "key": "a key pair: {name, generation, sealed, spki}; in an answer, {sealed, spki, bits}",
    "key_usage": "extended key usages that are asked for",
    "kind": "ca, local or key; for `inspect` certificate, request or crl",
    "limits": "time-outs of the network, in seconds",
    "matches": "whether the password is the one of the hash",
    "message": "the signed answer, kept as proof",
    "missing": "rungs that do not hold, with the reason",
    "name": "name of a key pair, or of a file",
    "next_update_s": "nextUpdate of the list",
    "nonce": "senderNonce (RFC 8894 3.2.1.5)",
    "notes": "weaknesses that were let pass, for the log and the person who waits",
    "now_s": "wall time",
    "password": "the sealed challenge; for `import` and `export` the password of the file",
    "plain": "a password as it was typed",
    "ra": "whether an RA answers in place of the CA",
    "ra_fingerprint": "what the realm pins of the RA: {algorithm, hex: list}",
    "ra_proven": "whether the answer came through an RA with the purpose of one",
    "realm": "name of the realm, for texts",
    "renewal": "how the certificate in use signs: {message_type, certificate, key, with_password}",
    "request": "DER of the PKCS#10",
    "request_time_s": "wall time of the request: the validity of our own signer begins there",
    "revocation": "the stored list and how strict the realm is",
    "revoked": "why the certificate in use is on the list, and the one that waits; or empty",
    "rows": "a verdict for each certificate: {certificate, subject, status, reason}",
    "sealed": "sealed under the device key",
    "serial": "serial number, hexadecimal",
    "signer": "what signs: {certificate, key}",
    "source": "where connections come from: {address, interface, bind_device, vrf}; of a list, the"
    " place that it came from",
    "spki": "DER of the public key",
    "status": "issued or pending",
    "anchors": "fingerprints of CA certificates that were typed, that of the pinned CA first",
    "recipient": "the subject of the certificate that a request is encrypted for, and the cipher",
    "stored": "DER of the pinned certificate: its relations to what arrives are told, too",
    "subject_match": "how closely the issued subject must follow the request",
    "texts": "what is printed, one text an object",
    "this_update_s": "thisUpdate of the list",
    "transaction": "transactionID, 32 hexadecimal digits",
    "url": "`enrollment-url` of the realm; for `fetch-file` the place of the file",
    "via": "DER of the certificates between the pinned CA and the signer",
    "waiting": "DER of the certificate that waits",
    "weak": "weak algorithms that the realm lets pass",
}


def page() -> str:
    """The whole page."""
    parts = [HEAD.format(job_s=limits.TIMEOUTS.job_s()), "## Operations", ""]
    for op, row in ROWS.items():
        parts += [f"### `{op}`", "", f"It {OPERATIONS[op]}", "", *_bullets(row), ""]
    parts += ["## Fields", "", "| field | meaning |", "| --- | --- |"]
    parts += [f"| `{name}` | {FIELDS[name]} |" for name in sorted(names())]
    return "\n".join([*parts, ""])


def names() -> set[str]:
    """The names of all fields."""
    return {one[0] for row in ROWS.values() for s in (row.takes, row.gives) for one in fields(s)}


def _bullets(row: Operation) -> Iterator[str]:
    yield f"* takes {_shape(row.takes)}"
    yield f"* gives {_shape(row.gives)}"
    device_key = [f"{verb} {_quoted(f)}" for verb, f in _uses(row) if f]
    if device_key:
        without = f"; kind {', '.join(row.without_key)} needs none" if row.without_key else ""
        yield f"* device key: {', '.join(device_key)}{without}"
    if row.asks:
        yield f"* asks {_asks(row.asks)}"
    if row.asks_renewing:
        yield f"* asks, with `renewal`: {_asks(row.asks_renewing)}"
    if row.hands_over:
        yield f"* hears `{row.hands_over}` in plain"
    if row.places:
        yield f"* the key child writes `{row.places}` into the last two; the other has no last one"
    if row.files:
        yield f"* descriptors, open for writing: {_quoted(row.files)}"
    if row.pkcs12:
        yield "* the worker loads the library of PKCS#12 for it"
    limit = "the time-outs of the board" if row.deadline_s is None else f"{row.deadline_s} s"
    yield f"* network: {'yes' if row.network else 'no'}; deadline: {limit}"


def _uses(row: Operation) -> tuple[tuple[str, str], tuple[str, str]]:
    return ("unseals", row.opens), ("seals", row.seals)


def _asks(counted: str) -> str:
    keys = (one.split(":") for one in counted.split())
    return "; ".join(
        f"`{name}` to sign {signs}, to unwrap {unwraps}" for name, signs, unwraps in keys
    )


def _shape(shape: str) -> str:
    words = [f"`{name}` {kind}{'?' if optional else ''}" for name, kind, optional in fields(shape)]
    return ", ".join(words) or "nothing"


def _quoted(words: str) -> str:
    return ", ".join(f"`{word}`" for word in words.split())


def main(arguments: list[str]) -> int:
    if not arguments:
        print(page())
        return 0
    with open(arguments[0], "w") as out:
        out.write(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
