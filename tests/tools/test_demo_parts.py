"""The parts of the demo, one by one: board file, procedure, typist, judgement of displays."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tools.demo import boardfile, checks, procedure
from tools.demo.failure import DemoError
from tools.demo.procedure import Plan
from tools.demo.typist import Step, Typist

PLAN = Plan("http://ca.example/scep", "0123456789abcdef" * 4, "sekret", "192.0.2.7")

# -- the board file --------------------------------------------------------------------------------


def test_the_example_of_a_board_file_is_one(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(boardfile.EXAMPLE)
    board = boardfile.load(str(path), "n")
    assert (board.port, board.baud) == ("/dev/ttyUSB0", 115_200)
    assert board.plan.source == "interface GigabitEthernet 0/0/1"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", r"\[serial\] port is missing"),
        ('[serial]\nport = "p"', r"\[ca\] url is missing"),
        ("x = 1", r"\[x\] is not understood"),
        ("[serial]\nspeed = 9600", r"\[serial\] speed is not understood"),
        ("[serial]\nbaud = true", "bits per second"),
        ("[serial]\nport = 7", "a text"),
        ('[ca]\nurl = "http://ca/?x"', "help key"),
        ('[ca]\nchallenge = "a\\rreboot"', "control character"),
        ('[ca]\nfingerprint = "abcd"', "32, 40 or 64"),
        (f'[ca]\nfingerprint = "{"z" * 64}"', "32, 40 or 64"),
        ('[serial]\nport="p"\n[ca]\nurl="u"\n[source]\ninterface="e"\naddress="a"', "not both"),
        ("[serial", "cannot be read"),
    ],
)
def test_a_board_file_that_is_wrong_is_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "board.toml"
    path.write_text(text)
    with pytest.raises(DemoError, match=what):
        boardfile.load(str(path), "n")


# -- what is typed ---------------------------------------------------------------------------------


def _steps(plan: Plan) -> list[Step]:
    return [step for part in procedure.parts(plan) for step in part.steps]


@pytest.mark.parametrize(("digits", "digest"), [(32, "md5"), (40, "sha1"), (64, "sha256")])
def test_the_length_of_a_fingerprint_is_its_digest(digits: int, digest: str) -> None:
    fingerprint = "a" * digits
    lines = [step.line for step in _steps(PLAN._replace(fingerprint=fingerprint))]
    assert f"fingerprint {digest} {fingerprint}" in lines


def test_what_a_plan_leaves_out_is_not_typed() -> None:
    full = _steps(PLAN)
    assert Step("password cipher", ("sekret", "sekret")) in full
    assert Step("pki enroll-certificate realm demo") in full
    bare = _steps(Plan(PLAN.url, "", "", "", confirm="y"))
    assert Step("pki enroll-certificate realm demo", ("y",)) in bare
    typed = {step.line.split()[0] for step in bare}
    assert typed.isdisjoint({"source", "fingerprint", "password"})


class Line:
    """A line whose other end has said something."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        self.path = os.ttyname(self._slave)

    def say(self, text: str) -> None:
        os.write(self._master, text.encode())

    def close(self) -> None:
        os.close(self._master)
        os.close(self._slave)


def test_a_board_that_is_silent() -> None:
    line = Line()
    typist = Typist(line.path, 9600, lambda _text: None, 0, silence_s=1)
    with pytest.raises(DemoError, match="no prompt"):
        typist.wake()
    typist.close()
    line.close()


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("\r\nError: No such thing.\r\n<Huawei>", r"refused `x`: No such thing\."),
        ("\r\nWarning: All is lost. Continue? [Y/N]: ", "nobody expected"),
        ("\r\nEnter the size (default 2048): ", "nobody expected"),
        ("\r\nworking", "said nothing"),
    ],
)
def test_what_the_board_may_say_instead_of_a_prompt(said: str, what: str) -> None:
    line = Line()
    typist = Typist(line.path, 9600, lambda _text: None, 0, silence_s=1)
    line.say(said)
    try:
        with pytest.raises(DemoError, match=what):
            typist.type(Step("x"))
    finally:
        typist.close()
        line.close()


def test_brackets_inside_a_display_are_no_prompt() -> None:
    line = Line()
    shown: list[str] = []
    typist = Typist(line.path, 9600, shown.append, 0, silence_s=5)
    line.say("\r\na <b>\r\n[c] d\r\n[Y/N]\r\n[Huawei-pki-realm-demo]")
    assert typist.type(Step("x")).endswith("\n[Huawei-pki-realm-demo]")
    assert "\r" not in "".join(shown)
    typist.close()
    line.close()


# -- what follows from the displays ----------------------------------------------------------------

LOCAL = """\
        Issuer: C=DE, CN=Lab CA
            Not Before: Jan  1 00:00:00 2020 GMT
            Not After : {after} GMT
        Subject: C=DE, CN={name}
                Modulus:
                    {modulus}
                Exponent: 65537 (0x10001)
"""


def _displays() -> tuple[dict[str, str], str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    digits = f"00{key.public_numbers().n:0512x}"
    pairs = [digits[i : i + 2] for i in range(0, len(digits), 2)]
    rows = [":".join(pairs[i : i + 15]) for i in range(0, len(pairs), 15)]
    values = {"modulus": ":\n                    ".join(rows)}
    values |= {"after": "Jan  1 00:00:00 2999", "name": "router1.example"}
    public = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return values, public.decode()


def test_the_displays_are_judged() -> None:
    values, public = _displays()
    ca = "        Subject: C=DE, CN=Lab CA\n"
    shown: list[str] = []
    checks.by_display(LOCAL.format(**values), ca, public, shown.append)
    assert len(shown) == 4
    other = _displays()[1]
    for changed, theirs, key, what in (
        ({"name": "mallory.example"}, ca, public, "subject"),
        ({"after": "Jan  1 00:00:00 2021"}, ca, public, "valid now"),
        ({"after": "soon"}, ca, public, "not a date"),
        ({}, ca.replace("Lab", "Other"), public, "issuer"),
        ({}, ca, other, "key pair"),
        ({}, ca, "nothing", "no public key"),
        ({"modulus": "?"}, ca, public, "no modulus"),
    ):
        with pytest.raises(DemoError, match=what):
            checks.by_display(LOCAL.format(**{**values, **changed}), theirs, key, shown.append)
    with pytest.raises(DemoError, match="has not issued it yet"):
        checks.by_display("Info: There is no local certificate.\n", ca, public, shown.append)
