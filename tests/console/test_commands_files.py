"""Files of device storage: read, deleted, looked at before they are imported."""

import pytest

from agent.appliance import CaInfo
from agent.settings import Realm
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import certificate
from tests.helpers.terminal import Script, furnished, system

CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
LIST = CERTIFICATE.replace(b"CERTIFICATE", b"X509 CRL")
GUARDED = {
    "key.pem": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "old.pem": b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
    "both.pem": CERTIFICATE + b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n",
    "abc.req": CERTIFICATE.replace(b"CERTIFICATE", b"CERTIFICATE REQUEST"),
    "notes.txt": b"the challenge is sekret\n",
    "empty": b"",
}
BINARY = {"abc.p12": b"0\x82\x01\x00\x00", "der.cer": b"\x30\x03\xff\xfe\x00"}
HARMLESS = {"ca.pem": CERTIFICATE, "ca.crl": LIST, "chain.pem": CERTIFICATE * 2 + LIST}


def device() -> FakeDevice:
    found = FakeDevice(eager=True)
    found.settings.realms["abc"] = Realm("abc")
    found.storage.content.update({**GUARDED, **BINARY, **HARMLESS})
    return found


@pytest.mark.parametrize("name", [*HARMLESS, *GUARDED])
def test_the_text_of_a_file(name: str) -> None:
    found = device()
    text = found.storage.content[name].decode()
    assert Script(found).run(f"more {name}") == (text, 0)


@pytest.mark.parametrize("name", [*GUARDED, *BINARY])
@pytest.mark.parametrize("command", ["more", "delete"])
def test_what_may_hold_a_secret_is_for_level_3(command: str, name: str) -> None:
    found = device()
    text, status = Script(found, level=2).run(f"{command} {name}")
    assert text.startswith("Error: This user may not ")
    assert "level 3 is needed, not level 2" in text
    assert "AAAA" not in text
    assert "sekret" not in text
    assert (status, name in found.storage.content) == (1, True)


@pytest.mark.parametrize("level", [2, 3])
@pytest.mark.parametrize("name", HARMLESS)
def test_a_file_is_deleted_after_a_question(name: str, level: int) -> None:
    found = device()
    script = Script(found, level=level)
    assert script.run(f"more {name}")[1] == 0
    assert script.run(f"delete {name}", "n")[0].endswith("Info: Nothing was changed.\n")
    assert name in found.storage.content
    text, status = script.run(f"delete {name}", "y")
    assert text.startswith(f"Warning: The file {name} will be deleted for ever.")
    assert text.endswith(f"Info: The file {name} was deleted.\n")
    assert (status, name in found.storage.content) == (0, False)


@pytest.mark.parametrize("name", [*GUARDED, *BINARY])
def test_level_3_deletes_all_others_too(name: str) -> None:
    found = device()
    assert Script(found).run(f"delete {name}", "y")[1] == 0
    assert name not in found.storage.content


@pytest.mark.parametrize("name", BINARY)
def test_what_is_no_text(name: str) -> None:
    text, status = Script(device()).run(f"more {name}")
    assert text.startswith(f"Error: The file {name} is not text.")
    assert (f"`display pki certificate local filename {name}`" in text, status) == (True, 1)


@pytest.mark.parametrize("command", ["more", "delete"])
def test_a_file_that_is_not_there(command: str) -> None:
    text, status = Script(device()).run(f"{command} nothing.pem")
    assert text.startswith("Error: File can't be found")  # VRP's text, which RANCID knows
    assert status == 1


@pytest.mark.parametrize("ending", ["_local.cer", "_next.cer", "_ca.cer", ".crl"])
@pytest.mark.parametrize("realm", ["abc", "ABC"])
def test_what_a_realm_has_stays(ending: str, realm: str) -> None:
    found = device()
    name = f"{realm}{ending}"
    found.storage.content[name] = CERTIFICATE
    assert Script(found).run(f"delete {name}", "y")[1] == 0, "it has none"
    found.storage.content[name] = CERTIFICATE
    found.locals["abc"] = found.waits["abc"] = certificate()
    found.cas["abc"] = CaInfo(certificate(), "operator", ())
    found.revocation.found["abc"] = b"list"
    for line in (f"delete {name}", f"system-view\npki delete-certificate local filename {name}"):
        text, status = Script(found).run(*line.split("\n"))
        assert f"The file {name} stays: realm abc has what is in it" in text
        assert (status, name in found.storage.content) == (1, True)


def test_what_https_reads_stays() -> None:
    found = device()
    found.settings.realms["abc"].https_ca_file = "CA.pem"
    text, status = Script(found).run("delete ca.pem")
    assert "`https ca-file` of realm abc names it" in text
    assert status == 1


def test_a_file_that_became_one_of_a_realm_meanwhile() -> None:
    found = device()
    script = Script(found)
    script.run("delete ca.pem")
    found.settings.realms["abc"].https_ca_file = "ca.pem"
    assert script.run("y")[1] == 1
    assert "ca.pem" in found.storage.content


# -- certificates and lists ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ca", "local"])
def test_a_certificate_in_a_file_is_shown_judged_and_deleted(kind: str) -> None:
    found = device()
    text, status = system(found, f"display pki certificate {kind} filename ca.pem")
    assert ("Certificate file name: ca.pem" in text, status) == (True, 0)
    assert "Pki realm name: -" in text
    text, status = system(found, f"pki validate-certificate {kind} realm abc filename ca.pem")
    assert (" file " in text, status) == (True, 0)
    lines = (f"pki delete-certificate {kind} filename ca.pem", "y")
    assert system(found, *lines)[0].endswith("Info: The file ca.pem was deleted.\n")
    assert system(found, f"display pki certificate {kind} filename ca.pem")[1] == 1


def test_a_revocation_list_is_forgotten_by_level_3() -> None:
    found = furnished()
    assert "has no revocation list" in system(found, "pki delete-crl realm abc")[0]
    found.revocation.found["abc"] = b"list"
    assert system(found, "pki delete-crl realm abc", level=2)[1] == 1
    text, status = system(found, "pki delete-crl realm ABC", "y")
    assert text.endswith("Info: The revocation list of realm abc was deleted.\n")
    assert (status, found.revocation.found) == (0, {})


def test_a_revocation_list_in_a_file_is_shown_imported_and_deleted() -> None:
    found = furnished()
    found.storage.content["ca.crl"] = LIST
    text, status = system(found, "display pki crl filename ca.crl")
    assert ("CRL file name: ca.crl" in text, status) == (True, 0)
    text, status = system(found, "pki import-crl realm ABC filename ca.crl", level=2)
    assert text.endswith("Info: The revocation list of realm abc was imported.\n")
    assert (status, found.revocation.found["abc"]) == (0, LIST)
    text, status = system(found, "pki delete-crl filename ca.crl", "y")
    assert text.endswith("Info: The file ca.crl was deleted.\n")
    assert (status, "abc" in found.revocation.found) == (0, True)
    for line in ("display pki crl filename ca.crl", "pki import-crl realm abc filename ca.crl"):
        text, status = system(found, line)
        assert ("File can't be found: ca.crl" in text, status) == (True, 1)


# -- files from a URL ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("http://h/ca.pem new.pem", ("default", "http://h/ca.pem")),
        ("https://h/ca.pem new.pem realm ABC", ("abc", "https://h/ca.pem")),
        (r"esc http://h/x\x3fid=1 new.pem", ("default", "http://h/x?id=1")),
    ],
)
def test_a_file_is_fetched_by_the_way_of_a_realm(typed: str, asked: tuple[str, str]) -> None:
    found = furnished()
    text, status = system(found, f"pki http {typed}")
    assert text.endswith("Info: The file new.pem was written.\n")
    assert (status, found.exchange.asked) == (0, [("download", *asked, "new.pem")])


def test_a_file_that_is_there_is_not_replaced_by_one_from_a_url() -> None:
    found = furnished()
    found.storage.content["new.pem"] = CERTIFICATE
    text, status = system(found, "pki http http://h/ca.pem new.pem")
    assert "Error: There is a file new.pem already." in text
    assert (status, found.storage.content["new.pem"]) == (1, CERTIFICATE)


@pytest.mark.parametrize(
    ("typed", "level"),
    [
        ("http://h/ca.pem new.pem", 2),
        ("http://h/ca.pem new.pem realm nobody", 3),
        ("ftp://h/ca.pem new.pem", 3),
        ("http://h/ca.pem a/b.pem", 3),
        ("http://h/ca.pem .hidden", 3),
        ("http://h/ca.pem", 3),
    ],
)
def test_what_is_not_fetched(typed: str, level: int) -> None:
    found = furnished()
    assert system(found, f"pki http {typed}", level=level)[1] == 1
    assert found.exchange.asked == []
