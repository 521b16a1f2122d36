"""What a file becomes: a CA set, a local certificate with or without its key, a key pair."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from agent import limits
from agent.errors import AgentError
from agent.scep import crypto, imports, vault
from agent.scep.keys import Hands
from tests.helpers import scep_files as files
from tests.helpers import scep_lab as lab
from tests.scep.test_operations import DEVICE_KEY, device_key, key_fields

Answers = dict[str, Any]


@pytest.fixture
def key_file() -> Iterator[list[int]]:
    descriptor = device_key()
    yield [descriptor]
    os.close(descriptor)


def run(kind: str, data: bytes, opened: list[int], **more: Any) -> Answers:
    job = {"kind": kind, "format": None, "data": data, "password": None, "key": None}
    return imports.run(
        {**job, "name": "new", "generation": 4, **lab.JUDGED, **more}, Hands(tuple(opened))
    )


def refused(kind: str, data: bytes, opened: list[int], **more: Any) -> str:
    with pytest.raises(AgentError) as caught:
        run(kind, data, opened, **more)
    assert not more.get("key") or "sealed" not in caught.value.what
    return caught.value.code


def opens(found: Answers, name: str = "dev") -> bool:
    """Whether the sealed key is that one, under the name and generation that were asked for."""
    pair = vault.load(DEVICE_KEY, "new", 4, found["sealed"], found["spki"])
    assert found["bits"] == pair.key_size
    return crypto.public_der(pair) == lab.public_der(name)


# -- ca --------------------------------------------------------------------------------------------


def test_a_ca_set_has_the_maps_of_fetch_ca() -> None:
    data = files.certificate_pem(lab.sub(), lab.ra_pair()[0], lab.root())
    found = run("ca", data, [])["certificates"]
    assert [one["der"] for one in found] == [lab.sub().der, lab.ra_pair()[0].der, lab.root().der]
    assert [one["is_ca"] for one in found] == [True, False, True]
    assert found[2]["sha256"] == lab.root().cert.sha256.hex()
    assert found[2]["key_usage"] == ["cRLSign", "keyCertSign"]


def test_the_certificate_of_the_key_beside_a_ca_is_left_out(tmp_path: Any) -> None:
    data = files.pkcs12(tmp_path)
    found = run("ca", data, [], password=files.PASSWORD)["certificates"]
    assert {one["der"] for one in found} == {lab.sub().der, lab.root().der}


def test_a_file_without_a_ca() -> None:
    assert refused("ca", files.leaf().der, []) == "import-no-ca"
    old = lab.certificate({"common_name": "old"}, "old", None, version="v1")
    assert refused("ca", old.der, []) == "import-no-ca"


# -- local -----------------------------------------------------------------------------------------


def test_a_certificate_for_the_key_pair_of_the_realm() -> None:
    data = files.certificate_pem(lab.root(), lab.sub(), files.leaf())
    for form in (None, "pem"):
        found = run("local", data, [], key=key_fields(), format=form)
        assert found["certificate"]["der"] == files.leaf().der
        assert found["certificate"]["subject"] == "CN=dev1"
        assert found["chain"] == [lab.sub().der, lab.root().der]
        assert found["key"] is None
    alone = run("local", files.leaf().der, [], key=key_fields())
    assert alone["chain"] == []


def test_a_certificate_that_is_for_another_key() -> None:
    data = files.certificate_pem(*files.chain(), files.leaf("other"))
    assert run("local", data, [], key=key_fields())["chain"] != []
    strange = files.certificate_pem(lab.sub(), files.leaf("other"))
    assert refused("local", strange, [], key=key_fields()) == "import-mismatch"
    assert refused("local", strange, []) == "import-no-key"


def test_a_certificate_with_its_key_inside(key_file: list[int], tmp_path: Any) -> None:
    pem = files.certificate_pem(*reversed(files.chain())) + files.key_pem("dev")
    twelve = files.pkcs12(tmp_path)
    for data, password in ((pem, None), (twelve, files.PASSWORD)):
        found = run("local", data, key_file, password=password)
        assert found["certificate"]["der"] == files.leaf().der
        assert found["chain"] == [lab.sub().der, lab.root().der]
        assert opens(found["key"])


def test_the_key_inside_decides_not_that_of_the_realm(key_file: list[int]) -> None:
    theirs = files.certificate_pem(files.leaf("other")) + files.key_pem("other")
    found = run("local", theirs, key_file, key=key_fields())
    assert opens(found["key"], "other")
    mixed = files.certificate_pem(files.leaf()) + files.key_pem("other")
    assert refused("local", mixed, key_file, key=key_fields()) == "import-mismatch"
    two = files.certificate_pem(files.leaf()) + files.key_pem("other") + files.key_pem("dev")
    assert refused("local", two, key_file, key=key_fields()) == "import-keys"


def test_a_key_that_nobody_has_a_name_for(key_file: list[int]) -> None:
    theirs = files.certificate_pem(files.leaf("other")) + files.key_pem("other")
    code = refused("local", theirs, key_file, key=key_fields(), name=None)
    assert code == "import-other-key"


def test_the_key_of_the_realm_comes_back() -> None:
    """Nothing is sealed: the pair is there already, and no device key is asked for."""
    data = files.certificate_pem(files.leaf()) + files.key_pem("dev")
    assert run("local", data, [], key=key_fields())["key"] is None


def test_of_two_certificates_for_one_key_the_later() -> None:
    later = files.leaf("dev", lab.NOW_S)
    for order in ((files.leaf(), later), (later, files.leaf())):
        found = run("local", files.certificate_pem(*order), [], key=key_fields())
        assert found["certificate"]["der"] == later.der


def test_what_is_no_issuer_is_not_in_the_chain() -> None:
    impostor = lab.certificate({"common_name": "Lab Sub"}, "impostor", lab.root(), ca=True)
    no_ca = lab.certificate({"common_name": "Lab Sub"}, "sub", lab.root())
    data = files.certificate_pem(impostor, no_ca, lab.root(), files.leaf())
    assert run("local", data, [], key=key_fields())["chain"] == []


def test_two_authorities_that_sign_each_other() -> None:
    one = lab.certificate({"common_name": "one"}, "one", None, ca=True)
    two = lab.certificate({"common_name": "two"}, "two", one, ca=True)
    back = lab.certificate({"common_name": "one"}, "one", two, ca=True)
    ours = lab.certificate({"common_name": "dev1"}, "dev", back)
    found = run("local", files.certificate_pem(two, back, ours), [], key=key_fields())
    assert found["chain"] == [back.der, two.der]


def test_a_certificate_that_the_store_could_not_hold() -> None:
    name = {"common_name": "x" * limits.CERTIFICATE_BYTES}
    large = lab.certificate(name, "dev", lab.root())
    assert refused("local", large.der, [], key=key_fields()) == "import-too-large"


# -- key -------------------------------------------------------------------------------------------


def test_a_key_pair_with_and_without_certificates(key_file: list[int], tmp_path: Any) -> None:
    found = run("key", files.key_pem("dev"), key_file)
    assert opens(found)
    assert found["certificates"] == []
    found = run("key", files.pkcs12(tmp_path), key_file, password=files.PASSWORD)
    assert opens(found)
    assert {one["der"] for one in found["certificates"]} == {p.der for p in files.chain()}


def test_exactly_one_key(key_file: list[int]) -> None:
    assert refused("key", lab.root().der, key_file) == "import-keys"
    both = files.key_pem("dev") + files.key_pem("other")
    assert refused("key", both, key_file) == "import-keys"


def test_jobs_that_make_no_sense(key_file: list[int]) -> None:
    assert refused("else", b"", key_file) == "job-request"
    assert refused("key", files.key_pem("dev"), key_file, format="else") == "job-request"
    assert refused("key", files.key_pem("dev"), key_file, generation=None) == "job-request"
    assert refused("local", files.leaf().der, key_file, key={"spki": 1}) == "job-request"


@pytest.mark.parametrize("serial", [-7405310, 0, 1 << 160])
def test_a_serial_number_that_peers_refuse(serial: int, key_file: list[int]) -> None:
    """The same answer as by an application (`test_trust_certificate`)."""
    leaf = lab.certificate({"common_name": "x"}, "dev", lab.root(), serial=serial)
    with pytest.raises(AgentError) as caught:
        run("local", files.certificate_pem(leaf) + files.key_pem("dev"), key_file)
    assert caught.value.code == "issued-malformed"
    assert "serial number is not positive" in caught.value.what


def test_what_was_left_out_is_named_where_it_is_missed(key_file: list[int]) -> None:
    version = (b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09")
    odd = lab.root().der.replace(*version)
    data = files.text_of(odd) + files.certificate_pem(files.leaf())
    for kind, code in (("ca", "import-no-ca"), ("local", "import-mismatch")):
        with pytest.raises(AgentError) as caught:
            run(kind, data, key_file, key={"spki": lab.public_der("other")})
        assert caught.value.code == code
        print_ = crypto.digest("sha-256", odd).hex()
        left_out = f"left out, since it cannot be read: sha256 {print_}: it is of version 10"
        assert left_out in caught.value.what


def test_a_root_of_version_1_is_imported_where_a_fingerprint_names_it() -> None:
    old = lab.certificate({"common_name": "old"}, "root", None, version="v1")
    named = {"algorithm": "sha256", "hex": crypto.digest("sha-256", old.der).hex()}
    (found,) = run("ca", old.der, [], anchors=[named])["certificates"]
    assert found["is_ca"]
    with pytest.raises(AgentError) as caught:
        run("ca", old.der, [], anchors=[])
    assert caught.value.code == "import-no-ca"
    assert "`fingerprint sha256 ...`" in caught.value.remedy
