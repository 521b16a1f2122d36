"""The console's side of imports, exports, the clock and the machine."""

import pytest

from agent.appliance import CaInfo, FromFile
from agent.errors import fail
from agent.settings import Realm, Timezone
from tests.helpers.appliance import PRINTS, START_S, FakeDevice, Script, Terminal, certificate


def device() -> FakeDevice:
    found = FakeDevice(eager=True)
    found.settings.realms["abc"] = Realm("abc")
    found.storage.content["abc_local.cer"] = b"certificate"
    return found


def script(found: FakeDevice, *lines: str, level: int = 3) -> tuple[str, int | None]:
    return Script(found, level=level).run("system-view", *lines)


def test_an_import_takes_the_file_of_the_realm_when_none_is_named() -> None:
    found = device()
    text, status = script(found, "pki import-certificate local realm ABC")
    assert (status, found.exchange.asked) == (
        0,
        [("import", "local", "abc", FromFile("abc_local.cer"))],
    )
    assert text.endswith("Info: The local certificate of realm abc was imported.\n")


def test_an_import_names_file_format_and_password() -> None:
    found = device()
    found.storage.content["x.p12"] = b"file"
    line = "pki import-certificate local realm abc pkcs12 filename x.p12 password sekret"
    text, status = script(found, line)
    assert (status, found.exchange.asked[0][3]) == (0, FromFile("x.p12", "pkcs12", "sekret"))
    assert "sekret" not in text


def test_a_password_that_is_not_given_is_asked_without_echo() -> None:
    found = device()
    found.storage.content["x.p12"] = b"file"
    terminal = Terminal(found)
    terminal.type("system-view")
    shown = terminal.type("pki import-certificate local realm abc pkcs12 filename x.p12")
    assert shown.endswith("Enter the password of the file: ")
    shown = terminal.type("sekret")
    assert "sekret" not in shown
    assert found.exchange.asked[0][3] == FromFile("x.p12", "pkcs12", "sekret")


def test_a_file_that_is_not_there_is_an_error_with_the_next_step() -> None:
    text, status = script(device(), "pki import-certificate local realm abc pem filename no.cer")
    assert status == 1
    assert "Error: The file no.cer cannot be read" in text
    assert "Next step: see `dir` in the user view." in text


def test_the_next_step_of_an_error_names_the_realm() -> None:
    found = device()
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
    found = device()
    found.storage.content["abc_ca.cer"] = b"ca"
    text, status = script(found, line, level=2)
    assert status == 1
    assert "Error: This user may not" in text
    assert found.exchange.asked == []


def test_the_ca_is_fetched_by_itself_and_compared() -> None:
    found = device()
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
    found = device()
    line = "pki export-certificate local realm abc pem"
    text, status = script(found, line)
    assert (status, found.storage.content["abc_local.pem"]) == (0, b"pem")
    text, status = script(found, line, "n")
    assert "will be overwritten" in text
    assert len(found.exchange.asked) == 1
    script(found, line, "y")
    assert len(found.exchange.asked) == 2


def test_a_pkcs12_gets_a_password_twice() -> None:
    found = device()
    terminal = Terminal(found)
    terminal.type("system-view", "pki export-certificate local realm abc pkcs12 filename o.p12")
    terminal.type("sekret")
    assert "differ" in terminal.type("other")
    terminal.type("pki export-certificate local realm abc pkcs12 filename o.p12", "sekret")
    assert "The file o.p12 was written." in terminal.type("sekret")
    assert found.exchange.asked == [
        ("export", "local", "abc", FromFile("o.p12", "pkcs12", "sekret"))
    ]


def test_keys_come_and_go_by_files() -> None:
    found = device()
    found.storage.content["k.pem"] = b"file"
    lines = ["pki import rsa-key-pair k9 pem k.pem exportable password sekret",
             "pki export rsa-key-pair k9 pkcs12 k.p12 password sekret"]  # fmt: skip
    text, status = script(found, *lines)
    assert (status, list(found.pairs)) == (0, ["k9"])
    assert found.exchange.asked == [
        ("import", "key", "k9", FromFile("k.pem", "pem", "sekret"), True),
        ("export", "key", "k9", FromFile("k.p12", "pkcs12", "sekret")),
    ]
    text, status = script(found, lines[0], "n")
    assert "exists and will be overwritten" in text
    assert len(found.exchange.asked) == 2


def test_a_request_for_a_ca_that_is_reached_by_hand() -> None:
    found = device()
    text, status = script(found, "pki enroll-certificate realm abc pkcs10")
    assert (status, found.exchange.asked) == (0, [("request", "abc", "abc.req", False)])
    assert "Next step:" in text
    script(found, "pki enroll-certificate realm abc pkcs10 filename mine.req")
    assert found.exchange.asked[-1] == ("request", "abc", "mine.req", False)
    line = "pki enroll-certificate realm abc pkcs10 with-password"
    text, status = script(found, line, "y")
    assert found.exchange.asked[-1] == ("request", "abc", "abc.req", True)
    assert "without the challenge password" in text, "the realm has none"
    assert "This command needs level 3" in script(found, line, level=2)[0]


def test_delete_asks_first() -> None:
    found = device()
    found.locals["abc"] = certificate()
    found.cas["abc"] = CaInfo(certificate("CN=CA"), "operator", ())
    script(found, "pki delete-certificate local realm abc", "n")
    assert "abc" in found.locals
    script(found, "pki delete-certificate local realm abc", "y")
    script(found, "pki delete-certificate ca realm abc", "y")
    assert (found.locals, found.cas) == ({}, {})
    text, status = script(found, "pki delete-certificate local realm abc")
    assert (status, "Continue?" in text) == (1, False)
    assert "Error: Realm abc has no local certificate." in text


def test_a_validation_is_shown() -> None:
    text, status = script(device(), "pki validate-certificate local realm abc")
    assert status == 0
    assert " local        Valid      CN=abc" in text


def test_the_next_ca_is_fetched_and_shown_beside_the_others() -> None:
    found = device()
    text, status = script(found, "pki get-certificate ca realm abc next")
    assert (status, found.exchange.asked) == (0, [("next", "abc")])
    assert "The certificates of the next CA of realm abc were stored." in text
    pinned, following = certificate("CN=CA"), certificate("CN=next CA")
    found.cas["abc"] = CaInfo(pinned, "fingerprint", (pinned,), following)
    text, status = script(found, "display pki certificate ca realm abc")
    assert (status, "Total Number: 2" in text) == (0, True)
    assert text.count("Certificate file name: abc_ca.cer") == 1


@pytest.mark.parametrize(
    ("words", "serial"),
    [("", None), (" serial-number 2a", "2a"), (" serial-number 00:2A:ff", "2aff")],
)
def test_an_issued_certificate_is_asked_for_again(words: str, serial: str | None) -> None:
    found = device()
    text, status = script(found, f"pki get-certificate local realm ABC{words}", level=2)
    assert (status, found.exchange.asked) == (0, [("get local", "abc", serial)])
    assert text.endswith("Info: The local certificate of realm abc was stored.\n")


def test_one_that_is_in_use_is_said_to_be() -> None:
    found = device()
    found.eager = False
    terminal = Terminal(found)
    terminal.type("system-view", "pki get-certificate local realm abc")
    found.finish(True)
    assert "is already in use: nothing was written." in terminal.take()


@pytest.mark.parametrize("serial", ["2g", ":", "1" * 41, "-1"])
def test_what_is_no_serial_number(serial: str) -> None:
    found = device()
    line = f"pki get-certificate local realm abc serial-number {serial}"
    text, status = script(found, line)
    assert (status, "Wrong parameter" in text, found.exchange.asked) == (1, True, [])


def test_a_revocation_list_is_fetched_and_shown() -> None:
    found = device()
    assert "There is no CRL." in script(found, "display pki crl realm abc")[0]
    text, status = script(found, "pki get-crl realm abc")
    assert (status, "The revocation list of realm abc was stored." in text) == (0, True)
    text, status = script(found, "display pki crl realm abc")
    assert "CRL file name: abc.crl" in text
    assert status == 0


def test_what_this_release_does_not_do_it_says() -> None:
    text, status = script(device(), "pki realm abc", "auto-enroll 80 regenerate updated-effective")
    assert (status, "does not renew by itself" in text) == (0, True)


# -- the machine -----------------------------------------------------------------------------------


def test_the_clock_is_set_in_the_zone_of_the_device() -> None:
    found = device()
    text, status = Script(found).run(
        "clock timezone CET add 01:00:00", "clock datetime 15:05:00 2026-11-23"
    )
    assert (status, found.system.done) == (0, [("clock", START_S)])
    assert "15:05:00 CET" in text
    assert found.settings.timezone == Timezone("CET", 3600)
    text, _status = Script(found).run("display clock")
    assert text.startswith("2026-11-23 15:05:00 CET\nTime source: ntp\nTrusted: yes")
    text, status = Script(found, level=2).run("clock datetime 15:05:00 2026-11-23")
    assert status == 1


def test_files_interfaces_and_statistics_are_tables() -> None:
    found = device()
    assert Script(found).run("dir")[0].splitlines()[1].split()[-1] == "abc_local.cer"
    assert " eth1                 down   -" in Script(found).run("display interface brief")[0]
    assert " GET_CA_CERT_OK : 2" in Script(found).run("display pki statistics")[0]


@pytest.mark.parametrize(
    ("line", "done"),
    [("reset pki storage", "wipe"), ("reset pki storage unused", "compact"), ("reboot", "reboot")],
)
def test_what_cannot_be_undone_asks_first(line: str, done: str) -> None:
    found = device()
    text, _status = Script(found).run(line, "n")
    assert found.system.done == []
    assert "Continue? [Y/N]:" in text
    assert Script(found).run(line, "y")[1] == 0
    assert found.system.done == [(done, None)]


def test_a_reboot_warns_of_what_was_not_saved() -> None:
    found = device()
    found.configuration.save()
    assert "not saved" not in Script(found).run("reboot", "n")[0]
    found.settings.sysname = "r9"
    assert "not saved" in Script(found).run("reboot", "n")[0]
