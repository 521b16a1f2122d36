"""Sessions: the procedure at a terminal, views, help, noise."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from hal.clock import SECOND_NS
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import PENDING, PRINTS, seal
from tests.helpers.terminal import Script, Terminal

PROCEDURE = r"""
<Huawei>system-view
Info: Ctrl+Z or `return` leads back to the user view.
[Huawei]pki file-format der
[Huawei]pki rsa local-key-pair create k1 modulus 2048
Generating the RSA key pair k1 of 2048 bits .
Info: The RSA key pair k1 of 2048 bits was created.
[Huawei]pki entity e1
[Huawei-pki-entity-e1]common-name r1.example.com
[Huawei-pki-entity-e1]quit
[Huawei]pki realm abc
[Huawei-pki-realm-abc]ca id lab
[Huawei-pki-realm-abc]entity e1
[Huawei-pki-realm-abc]rsa local-key-pair k1
[Huawei-pki-realm-abc]key-usage ssl-client ike
[Huawei-pki-realm-abc]source interface eth0
[Huawei-pki-realm-abc]enrollment-url esc http://ca/scep\x3fid=1 interval 2 ra
[Huawei-pki-realm-abc]enrollment-request signature message-digest-method sha-384
[Huawei-pki-realm-abc]password cipher topsecret
Sealing the password .
[Huawei-pki-realm-abc]quit
[Huawei]pki enroll-certificate realm abc
Applying for a certificate of realm abc .
 SHA-1 fingerprint: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
 SHA-256 fingerprint:
     bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
 CA subject: CN=lab CA
Warning: Compare them with what the CA's operator tells you.
    Is this the CA to trust? [Y/N]: y
.
Info: Realm abc: pending: the CA has not decided.
 Next step: poll 2 of 5, 2026-11-23 14:06:00 UTC (in 1 min).
[Huawei]return
<Huawei>save
Warning: The current configuration will be written to the device.
    Continue? [Y/N]: y
Info: The configuration was saved successfully.
<Huawei>display current-configuration
#
sysname Huawei
#
pki file-format der
#
pki entity e1
 common-name r1.example.com
#
pki realm default
#
pki realm abc
 ca id lab
 entity e1
 rsa local-key-pair k1
 key-usage ike ssl-client
 source interface eth0
 enrollment-url esc http://ca/scep\x3fid=1 interval 2 ra
 enrollment-request signature message-digest-method sha-384
 password cipher SEALED
#
return
<Huawei>quit
"""


def typed_in(line: str) -> str:
    """What the person typed of a line of the transcript."""
    for end in ("[Y/N]: ", ">", "]"):
        if end in line and (line[0] in "<[" or end[0] == "["):
            return line.split(end, 1)[1]
    return ""


def questions(transcript: str) -> str:
    """A question of two rows is one line, with blanks where a row of 80 columns ends."""
    two = re.compile(r"^(Warning: .*)\n(    .*\[Y/N\])", re.MULTILINE)
    return two.sub(lambda found: f"{found[1]:80}{found[2]}", transcript)


def test_the_procedure_at_a_terminal() -> None:
    """The whole conversation; what moves the cursor is left out, as automation does."""
    transcript = questions(PROCEDURE.lstrip().replace("SEALED", seal("topsecret")))
    device, answers = FakeDevice(), []
    terminal = Terminal(device)
    for line in filter(None, map(typed_in, transcript.splitlines())):
        terminal.session.feed(line.encode() + b"\r")
        if not device.tasks:
            continue
        terminal.reactor.advance(SECOND_NS)
        task = next(iter(device.tasks.values()))
        if task.progress and not answers:
            task.progress.confirm_ca(PRINTS, answers.append)
        else:
            device.statuses["abc"] = PENDING
            device.finish()
    assert re.sub(r" ?\x1b\[\d*[AD]", "", terminal.take()) == transcript
    assert answers == [True]
    assert device.configuration.times == 1
    assert terminal.logged_out
    assert terminal.reactor.watched == {}, "a console watches no descriptor"
    assert "topsecret" not in "".join(terminal.session.keyboard.editor.history)


# -- prompts, views, errors ------------------------------------------------------------------------


def test_prompts_follow_the_views() -> None:
    terminal = Terminal(FakeDevice())
    assert terminal.take() == "<Huawei>"
    terminal.type("system-view")
    assert terminal.type("sysname R1").endswith("[R1]")
    assert terminal.type("pki realm Abc").endswith("[R1-pki-realm-Abc]")
    assert terminal.type("pki entity e").endswith("[R1-pki-entity-e]")
    assert terminal.type("#").endswith("[R1]")
    assert terminal.type("pki realm ABC").endswith("[R1-pki-realm-Abc]")
    assert terminal.keys(b"half a line\x1a").endswith("<R1>")
    assert terminal.type("").endswith("<R1>")


def test_the_caret_stands_under_the_word() -> None:
    terminal = Terminal(FakeDevice())
    terminal.type("system-view")
    assert terminal.type("pki realm a b") == (
        "pki realm a b\n"
        "                    ^\n"
        "Error: Too many parameters found at '^' position.\n"
        "[Huawei]"
    )
    assert terminal.type("pki realm").splitlines()[1] == " " * (len("[Huawei]pki realm") + 1) + "^"


def test_a_command_of_another_view_is_named() -> None:
    terminal = Terminal(FakeDevice())
    assert "the system view: type `system-view` first" in terminal.type("pki realm abc")
    terminal.type("system-view")
    assert "the realm view: type `pki realm NAME` first" in terminal.type("ca id x")
    assert "the user view: type `return` first" in terminal.type("save")


def test_a_wrong_parameter_has_a_cause() -> None:
    terminal = Terminal(FakeDevice())
    terminal.type("system-view", "pki realm abc")
    assert " Cause: the range is 1 to 1440.\n" in terminal.type(
        "enrollment-u http://x interval 1441"
    )


def test_a_view_whose_realm_is_gone() -> None:
    device = FakeDevice()
    one, other = Terminal(device), Terminal(device)
    for terminal in (one, other):
        terminal.type("system-view", "pki realm abc")
    one.type("undo pki realm abc")
    assert "Unrecognized" in other.type("ca id x")
    assert other.type("").endswith("[Huawei]")


def test_one_session_leaves_the_other_alone() -> None:
    device = FakeDevice()
    one, other = Terminal(device), Terminal(device)
    one.type("system-view", "pki rsa local-key-pair create k1 modulus 2048")
    assert other.type("display clock").endswith("<Huawei>")
    device.finish()
    assert one.take().endswith("[Huawei]")


# -- help and editing ------------------------------------------------------------------------------


def test_help_at_once_and_the_line_again() -> None:
    terminal = Terminal(FakeDevice())
    terminal.type("system-view")
    shown = terminal.keys(b"pki realm ?")
    told = "  STRING<1-64>  Name of a realm\n  default\n"
    assert shown == f"pki realm ?\n{told}[Huawei]pki realm "
    assert terminal.keys(b"x\r").endswith("[Huawei-pki-realm-x]")
    assert "Error: Unrecognized command" in terminal.keys(b"foo ?")
    assert "  <cr>\n" in terminal.keys(b"\x15quit ?")


def test_tab_completes() -> None:
    terminal = Terminal(FakeDevice())
    terminal.keys(b"sys\t\r")
    assert terminal.session.place.view.kind == "system"
    assert terminal.keys(b"pki ent\tx\r").endswith("[Huawei-pki-entity-x]")


# -- noise -----------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [b"pki ", b"realm ", b"abc ", b"\r", b"undo ", b"display ", b"this ", b"| ", b"include ", b"?",
     b"\t", b"\x03", b"\x1b[A", b"system-view\r", b"password cipher ", b" ", b"y\r", b"save\r"]
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    pieces=st.lists(WORDS | st.binary(max_size=20), max_size=40),
    whole=st.booleans(),
    eager=st.booleans(),
    room=st.sampled_from([1, 50, limits.SESSION_OUTPUT_BYTES]),
)
def test_any_bytes_at_a_terminal(pieces: list[bytes], whole: bool, eager: bool, room: int) -> None:
    """Whole or byte by byte, with tasks that end at once or never, on a line that may stand."""
    device = FakeDevice(eager=eager)
    terminal = Terminal(device)
    terminal.room = room
    data = b"".join(pieces)
    for part in [data] if whole else [data[at : at + 1] for at in range(len(data))]:
        terminal.session.feed(part)
        assert len(terminal.sent) < room + 20_000
        if len(terminal.sent) > 2 * room:
            terminal.take()
            terminal.session.resume()
    terminal.room = limits.SESSION_OUTPUT_BYTES
    terminal.session.resume()
    if not terminal.session.closed:
        terminal.take()
        terminal.session.feed(b"\x03\x03\x1a")
        assert terminal.take().endswith(f"<{device.settings.sysname}>")


@settings(deadline=None, max_examples=150)
@given(st.lists(st.text(max_size=40), max_size=8))
def test_any_lines_in_a_script(lines: list[str]) -> None:
    script = Script(FakeDevice(eager=True))
    for line in lines:
        script.run(line)
        assert script.status in (0, 1) or script.session.closed
