"""CRLs: counted to the end, kept up to a cap, and read as openssl reads them."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.scep import ber, crl, der, names, oids
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab

CONFIG = """
[ca]
default_ca = lab
[lab]
database = {folder}/index
crlnumber = {folder}/number
default_md = sha256
crl_extensions = more
[more]
authorityKeyIdentifier = issuer:always
"""


def openssl_crl(folder: Path, *revoked: str) -> bytes:
    """A CRL of the miniature root; `revoked` as `serial,reason`."""
    lines = []
    for entry in revoked:
        serial, _, reason = entry.partition(",")
        when = f"270115080000Z{',' if reason else ''}{reason}"
        lines.append(f"R\t300101000000Z\t{when}\t{serial}\tunknown\t/CN=x\n")
    (folder / "index").write_text("".join(lines))
    (folder / "index.attr").write_text("")
    (folder / "number").write_text("1000\n")
    (folder / "ca.cnf").write_text(CONFIG.format(folder=folder))
    (folder / "ca.pem").write_bytes(files.certificate_pem(lab.root()))
    (folder / "key.pem").write_bytes(files.key_pem("root"))
    subprocess.run(
        ["openssl", "ca", "-gencrl", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "key.pem",
         "-crldays", "7", "-out", "crl.pem"],
        cwd=folder, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    return files.openssl("crl", "-outform", "der", data=(folder / "crl.pem").read_bytes())


def built(entries: int, *more: bytes, version: bytes = b"\x02\x01\x01") -> bytes:
    """A CRL without a real signature; `more` follows the entries."""
    algorithm = der.sequence(der.oid(oids.RSA_SIGNATURES["sha-256"]), der.null())
    one = [der.sequence(der.integer(n + 1), der.time(lab.NOW_S)) for n in range(entries)]
    issuer = names.subject({"common_name": "CA"})
    fields = [version, algorithm, issuer, der.time(lab.NOW_S), der.time(lab.NOW_S + 9)]
    listed = [der.sequence(*one)] if entries else []
    return der.sequence(der.sequence(*fields, *listed, *more), algorithm, der.bit_string(b"sig"))


def test_a_list_of_openssl(tmp_path: Path) -> None:
    found = crl.read(openssl_crl(tmp_path, "01,keyCompromise", "FEDCBA9876543210FF,", "03"))
    assert found.version == 2
    assert names.shown(found.issuer) == "C=DE, CN=Lab Root"
    assert found.next_update_s == found.this_update_s + 7 * lab.DAY_S
    assert found.total == 3
    assert [(one.serial, one.reason) for one in found.revoked] == [
        (1, "keyCompromise"), (3, ""), (0xFEDCBA9876543210FF, ""),
    ]  # fmt: skip
    assert found.revoked[0].revoked_s == 1_800_000_000
    assert oids.CRL_NUMBER in found.extensions
    assert found.signature.digest == "sha-256"


def test_an_empty_list(tmp_path: Path) -> None:
    found = crl.read(openssl_crl(tmp_path))
    assert (found.total, found.revoked) == (0, [])


def test_a_long_list_is_counted_and_capped() -> None:
    found = crl.read(built(40_000))
    assert found.total == 40_000
    assert [one.serial for one in found.revoked] == list(range(1, limits.CRL_SHOWN + 1))


def test_version_1_without_a_next_update() -> None:
    outer = ber.read(built(2, version=b""))
    tbs = [child.raw for child in outer.children[0].children]
    del tbs[3]
    rest = (child.raw for child in outer.children[1:])
    found = crl.read(der.sequence(der.sequence(*tbs), *rest))
    assert (found.version, found.next_update_s, found.total) == (1, None, 2)


def test_reasons_that_nobody_has_named() -> None:
    reason = der.sequence(der.oid(oids.CRL_REASON), der.octet_string(b"\x0a\x01\x63"))
    entry = der.sequence(der.integer(1), der.time(lab.NOW_S), der.sequence(reason))
    found = crl.read(built(0, der.sequence(entry)))
    assert found.revoked[0].reason == "reason 63"


BAD = [b"", b"junk", b"\x30\x00", b"\x30\x80\x00\x00", lab.root().der, built(1) + b"x",
       built(1)[:-1], built(1, der.null()), built(0, der.sequence(der.null()))]  # fmt: skip


@pytest.mark.parametrize("data", BAD)
def test_what_is_no_list(data: bytes) -> None:
    with pytest.raises(ber.BerError):
        crl.read(data)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.data())
def test_damage_is_a_der_error_or_a_list(data: st.DataObject) -> None:
    whole = bytearray(built(3, der.tlv(der.explicit(0), der.sequence())))
    at = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[at // 8] ^= 1 << at % 8
    try:
        found = crl.read(bytes(whole))
    except ValueError:
        return
    assert found.total <= 3
