"""Loading a configuration: bad lines are told and skipped, the rest takes effect, and fast."""

from time import process_time

import pytest

from agent.console.commands import keys
from agent.console.commands.operator import NewKey
from agent.console.commands.table import ROWS, branches, render_configuration
from agent.console.configuration.loader import Loader, load_configuration
from agent.console.configuration.needs import Needs
from agent.errors import AgentError, fail
from agent.settings import Entity, Realm, Settings
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import seal

TEXT = f"""#
sysname R1
#
pki file-format der
#
pki entity e1
 common-name r1
#
pki realm abc
 entity e1
 rsa local-key-pair k1
 password cipher {seal("topsecret")}
#
return
"""


def test_a_configuration_loads_without_a_job() -> None:
    device = FakeDevice()
    device.add_key_pair("k1")
    assert load_configuration(device, TEXT) == []
    realm = device.settings.realms["abc"]
    assert (realm.entity, realm.key_pair, realm.password) == ("e1", "k1", seal("topsecret"))
    assert (device.tasks, device.changes) == ({}, 0)


def test_bad_lines_are_kept_and_the_others_apply() -> None:
    device = FakeDevice()
    text = TEXT.replace("common-name r1", "common-name r_1")
    bad = load_configuration(device, text + " tail\nfoo bar\npki realm a?b\n ca id x\n")
    assert [(number, line.text) for number, line in bad] == [
        (7, "common-name r_1"),
        (10, "entity e1"),
        (15, "tail"),
        (16, "foo bar"),
        (17, "pki realm a?b"),
        (18, "ca id x"),
    ]
    reasons = [line.why for _, line in bad]
    assert "letters, digits" in reasons[0]
    assert reasons[1] == "entity e1 has no common name"
    assert reasons[3] == "Unrecognized command"
    assert reasons[5] == "the line that opens its block does not apply"
    assert [line.block for _, line in bad[:2]] == ["pki entity e1", "pki realm abc"]
    assert [line.block for _, line in bad[2:]] == ["", "", "", "pki realm a?b"]
    assert device.settings.realms["abc"].password == seal("topsecret")
    assert device.settings.realms["default"].ca_id is None


def test_commands_that_act_are_no_settings() -> None:
    device = FakeDevice()
    text = "pki rsa local-key-pair create k1\npki realm abc\n password cipher\nreturn\nsave\n"
    bad = load_configuration(device, text)
    assert [number for number, _ in bad] == [1, 3, 5]
    assert (device.tasks, device.pairs, device.configuration.times) == ({}, {}, 0)


def test_nothing_is_undone_shown_or_done_by_a_file() -> None:
    """Of every row as it is and undone: only settings and what stands between them load."""
    marks = {"#", "quit", "return", keys.CREATE.notation}
    for row in ROWS:
        forms = list(branches(row))
        loads = [form.command.loads for form in forms]
        assert loads[0] is (row.render is not None or row.notation in marks)
        assert not any(loads[1:]), row.notation


def test_undo_in_a_file_is_a_bad_line() -> None:
    device = FakeDevice()
    undone = ["undo pki realm abc", "undo pki entity e1", "undo sysname", "pki realm abc",
              " undo password", " undo entity", "display clock"]  # fmt: skip
    device.add_key_pair("k1")
    bad = load_configuration(device, TEXT + "\n".join(undone))
    texts = [line.text for _, line in bad]
    assert texts == [line.strip() for line in undone if line != "pki realm abc"]
    assert {line.why for _, line in bad} == {"a configuration cannot hold a command that acts"}
    assert device.forgotten == []
    assert device.settings.sysname == "R1"
    assert device.settings.realms["abc"].password == seal("topsecret")


def test_a_password_in_plain_is_bad_and_not_repeated() -> None:
    device = FakeDevice()
    text = "pki realm abc\n password cipher topsecret\n pasword cipher topsecret\n"
    bad = load_configuration(device, text)
    assert [line.text for _, line in bad] == ["password cipher ******", "pasword ******"]
    assert "topsecret" not in repr(bad)


def test_one_key_pair_serves_one_realm_in_a_file_too() -> None:
    device = FakeDevice()
    device.add_key_pair("k1")
    text = "pki realm a\n rsa local-key-pair k1\npki realm b\n rsa local-key-pair k1\n"
    assert [number for number, _ in load_configuration(device, text)] == [4]


def test_what_a_line_refers_to_may_come_later() -> None:
    device = FakeDevice()
    text = "pki realm abc\n entity e1\n#\npki entity e1\n common-name r1\n"
    assert load_configuration(device, text) == []
    assert device.settings.realms["abc"].entity == "e1"


def test_comments_are_no_lines() -> None:
    device = FakeDevice()
    text = "!Software Version\n! x\nsysname r1\n#\npki realm abc\n ! entity e1 (why)\n ca id x\n"
    assert load_configuration(device, text) == []
    assert device.settings.realms["abc"].ca_id == "x"


def test_the_children_of_a_refused_block_do_not_fall_upon_the_device() -> None:
    device = FakeDevice()
    text = "interface Vlanif 1\n sysname stolen\n password cipher topsecret\n#\nsysname r1\n"
    bad = load_configuration(device, text)
    assert [line.text for _, line in bad] == [
        "interface Vlanif 1",
        "sysname stolen",
        "password cipher ******",
    ]
    assert device.settings.sysname == "r1"


def test_secrets_are_found_first_and_taken_when_they_are_ready() -> None:
    device = FakeDevice(eager=True)
    text = "pki realm abc\n password cipher topsecret\n"
    needs = Needs(Settings())
    assert load_configuration(device, text, needs) == []
    assert list(needs.tasks) == [2]
    needs.tasks[2](lambda sealed: needs.ready.update({2: sealed}))
    assert load_configuration(device, text, needs) == []
    assert device.settings.realms["abc"].password == seal("topsecret")


@pytest.mark.parametrize("name", ["k1", "k2"])
def test_a_text_wants_key_pairs_and_a_start_makes_none(name: str) -> None:
    line = f"pki rsa local-key-pair create {name} modulus 3072 exportable"
    device = FakeDevice()
    device.add_key_pair("k1")
    needs = Needs(Settings())
    assert load_configuration(device, line, needs) == []
    assert needs.keys == {name: NewKey(name, 3072, True)}
    ((_number, bad),) = load_configuration(device, line)
    assert bad.why == "a configuration cannot hold a command that acts"
    assert (device.tasks, list(device.pairs)) == ({}, ["k1"])


def test_any_text_loads() -> None:
    for text in ("", "\n\n", "\x00\xff\n \x1b[A", "#" * 1000, " " * 1000, '"\n " "'):
        load_configuration(FakeDevice(), text)


def test_the_operator_of_a_text_is_told_nothing_asked_nothing_and_starts_nothing() -> None:
    device, looked = FakeDevice(), []
    loader = Loader(device, None)
    loader.info("nobody reads it")
    loader.remark(lambda: looked.append("nobody would read it"))
    loader.refuse(fail("login-no-user"))
    acts = (
        lambda: loader.ask("Enter the password: ", looked.append, hidden=True),
        lambda: loader.question("Continue?", looked.append),
        lambda: loader.start("Working", lambda task: device.diagnose("default", task.done), print),
        lambda: loader.set_terminal(lines=0),
        lambda: loader.set_terminal(monitor=True),
    )
    for act in acts:
        with pytest.raises(AgentError) as caught:
            act()
        assert caught.value.code == "load-action"
    assert (looked, device.tasks, device.listeners) == ([], {}, [])


def test_key_pairs_are_listed_once_for_a_text() -> None:
    device = FakeDevice()
    device.add_key_pair("k1")
    loader = Loader(device, None)
    assert loader.keys.names() == {"k1"}
    device.add_key_pair("k2")
    assert loader.keys.names() == {"k1"}
    assert Loader(device, None).keys.names() == {"k1", "k2"}


def test_a_thousand_realms() -> None:
    device = FakeDevice()
    device.settings.entities["e1"] = Entity("e1")
    device.settings.entities["e1"].common_name = "r1"
    for number in range(1000):
        device.add_key_pair(f"k{number}")
        realm = device.settings.realms[f"r{number}"] = Realm(f"r{number}")
        realm.ca_id, realm.entity, realm.key_pair = "lab", "e1", f"k{number}"
        realm.url, realm.url_esc, realm.ra = "http://ca/scep?a=b", True, True
        realm.key_usage, realm.source_interface = ("ike", "ssl-client"), "GigabitEthernet0/0/1"
        realm.digest, realm.password = "sha-512", seal("topsecret")
        realm.fingerprint = ("sha256", "ab" * 32)
    text = "\n".join(render_configuration(device.settings))
    again = FakeDevice()
    again.pairs = device.pairs
    start = process_time()
    assert load_configuration(again, text) == []
    seconds = process_time() - start
    assert "\n".join(render_configuration(again.settings)) == text
    assert seconds < 5, "well under one here; a machine that is busy gets some grace"
