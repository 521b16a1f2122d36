"""The same two sides against openssl, which is a process for each question: few examples here,
thousands with `--hypothesis-profile=nightly`.
"""

import functools
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from asn1crypto import cms as reference
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.scep import ber, certificate, cms, der, messages, oids
from agent.scep import request as pkcs10
from tests.helpers import scep_lab as lab
from tests.helpers.scep_random import DRAWN, TREES, Drawn
from tests.scep.test_ber import berify
from tests.scep.test_twosided import content_of, message_of, party

# `settings()` is the profile that was asked for.
FEW = settings(deadline=None, derandomize=True, max_examples=max(settings().max_examples // 50, 10))
LEGACY = ("-provider", "legacy", "-provider", "default")
_LINE = re.compile(rb" *(\d+):d=(\d+) +hl=(\d+) l= *(\d+|inf) +(cons|prim): (\S+)")


def openssl(*words: str, data: bytes) -> bytes:
    done = subprocess.run(["openssl", *words], input=data, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout + (done.stderr if words[0] == "req" else b"")


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


@functools.cache
def files() -> tuple[str, str]:
    """Certificate and key of the root, as PEM."""
    cert, key = (Path(_folder().name) / name for name in ("cert.pem", "key.pem"))
    key.write_bytes(
        lab.key("root").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    cert.write_bytes(openssl("x509", "-inform", "der", data=lab.root().der))
    return str(cert), str(key)


# -- ours, read by openssl -------------------------------------------------------------------------


def seen(data: bytes) -> list[tuple[int, int, int, bool]]:
    """(offset, depth, length of the content or -1, constructed) of each element, by openssl."""
    text = openssl("asn1parse", "-inform", "DER", data=data)
    rows = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match and match[6] != b"EOC":
            length = -1 if match[4] == b"inf" else int(match[4])
            rows.append((int(match[1]), int(match[2]), length, match[5] == b"cons"))
    return rows


def ours(node: ber.Node, at: int = 0, depth: int = 0) -> list[tuple[int, int, int, bool]]:
    raw, body = node.raw, node.content
    indefinite = raw[1] == 0x80
    constructed = bool(node.tag & der.CONSTRUCTED)
    found = [(at, depth, -1 if indefinite else len(body), constructed)]
    inside = at + len(raw) - len(body) - (2 if indefinite else 0)
    for child in node.children:
        found += ours(child, inside, depth + 1)
        inside += len(child.raw)
    return found


@pytest.mark.slow
@FEW
@given(DRAWN)
def test_a_message_as_openssl_reads_it(drawn: Drawn) -> None:
    cert, key = files()
    data = message_of(drawn)
    assert seen(data) == ours(ber.read(data))
    verify = ("cms", "-verify", "-noverify", "-binary", "-inform", "DER")
    envelope = openssl(*verify, data=data)
    assert envelope == cms.read_signed(data).content
    decrypt = ("cms", "-decrypt", "-binary", "-inform", "DER", "-recip", cert, "-inkey", key)
    assert openssl(*decrypt, data=envelope) == content_of(drawn)


@FEW
@given(DRAWN)
def test_a_request_as_openssl_reads_it(drawn: Drawn) -> None:
    data = messages.certification_request(drawn.request, lab.own("dev"))
    words = ("req", "-inform", "DER", "-verify", "-noout", "-pubkey")
    said = openssl(*words, data=data)
    assert b"verify OK" in said
    public = openssl("pkey", "-pubin", "-outform", "DER", data=said[: said.index(b"-----END") + 25])
    assert public == pkcs10.read(data).spki
    again = openssl("req", "-inform", "DER", "-outform", "DER", data=data)
    assert again == data


@FEW
@given(TREES)
def test_a_tree_as_openssl_sees_it(data: bytes) -> None:
    for one in (data, berify(ber.read(data))):
        assert seen(one) == ours(ber.read(one))


# -- of openssl, read by us ------------------------------------------------------------------------

STREAMED = ((), ("-stream", "-indef"))
CONTENTS = st.binary(max_size=40_000) | st.integers(1, 3).map(lambda times: b"piece" * 4000 * times)


@FEW
@given(
    CONTENTS,
    st.sampled_from(["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]),
    st.sampled_from(STREAMED),
    st.sets(st.sampled_from(["-nocerts", "-keyid"])),
)
def test_what_openssl_signs(
    content: bytes, digest: str, streamed: tuple[str, ...], more: set[str]
) -> None:
    cert, key = files()
    sign = ("cms", "-sign", "-binary", "-nodetach", "-nosmimecap", "-outform", "DER")
    who = ("-signer", with_key_identifier() if "-keyid" in more else cert, "-inkey", key)
    data = openssl(*sign, *who, "-md", digest, *streamed, *sorted(more), data=content)
    assert (data[1] == 0x80) == bool(streamed)
    message = cms.read_signed(data)
    assert message.content == content
    assert bool(message.certificates) == ("-nocerts" not in more)
    (signer,) = message.signers
    spki = party().spki
    assert cms.verify(message, signer, spki) == ""
    same_in_der(data)


def with_key_identifier() -> str:
    """A certificate for the root's key that `-keyid` can name."""
    made = lab.certificate({"common_name": "identified"}, "root", None, ca=True, key_id=b"id" * 10)
    path = Path(_folder().name) / "identified.pem"
    path.write_bytes(openssl("x509", "-inform", "der", data=made.der))
    return str(path)


@FEW
@given(
    CONTENTS,
    st.sampled_from(["-aes128", "-aes192", "-aes256", "-des3", "-des"]),
    st.sampled_from(STREAMED),
    st.sampled_from([None, "sha1", "sha256", "sha512"]),
)
def test_what_openssl_encrypts(
    content: bytes, cipher: str, streamed: tuple[str, ...], oaep: str | None
) -> None:
    cert, _ = files()
    how = [] if oaep is None else ["-keyopt", "rsa_padding_mode:oaep"]
    how += [] if oaep is None else ["-keyopt", f"rsa_oaep_md:{oaep}"]
    words = ("cms", "-encrypt", "-binary", "-outform", "DER", cipher, *LEGACY)
    data = openssl(*words, *streamed, "-recip", cert, *how, data=content)
    assert (data[1] == 0x80) == bool(streamed)
    envelope = cms.read_envelope(data)
    assert cms.decrypt(envelope, lab.own("root"), party().serial) == content


def same_in_der(data: bytes) -> None:
    """BER through our reader and writer is the DER that openssl and asn1crypto make of it."""
    written = ber.read(data).der()
    assert written == openssl("cms", "-cmsout", "-inform", "DER", "-outform", "DER", data=data)
    loaded = reference.ContentInfo.load(data)
    loaded["content"]["encap_content_info"]["content"].native  # noqa: B018  # joins the pieces
    message = cms.read_signed(written)
    assert message.content == loaded["content"]["encap_content_info"]["content"].native


@FEW
@given(st.lists(st.sampled_from(["root", "sub", "ra"]), min_size=1, max_size=5))
def test_a_set_of_openssl(chosen: list[str]) -> None:
    parties = {"root": lab.root(), "sub": lab.sub(), "ra": lab.ra_pair()[0]}
    pem = b"".join(openssl("x509", "-inform", "der", data=parties[name].der) for name in chosen)
    path = Path(_folder().name) / "set.pem"
    path.write_bytes(pem)
    words = ("crl2pkcs7", "-nocrl", "-certfile", str(path), "-outform", "DER")
    data = openssl(*words, data=b"")
    found = cms.read_signed(data).certificates
    assert sorted(found) == sorted(parties[name].der for name in chosen)
    assert ber.read(data).der() == data


@FEW
@given(DRAWN)
def test_a_request_of_openssl(drawn: Drawn) -> None:
    """Our request, its fields typed into openssl's writer by openssl itself."""
    data = messages.certification_request(drawn.request, lab.own("dev"))
    made = openssl("x509", "-req", "-inform", "DER", "-copy_extensions", "copy", "-days", "30",
                   "-CA", files()[0], "-CAkey", files()[1], "-outform", "DER", "-set_serial", "77",
                   data=data)  # fmt: skip
    found, wanted = certificate.read(made), pkcs10.read(data)
    assert found.subject == wanted.subject
    assert found.spki == wanted.spki
    assert found.serial == 77
    assert found.alternative_names == certificate.read_alternative_names(
        wanted.extensions.get(oids.SUBJECT_ALT_NAME)
    )
    assert found.key_usage == certificate.read_key_usage(wanted.extensions.get(oids.KEY_USAGE))
    assert found.issued_by(party())
    assert ber.read(made).der() == made


def test_a_difference_is_seen() -> None:
    """The comparisons above can fail."""
    data = der.sequence(der.integer(5), der.null())
    assert seen(data) == ours(ber.read(data))
    assert seen(der.sequence(der.null(), der.integer(5))) != ours(ber.read(data))
    with pytest.raises(AssertionError):
        openssl("asn1parse", "-inform", "DER", data=data[:-1])
