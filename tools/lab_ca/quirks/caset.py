"""GetCACert and GetNextCACert: what servers publish, in which order and shape (RFC 8894 4.2)."""

import base64
from collections.abc import Callable
from itertools import permutations

from asn1crypto import pem, x509

from tools.lab_ca import answer
from tools.lab_ca.answer import Answer
from tools.lab_ca.authority import ANY_PURPOSE, CA_USAGE, CMC_RA, DAY_S, Plan
from tools.lab_ca.caset import CaSet
from tools.lab_ca.hooks import Hooks

SIGNS_ONLY = frozenset({"key_cert_sign", "crl_sign"})
Change = Callable[[CaSet], CaSet]


def now(change: Change) -> Change:
    """A change to what GetCACert carries."""
    return lambda found: change(found) if found.operation == answer.CERTIFICATES else found


def following(change: Change) -> Change:
    """A change to what GetNextCACert carries."""
    return lambda found: change(found) if found.operation == answer.NEXT else found


def _with_ra(plan: Plan) -> Plan:
    return plan._replace(ra=True)


def _with_purpose(oid: str | None) -> Callable[[Plan], Plan]:
    return lambda plan: _with_ra(plan)._replace(ra_purpose=oid)


def _with_root(plan: Plan) -> Plan:
    return plan._replace(chain=True)


def _in_order(order: tuple[int, ...]) -> Change:
    """The first three, which `--ra` puts first, in another order."""

    def change(found: CaSet) -> CaSet:
        first, rest = found.certificates[:3], found.certificates[3:]
        return found._replace(certificates=(*(first[at] for at in order), *rest))

    return now(change)


def _named(order: tuple[int, ...]) -> str:
    return "ra-order-" + "".join("esc"[at] for at in order)


def _spelled(order: tuple[int, ...]) -> str:
    return ", ".join(("to encrypt to", "that signs", "the CA")[at] for at in order)


def _edited(change: Callable[[bytes], bytes]) -> Change:
    return now(lambda found: found._replace(edit=change))


def _no_next(reply: Answer) -> Answer:
    if reply.operation != answer.NEXT:
        return reply
    return reply._replace(status=404, kind=answer.TEXT, body=b"not found\n")


def _lists_next(words: tuple[str, ...]) -> tuple[str, ...]:
    return words if answer.NEXT in words else (*words, answer.NEXT)


ORDERS: dict[str, Hooks] = {
    _named(order): Hooks(
        f"the RA's set comes in the order {_spelled(order)} (NDES)",
        plan=_with_ra,
        ca_set=_in_order(order),
    )
    for order in permutations(range(3))
    if order != (0, 1, 2)
}

USAGES: dict[str, Hooks] = {
    "ca-usage-signs-only": Hooks(
        "the CA's keyUsage has neither digitalSignature nor keyEncipherment (micromdm)",
        plan=lambda plan: plan._replace(ca_usage=SIGNS_ONLY),
    ),
    "ca-usage-one-bit": Hooks(
        "the CA's keyUsage has digitalSignature, but not keyEncipherment (Microsoft)",
        plan=lambda plan: plan._replace(ca_usage=CA_USAGE - {"key_encipherment"}),
    ),
    "ca-usage-none": Hooks(
        "the CA's certificate has no keyUsage (OpenXPKI's demo, jscep)",
        plan=lambda plan: plan._replace(ca_usage=None),
    ),
    "ra-usage-none": Hooks(
        "the RA's two certificates have no keyUsage (OpenXPKI's demo)",
        plan=lambda plan: _with_ra(plan)._replace(encryption_usage=None, signing_usage=None),
    ),
    "ra-purpose-none": Hooks(
        "the RA's two certificates have no extendedKeyUsage (OpenXPKI's demo)",
        plan=_with_purpose(None),
    ),
    "ra-purpose-any": Hooks(
        "the RA's two certificates are for any purpose", plan=_with_purpose(ANY_PURPOSE)
    ),
    "ra-purpose-cmc": Hooks(
        "the RA's two certificates have the purpose cmcRA (RFC 6402)", plan=_with_purpose(CMC_RA)
    ),
    "ra-decrypter": Hooks(
        "an RA certificate to encrypt to, but the CA itself signs the replies (step-ca)",
        plan=lambda plan: _with_ra(plan)._replace(ca_signs=True),
    ),
    "ra-renewed": Hooks(
        "the RA encrypts with a new key: what is for the one of before cannot be read (OpenXPKI)",
        plan=lambda plan: _with_ra(plan)._replace(encryption_stem="ra-enc-new"),
    ),
    "issuer-short": Hooks(
        "the issuing CA has a day to live, the root years (RFC 8894 2.2)",
        plan=lambda plan: _with_root(plan)._replace(ca_life_s=DAY_S),
    ),
}

SHAPES: dict[str, Hooks] = {
    "root-absent": Hooks(
        "the CA stands under a root, which GetCACert leaves out (OpenXPKI, step-ca)",
        plan=_with_root,
        ca_set=now(lambda found: found._replace(certificates=found.certificates[:-1])),
    ),
    "root-first": Hooks(
        "the CA's set begins with the root (Ultimate CA Manager)",
        plan=_with_root,
        ca_set=now(lambda found: found._replace(certificates=found.certificates[::-1])),
    ),
    "single-as-set": Hooks(
        "a single CA certificate comes inside PKCS#7 (Ultimate CA Manager)",
        ca_set=now(lambda found: found._replace(degenerate=True, kind=answer.CA_SET)),
    ),
    "set-typed-single": Hooks(
        "a set of certificates has the Content-Type of a single one (Ultimate CA Manager)",
        plan=_with_root,
        ca_set=now(lambda found: found._replace(kind=answer.CA_CERTIFICATE)),
    ),
    "single-typed-set": Hooks(
        "a single certificate has the Content-Type of a set",
        ca_set=now(lambda found: found._replace(kind=answer.CA_SET)),
    ),
    "ca-pem": Hooks(
        "the CA certificate is PEM", ca_set=_edited(lambda der: pem.armor("CERTIFICATE", der))
    ),
    "ca-base64": Hooks("the CA certificate is bare base64", ca_set=_edited(base64.encodebytes)),
    "ca-white-space": Hooks(
        "white space stands before the CA certificate (seen by certmonger)",
        ca_set=_edited(lambda der: b" \r\n" + der),
    ),
}


def _with_formers(found: CaSet) -> CaSet:
    """The CA of today first, then the certificates that it had before."""
    formers = [former.certificate for former in found.authority.formers()]
    return _published(found, *found.certificates, *formers)


def _crossed(found: CaSet) -> CaSet:
    """OldWithOld, NewWithOld, OldWithNew, NewWithNew (RFC 4210 4.4), once there are two keys."""
    authority = found.authority
    formers = authority.formers()
    if not formers:
        return found
    old, new = formers[-1], authority.ca
    crossed = (authority.crossed(new, old), authority.crossed(old, new))
    others = (c for c in found.certificates if c != new.certificate)
    return _published(found, old.certificate, *crossed, new.certificate, *others)


def _published(found: CaSet, *certificates: x509.Certificate) -> CaSet:
    several = len(certificates) > 1
    kind = answer.CA_SET if several else found.kind
    return found._replace(
        certificates=certificates, degenerate=found.degenerate or several, kind=kind
    )


GENERATIONS: dict[str, Hooks] = {
    "ca-generations": Hooks(
        "GetCACert tells also the certificates that the CA had before, with the same key (AD CS)",
        ca_set=now(_with_formers),
    ),
    "ca-crossed": Hooks(
        "after a change of its key GetCACert tells the four certificates of RFC 4210 4.4",
        ca_set=now(_crossed),
    ),
}

NEXT_SETS: dict[str, Hooks] = {
    "next-listed-404": Hooks(
        "GetNextCACert is listed but gets 404 (Ultimate CA Manager)",
        words=_lists_next,
        answer=_no_next,
    ),
    "next-listed-early": Hooks(
        "GetNextCACert is listed though no next CA exists (OpenXPKI)", words=_lists_next
    ),
    "next-unsigned": Hooks(
        "the next CA comes in a degenerate SignedData that nobody signed (old drafts, jscep)",
        ca_set=following(lambda found: found._replace(signer=None)),
    ),
    "next-outside": Hooks(
        "the next CA stands among the certificates of the SignedData, which has no content",
        ca_set=following(lambda found: found._replace(outside=True)),
    ),
    "next-type": Hooks(
        "the next CA has the Content-Type of a CA set",
        ca_set=following(lambda found: found._replace(kind=answer.CA_SET)),
    ),
}

CA_SETS: dict[str, Hooks] = ORDERS | USAGES | SHAPES | GENERATIONS | NEXT_SETS
