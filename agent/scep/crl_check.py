"""The trust in a revocation list, and its word about a certificate (RFC 5280 6.3).

Fault model. A list comes over plain HTTP, out of a cache, or inside a reply of the CA: only its own
signature counts, made by a CA below the pin. An attacker in the CA's place can hold back a new
list and show an old one, so its dates are judged, and a list older than the one that is stored is
refused. A list that says less than it seems to (a delta, one reason, CA certificates alone) would
call a revoked certificate good, and is refused.
"""

from __future__ import annotations

from agent import limits
from agent.errors import AgentError, fail
from agent.scep import ber, cms, crl, der, encodings, names, oids
from agent.scep.border import reading
from agent.scep.caset import CaSet
from agent.scep.certificate import Certificate
from agent.scep.crl import Crl
from agent.scep.jobmap import Job, field, items, submap
from agent.scep.text import utc
from hal.named import NamedTuple

# Fields of an issuingDistributionPoint that still covers every certificate of a device (5.2.5):
# its own place, and that it leaves out those of CAs.
_WHOLE = (der.explicit(0), der.context(1))


def accept(data: bytes, ca: CaSet, notes: list[str]) -> Crl:
    """The list, signed by a CA of the set; its dates are for the caller."""
    if len(data) > limits.CRL_BYTES:
        raise fail("crl-too-large", size=len(data), cap=limits.CRL_BYTES)
    with reading("crl-malformed", data):
        revocations = crl.read(data)
        _check_whole(revocations)
        if revocations.total > limits.CRL_ENTRIES:
            raise ber.BerError(f"it names {revocations.total} certificates")
        revocations.entry_of(-1)  # every entry can be read
    digest = revocations.signature.digest
    if not digest:
        raise fail("crl-unverifiable", name=revocations.signature.name)
    if digest == "md5" and "md5" not in ca.rules.weak:
        raise fail("crl-signature", reason="it is made with md5")
    if digest in ("md5", "sha1"):
        notes.append(f"the signature of the revocation list uses {digest}")
    issuers = [a.certificate for a in ca.authorities if _names(a.certificate, revocations)]
    if not issuers:
        raise fail("crl-issuer", issuer=names.shown(revocations.issuer))
    if not any(revocations.signed_by(c.spki) for c in issuers if c.usable_for("cRLSign")):
        raise fail("crl-signature", reason="no CA of the stored set has made it")
    return revocations


def reason_of(cert: Certificate, revocations: Crl, ca: CaSet) -> str:
    """Why a certificate is on a list that the key of its issuer has signed; "": it is not. Another
    key of the same name says nothing about it."""
    namesakes = [a.certificate for a in ca.authorities if _names(a.certificate, revocations)]
    if not any(cert.issued_by(one) and revocations.signed_by(one.spki) for one in namesakes):
        return ""
    entry = revocations.entry_of(cert.serial)
    return (entry.reason or crl.REASONS[0]) if entry else ""


def der_of(data: bytes) -> bytes:
    """The list as DER, whatever it came in; that of a SignedData without content, too."""
    with reading("crl-malformed", data):
        found = encodings.single(data)
        if not _is_content_info(found):
            return found
        lists = cms.read_signed(found).lists
        if len(lists) != 1:
            raise ber.BerError(f"a PKCS#7 with {len(lists)} lists")
        return lists[0]


def _is_content_info(data: bytes) -> bool:
    """A list is too long to be read as a tree; its first element is a SEQUENCE."""
    if data[:1] != b"\x30":
        return False
    at = data[1] & 0x7F if data[1:2] > b"\x80" else 0
    return data[2 + at : 3 + at] == der.OID.to_bytes(1, "big")


def dates_fault(revocations: Crl, now_s: int | None) -> str:
    """Why the list does not speak for this moment, or nothing; None: the clock is not trusted."""
    if now_s is None:
        return ""
    if revocations.this_update_s > now_s + limits.AHEAD_S:
        return f"it begins at {utc(revocations.this_update_s)}"
    if revocations.next_update_s is not None and revocations.next_update_s <= now_s:
        return f"the next one was due at {utc(revocations.next_update_s)}"
    return ""


def _names(authority: Certificate, revocations: Crl) -> bool:
    return names.key(authority.subject) == names.key(revocations.issuer)


def _check_whole(revocations: Crl) -> None:
    for dotted, extension in revocations.extensions.items():
        if dotted == oids.DELTA_CRL:
            raise ber.BerError("it is a delta, which needs the list before it")
        if dotted == oids.ISSUING_DISTRIBUTION_POINT:
            _check_scope(ber.read(extension.value))
        elif extension.critical:  # RFC 5280 5.2: then the list must not be used
            raise ber.BerError(f"an unknown critical extension {dotted}")


def _check_scope(node: ber.Node) -> None:
    for child in node.expect(der.SEQUENCE).children:
        if child.tag not in _WHOLE:
            raise ber.BerError("it speaks of a part of the certificates only")


class Check(NamedTuple):
    """The wish of the realm's `certificate-check`, and the stored list if it can be used.

    `named`: the operator has typed it; `required`: without a list no certificate is good; `lack`:
    why there is none for this moment.
    """

    wanted: bool
    named: bool
    required: bool
    found: Crl | None
    lack: str

    def revoked(self, cert: Certificate) -> str:
        """The time and reason of a revocation, or nothing. A list out of date counts as well."""
        if self.found is None or not self._covers(self.found, cert):
            return ""
        entry = self.found.entry_of(cert.serial)
        if entry is None:
            return ""
        return f"revoked at {utc(entry.revoked_s)}{f' ({entry.reason})' if entry.reason else ''}"

    def lacking(self, cert: Certificate) -> str:
        """Why nobody knows whether a certificate is revoked, or nothing."""
        if not self.wanted:
            return ""
        if self.found is not None and not self._covers(self.found, cert):
            return "the stored revocation list is that of another CA"
        return self.lack

    @staticmethod
    def _covers(revocations: Crl, cert: Certificate) -> bool:
        return names.key(cert.issuer) == names.key(revocations.issuer)


UNCHECKED = Check(False, False, False, None, "")


def check_of(job: Job, ca: CaSet, now_s: int | None) -> Check:
    """The field `revocation` of a job: {check: [crl, none], crl: bytes or None}, or None.

    Nothing configured is VRP's default, `crl none`: the list is looked at when there is one.
    """
    if job.get("revocation") is None:
        return UNCHECKED
    revocation = submap(job, "revocation")
    words = items(revocation, "check", str)
    if words == ["none"]:
        return UNCHECKED
    named, required = bool(words), words == ["crl"]
    if revocation.get("crl") is None:
        return Check(True, named, required, None, "there is no revocation list")
    try:
        revocations = accept(field(revocation, "crl", bytes), ca, [])
    except AgentError as error:
        return Check(True, named, required, None, error.what)
    fault = dates_fault(revocations, now_s)
    lack = f"the revocation list is out of date: {fault}" if fault else ""
    return Check(True, named, required, revocations, lack)
