"""Writing CMS: asn1crypto and `openssl cms` read what we make."""

from pathlib import Path

import pytest
from asn1crypto import cms as reference

from agent.scep import certificate, cms, cms_writer, der, oids
from tests.helpers import scep_lab as lab
from tests.scep.test_cms import CONTENT, opened, openssl, party, pem_files


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha-256", "sha-384", "sha-512"])
def test_what_we_sign_asn1crypto_reads_and_we_verify(digest: str) -> None:
    extra = cms_writer.attribute(oids.TRANSACTION_ID, der.string(der.PRINTABLE, "ab"))
    data = cms_writer.sign(CONTENT, [extra], party(), lab.own("root"), digest)
    loaded = reference.ContentInfo.load(data, strict=True)["content"]
    info = loaded["signer_infos"][0]
    assert info["signed_attrs"].dump()[1:] == info["signed_attrs"].copy().dump(force=True)[1:]
    message = cms.read_signed(data)
    assert message.content == CONTENT
    assert message.certificates == [lab.root().der]
    (signer,) = message.signers
    assert signer.digest == digest
    assert signer.identifier.find([certificate.read(lab.sub().der), party()]) == party()
    assert cms.verify(message, signer, party().spki) == ""
    assert "key" in cms.verify(message, signer, lab.public_der("dev"))
    assert "fit" in cms.verify(message._replace(content=b"x"), signer, party().spki)


def test_openssl_verifies_what_we_sign(tmp_path: Path) -> None:
    cert, _ = pem_files(tmp_path)
    data = cms_writer.sign(CONTENT, [], party(), lab.own("root"), "sha-256")
    verify = ("-verify", "-binary", "-inform", "DER", "-CAfile", cert, "-purpose", "any")
    assert openssl(*verify, "-no_check_time", data=data) == CONTENT


@pytest.mark.parametrize("cipher", ["aes128", "aes256", "3des"])
def test_openssl_decrypts_what_we_encrypt(tmp_path: Path, cipher: str) -> None:
    cert, key = pem_files(tmp_path)
    data = cms_writer.encrypt(CONTENT, party(), cipher)
    assert reference.ContentInfo.load(data, strict=True)["content_type"].native == "enveloped_data"
    decrypt = ("-decrypt", "-binary", "-inform", "DER", "-recip", cert, "-inkey", key)
    assert openssl(*decrypt, data=data) == CONTENT
    assert opened(data) == CONTENT
