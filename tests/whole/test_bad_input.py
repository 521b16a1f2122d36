"""What the operator reads after a mistake of his own, and that it has changed nothing.

Each case is typed at the console of a real agent, and its answer compared as it is printed.
"""

import random
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from agent import limits
from agent.doors.wire import END, hello
from hal.sockets import connect_unix
from tests.helpers.board import Agent, procedure

SYSTEM, REALM, SECOND, ENTITY = "system-view", "pki realm abc", "pki realm two", "pki entity r1"
WAIT_S = 60


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    with Agent(tmp_path_factory.mktemp("bad-input")) as agent:
        agent.must(
            *procedure("http://127.0.0.1:9/scep"),
            *("pki entity nameless", "quit", "pki realm two", "quit", "return", "save", "y"),
        )
        yield agent


class Case(NamedTuple):
    """The last of these lines is refused with that answer."""

    lines: tuple[str, ...]
    answer: str


def wrong(line: str, at: str, cause: str) -> Case:
    """A parameter that the parser refuses: the line, a caret under the word, why."""
    caret = " " * line.index(at) + "^"
    answer = f"{line}\n{caret}\nError: Wrong parameter found at '^' position.\n Cause: {cause}.\n"
    return Case((SYSTEM, REALM, line), answer)


URL_FORM = "a URL is `http://HOST/PATH` or `http://HOST:PORT/PATH`, without spaces"
URLS = {
    "not-a-url": URL_FORM,
    "ftp://ca.example/": URL_FORM,
    "http:///scep": URL_FORM,
    "http://user:word@ca.example/scep": URL_FORM,
    "http://cä.example/scep": URL_FORM,
    "http://[::1/scep": URL_FORM,
    "http://[:::1]/scep": "it is neither an IPv4 nor an IPv6 address",
    "https:///scep": URL_FORM,
    "http://ca.example:0/scep": "a port is 1 to 65535",
    "http://ca.example:99999/scep": "a port is 1 to 65535",
    "http://ca.example/scep?x=y": r"a question mark is written `\x3f`, behind the keyword `esc`",
    "http://ca.example/" + "x" * 300: "1 to 255 characters are possible, not 318",
}
CASES = {
    **{url[:40]: wrong(f"enrollment-url {url}", url, why) for url, why in URLS.items()},
    "interval": wrong("enrollment-url http://x/ interval 0", "0", "the range is 1 to 1440"),
    "digits": wrong(
        "fingerprint sha256 abcd", "abcd", "this digest has 64 hexadecimal digits, not 4"
    ),
    "source": wrong("source 192.0.2", "192", "it is neither an IPv4 nor an IPv6 address"),
    "long password": Case(
        (SYSTEM, REALM, "password cipher " + "x" * 256),
        "password cipher ******\n                ^\n"
        "Error: Wrong parameter found at '^' position.\n"
        " Cause: a password has 1 to 255 bytes of printable text.\n",
    ),
    "unknown entity": Case(
        (SYSTEM, REALM, "entity nobody"),
        "Error: There is no entity nobody.\n"
        " Cause: it was never created, or the name is spelt differently.\n"
        " Next step: see `display pki entity`; create it with `pki entity nobody`.\n",
    ),
    "entity without a common name": Case(
        (SYSTEM, SECOND, "entity nameless"),
        "Error: Entity nameless has no common name.\n"
        " Cause: `common-name` was not typed in its view.\n"
        " Next step: type `pki entity nameless` and `common-name ...`.\n",
    ),
    "common name taken away": Case(
        (SYSTEM, ENTITY, "undo common-name"),
        "Error: Entity r1 is used by realm abc.\n"
        " Cause: a realm needs its entity, and the entity a common name.\n"
        " Next step: type `undo entity` in realm abc first.\n",
    ),
    "unknown key pair": Case(
        (SYSTEM, "pki rsa local-key-pair destroy k9"),
        "Error: There is no RSA key pair k9.\n"
        " Cause: it was never created, or the name is spelt differently (case counts).\n"
        " Next step: see `display pki rsa local-key-pair public`, or type"
        " `pki rsa local-key-pair create k9`.\n",
    ),
    "key pair of another realm": Case(
        (SYSTEM, SECOND, "rsa local-key-pair k1"),
        "Error: Key pair k1 is used by realm abc.\n"
        " Cause: one key pair serves one realm at a time.\n"
        " Next step: type `undo rsa local-key-pair` in realm abc first, or use another key pair.\n",
    ),
    "key pair in use": Case(
        (SYSTEM, "pki rsa local-key-pair destroy k1"),
        "Error: Key pair k1 is used by realm abc.\n"
        " Cause: one key pair serves one realm at a time.\n"
        " Next step: type `undo rsa local-key-pair` in realm abc first, or use another key pair.\n",
    ),
    "unknown realm": Case(
        (SYSTEM, "pki enroll-certificate realm nowhere"),
        "Error: There is no realm nowhere.\n"
        " Cause: it was never created, or the name is spelt differently.\n"
        " Next step: see `display pki realm`; create it with `pki realm nowhere`.\n",
    ),
    "incomplete realm": Case(
        (SYSTEM, "pki enroll-certificate realm two"),
        "Applying for a certificate of realm two ...\n"
        "Error: Realm two is not complete; missing: entity, rsa local-key-pair, enrollment-url.\n"
        " Cause: not all commands of the procedure were typed.\n"
        " Next step: type `pki realm two`, `entity ...`, `rsa local-key-pair ...`,"
        " `enrollment-url http://...`.\n",
    ),
    "password of another device": Case(
        (SYSTEM, REALM, "password cipher %^%#QUJD%^%#"),
        "Checking the sealed password ...\n"
        "Error: This sealed password was not made on this device.\n"
        " Cause: the configuration was copied from another device.\n"
        " Next step: type `password cipher` with the plain password.\n",
    ),
    "command of another view": Case(
        (SYSTEM, REALM, "common-name x"),
        "common-name x\n^\n"
        "Error: Unrecognized command found at '^' position.\n"
        " Next step: this is a command of the entity view: type `pki entity NAME` first.\n",
    ),
    "line too long": Case(
        (SYSTEM, "x" * 511),
        "Error: The line is longer than 510 characters.\n"
        " Cause: no command needs that much.\n"
        " Next step: check where the line should have ended.\n",
    ),
}


def shown(agent: Agent) -> str:
    return agent.must("display current-configuration", "display pki enrollment")


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_an_answer_and_nothing_else(agent: Agent, name: str) -> None:
    case, before = CASES[name], shown(agent)
    said = agent.script(*case.lines, "sysname never-reached")
    assert said.status == 1
    greeting = "Info: Ctrl+Z or `return` leads back to the user view.\n"
    assert said.text.removeprefix(greeting) == case.answer
    assert shown(agent) == before


# -- bytes that no console client sends ------------------------------------------------------------


def _answer_to(agent: Agent, data: bytes) -> bytes:
    with connect_unix(str(agent.dir / "console.sock")) as sock:
        sock.settimeout(WAIT_S)
        said = b""
        try:
            sock.sendall(data)
            said = b"".join(iter(lambda: sock.recv(65536), b""))
        except ConnectionError:  # it has heard enough
            pass
        return said


FLOODS = {
    "no-hello": b"GET / HTTP/1.1\r\n\r\n",
    "long-hello": b"x" * 10_000,
    "line-without-end": hello("script") + b"x" * 4 * 1024 * 1024,
    "random-lines": hello("script") + random.Random(1).randbytes(65536) + b"\n" + END,
    "zeros": hello("script") + bytes(100_000) + b"\n" + END,
}


@pytest.mark.parametrize("flood", FLOODS)
def test_what_is_not_a_client_is_left_and_harms_no_other_session(agent: Agent, flood: str) -> None:
    before = shown(agent)
    _answer_to(agent, FLOODS[flood])
    assert shown(agent) == before


def client(agent: Agent, *words: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """The program itself, as it is typed in a shell."""
    command = agent.command("console", "--socket", str(agent.dir / "console.sock"), *words)
    return subprocess.run(command, input=given, capture_output=True, timeout=WAIT_S)


def test_a_script_that_is_no_text(agent: Agent) -> None:
    done = client(agent, given=b"system-view\npki realm \xff\xfe\x00\n")
    assert done.returncode == 1
    assert b"Error: " in done.stdout
    assert done.stderr == b""


def test_one_session_too_many_is_told_so(agent: Agent) -> None:
    held = [connect_unix(str(agent.dir / "console.sock")) for _ in range(limits.SESSIONS)]
    try:
        for sock in held:
            sock.settimeout(WAIT_S)
            sock.sendall(hello("terminal"))
            assert sock.recv(1)  # its prompt: it is in
        done = client(agent, "-c", "display version")
        assert done.returncode == 1
        assert done.stdout.startswith(b"Error: Too many sessions.\n Cause: all 16 are taken")
        assert b"\n Next step: see `display users`" in done.stdout
        assert done.stderr == b""
    finally:
        for sock in held:
            sock.close()
    assert agent.must("display version")
