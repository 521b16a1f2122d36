"""Names and addresses that a certificate is for: domain names, mail addresses, IP addresses.

A certificate holds a domain name in the preferred name syntax (RFC 5280 4.2.1.6, RFC 1034 3.5 and
RFC 1123 2.1), so a name in another script becomes A-labels when it is typed (RFC 5890 2.3.2.1), and
these are what is shown and requested. As IDNA 2008 has it (RFC 5891 5.2), upper case is mapped and
the form is NFC; letters, marks and digits are taken, and no character is exchanged for another one:
so nobody gets a certificate for a name that he did not type.
"""

from __future__ import annotations

import re
from encodings.punycode import punycode_encode
from unicodedata import category, normalize

from agent import limits
from agent.console.language.grammar import Parameter
from agent.console.language.parameters import ADDRESS, check_length, ranged

LABEL_CHARACTERS = 63
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9\-]*[A-Za-z0-9])?")
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=^_`{|}~]+")  # RFC 5321 4.1.2, without a question mark
_NOWHERE = re.compile(r"0\.0\.0\.0|2(2[4-9]|[3-5]\d)\..*|::|ff..:.*")  # none, or of many: RFC 6890


def domain(word: str) -> str:
    """A domain name as a certificate holds it; ValueError with the reason."""
    name = word[:-1] if word.endswith(".") else word
    if "/" in name or ":" in name:
        raise ValueError("this is a URL or an address; a domain name is HOST.DOMAIN alone")
    if name.replace(".", "").isdigit():
        raise ValueError("this is an address, which belongs into `ip-address`")
    labels = [_ascii(label) for label in name.split(".")]
    if len(".".join(labels)) > limits.FQDN_CHARACTERS:
        raise ValueError(f"a domain name has at most {limits.FQDN_CHARACTERS} characters")
    return ".".join(labels)


def _ascii(label: str) -> str:
    if not label:
        raise ValueError("a label of it is empty")
    found = label if label.isascii() else _a_label(label)
    if len(found) > LABEL_CHARACTERS:
        raise ValueError(f"a label has at most {LABEL_CHARACTERS} characters")
    if not _LABEL.fullmatch(found):
        raise ValueError("a label is letters, digits and hyphens, no hyphen first or last")
    return found


def _a_label(label: str) -> str:
    label = normalize("NFC", label.lower())
    kinds = [category(one) for one in label]
    if kinds[0].startswith("M") or not all(
        kind in ("Ll", "Lo", "Lm", "Mn", "Mc", "Nd") or one == "-"
        for kind, one in zip(kinds, label, strict=True)
    ):
        raise ValueError("a label is letters, digits and hyphens, of any script")
    if normalize("NFKC", label) != label:
        raise ValueError("a letter of it stands for others: type those")
    if label[0] == "-" or label[-1] == "-" or label[2:4] == "--":
        raise ValueError("a label has no hyphen first or last, nor third and fourth")
    return f"xn--{punycode_encode(label).decode()}"


def mail(word: str) -> str:
    """A mail address as a certificate holds it (RFC 5280 4.2.1.6)."""
    check_length(word, len("a@b"), limits.EMAIL_CHARACTERS)
    box, at, host = word.rpartition("@")
    if not (box and at and host):
        raise ValueError("a mail address has one @ between a mailbox and a domain")
    if not all(map(_ATOM.fullmatch, box.split("."))):
        raise ValueError(
            "a mailbox is letters, digits and ! # $ % & ' * + - / = ^ _ ` { | } ~, with single full"
            " stops between"
        )
    return f"{box}@{domain(host)}"


def address(word: str) -> str:
    """An IP address that one device may have, in its canonical text."""
    found = str(ADDRESS.read(word))
    if _NOWHERE.fullmatch(found):
        raise ValueError("no single device has this address")
    return found


def country(word: str) -> str:
    """The two letters of ISO 3166, in upper case (X.520 6.3.1)."""
    if not re.fullmatch(r"[A-Za-z]{2}", word):
        raise ValueError("a country is the two letters of ISO 3166")
    return word.upper()


def _checked(kind: Parameter) -> Parameter:
    """Takes the word as it was typed: who stores it tells what becomes of it."""

    def read(word: str) -> str:
        kind.read(word)
        return word

    return kind._replace(read=read)


FQDN = _checked(
    ranged("STRING", 1, limits.FQDN_CHARACTERS, "Fully qualified domain name", domain)._replace(
        example="r1.example.com"
    )
)
EMAIL = _checked(
    ranged("STRING", len("a@b"), limits.EMAIL_CHARACTERS, "Mail address", mail)._replace(
        example="n@example.com"
    )
)
COUNTRY = _checked(
    ranged("STRING", 2, 2, "Country code of ISO 3166", country)._replace(example="CN")
)
UNICAST = ADDRESS._replace(read=address)
