"""Certificates, CAs and revocation lists that come and go otherwise than by an application."""

import pytest

from agent.appliance import CaInfo, FromFile
from agent.errors import fail
from tests.helpers.appliance_values import PRINTS, certificate
from tests.helpers.terminal import Terminal, furnished, system


def test_an_import_takes_the_file_of_the_realm_when_none_is_named() -> None:
    found = furnished()
    text, status = system(found, "pki import-certificate local realm ABC")
    assert (status, found.exchange.asked) == (
        0,
        [("import", "local", "abc", FromFile("abc_local.cer"))],
    )
    assert text.endswith("Info: The local certificate of realm abc was imported.\n")


def test_an_import_names_file_format_and_password() -> None:
    found = furnished()
    found.storage.content["x.p12"] = b"file"
    line = "pki import-certificate local realm abc pkcs12 filename x.p12 password sekret"
    text, status = system(found, line)
    assert (status, found.exchange.asked[0][3]) == (0, FromFile("x.p12", "pkcs12", "sekret"))
    assert "sekret" not in text


def test_a_password_that_is_not_given_is_asked_without_echo() -> None:
    found = furnished()
    found.storage.content["x.p12"] = b"file"
    terminal = Terminal(found)
    terminal.type("system-view")
    shown = terminal.type("pki import-certificate local realm abc pkcs12 filename x.p12")
    assert shown.endswith("Enter the password of the file: ")
    shown = terminal.type("sekret")
    assert "sekret" not in shown
    assert found.exchange.asked[0][3] == FromFile("x.p12", "pkcs12", "sekret")


def test_a_file_that_is_not_there_is_an_error_with_the_next_step() -> None:
    text, status = system(furnished(), "pki import-certificate local realm abc pem filename no.cer")
    assert status == 1
    assert "Error: File can't be found: no.cer" in text
    assert "Next step: see `dir` in the user view." in text


def test_the_next_step_of_an_error_names_the_realm() -> None:
    found = furnished()
    found.eager = False
    terminal = Terminal(found)
    terminal.type("system-view")
    terminal.type("pki get-crl realm ABC")
    found.finish(fail("crl-signature", reason="no"))
    assert "Next step: try again; type `pki get-certificate ca realm ABC`" in terminal.take()


@pytest.mark.parametrize(
    "line",
    ["pki get-certificate ca realm abc", "pki import-certificate ca realm abc",
     "pki delete-certificate ca realm abc"],
)  # fmt: skip
def test_who_may_not_type_a_fingerprint_does_not_choose_the_ca(line: str) -> None:
    found = furnished()
    found.storage.content["abc_ca.cer"] = b"ca"
    text, status = system(found, line, level=2)
    assert status == 1
    assert "Error: This user may not" in text
    assert found.exchange.asked == []


def test_the_ca_is_fetched_by_itself_and_compared() -> None:
    found = furnished()
    found.eager = False
    terminal = Terminal(found)
    terminal.type("system-view", "pki get-certificate ca realm abc")
    answers: list[bool] = []
    next(iter(found.tasks.values())).progress.confirm_ca(PRINTS, answers.append)
    assert PRINTS.chain[0].sha256 in terminal.take()
    terminal.type("y")
    found.finish()
    assert answers == [True]
    assert "The CA certificates of realm abc were stored." in terminal.take()


def test_an_export_writes_a_file_and_asks_before_it_overwrites() -> None:
    found = furnished()
    line = "pki export-certificate local realm abc pem"
    text, status = system(found, line)
    assert (status, found.storage.content["abc_local.pem"]) == (0, b"pem")
    text, status = system(found, line, "n")
    assert "will be overwritten" in text
    assert len(found.exchange.asked) == 1
    system(found, line, "y")
    assert len(found.exchange.asked) == 2


def test_a_pkcs12_gets_a_password_twice() -> None:
    found = furnished()
    terminal = Terminal(found)
    terminal.type("system-view", "pki export-certificate local realm abc pkcs12 filename o.p12")
    terminal.type("sekret")
    assert "differ" in terminal.type("other")
    terminal.type("pki export-certificate local realm abc pkcs12 filename o.p12", "sekret")
    assert "The file o.p12 was written." in terminal.type("sekret")
    assert found.exchange.asked == [
        ("export", "local", "abc", FromFile("o.p12", "pkcs12", "sekret"))
    ]


def test_delete_asks_first() -> None:
    found = furnished()
    found.locals["abc"] = certificate()
    found.cas["abc"] = CaInfo(certificate("CN=CA"), "operator", ())
    system(found, "pki delete-certificate local realm abc", "n")
    assert "abc" in found.locals
    system(found, "pki delete-certificate local realm abc", "y")
    system(found, "pki delete-certificate ca realm abc", "y")
    assert (found.locals, found.cas) == ({}, {})
    text, status = system(found, "pki delete-certificate local realm abc")
    assert (status, "Continue?" in text) == (1, False)
    assert "Error: Realm abc has no local certificate." in text


def test_a_validation_is_shown() -> None:
    text, status = system(furnished(), "pki validate-certificate local realm abc")
    assert status == 0
    assert " local        Valid      CN=abc" in text


def test_the_next_ca_is_fetched_and_shown_beside_the_others() -> None:
    found = furnished()
    text, status = system(found, "pki get-certificate ca realm abc next")
    assert (status, found.exchange.asked) == (0, [("next", "abc")])
    assert "The certificates of the next CA of realm abc were stored." in text
    pinned, following = certificate("CN=CA"), certificate("CN=next CA")
    found.cas["abc"] = CaInfo(pinned, "fingerprint", (pinned,), following)
    text, status = system(found, "display pki certificate ca realm abc")
    assert (status, "Total Number: 2" in text) == (0, True)
    assert text.count("Certificate file name: abc_ca.cer") == 1


def test_the_certificate_that_waits_is_shown_by_itself() -> None:
    found = furnished()
    text, status = system(found, "display pki certificate local next")
    assert (status, "There is no waiting certificate." in text) == (0, True)
    found.waits["abc"] = certificate("CN=abc")
    text, _ = system(found, "display pki certificate local next realm abc")
    assert "Certificate file name: abc_next.cer" in text
    text, _ = system(found, "display pki certificate local realm abc")
    assert "There is no local certificate." in text


@pytest.mark.parametrize(
    ("words", "serial"),
    [("", None), (" serial-number 2a", "2a"), (" serial-number 00:2A:ff", "2aff")],
)
def test_an_issued_certificate_is_asked_for_again(words: str, serial: str | None) -> None:
    found = furnished()
    text, status = system(found, f"pki get-certificate local realm ABC{words}", level=2)
    assert (status, found.exchange.asked) == (0, [("get local", "abc", serial)])
    assert text.endswith("Info: The local certificate of realm abc was stored.\n")


def test_one_that_is_in_use_is_said_to_be() -> None:
    found = furnished()
    found.eager = False
    terminal = Terminal(found)
    terminal.type("system-view", "pki get-certificate local realm abc")
    found.finish(True)
    assert "is already in use: nothing was written." in terminal.take()


@pytest.mark.parametrize("serial", ["2g", ":", "1" * 41, "-1"])
def test_what_is_no_serial_number(serial: str) -> None:
    found = furnished()
    line = f"pki get-certificate local realm abc serial-number {serial}"
    text, status = system(found, line)
    assert (status, "Wrong parameter" in text, found.exchange.asked) == (1, True, [])


def test_a_revocation_list_is_fetched_and_shown() -> None:
    found = furnished()
    assert "There is no CRL." in system(found, "display pki crl realm abc")[0]
    text, status = system(found, "pki get-crl realm abc")
    assert (status, "The revocation list of realm abc was stored." in text) == (0, True)
    text, status = system(found, "display pki crl realm abc")
    assert "CRL file name: abc.crl" in text
    assert status == 0
