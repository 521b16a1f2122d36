"""GetCACaps and GetCACert (RFC 8894 3.5.2, 4.2): what a CA can do, and its certificates.

Both answers are unprotected: whoever answers in the CA's place writes them. Nothing here trusts
anything; the agent compares a fingerprint, and `caset` works from the pin.
"""

from __future__ import annotations

import ssl

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import (
    ber,
    caset,
    certificate,
    cms,
    crypto,
    names,
    path,
    ra,
    relations,
    tls,
    transport,
)
from agent.scep.border import reading
from agent.scep.caset import Fingerprint
from agent.scep.certificate import Certificate
from agent.scep.jobmap import Answer, Job, field, items, one_of, submap, text_or_none
from hal.ports import Link

_CAPS_LINES = 64
_CAPS_LINE_CHARACTERS = 64


def exchange_of(job: Job, link: Link) -> transport.Exchange:
    """How to reach the CA of a job: {url, source, limits, https_ca_file, https_ca}."""
    server = transport.server(field(job, "url", str))
    source = transport.source_of(submap(job, "source"))
    judge = _judge(job) if server.secure else None
    return transport.Exchange(server, link, source, _timeouts(job), judge)


def _judge(job: Job) -> ssl.SSLContext | None:
    """Whom an https server is believed: the name of a file of device storage, and its bytes."""
    name = text_or_none(job, "https_ca_file")
    if name is None:
        return None
    return tls.context(field(job, "https_ca", bytes), name, field(job, "clock_trusted", bool))


def _timeouts(job: Job) -> limits.Timeouts:
    values = submap(job, "limits") if "limits" in job else {}
    return limits.Timeouts(**{name: field(values, name, int) for name in values})


def fetch(job: Job, link: Link) -> Answer:
    """{url, ca_id, source, ra, ra_fingerprint, compatibility, stored, anchors, weak, now_s, ...}
    -> {caps, certificates, notes}

    `stored`: DER of the CA certificate that is pinned already, or None; it is told of with those
    that were sent, so that its relations to them are known. Without a configured `ca_id` no
    `message` is sent: an invented one is refused by some CAs.
    """
    exchange, ca_id = exchange_of(job, link), text_or_none(job, "ca_id")
    rules = ra.rules_of(job)
    notes: list[str] = []
    caps = _capabilities(exchange, ca_id, notes)
    ders = ca_certificates(exchange.get("GetCACert", ca_id, limits.CA_SET_BYTES))
    readable, faults = caset.parted(ders)
    if not readable:
        reason = f"no certificate in it can be read: {'; '.join(faults)}"
        raise fail("ca-set-malformed", reason=reason, page="-")
    size = sum(len(certificate.der) for certificate in readable)
    if size > limits.CA_SET_DER_BYTES:
        raise fail("ca-set-too-large", size=size, cap=limits.CA_SET_DER_BYTES)
    if faults:
        told = "; ".join(faults)
        notes.append(f"{len(faults)} of the CA's certificates cannot be read: {told}")
    certificates = with_anchors(readable, job)
    _check_named(certificates, ders, job)
    if rules is not None:
        ra.check(certificates, rules)
    return {"caps": caps, "certificates": arrived(certificates, job), "notes": notes}


def _check_named(certificates: list[Certificate], ders: list[bytes], job: Job) -> None:
    """Of a set that holds the certificate of `fingerprint`, why it is of no use."""
    for algorithm, digits in anchors(job)[:1]:
        digest = caset.FINGERPRINTS[algorithm]
        for data in ders:
            if crypto.digest(digest, data).hex() == digits:
                with reading("ca-set-malformed", b""):
                    certificate.read(data)
        for one in certificates:
            if not one.is_ca and caset.digits(algorithm, one) == digits:
                raise fail(
                    "ca-pin-not-ca",
                    others=_offer(certificates, algorithm),
                    subject=names.shown(one.subject),
                )


def _offer(certificates: list[Certificate], algorithm: str) -> str:
    """The fingerprints of the CAs of a set; no name can bring along one of its own."""
    prints = [caset.digits(algorithm, c) for c in certificates if c.is_ca]
    return f", those of the CAs that arrived are {', '.join(prints)}" if prints else ""


def fingerprint(fields: Job) -> Fingerprint:
    """{algorithm, hex}"""
    return Fingerprint(one_of(fields, "algorithm", caset.FINGERPRINTS), field(fields, "hex", str))


def anchors(job: Job) -> list[Fingerprint]:
    """The fingerprints that the operator has typed: {anchors: [{algorithm, hex}]}."""
    typed = items(job, "anchors", dict) if job.get("anchors") is not None else []
    return [fingerprint(one) for one in typed]


def with_anchors(certificates: list[Certificate], job: Job) -> list[Certificate]:
    """The certificates, roots that are known by a fingerprint alone among the CAs; that of the
    stored CA is one."""
    prints = anchors(job)
    if job.get("stored"):
        digits = crypto.digest("sha-256", field(job, "stored", bytes)).hex()
        prints.append(Fingerprint("sha256", digits))
    return caset.anchored(certificates, prints)


def arrived(certificates: list[Certificate], job: Job) -> list[Answer]:
    """Maps of certificates that have come in, and of the pinned one that is stored, if any."""
    held = caset.readable([field(job, "stored", bytes)] if job.get("stored") else [])
    stored = with_anchors(held, job)
    absentees = [certificate for certificate in stored if certificate not in certificates]
    weak = items(job, "weak", str) if "weak" in job else []
    rules = path.Rules(moment(job), frozenset(weak))
    ders = [certificate.der for certificate in absentees]
    return relations.described([*certificates, *absentees], rules, ra.typed(job), ders)


def moment(job: Job) -> int | None:
    """Wall time of the job; None when it has none, or the clock is not trusted."""
    timed = "now_s" in job and field(job, "clock_trusted", bool)
    return field(job, "now_s", int) if timed else None


def _capabilities(exchange: transport.Exchange, ca_id: str | None, notes: list[str]) -> list[str]:
    """A server that does not know GetCACaps lists nothing (RFC 8894 3.5.2)."""
    try:
        body = exchange.get("GetCACaps", ca_id, limits.CAPS_BYTES)
    except AgentError as error:
        if error.code not in transport.SERVER_CODES:
            raise
        notes.append(f"the server lists no capabilities: {error.what}")
        return []
    keywords = capabilities(body)
    if not keywords:
        notes.append("the server lists no capabilities")
    return keywords


def capabilities(body: bytes) -> list[str]:
    """The keywords of a GetCACaps answer as sent; none when it is a page for people."""
    if body.lstrip().startswith(b"<"):
        return []
    lines = (line.strip() for line in body.decode("latin-1").splitlines())
    good = (line for line in lines if line.isascii() and line.isprintable())
    return list(dict.fromkeys(x for x in good if 0 < len(x) <= _CAPS_LINE_CHARACTERS))[:_CAPS_LINES]


def ca_certificates(data: bytes) -> list[bytes]:
    """DER of every certificate in a GetCACert answer: one, a degenerate SignedData, or several.

    The content decides, since servers mix up the types (RFC 8894 4.2.1), and put white space
    around it or send bare base64 (both seen by certmonger).
    """
    with reading("ca-set-malformed", data):
        if data.lstrip().startswith(b"<"):
            raise ber.BerError("a page for people")
        ders = cms.certificates_of(data)
        if len(ders) > limits.CA_SET_CERTIFICATES:
            raise ber.BerError(f"{len(ders)} certificates")
    return ders
