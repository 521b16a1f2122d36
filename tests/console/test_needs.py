"""What a text needs before it can be applied: key pairs are made; and texts that are merged."""

import pytest

from agent.console.commands.table import render_configuration
from agent.console.configuration.apply import How, apply
from agent.console.session.session import Session
from agent.errors import fail
from agent.settings import Unapplied
from tests.console.test_apply import BASE, PASSWORD, device, run
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import seal

# -- key pairs -------------------------------------------------------------------------------------


def test_key_pairs_that_a_text_names_are_made_before_it_is_applied() -> None:
    one = FakeDevice()
    text = BASE + "pki realm b\n rsa local-key-pair k2\n auto-enroll regenerate 4096\n"
    text += "pki rsa local-key-pair create k3 modulus 3072 exportable\n"
    sent, status = bytearray(), []
    session = Session(one, sent.extend, one.reactor, level=3, terminal=False)
    session.perform(lambda operator: apply(operator, text, How()), status.append)
    for made in (1, 2, 3):
        assert (len(one.pairs), list(one.settings.realms)) == (made, ["default"])
        one.finish()
    made_of = {name: (pair.bits, pair.exportable) for name, pair in one.pairs.items()}
    assert made_of == {"k3": (3072, True), "k1": (2048, False), "k2": (4096, False)}
    said = sent.decode()
    assert "Generating RSA key pairs: 3 ..." in said
    assert "Info: The RSA key pair k2 of 4096 bits was created." in said
    assert (status, one.settings.realms["b"].key_pair) == ([0], "k2")
    assert "create" not in "\n".join(render_configuration(one.settings))


def test_a_key_pair_that_is_there_stays_and_a_dry_run_makes_none() -> None:
    one = device()
    text = BASE + "pki rsa local-key-pair create k1 modulus 4096\npki realm b\n"
    said, status = run(one, text + " rsa local-key-pair k9\n", dry_run=True)
    assert status == 0
    assert "Info: The RSA key pair k1 is there and stays as it is." in said
    assert "Info: An RSA key pair k9 of 2048 bits would be created." in said
    assert run(one, text)[1] == 0
    assert {name: pair.bits for name, pair in one.pairs.items()} == {"k1": 2048}


def test_without_the_key_pair_nothing_is_configured() -> None:
    one = FakeDevice()
    before = render_configuration(one.settings)
    sent, status = bytearray(), []
    session = Session(one, sent.extend, one.reactor, level=3, terminal=False)
    session.perform(lambda operator: apply(operator, BASE, How()), status.append)
    one.finish(fail("job-died"))
    assert (status, one.tasks) == ([1], {})
    assert "The configuration was not changed; key pairs that were made stay." in sent.decode()
    assert render_configuration(one.settings) == before


@pytest.mark.slow
def test_many_key_pairs_need_no_stack() -> None:
    text = "".join(f"pki realm r{n}\n rsa local-key-pair k{n}\n" for n in range(500))
    one = FakeDevice(eager=True)
    assert run(one, text)[1] == 0
    assert len(one.pairs) == 500


# -- merging ---------------------------------------------------------------------------------------


def test_a_merge_changes_what_it_names_and_keeps_the_rest() -> None:
    one = device(BASE + "pki realm b\n")
    one.settings.unapplied = [Unapplied("", "foo", "Unrecognized command")]
    text = "pki realm abc\n ca id other\npki realm c\n entity e1\n"
    for dry_run in (True, False):
        said, status = run(one, text, merge=True, dry_run=dry_run)
        assert status == 0
        assert said[:-1] == [" pki realm abc", "- ca id lab", "+ ca id other",
                             "+pki realm c", "+ entity e1"]  # fmt: skip
    assert list(one.settings.realms) == ["default", "abc", "b", "c"]
    assert [line.text for line in one.settings.unapplied] == ["foo"]
    assert run(one, text, merge=True) == (["Info: No change."], 0)


def test_the_lines_of_a_merged_text_have_its_own_numbers() -> None:
    one = device()
    said, status = run(one, "sysname r2\nnonsense\n", merge=True)
    assert (said[0], status) == (" line 2: nonsense: Unrecognized command", 1)
    assert one.settings.sysname == "r1"


def test_passwords_of_a_merge_are_sealed_once() -> None:
    one = device(PASSWORD)
    one.tasks.clear()
    before = one.settings.realms["abc"].password
    assert run(one, "pki realm b\n password cipher topsecret\n", merge=True)[1] == 0
    assert one.settings.realms["abc"].password == before
    assert one.settings.realms["b"].password == seal("topsecret")


def test_realms_and_users_that_go_are_named_before_they_go() -> None:
    users = "aaa\n local-user ada password irreversible-cipher Topsecret-1\n"
    one = device(BASE + "pki realm b\n" + users)
    assert run(one, "sysname r1\n", merge=True) == (["Info: No change."], 0)
    for dry_run in (True, False):
        said, status = run(one, "sysname r1\n", dry_run=dry_run)
        assert status == 0
        gone = "Warning: Not in the text, so removed: realm abc, realm b, user ada."
        (told,) = [line for line in said if line.startswith(gone)]
        assert "--merge" in told
        assert said.index(told) < len(said) - 1
