"""Sessions: the procedure at a terminal, questions, pages, tasks, scripts, noise."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import limits
from agent.appliance import CaQuestion
from agent.console.language.parameters import SEAL
from agent.console.terminal.pager import ERASE_MORE, MORE
from agent.settings import Realm
from tests.helpers.appliance import (
    PENDING,
    PRINTS,
    FakeDevice,
    Script,
    Terminal,
    certificate,
    error,
    seal,
)

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
 SHA-256 fingerprint: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
 CA subject: CN=lab CA
Warning: Compare them with what the CA's operator tells you. Is this the CA to trust? [Y/N]: y
.
Info: Realm abc: pending: the CA has not decided.
 Next step: poll 2 of 5, 2026-11-23 14:06:00 UTC (in 1 min).
[Huawei]return
<Huawei>save
Warning: The current configuration will be written to the device. Continue? [Y/N]: y
Info: The configuration was saved.
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


def test_the_procedure_at_a_terminal() -> None:
    """The whole conversation; what moves the cursor is left out, as automation does."""
    transcript = PROCEDURE.lstrip().replace("SEALED", seal("topsecret"))
    device, answers = FakeDevice(), []
    terminal = Terminal(device)
    for line in filter(None, map(typed_in, transcript.splitlines())):
        terminal.session.feed(line.encode() + b"\r")
        if not device.tasks:
            continue
        terminal.reactor.advance(1)
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
    assert "topsecret" not in "".join(terminal.session.keyboard.editor.history)


def enrolling(device: FakeDevice) -> Terminal:
    device.settings.realms["abc"] = Realm("abc")
    device.settings.realms["abc"].url = "http://ca"
    terminal = Terminal(device)
    terminal.type("system-view", "pki enroll-certificate realm abc")
    assert device.tasks
    return terminal


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
    assert shown == ("pki realm ?\n  STRING<1-64>  Name of a realm\n[Huawei]pki realm ")
    assert terminal.keys(b"x\r").endswith("[Huawei-pki-realm-x]")
    assert "Error: Unrecognized command" in terminal.keys(b"foo ?")
    assert "  <cr>\n" in terminal.keys(b"\x15quit ?")


def test_tab_completes() -> None:
    terminal = Terminal(FakeDevice())
    terminal.keys(b"sys\t\r")
    assert terminal.session.place.view.kind == "system"
    assert terminal.keys(b"pki ent\tx\r").endswith("[Huawei-pki-entity-x]")


# -- questions and passwords -----------------------------------------------------------------------


def test_a_question_wants_y_or_n() -> None:
    device = FakeDevice()
    terminal = Terminal(device)
    assert terminal.type("save").endswith("Continue? [Y/N]: ")
    assert "Please answer Y or N.\n" in terminal.type("maybe")
    assert "Nothing was changed" in terminal.type("")
    terminal.type("save")
    assert terminal.keys(b"\x03").endswith("Info: Nothing was changed.\n<Huawei>")
    terminal.type("save", "YES")
    assert device.configuration.times == 1


def test_a_password_is_asked_twice_without_echo() -> None:
    device = FakeDevice(eager=True)
    terminal = Terminal(device)
    terminal.type("system-view", "pki realm abc")
    shown = terminal.type("password cipher", "top secret", "top secret")
    assert "secret" not in shown
    assert device.settings.realms["abc"].password == seal("top secret")
    assert "The two passwords differ" in terminal.type("password cipher", "one", "two")
    assert "not possible" in terminal.type("password cipher", "x" * 65, "x" * 65)
    assert terminal.keys(b"password cipher\rabc\x03").endswith("[Huawei-pki-realm-abc]")
    assert device.settings.realms["abc"].password == seal("top secret")


@pytest.mark.parametrize(
    "line",
    [
        "password cipher topsecret",
        "password cipher topsecret again",
        "pasword cipher topsecret",
        "password cypher topsecret",
        f"password cipher {SEAL}topsecret",
        "pki enroll-certificate realm abc password topsecret",
        "pki enroll-certificate realm abc passw topsecret x",
        "pki enroll realm abc password topsecret",
        "pa c topsecret x",
        "foo pa topsecret",
    ],
)
def test_no_password_is_kept(line: str) -> None:
    terminal = Terminal(FakeDevice(eager=True))
    shown = terminal.type("system-view", "pki realm abc", line)
    assert shown.count("topsecret") == 1, "only the echo"
    assert terminal.session.keyboard.editor.history[-1].endswith("******")
    assert "topsecret" not in terminal.keys(b"\x10")


def test_no_password_is_kept_or_echoed_in_another_view_or_below_its_level() -> None:
    for level in (1, 2, 3):
        terminal, script = Terminal(FakeDevice(), level=level), Script(FakeDevice(), level=level)
        terminal.type("system-view")
        assert terminal.type("pa c topsecret").count("topsecret") == 1, "only the echo"
        assert terminal.session.keyboard.editor.history[-1] == "pa c ******"
        text, status = script.run("pa c topsecret")
        assert text.startswith("pa c ******\n")
        assert ("topsecret" in text, status) == (False, 1)


def test_the_mask_is_no_password() -> None:
    terminal = Terminal(FakeDevice(eager=True))
    terminal.type("system-view", "pki realm abc", "password cipher topsecret")
    assert "how a password is shown" in terminal.keys(b"\x10\r")


# -- pages -----------------------------------------------------------------------------------------


def long_display() -> Terminal:
    device = FakeDevice()
    for number in range(30):
        device.settings.realms[f"r{number}"] = Realm(f"r{number}")
    return Terminal(device)


def test_pages() -> None:
    terminal = long_display()
    shown = terminal.type("display current-configuration")
    assert shown.count("\n") == limits.SCREEN_LINES, "the echo, and a screen with `More`"
    assert shown.endswith(MORE)
    assert terminal.keys(b"\r").count("\n") == 1
    shown = terminal.keys(b" ")
    assert shown.startswith(ERASE_MORE)
    assert shown.count("\n") == limits.SCREEN_LINES - 1
    assert terminal.keys(b"x") == ""
    assert terminal.keys(b"q") == ERASE_MORE + "<Huawei>"


def test_ctrl_c_at_a_page() -> None:
    terminal = long_display()
    terminal.type("display current-configuration")
    assert terminal.keys(b"\x03") == ERASE_MORE + "<Huawei>"


def test_paging_off_and_its_range() -> None:
    terminal = long_display()
    terminal.type("screen-length 0 temporary")
    assert MORE not in terminal.type("display pki realm")
    assert "Wrong parameter" in terminal.type("screen-length 513 temporary")
    assert terminal.type("screen-length 1 temporary", "display current-configuration").count(MORE)
    terminal.keys(b"q")
    terminal.type("screen-length 512 temporary")
    assert MORE not in terminal.type("display current-configuration")


def test_scripts_are_not_paged() -> None:
    device = long_display().device
    assert MORE not in Script(device).run("display current-configuration")[0]


def test_a_display_waits_for_room() -> None:
    terminal = long_display()
    terminal.type("screen-length 0 temporary")
    terminal.room = 20
    terminal.session.feed(b"display current-configuration\r")
    terminal.session.feed(b"display clock\r")
    assert terminal.sent == b"display current-configuration\r\n"
    terminal.room = limits.SESSION_OUTPUT_BYTES
    terminal.session.resume()
    shown = terminal.take()
    assert shown.index("pki realm r29") < shown.index("display clock") < shown.index("2026-")


@pytest.mark.parametrize("stop", [b"\x03", b"\x00"])
def test_ctrl_c_or_a_break_ends_a_display_that_waits_for_room(stop: bytes) -> None:
    terminal = long_display()
    terminal.type("screen-length 0 temporary")
    terminal.room = 20
    terminal.session.feed(b"display current-configuration\r")
    terminal.session.feed(b"display clock\r " + stop)
    assert terminal.take() == "^C\n<Huawei>", "what was said and not yet sent is dropped"
    assert terminal.type("") == "\n<Huawei>"


def test_keys_wait_for_room_and_ctrl_c_does_not() -> None:
    terminal = Terminal(FakeDevice())
    terminal.room = 100
    terminal.session.feed(b"pki ?" * 1000)
    assert len(terminal.sent) < 1000
    terminal.session.feed(b"\x03")
    assert terminal.take() == "^C\n<Huawei>"
    terminal.type("system-view", "pki realm abc")
    terminal.session.feed(b"password cipher\rabc" + b"\x00")
    assert terminal.take().endswith("Enter the password: ^C\n[Huawei-pki-realm-abc]")


# -- tasks -----------------------------------------------------------------------------------------


def test_progress_dots_and_type_ahead() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    terminal.reactor.advance(3)
    assert terminal.keys(b"display clock\r") == ""
    device.finish()
    shown = terminal.take()
    assert shown.startswith("\nInfo: Realm abc: nothing:")
    assert shown.endswith("it is later than this software\n[Huawei]")
    assert "[Huawei]display clock\n2026-11-23 14:05:00 UTC\n" in shown
    assert len([timer for timer in terminal.reactor.timers if not timer.cancelled]) == 1, "idle"


def test_notes_of_a_task() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    next(iter(device.tasks.values())).progress.note("The CA answers.")
    assert terminal.take() == "\nInfo: The CA answers.\n"
    terminal.reactor.advance(100)
    assert "\n" in terminal.take(), "dots wrap at the edge of the screen"


def test_ctrl_c_detaches_and_the_work_goes_on() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    task = next(iter(device.tasks.values()))
    shown = terminal.keys(b"typed ahead\r\x03")
    assert shown == "^C\nInfo: The work goes on without this session.\n[Huawei]"
    assert device.detached == [1]
    task.progress.note("nobody reads this")
    asked: list[bool] = []
    task.progress.confirm_ca(PRINTS, asked.append)
    device.finish()
    terminal.reactor.advance(100)
    assert terminal.take() == ""
    assert asked == [False]


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["pki realm abc", "password cipher topsecret"], "The password was not set."),
        (["pki realm abc", f"password cipher {seal('x')}"], "The password was not set."),
        (["display pki certificate local"], "Nothing is shown."),
        (["pki rsa local-key-pair create k1 modulus 2048"], "The work goes on without this"),
    ],
)
def test_ctrl_c_says_what_becomes_of_the_work(lines: list[str], left: str) -> None:
    device = FakeDevice()
    device.locals["default"] = certificate()
    terminal = Terminal(device)
    terminal.type("system-view", *lines)
    assert terminal.keys(b"\x03").startswith(f"^C\nInfo: {left}")
    device.finish()
    assert terminal.take() == ""
    assert all(realm.password is None for realm in device.settings.realms.values())


def test_hang_up_detaches() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    terminal.take()
    terminal.session.close()
    terminal.session.close()
    assert (device.detached, asked) == ([1], [False])
    device.finish()
    terminal.session.screen.notice("nobody")
    terminal.reactor.advance(100)
    assert terminal.keys(b"display clock\r") == ""


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(b"y\r", True), (b"N\r", False), (b"\r", False), (b"\x03", False), (b"x\ry\r", True)],
)
def test_whether_it_is_the_right_ca(keys: bytes, answer: bool) -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    terminal.keys(b"y\r")  # typed before the fingerprints were there: no answer
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    shown = terminal.take()
    assert "aa" * 20 in shown
    assert "bb" * 32 in shown
    assert shown.endswith("[Y/N]: ")
    assert asked == []
    terminal.keys(keys)
    assert asked == [answer]
    terminal.reactor.advance(limits.CONFIRM_CA_S + 1)
    assert asked == [answer]
    device.finish()
    assert terminal.take().endswith("[Huawei]")


@pytest.mark.parametrize("level", [1, 2])
def test_who_may_not_pin_a_ca_may_not_accept_one(level: int) -> None:
    device = FakeDevice()
    device.settings.realms["default"].url = "http://ca"
    terminal, asked = Terminal(device), []
    terminal.type("system-view", "pki enroll-certificate realm default")
    terminal.session.place.level = level
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    shown = terminal.take()
    assert (asked, terminal.session.dialogue.asking) == ([False], False)
    assert "Error: This user may not accept a CA.\n Cause: which CA is trusted is" in shown
    assert "[Y/N]" not in shown
    device.finish(error())
    assert terminal.take().endswith("[Huawei]")


def test_nobody_answers_for_a_minute() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    terminal.reactor.advance(limits.CONFIRM_CA_S - 1)
    assert asked == []
    terminal.reactor.advance(1)
    assert asked == [False]
    assert "Nobody answered for 60 s: No." in terminal.take()
    device.finish(error())
    assert "Error: The CA said no." in terminal.take()


def test_a_task_that_ends_with_its_question_open() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    device.finish(error())
    assert asked == [False]
    assert terminal.take().endswith("[Huawei]")
    assert "Unrecognized" in terminal.type("y")


def test_control_characters_of_a_certificate_do_not_reach_the_terminal() -> None:
    device = FakeDevice()
    terminal = enrolling(device)
    evil = CaQuestion((PRINTS.chain[0]._replace(subject="CN=\x1b[2J\u009b31m\r\nfoo"),))
    next(iter(device.tasks.values())).progress.confirm_ca(evil, lambda yes: None)
    assert r" CA subject: CN=\x1b[2J\x9b31m\x0d\x0afoo" + "\n" in terminal.take()


def test_type_ahead_has_an_end() -> None:
    terminal = enrolling(FakeDevice())
    terminal.keys(b"x" * (limits.TYPE_AHEAD_BYTES + 10))
    assert len(terminal.session._typed) == limits.TYPE_AHEAD_BYTES


def test_a_notice_does_not_tear_the_line() -> None:
    terminal = Terminal(FakeDevice())
    terminal.keys(b"display cl")
    terminal.session.screen.notice("PKI/5/GET_CA_CERT_OK")
    shown = terminal.take()
    assert shown.endswith("PKI/5/GET_CA_CERT_OK\n<Huawei>display cl")
    assert "2026" in terminal.keys(b"ock\r")
    paged = long_display()
    paged.type("display current-configuration")
    paged.session.screen.notice("note")
    assert paged.take() == ERASE_MORE + "note\n" + MORE


# -- scripts ---------------------------------------------------------------------------------------


def test_the_status_of_a_script() -> None:
    script = Script(FakeDevice())
    assert script.run("system-view", "pki realm abc", "ca id lab")[1] == 0
    text, status = script.run("ca foo")
    assert (text, status) == (
        "ca foo\n   ^\nError: Unrecognized command found at '^' position.\n",
        1,
    )
    assert script.run("ca id lab") == ("", 0)
    assert script.end() == ("", 0)


def test_a_question_mark_is_a_character_in_a_script() -> None:
    script = Script(FakeDevice())
    assert "Cause: a name has" in script.run("system-view", "pki realm a?")[0]


@pytest.mark.parametrize("line", ["display clock", ""])
def test_a_script_that_does_not_answer(line: str) -> None:
    device = FakeDevice()
    script = Script(device)
    script.run("save")
    text, status = script.run(line)
    assert text.splitlines()[:2] == [
        "Info: Nothing was changed.",
        "Error: The question was not answered: nothing done.",
    ]
    assert (status, device.configuration.times) == (1, 0)
    assert "2026" not in text


def test_a_script_that_ends_in_a_question() -> None:
    script = Script(FakeDevice())
    script.run("save")
    assert script.end()[1] == 1


def test_a_script_is_held_and_its_lines_wait() -> None:
    device = FakeDevice()
    script = Script(device)
    assert script.run("system-view")[1] == 0
    assert script.run("pki rsa local-key-pair create k1", "display clock")[1] is None
    assert script.run()[0] == ""
    device.finish()
    assert "was created.\n2026-" in script.take()
    assert script.status == 0


def test_a_script_answers_about_the_ca() -> None:
    device = FakeDevice()
    device.settings.realms["default"].url = "http://ca"
    script = Script(device)
    assert script.run("system-view", "pki enroll-certificate realm default")[1] is None
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    assert script.status == 0, "the next line may come"
    script.run("y")
    assert (asked, script.status) == ([True], None)
    device.finish()
    assert script.status == 0


def test_a_script_that_is_too_late_about_the_ca() -> None:
    device = FakeDevice()
    device.settings.realms["default"].url = "http://ca"
    script = Script(device)
    script.run("system-view", "pki enroll-certificate realm default")
    asked: list[bool] = []
    next(iter(device.tasks.values())).progress.confirm_ca(PRINTS, asked.append)
    script.reactor.advance(limits.CONFIRM_CA_S)
    device.finish(error())
    assert asked == [False]
    script.take()
    assert script.run("display clock") == ("", 1), "the failure is told before anything else runs"


def test_a_password_from_a_script() -> None:
    device = FakeDevice(eager=True)
    script = Script(device)
    text, status = script.run(
        "system-view", "pki realm abc", "password cipher", "topsecret", "topsecret"
    )
    assert (status, device.settings.realms["abc"].password) == (0, seal("topsecret"))
    assert "topsecret" not in text


def test_a_line_may_have_510_characters() -> None:
    script = Script(FakeDevice())
    assert script.run("display clock" + " " * 497)[1] == 0
    assert "longer than 510" in script.run("display clock" + " " * 498)[0]


def test_a_long_script_needs_no_stack() -> None:
    """Each line is asked for from within the end of the one before."""
    device, statuses = FakeDevice(), []
    script = Script(device)

    def finished(status: int) -> None:
        statuses.append(status)
        if len(statuses) < 5000:
            script.session.run_line("", finished)

    script.session.run_line("", finished)
    assert len(statuses) == 5000


def test_quit_ends_a_script() -> None:
    script = Script(FakeDevice())
    assert script.run("quit")[1] == 0
    assert script.session.closed
    assert script.run("display clock") == ("", 0), "the line is answered, and does nothing"
    assert script.end() == ("", 0)


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


@pytest.mark.parametrize("stop", [b"\x03", b"\x00"], ids=["ctrl-c", "break"])
def test_a_stop_in_one_piece_with_the_command_that_it_stops(stop: bytes) -> None:
    device = FakeDevice()
    terminal = Terminal(device)
    terminal.type("system-view")
    said = terminal.keys(b"pki rsa local-key-pair create k1 modulus 2048\rlost" + stop + b"dis")
    assert said.endswith("^C\nInfo: The work goes on without this session.\n[Huawei]dis")
    assert device.detached == [1]


@pytest.mark.parametrize(("key", "line"), [(b"q", "display "), (b"\x03", "")])
def test_the_line_below_help_is_left_with_ctrl_c_only(key: bytes, line: str) -> None:
    """Or what a script types behind Ctrl+C would be the end of another command."""
    terminal = Terminal(FakeDevice())
    terminal.session.screen.height = 4
    assert MORE in terminal.keys(b"display ?")
    assert terminal.keys(key).endswith(f"<Huawei>{line}")
    assert terminal.session.keyboard.editor.line.text == line
