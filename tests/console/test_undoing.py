"""`undo` before a line: tools write the value behind it, and another value is another setting.

The lines are those of the command table, so a new row is covered by itself.
"""

import pytest

from agent.console.commands.rows import Row
from agent.console.commands.table import render_configuration
from tests.console.test_command_rows import device, run
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import hashed, seal
from tests.helpers.command_lines import Form, entrance, forms, state, stored
from tests.helpers.terminal import Script, realm_script


def with_line(row: Row) -> list[Form]:
    """Each way to set what a row sets; none where `undo` takes a line of its own."""
    if row.opens or row.undo == row.notation:
        return []
    return [form for form in forms() if form.row is row and not form.undoes]


SETTINGS = [
    pytest.param(form, id=f"{form.view}: {form.line()}")
    for row in stored()
    for form in with_line(row)
]


def lines_of(found: FakeDevice, row: Row, view: str) -> list[str]:
    """The lines of a row as a configuration shows them now."""
    script = Script(found)
    script.run(*entrance(view))
    return list(row.render(script.session.place.record(view))) if row.render else []


@pytest.mark.parametrize("form", SETTINGS)
@pytest.mark.parametrize("furnished", [False, True], ids=["bare", "furnished"])
def test_the_lines_that_are_shown_are_undone_by_themselves(form: Form, furnished: bool) -> None:
    found = device(furnished=furnished)
    script = Script(found)
    script.run(*entrance(form.view))
    standing = lines_of(found, form.row, form.view)
    if run(found, script, form.line()) != 0:
        return
    added = [line for line in lines_of(found, form.row, form.view) if line not in standing]
    for line in added:
        script.run("return", *entrance(form.view))
        text, status = script.run(f"undo {line}")
        assert status == 0, text
    left = lines_of(found, form.row, form.view)
    assert not set(left) & set(added)


@pytest.mark.parametrize("form", SETTINGS)
def test_a_line_that_is_not_configured_is_refused(form: Form) -> None:
    """Whatever it says: nothing changes, and the error names what is there."""
    found = FakeDevice(eager=True)
    script = Script(found)
    script.run(*entrance(form.view))
    before = state(found.settings)
    text, status = script.run(f"undo {form.line()}")
    if status == 0:
        assert form.line().split()[-1] in (form.row.default or form.line()).split()
    else:
        assert text.startswith("Error: ")
        assert " is not " in text or ", not " in text
    assert state(found.settings) == before


@pytest.mark.parametrize(
    ("typed", "undone", "told"),
    [
        ("enrollment-url http://x", "enrollment-url http://y", "Enrollment-url is http://x, not "),
        ("enrollment-url http://x", "enrollment-url http://x times 9", "not http://x times 9."),
        ("auto-enroll 60 regenerate", "auto-enroll 60", "Auto-enroll is 60 regenerate, not 60."),
        ("key-usage ike ssl-client", "key-usage ike", "is ike ssl-client, not ike."),
        ("crl scep", "ca id x", "Error: Ca id is not configured."),
        ("source 192.0.2.1", "source interface eth0", "is 192.0.2.1, not interface eth0."),
        (f"fingerprint sha1 {'0' * 40}", f"fingerprint sha1 {'1' * 40}", "not sha1 1111"),
        ("password cipher one", "password cipher two", "Error: Password is not the one that was"),
    ],
)
def test_another_value_is_told_with_the_present_one(typed: str, undone: str, told: str) -> None:
    device, script, realm = realm_script()
    assert script.run(typed)[1] == 0
    before = state(realm)
    text, status = script.run(f"undo {undone}")
    assert (status, state(realm)) == (1, before)
    assert told in text
    assert "Next step: nothing was changed" in text
    assert "two" not in text
    assert render_configuration(device.settings)


@pytest.mark.parametrize(
    ("typed", "undone"),
    [
        ("source interface GigabitEthernet 0/0/1", "source interface GigabitEthernet0/0/1"),
        ("source interface GigabitEthernet0/0/1", "source interface GigabitEthernet 0/0/1"),
        ("fingerprint sha1 " + "AB:" * 20, "fingerprint sha1 " + "ab" * 20),
        ("password cipher one", "password cipher"),
        ("password cipher one", f"password cipher {seal('one')}"),
        ("key-usage ike ssl-client", "key-usage ssl-client ike"),
        (r"enrollment-url esc http://h/\x3fq", r"enrollment-url esc http://h/\x3fq"),
        ("crl scep", "enrollment-request signature message-digest-method sha-256"),
    ],
)
def test_the_same_value_in_another_spelling(typed: str, undone: str) -> None:
    _device, script, realm = realm_script()
    new = state(realm)
    assert script.run(typed)[1] == 0
    text, status = script.run(f"undo {undone}")
    assert status == 0, text
    assert (state(realm) == new) == (typed != "crl scep")


def test_of_a_user_each_line_is_undone_alone() -> None:
    found = device(furnished=True)
    script = Script(found)
    script.run("system-view", "aaa")
    head = "undo local-user ann"
    assert (
        "Local-user ann is privilege level 3, not privilege level 2."
        in script.run(f"{head} privilege level 2")[0]
    )
    assert (
        "Local-user bob is not configured" in script.run("undo local-user bob service terminal")[0]
    )
    assert script.run(f"{head} privilege level 3", f"{head} service-type terminal")[1] == 0
    ann = found.settings.users["ann"]
    assert (ann.level, ann.terminal, ann.password) == (0, False, hashed("x"))
    assert script.run(f"{head} password irreversible-cipher {hashed('x')}")[1] == 0
    assert "ann" not in found.settings.users, "nothing is left of her"
