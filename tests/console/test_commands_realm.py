"""The realm view, and realms that come and go."""

import pytest

from agent.appliance import CaInfo, RealmStatus
from agent.console.commands.table import ROWS, render_configuration
from agent.console.configuration.loader import load_configuration
from agent.console.language.views import REALM
from agent.errors import fail
from hal.ports import Interface, LinkError
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PENDING, certificate, seal
from tests.helpers.terminal import Script, furnished, realm_script, system


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("ca id lab", "ca id lab"),
        ('ca id "lab ca"', 'ca id "lab ca"'),
        ("key-usage ssl-server ike", "key-usage ike ssl-server"),
        ("source 192.0.2.1", None),
        ("source 2001:DB8::1", "source 2001:db8::1"),
        ("source interface eth0", None),
        ("source interface eth0 bind-device", None),
        (
            "source interface GigabitEthernet 0/0/1 bind-device",
            "source interface GigabitEthernet0/0/1 bind-device",
        ),
        ("enrollment-url http://ca/scep", None),
        ("enrollment-url http://ca/scep interval 1 times 5", "enrollment-url http://ca/scep"),
        ("enrollment-url http://ca/scep interval 2 times 6 ra", None),
        ("enrollment-url http://ca/scep ra fingerprint sha1 " + "ab" * 20, None),
        (f"enrollment-url http://ca/scep ra fingerprint sha256 {'ab' * 32} {'cd' * 32}", None),
        (
            r"enrollment-url esc http://ca/a\x3fb times 2 ra fingerprint sha256 "
            + "AB:" * 31
            + "ab",
            r"enrollment-url esc http://ca/a\x3fb times 2 ra fingerprint sha256 " + "ab" * 32,
        ),
        (
            "enrollment-url http://ca/scep ra fingerprint sha1 "
            + " ".join(["AB"] * 20 + ["cd"] * 20),
            f"enrollment-url http://ca/scep ra fingerprint sha1 {'ab' * 20} {'cd' * 20}",
        ),
        (
            f"enrollment-url http://ca/scep ra fingerprint sha1 {'ab' * 20} {'AB' * 20}",
            f"enrollment-url http://ca/scep ra fingerprint sha1 {'ab' * 20}",
        ),
        (r"enrollment-url esc http://ca/scep\x3fa\\x3f", None),
        ("enrollment-request signature message-digest-method sha-512", None),
        ("enrollment-request signature message-digest-method sha-256", ""),
        ("enrollment-request encryption-algorithm 3des", None),
        ("password cipher topsecret", f"password cipher {seal('topsecret')}"),
        ('password cipher "top secret"', f"password cipher {seal('top secret')}"),
        ("password cipher " + seal("x"), None),
        ("fingerprint md5 " + "AB" * 16, "fingerprint md5 " + "ab" * 16),
        ("fingerprint sha1 " + ":".join(["Ab"] * 20), "fingerprint sha1 " + "ab" * 20),
        ("fingerprint sha256 " + " ".join(["Ab"] * 32), "fingerprint sha256 " + "ab" * 32),
        ("weak-algorithm sha1 des", "weak-algorithm des sha1"),
        ("subject-match key-only", None),
        ("compatibility http-get", None),
    ],
)
def test_set_shown_loaded_undone(line: str, shown: str | None) -> None:
    """`shown` None: rendered as it was typed."""
    device, script, _ = realm_script()
    assert script.run(line)[1] == 0
    shown = line if shown is None else shown
    rendered = render_configuration(device.settings)
    assert rendered[rendered.index("pki realm abc") + 1 : -2] == ([f" {shown}"] if shown else [])
    again = FakeDevice()
    assert load_configuration(again, "\n".join(rendered)) == []
    assert render_configuration(again.settings) == rendered
    undo = next(row.undo for row in ROWS if row.views == (REALM,) and row.undo in line)
    assert script.run(f"undo {undo}")[1] == 0
    assert render_configuration(device.settings)[-3] == "pki realm abc"
    assert device.changes >= 3


def test_source_replaces_source() -> None:
    _, script, realm = realm_script()
    script.run("source interface eth0 bind-device", "source 192.0.2.1")
    assert (realm.source_interface, realm.source_address, realm.bind_device) == (
        None,
        "192.0.2.1",
        False,
    )


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("source 192.0.2.9", "No interface has the address 192.0.2.9"),
        ("source interface eth7", "There is no interface eth7"),
        ("source interface GigabitEthernet0/0/1", "has no address now"),
        ("source interface GigabitEthernet 0/0/1", "has no address now"),
        ("fingerprint md5 " + "a" * 32, "md5 is broken"),
        ("fingerprint sha1 " + "a" * 40, "sha1 is broken"),
        ("enrollment-request signature message-digest-method md5", "md5 is broken"),
        ("enrollment-request signature message-digest-method sha1", "sha1 is broken"),
    ],
)
def test_accepted_with_one_warning(line: str, warning: str) -> None:
    device, script, _ = realm_script()
    text, status = script.run(line)
    assert (text.count("Warning:"), text.count("\n"), status) == (1, 1, 0)
    assert warning in text
    assert line.split()[0] in "\n".join(render_configuration(device.settings))


@pytest.mark.parametrize("line", ["source 192.0.2.1", "source interface eth0"])
def test_a_source_that_is_there_is_accepted_in_silence(line: str) -> None:
    assert realm_script()[1].run(line) == ("", 0)


def test_a_source_that_cannot_be_checked_is_kept_too() -> None:
    class Blind(FakeDevice):
        def interfaces(self) -> list[Interface]:
            raise LinkError("other", "no netlink here")

    script = Script(Blind())
    assert script.run("system-view", "pki realm abc", "source interface eth7") == (
        "Info: Ctrl+Z or `return` leads back to the user view.\n",
        0,
    )


def test_entity_and_key_pair_must_be_there() -> None:
    device, script, realm = realm_script()
    assert "no entity e1" in script.run("entity e1")[0]
    script.run("pki entity e1", "pki realm abc")
    assert "no common name" in script.run("entity e1")[0]
    script.run("pki entity e1", "common-name r1", "pki realm abc")
    assert script.run("entity E1") == ("", 0)
    assert realm.entity == "e1"
    assert "no RSA key pair k1" in script.run("rsa local-key-pair k1")[0]
    device.add_key_pair("k1")
    assert script.run("rsa local-key-pair k1") == ("", 0)
    assert script.run("rsa local-key-pair k1") == ("", 0)
    text, status = script.run("pki realm other", "rsa local-key-pair k1")
    assert "used by realm abc" in text
    assert status == 1


@pytest.mark.parametrize("under_way", [True, False])
def test_who_takes_the_entity_away_hears_of_a_request_under_way(under_way: bool) -> None:
    device, script, realm = realm_script()
    realm.entity = "e1"
    if under_way:
        device.statuses["abc"] = PENDING
    text, status = script.run("undo entity")
    assert (realm.entity, status) == (None, 0)
    assert text.startswith("Warning: Realm abc has a request under way") == under_way
    assert ("`pki abort-request realm abc`" in text) == under_way


def test_names_are_one_whatever_their_case_and_keep_their_first_spelling() -> None:
    device, script, _ = realm_script()
    script.run("pki realm ABC", "ca id x")
    assert list(device.settings.realms) == ["default", "abc"]
    assert script.session.place.view == (REALM, "abc")
    assert device.settings.realms["abc"].ca_id == "x"


def test_the_default_realm_stays() -> None:
    text, status = realm_script()[1].run("undo pki realm Default")
    assert text.startswith("Error: Realm default cannot be removed.\n Cause: ")
    assert status == 1


def test_removing_a_realm() -> None:
    device, script, _ = realm_script()
    assert script.run("undo pki realm abc") == ("", 0)
    assert (list(device.settings.realms), device.forgotten) == (["default"], ["abc"])
    assert "no realm abc" in script.run("undo pki realm abc")[0]


@pytest.mark.parametrize("why", ["request", "certificate"])
def test_removing_a_realm_that_is_needed_asks(why: str) -> None:
    device, script, _ = realm_script()
    if why == "request":
        device.statuses["abc"] = PENDING
    else:
        device.locals["abc"] = certificate()
    text, _status = script.run("undo pki realm abc")
    assert text.startswith("Warning: ")
    assert text.endswith("Continue? [Y/N]:\n")
    assert script.run("n") == ("Info: Nothing was changed.\n", 0)
    assert "abc" in device.settings.realms
    assert script.run("undo pki realm abc", "y")[1] == 0
    assert device.forgotten == ["abc"]


@pytest.mark.parametrize("pinned_by", ["fingerprint", "operator"])
def test_a_trusted_ca_goes_only_with_level_3(pinned_by: str) -> None:
    device, script, realm = realm_script()
    if pinned_by == "fingerprint":
        realm.fingerprint = ("sha256", "ab" * 32)
    else:
        device.cas["abc"] = CaInfo(certificate("CN=lab CA"), "operator", ())
    low = Script(device, level=2)
    low.run("system-view")
    text, status = low.run("undo pki realm ABC")
    assert text.startswith("Error: This user may not remove realm abc, which holds a trusted CA.")
    assert (status, device.forgotten) == (1, [])
    assert script.run("undo pki realm abc") == ("", 0)
    assert device.forgotten == ["abc"]


def test_a_realm_that_came_to_trust_a_ca_while_its_removal_was_asked_for() -> None:
    device, _script, realm = realm_script()
    device.statuses["abc"] = PENDING
    low = Script(device, level=2)
    low.run("system-view", "undo pki realm abc")
    realm.fingerprint = ("sha256", "ab" * 32)
    text, status = low.run("y")
    assert "may not remove realm abc" in text
    assert (status, "abc" in device.settings.realms) == (1, True)


def test_automatic_mode_is_taken_without_a_remark() -> None:
    device = furnished()
    before, _status = system(device, "pki realm abc")
    text, status = system(device, "pki realm abc", "auto-enroll 80 regenerate updated-effective")
    assert (status, text) == (0, before)


def test_a_realm_that_applies_by_itself_names_a_key_pair_that_is_made_for_it() -> None:
    device = furnished()
    bound = "rsa local-key-pair k9"
    assert "no RSA key pair k9" in system(device, "pki realm abc", bound)[0]
    assert system(device, "pki realm abc", "auto-enroll", bound)[1] == 0
    assert device.settings.realms["abc"].key_pair == "k9"


def test_an_error_about_all_realms_is_told_without_the_name_of_one() -> None:
    """Such a one ended the agent: the next step looked for the name that was typed."""

    class Broken(FakeDevice):
        def status(self, realm: str) -> RealmStatus:
            raise fail("realm-unknown", realm=realm)

    said, status = Script(Broken()).run("display pki realm")
    assert "Error: There is no realm default." in said
    assert status == 1
