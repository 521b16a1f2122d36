"""What a CA can do wrong on purpose: tables of small functions, named as on the command line.

`MISISSUE` changes a certificate before it is signed, `TAMPER` a CertRep before it is encoded,
`legacy` gives a CertRep the shape of an old but honest server.
"""

from collections.abc import Callable

from tools.lab_ca import algorithms, authority
from tools.lab_ca import request as scep
from tools.lab_ca.algorithms import Identity
from tools.lab_ca.authority import DAY_S, Change, Template
from tools.lab_ca.reply import FAILURE, Reply


def _another_key(template: Template) -> Template:
    return template._replace(spki=algorithms.spki_of(algorithms.new_key().public_key()))


def _another_issuer(template: Template) -> Template:
    other = authority.name("Some Other CA")
    return template._replace(issuer=other, issuer_key=algorithms.new_key())


def _shifted(template: Template, by_s: int) -> Template:
    return template._replace(
        not_before_s=template.not_before_s + by_s, not_after_s=template.not_after_s + by_s
    )


def _expired(template: Template) -> Template:
    life_s = template.not_after_s - template.not_before_s
    return _shifted(template, -life_s - DAY_S)


MISISSUE: dict[str, Change] = {
    "key": _another_key,
    "subject": lambda template: template._replace(subject=authority.name("somebody else")),
    "issuer": _another_issuer,
    "ca-flag": lambda template: template._replace(ca=True),
    "expired": _expired,
    "not-yet": lambda template: _shifted(template, 7 * DAY_S),
}


def _impostor(reply: Reply) -> Reply:
    """Signed by a certificate that bears the signer's name, but with a key of its own."""
    real = reply.signer.certificate
    rogue: Identity = authority.self_signed(
        real.subject,
        int(real.not_valid_before.timestamp()),
        int(real.not_valid_after.timestamp()),
    )
    return reply._replace(signer=rogue, certificates=(rogue.certificate,))


def _flipped(octets: bytes | None) -> bytes:
    return bytes(octet ^ 0xFF for octet in octets or b"")


TAMPER: dict[str, Callable[[Reply], Reply]] = {
    "signature": lambda reply: reply._replace(broken_signature=True),
    "transaction": lambda reply: reply._replace(transaction_id="0" * 32),
    "nonce": lambda reply: reply._replace(recipient_nonce=_flipped(reply.recipient_nonce)),
    "no-nonce": lambda reply: reply._replace(recipient_nonce=None),
    "message-type": lambda reply: reply._replace(message_type=scep.PKCS_REQ),
    "signer": _impostor,
}


def legacy(reply: Reply) -> Reply:
    """The shape of micromdm 2.1.0: single DES, SHA-1, leaf first, the client's nonce sent back."""
    leaf = () if reply.issued is None else (reply.issued,)
    return reply._replace(
        digest="sha1",
        cipher="des",
        certificates=(*leaf, *reply.certificates),
        sender_nonce=reply.recipient_nonce,
        empty_content=b"" if reply.status == FAILURE else reply.empty_content,
        named_digest=True,
        constructed_content=True,
    )
