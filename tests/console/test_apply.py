"""apply: the difference, all of it or nothing, rights, passwords, and what goes on undisturbed."""

import pytest

from agent.console.commands.table import render_configuration
from agent.console.configuration.apply import How, apply
from agent.console.session.session import Session
from agent.errors import fail
from agent.settings import Unapplied
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PENDING, certificate, hashed, seal
from tests.helpers.terminal import Script

BASE = """#
sysname r1
#
pki entity e1
 common-name r1.example
#
pki realm abc
 ca id lab
 entity e1
 rsa local-key-pair k1
#
return
"""


def device(text: str = BASE) -> FakeDevice:
    """A device that runs and has saved a configuration."""
    found = FakeDevice(eager=True)
    found.add_key_pair("k1")
    assert run(found, text)[1] == 0
    found.configuration.times = 0
    return found


def run(
    device: FakeDevice, text: str, *, dry_run: bool = False, merge: bool = False, level: int = 3
) -> tuple[list[str], int | None]:
    """Applies a text; what was said, and the exit status (None: it waits)."""
    sent = bytearray()
    status: list[int] = []
    session = Session(device, sent.extend, device.reactor, level=level, terminal=False)
    session.perform(lambda operator: apply(operator, text, How(dry_run, merge)), status.append)
    assert len(status) < 2
    return sent.decode().splitlines(), status[0] if status else None


def test_the_file_is_what_runs_and_what_is_saved() -> None:
    one = device()
    new = BASE.replace("ca id lab", "ca id other").replace("sysname r1", "sysname r2")
    said, status = run(one, new + "pki entity e2\n country DE\n")
    assert status == 0
    assert said == [
        "-sysname r1",
        "+sysname r2",
        "+pki entity e2",
        "+ country DE",
        " pki realm abc",
        "- ca id lab",
        "+ ca id other",
        "Info: The configuration was applied, and saved.",
    ]
    assert one.settings.sysname == "r2"
    assert one.settings.realms["abc"].ca_id == "other"
    assert one.settings.realms["abc"].key_pair == "k1"
    assert not one.configuration.unsaved()
    assert (one.configuration.times, one.changes) == (1, 2)


def test_again_at_once_nothing_changes() -> None:
    one = device()
    for text in (BASE, "\n".join(render_configuration(one.settings)), BASE.replace("abc", "ABC")):
        assert run(one, text) == (["Info: No change."], 0)
    assert one.configuration.times == 0
    assert one.settings.realms["abc"].name == "abc"


def test_what_runs_already_is_saved() -> None:
    one = device()
    Script(one).run("system-view", "sysname r2")
    assert run(one, BASE.replace("sysname r1", "sysname r2")) == (
        ["Info: No change, and saved."],
        0,
    )
    assert not one.configuration.unsaved()


def test_a_dry_run_says_the_same_and_does_nothing() -> None:
    one = device()
    before = render_configuration(one.settings)
    said, status = run(one, "sysname r2\n", dry_run=True)
    assert status == 0
    assert "-pki realm abc" in said
    assert said[-1] == "Info: This was a dry run. Nothing was changed."
    assert render_configuration(one.settings) == before
    assert run(one, BASE, dry_run=True) == (["Info: No change."], 0)
    assert one.configuration.times == 0


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("foo bar\n", " line 13: foo bar: Unrecognized command"),
        ("pki realm abc\n entity e9\n", " line 14: entity e9: there is no entity e9"),
        ("pki realm b\n rsa local-key-pair K1\n", " line 14: rsa local-key-pair K1: there is no"),
        ("pki realm b\n rsa local-key-pair k1\n", "line 14: rsa local-key-pair k1: key pair k1 is"),
        ("pki realm b\n entity e2\n#\npki entity e2\n", "line 14: entity e2: entity e2 has no com"),
        (
            "pki rsa local-key-pair destroy k1\n",
            "k1: a configuration cannot hold a command that acts",
        ),
        ("undo sysname\n", " line 13: undo sysname: a configuration cannot hold"),
        ("x" * 600 + "\n", " is longer than 510 characters"),
        ("pki realm b\n pasword cipher topsecret\n", " line 14: pasword ******: Unrecog"),
    ],
)
def test_one_bad_line_and_nothing_is_changed(lines: str, told: str) -> None:
    one = device()
    before = render_configuration(one.settings)
    said, status = run(one, BASE.replace("sysname r1", "sysname r2") + lines)
    assert status == 1
    assert told in "\n".join(said)
    assert any(line.startswith("Error: Nothing was changed: lines that") for line in said)
    assert "topsecret" not in "\n".join(said)
    assert render_configuration(one.settings) == before
    assert (one.configuration.times, one.tasks) == (0, {})


def test_garbage_ends_early() -> None:
    said, status = run(device(), "x\n" * 60_000)
    assert status == 1
    assert len(said) < 1100


def test_a_failed_commit_changes_nothing() -> None:
    one = device()
    one.configuration.refusal = fail("store-failed", reason="full")
    before = render_configuration(one.settings)
    said, status = run(one, "sysname r2\n")
    assert status == 1
    assert any("did not take the change: full" in line for line in said)
    assert render_configuration(one.settings) == before


# -- passwords -------------------------------------------------------------------------------------


PASSWORD = BASE.replace(" ca id lab", " ca id lab\n password cipher topsecret")


def test_passwords_in_plain_are_sealed_and_never_told() -> None:
    one = device()
    said, status = run(one, PASSWORD)
    assert status == 0
    assert one.settings.realms["abc"].password == seal("topsecret")
    assert "+ password cipher ******" in said
    assert "topsecret" not in "\n".join(said)
    assert seal("topsecret") not in "\n".join(said)
    again, status = run(one, PASSWORD)
    assert (again[-1], status) == ("Info: No change.", 0)


def test_the_old_sealed_form_is_handed_to_the_job() -> None:
    one = device(PASSWORD)
    one.eager = False
    assert run(one, PASSWORD.replace("topsecret", "other"))[1] is None
    (task,) = one.tasks.values()
    assert task.given == ("other", seal("topsecret"))
    one.finish()
    assert one.settings.realms["abc"].password == seal("other")


def test_a_sealed_password_that_is_known_needs_no_job_and_another_is_tried() -> None:
    one = device(PASSWORD)
    one.eager = False
    assert run(one, PASSWORD.replace("topsecret", seal("topsecret"))) == (["Info: No change."], 0)
    _said, status = run(one, PASSWORD.replace("topsecret", seal("foreign")))
    assert status is None
    one.finish(fail("password-differs"))
    assert one.settings.realms["abc"].password == seal("topsecret")
    assert one.configuration.times == 0


@pytest.mark.slow
def test_many_passwords_need_no_stack() -> None:
    text = "".join(f"pki realm r{n}\n password cipher topsecret\n" for n in range(500))
    one = FakeDevice(eager=True)
    assert run(one, text)[1] == 0
    assert one.settings.realms["r499"].password == seal("topsecret")


def test_the_line_of_a_password_that_is_refused_is_named_and_the_others_are_left() -> None:
    one = FakeDevice()
    text = "".join(f"pki realm r{n}\n password cipher topsecret\n" for n in range(3))
    sent, status = bytearray(), []
    session = Session(one, sent.extend, one.reactor, level=3, terminal=False)
    session.perform(lambda operator: apply(operator, text, How()), status.append)
    one.finish()
    one.finish(fail("job-died"))
    assert status == [1]
    assert one.tasks == {}
    assert "Info: The password of line 4 is not possible." in sent.decode()
    assert list(one.settings.realms) == ["default"]


def test_what_others_typed_while_passwords_were_sealed_counts() -> None:
    one = device()
    one.eager = False
    assert run(one, PASSWORD)[1] is None
    Script(one).run("system-view", "sysname typed", "pki realm late")
    one.finish()
    assert one.settings.sysname == "r1"
    assert list(one.settings.realms) == ["default", "abc"]


def test_an_entity_that_went_meanwhile_is_noticed() -> None:
    one = device()
    one.eager = False
    run(one, PASSWORD.replace("pki entity e1\n common-name r1.example\n", ""), merge=True)
    Script(one).run("system-view", "pki realm abc", "undo entity", "undo pki entity e1")
    before = render_configuration(one.settings)
    one.finish()
    assert render_configuration(one.settings) == before


# -- realms that go, and who may -------------------------------------------------------------------


def test_what_goes_with_a_realm_is_warned_of() -> None:
    one = device(BASE + "pki realm b\n")
    one.locals["abc"] = certificate()
    one.statuses["b"] = PENDING
    for dry_run in (True, False):
        said, status = run(one, "sysname r1\n", dry_run=dry_run)
        assert status == 0
        assert "Warning: Realm abc has a certificate in use. All of it is removed." in said
        assert "Warning: Realm b has a request under way. All of it is removed." in said
    assert list(one.settings.realms) == ["default"]


def _refused(one: FakeDevice, text: str, level: int) -> str:
    before = render_configuration(one.settings)
    said, status = run(one, text, level=level)
    assert status == 1
    assert render_configuration(one.settings) == before
    return "\n".join(said)


def test_every_line_needs_its_level() -> None:
    one = device(PASSWORD)
    sealed = PASSWORD.replace("topsecret", seal("topsecret"))
    assert "level 2" in _refused(one, BASE, level=1)
    said = _refused(one, sealed.replace(seal("topsecret"), "other"), level=2)
    assert "may not change `password cipher ******`" in said
    assert "level 3" in _refused(one, BASE, level=2)
    assert run(one, sealed.replace("ca id lab", "ca id x"), level=2)[1] == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("enrollment-url http://ca/scep", "enrollment-url http://evil/scep ra"),
        ("enrollment-url http://ca/scep", "enrollment-url http://ca/scep interval 2 ra"),
        ("enrollment-url http://ca/scep ra", "enrollment-url http://ca/scep"),
        (f"enrollment-url http://ca/scep ra fingerprint sha1 {'ab' * 20}",
         f"enrollment-url http://ca/scep ra fingerprint sha1 {'cd' * 20}"),
        ("ca id lab", "compatibility ra-any-purpose"),
        ("compatibility ra-any-purpose", "ca id lab"),
        ("ca id lab", "subject-match key-only"),
        ("ca id lab", "weak-algorithm md5"),
    ],
)  # fmt: skip
def test_an_operator_of_level_2_applies_no_line_about_the_ra(before: str, after: str) -> None:
    one = device(BASE.replace("ca id lab", before))
    assert "level 3" in _refused(one, BASE.replace("ca id lab", after), level=2)
    assert run(one, BASE.replace("ca id lab", after), level=3)[1] == 0


def test_an_operator_of_level_2_applies_another_url() -> None:
    one = device(BASE.replace("ca id lab", "enrollment-url http://ca/scep"))
    assert (
        run(one, BASE.replace("ca id lab", "enrollment-url http://x/scep times 3"), level=2)[1] == 0
    )


def test_a_realm_with_a_trusted_ca_goes_at_level_3_only() -> None:
    one = device(BASE.replace(" ca id lab", f" fingerprint sha256 {'ab' * 32}"))
    assert "level 3" in _refused(one, "sysname r1\n", level=2)
    assert run(one, "sysname r1\n", level=3)[1] == 0


def test_lines_that_did_not_apply_are_part_of_the_difference() -> None:
    one = device()
    one.settings.unapplied = [Unapplied("", "foo bar", "Unrecognized command")]
    said, status = run(one, BASE, level=2)
    assert (said[0], status) == ("-foo bar", 0)
    assert one.settings.unapplied == []


USERS = """#
aaa
 local-user ann password irreversible-cipher topsecret
 local-user ann privilege level 3
 local-user ann service-type terminal
#
user-interface console 0
 set authentication password cipher linesecret
 authentication-mode aaa
#
return
"""


def test_login_passwords_in_plain_are_hashed_and_the_same_file_changes_nothing() -> None:
    one = device(BASE + USERS)
    assert one.settings.users["ann"].password == hashed("topsecret")
    assert one.settings.console.password == hashed("linesecret")
    said, status = run(one, BASE + USERS)
    assert (said[-1], status) == ("Info: No change.", 0)
    said, status = run(one, BASE + USERS.replace("topsecret", hashed("new")))
    assert (status, one.settings.users["ann"].password) == (0, hashed("new"))
    assert "+ local-user ann password irreversible-cipher ******" in said


def test_a_file_after_which_nobody_could_log_in_is_refused() -> None:
    one = device(BASE + USERS)
    said, status = run(one, BASE + USERS.replace(" local-user ann service-type terminal\n", ""))
    assert status == 1
    assert "Error: No user of level 3 could log in on the serial line." in said
    assert one.settings.users["ann"].terminal
