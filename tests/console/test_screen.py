"""What stands on the screen, as pictures of text: 80 columns, and 40, where lines wrap.

The cursor is shown as `_`, in the place of what it stands on.
"""

import pytest

from agent.console.terminal.pager import MORE
from agent.settings import Realm
from tests.helpers.appliance import FakeDevice
from tests.helpers.screen import Glass

PROMPT = "[Huawei-pki-realm-abc]"
URL = "enrollment-url http://ca.example/certsrv/mscep/mscep.dll interval 5"


def in_realm(columns: int) -> Glass:
    glass = Glass(FakeDevice(eager=True), columns)
    glass.press(b"system-view\rpki realm abc\r")
    return glass


def paged() -> Glass:
    device = FakeDevice()
    for number in range(40):
        device.settings.realms[f"r{number}"] = Realm(f"r{number}")
    glass = Glass(device)
    glass.press(b"display current-configuration\r")
    return glass


def check(picture: str, wanted: str) -> None:
    """The last rows of a picture; each row of `wanted` begins with a bar."""
    rows = [row.strip()[1:] for row in wanted.strip().splitlines()]
    assert picture.splitlines()[-len(rows) :] == rows


def test_help_at_once_and_the_line_again() -> None:
    glass = Glass(FakeDevice())
    wanted = """
        |<Huawei>screen-length ?
        |  INTEGER<0-512>  Lines of the screen, 0 for no paging
        |<Huawei>screen-length _"""
    check(glass.press(b"screen-length ?"), wanted)
    wanted = """
        |<Huawei>screen-length 5 temp?
        |  temporary  Until this session ends
        |<Huawei>screen-length 5 temp_"""
    check(glass.press(b"5 temp?"), wanted)


def test_help_in_the_middle_of_a_line_that_wraps() -> None:
    glass = in_realm(40)
    glass.press(b"enrollment-url esc http://ca.example/x\x1b[D")
    wanted = """
        |[Huawei-pki-realm-abc]enrollment-url esc
        | http://ca.example/?
        |  STRING<8-255>  http://HOST/PATH of the
        |                 CA or RA; behind esc,
        |                 \\x3f is a ?
        |[Huawei-pki-realm-abc]enrollment-url esc
        | http://ca.example/_"""
    check(glass.press(b"?"), wanted)
    wanted = """
        |[Huawei-pki-realm-abc]enrollment-url esc
        | http://ca.example/y_"""
    check(glass.press(b"y"), wanted)


def test_long_help_comes_in_pages_and_the_line_stays() -> None:
    glass = in_realm(80)
    glass.terminal.session.screen.height = 10
    check(glass.press(b"xyz\x01?"), f"|{MORE}_")
    check(glass.press(b" "), f"|{MORE}_")
    check(glass.press(b"q"), f"|{PROMPT}_yz")
    check(glass.press(b"\x05!"), f"|{PROMPT}xyz!_")
    glass.press(b"\x15?")
    check(glass.press(b"\x03"), f"|{PROMPT}_")


def test_a_question_mark_in_quotation_marks_is_typed() -> None:
    glass = in_realm(80)
    check(glass.press(b'ca id "what?"'), f'|{PROMPT}ca id "what?"_')


def test_completion_and_its_cycle() -> None:
    glass = Glass(FakeDevice())
    for keys, line in (
        (b"disp\t", "display _"),
        (b"c\t", "display clock_"),
        (b"\t", "display current-configuration_"),
        (b"\x1b[Z", "display clock_"),
        (b" \t", "display clock _"),
        (b"\x15xyz\t", "xyz_"),
    ):
        check(glass.press(keys), f"|<Huawei>{line}")


def test_completion_where_the_line_wraps() -> None:
    glass = in_realm(40)
    wanted = """
        |[Huawei-pki-realm-abc]enrollment-request
        | signature message-digest-method {}"""
    check(glass.press(b"enrollment-request signature mess\t"), wanted.format("_"))
    check(glass.press(b"sh\t"), wanted.format("sha_"))
    check(glass.press(b"\t"), wanted.format("sha-256\n|_"))
    check(glass.press(b"\t"), wanted.format("sha-384\n|_"))
    check(glass.press(b"\x1b[Z\x1b[Z"), wanted.format("sha1_"))


@pytest.mark.parametrize("columns", [80, 40])
def test_editing_in_the_middle_of_a_line_that_wraps(columns: int) -> None:
    glass = in_realm(columns)
    for keys, line in (
        (URL.encode(), f"{URL}_"),
        (b"\x1b[D" * 50 + b"XYZ", f"{URL[:17]}XYZ_{URL[18:]}"),
        (b"\x7f\x7f\x04", f"{URL[:17]}X_{URL[19:]}"),
        (b"\x05!", f"{URL[:17]}X{URL[18:]}!_"),
        (b"\x01\x06\x06\x0b", "en_"),
    ):
        whole = PROMPT + line
        rows = [whole[at : at + columns].rstrip() for at in range(0, len(whole), columns)]
        assert glass.press(keys).splitlines()[-len(rows) :] == rows


def test_what_is_not_one_column_wide_does_not_tear_the_line() -> None:
    glass = Glass(FakeDevice())
    line = "ca id Größe 日本 e\u0301 \U0001f600x"
    check(glass.press(line.encode()), "|<Huawei>ca id Größe  e x_")
    check(glass.press(b"\x1b[D\x1b[D|"), "|<Huawei>ca id Größe  e|_x")


def test_pages() -> None:
    glass = paged()
    first = glass.lines()
    assert len(first) == glass.rows, "a screen, and not a line more"
    assert first[-1] == MORE
    glass.press(b"\r")
    assert glass.lines()[:-2] == first[1:-1], "one line further"
    assert glass.lines()[-1] == MORE
    last = glass.lines()[-2]
    glass.press(b" ")
    assert last == "pki realm r9"
    assert glass.lines()[:2] == ["#", "pki realm r10"], "a whole page further"
    assert glass.lines()[-1] == MORE
    check(glass.press(b"q"), "|<Huawei>_")


def test_a_search_at_more() -> None:
    glass = paged()
    check(glass.press(b"/r39x\x7f"), "|/r39_")
    wanted = """
        |pki realm r39
        |#
        |return
        |<Huawei>_"""
    check(glass.press(b"\r"), wanted)


def test_ctrl_c_in_a_display_under_way() -> None:
    glass = Glass(paged().terminal.device)
    glass.press(b"screen-length 0 temporary\r")
    glass.terminal.room = 20
    wanted = """
        |<Huawei>display current-configuration
        |_"""
    check(glass.press(b"display current-configuration\r"), wanted)
    wanted = """
        |<Huawei>display current-configuration
        |^C
        |<Huawei>_"""
    check(glass.press(b"typed ahead\r\x03"), wanted)


@pytest.mark.parametrize("columns", [80, 40])
def test_a_notice_while_typing(columns: int) -> None:
    glass = Glass(FakeDevice(), columns)
    glass.press(b"terminal monitor\rdisplay pki certificate local realm abcdef\x1b[D\x1b[D")
    glass.terminal.device.report("PKI/5/X: one")
    glass.terminal.reactor.advance(0)
    line = "<Huawei>display pki certificate local realm abcd{}f"
    wanted = ["2026-11-23 14:05:00 UTC PKI/5/X: one", line.format("_")]
    rows = [row[at : at + columns] for row in wanted for at in range(0, len(row), columns)]
    assert glass.look().splitlines()[-len(rows) :] == rows
    whole = line.format("!_")
    rows = [whole[at : at + columns] for at in range(0, len(whole), columns)]
    assert glass.press(b"!").splitlines()[-len(rows) :] == rows


def test_a_notice_at_more() -> None:
    glass = Glass(paged().terminal.device)
    glass.press(b"terminal monitor\rdisplay current-configuration\r")
    before = glass.lines()[-2]
    glass.terminal.device.report("PKI/5/X: one")
    glass.terminal.reactor.advance(0)
    wanted = f"""
        |{before}
        |2026-11-23 14:05:00 UTC PKI/5/X: one
        |{MORE}_"""
    check(glass.look(), wanted)


def test_a_password_leaves_no_trace() -> None:
    glass = in_realm(80)
    wanted = f"""
        |{PROMPT}password cipher
        |Enter the password: _"""
    check(glass.press(b"password cipher\rsec?ret\t"), wanted)
    wanted = f"""
        |{PROMPT}password cipher
        |Enter the password:
        |Enter the password again: ^C
        |{PROMPT}_"""
    check(glass.press(b"\rsec\x03"), wanted)
