"""Random requests and random trees of ASN.1, for the tests that have two sides."""

from typing import Any

from hypothesis import strategies as st

from agent.scep import der, messages, oids
from tests.helpers import scep_lab as lab

KEYS = {"dev": 2048, "dev 3072": 3072, "dev 4096": 4096}
CIPHERS = ("aes128", "aes256", "3des")
KINDS = (messages.PKCS_REQ, messages.RENEWAL_REQ, messages.CERT_POLL, messages.GET_CRL)

_PRINTABLE = st.text("ABCXYZabcxyz0189 '()+,-./:=?", min_size=1, max_size=64)
# Not what no console takes: surrogates, and controls (category C).
_ANY = st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=64)
TEXTS = st.one_of(_PRINTABLE, _ANY)
_LABEL = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True)
_DOMAINS = st.lists(_LABEL, min_size=1, max_size=5).map(".".join)
_MAYBE_TEXT = st.none() | TEXTS

ENTITIES = st.fixed_dictionaries(
    {
        "common_name": TEXTS,
        "country": st.none() | st.sampled_from(["DE", "CN", "US"]),
        "state": _MAYBE_TEXT,
        "locality": _MAYBE_TEXT,
        "organization": _MAYBE_TEXT,
        "organization_unit": st.lists(TEXTS, max_size=4),
        "serial_number": _MAYBE_TEXT,
        "fqdn": st.none() | _DOMAINS,
        "email": st.none() | st.tuples(_LABEL, _DOMAINS).map("@".join),
        "ip_addresses": st.lists(st.ip_addresses().map(str), max_size=3),
    }
)
REQUESTS: st.SearchStrategy[messages.Request] = st.builds(
    messages.Request,
    st.binary(min_size=16, max_size=16).map(bytes.hex),
    st.integers(lab.NOW_S - 10**9, lab.NOW_S + 10**9),
    st.sampled_from(sorted(oids.RSA_SIGNATURES)),
    ENTITIES,
    st.sets(st.sampled_from(sorted(messages.KEY_USAGES))).map(tuple),
    st.none() | TEXTS,
)


class Drawn:
    """A request, the key that it is for, and how it is sent."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.request = draw(REQUESTS)
        self.key = draw(st.sampled_from(sorted(KEYS)))
        self.kind = draw(st.sampled_from(KINDS))
        self.cipher = draw(st.sampled_from(CIPHERS))
        self.nonce = draw(st.binary(min_size=16, max_size=16))
        self.dated = draw(st.booleans())

    def __repr__(self) -> str:
        how = f"{self.kind} {self.key} {self.cipher} {self.nonce.hex()} {self.dated}"
        return f"{how} {self.request}"


DRAWN = st.composite(Drawn)()

# -- trees -----------------------------------------------------------------------------------------

_DOTTED = st.tuples(
    st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 1 << 35), max_size=6)
).map(lambda arcs: ".".join(map(str, (arcs[0], arcs[1], *arcs[2]))))
_STRINGS: Any = st.one_of(
    st.tuples(st.sampled_from([der.UTF8, der.UNIVERSAL]), _ANY),
    st.tuples(st.sampled_from([der.PRINTABLE, der.IA5, der.VISIBLE, der.GENERAL]), _PRINTABLE),
    st.tuples(st.just(der.BMP), st.text(st.characters(max_codepoint=0xD7FF), max_size=40)),
    st.tuples(st.just(der.TELETEX), st.text(st.characters(max_codepoint=0xFF), max_size=40)),
)
LEAVES = st.one_of(
    st.integers(-(1 << 300), 1 << 300).map(der.integer),
    st.binary(max_size=300).map(der.octet_string),
    st.binary(max_size=40).map(der.bit_string),
    st.sets(st.integers(0, 30)).map(der.named_bits),
    st.booleans().map(der.boolean),
    st.just(der.null()),
    _DOTTED.map(der.oid),
    st.integers(-600_000_000, 4_000_000_000).map(der.time),
    _STRINGS.map(lambda pair: der.string(*pair)),
    st.tuples(st.integers(0, 30), st.binary(max_size=20)).map(
        lambda pair: der.tlv(der.context(pair[0]), pair[1])
    ),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6).map(lambda parts: der.sequence(*parts)),
        st.lists(inner, max_size=6).map(der.set_of),
        st.tuples(st.integers(0, 30), st.lists(inner, max_size=3)).map(
            lambda pair: der.tlv(der.explicit(pair[0]), *pair[1])
        ),
    ),
    max_leaves=60,
)
