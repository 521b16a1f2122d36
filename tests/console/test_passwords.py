"""Passwords: in plain, sealed by this device, and as other devices have sealed them."""

import pytest

from agent.console.language import passwords
from agent.console.language.grammar import Parameter
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import seal
from tests.helpers.terminal import Script, Terminal, realm_script

SEALED = "%^%#c2VhbGVk%^%#"
KINDS = (passwords.PASSWORD, passwords.HASHED, passwords.PLAIN)

# Cipher texts as configurations of VRP devices hold them: one of each mark and each odd body.
CIPHER_TEXTS = (
    '%^%#--0LHv6E9%)eA1A;J9bW":d"Dp(H(xbP\'gVhNY")-,+1@E79h\'s"zWz0%^%#',
    "%^%#two words%^%#",
    "%@%@Xt/-SHnrx+kho:/H6pbPi%yp|?<>%@%@",
    "%$%$fIn'6>NZ6*~as(...E ^RX;>#75,%$%$",
    "%#%#n}=%C*UimYlx9-:$>T=*_y4PX*e~u6I_Aa9s=I1$%#%#",
    '@%@%a "quoted" body@%@%',
    '%+%##!!!!!!!!!"!!!!"!!!!*!!!!C+tR0CW9x*eB&pWp`t),Azgw-h%+%#',
    '%@%##!!!!!!!!!"!!!!"!!!!(!!!!1];16qfZ81fv"uMoKKZ.1k"`AO!X2K2N.b~%@%#',
    '@%@##!!!!!!!!!"!!!!"!!!!*!!!!SKvr${[Fs.3t@/5k|BENhEu>W(3~XG!!D;@%@#',
    "$1a$AbCd$EfGh$",
    '$1c$&g__1]ufS8$4TU91.jqtTd7KzTf_[VM(x@N"@9acF{6Y,O[a<x<$',
    '$1d$zfQaFQdJ3.B3KT7"$vK_0<p9$gTd;;YO$"G}Qre>A=&RN!,(;V}H$|Fd0$',
    "%^%#cut-short",
    "%@%@cut off",
    '"%$%$quoted%$%$"',
)
# Each place where a password is typed: the lines before it, and how its line begins.
PLACES = (
    (("system-view", "pki realm abc"), "password cipher"),
    (("system-view",), "pki enroll-certificate realm abc password"),
    (("system-view", "aaa"), "local-user ann password irreversible-cipher"),
    (("system-view", "aaa"), "local-user ann password cipher"),
    (("system-view", "user-interface console 0"), "set authentication password cipher"),
    (("system-view",), "pki import-certificate local realm default pkcs12 filename f password"),
    (("system-view",), "pki import-certificate ca realm default pem filename f password"),
    (("system-view",), "pki export-certificate local realm default pkcs12 password"),
    (("system-view",), "pki import rsa-key-pair k pem f password"),
    (("system-view",), "pki export rsa-key-pair k pkcs12 f password"),
)


@pytest.mark.parametrize("text", CIPHER_TEXTS)
@pytest.mark.parametrize(("way", "line"), PLACES)
def test_a_cipher_text_of_another_device_is_no_password(
    way: tuple[str, ...], line: str, text: str
) -> None:
    script = Script(FakeDevice())
    script.run(*way)
    said, status = script.run(f"{line} {text}")
    assert status == 1
    assert said.endswith(
        "\nError: This is a password that another device has sealed.\n"
        " Cause: only that device can open its cipher text.\n"
        " Next step: type the command with the password in plain.\n"
    )
    assert text.strip('"')[4:9] not in said, "a cipher text of VRP can be read"
    assert not script.device.tasks
    assert text not in "\n".join(script.session.operator.history)


@pytest.mark.parametrize("text", CIPHER_TEXTS)
@pytest.mark.parametrize("kind", KINDS)
def test_nor_where_it_is_typed_without_echo(kind: Parameter, text: str) -> None:
    with pytest.raises(ValueError, match="type the password in plain") as caught:
        kind.read(text)
    assert text.strip('"')[4:] not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        *(
            (kind, word)
            for kind in KINDS
            for word in ("p", "two words", "\u00e9" * 64, "%x%@%", "$1")
        ),
        (passwords.PASSWORD, SEALED),
        (passwords.PASSWORD, "%^%#" + "A" * 392 + "%^%#"),
        (passwords.PASSWORD, "x" * 255),
        (passwords.PASSWORD, "\u00e9" * 127),
        (passwords.PLAIN, "\u20ac" * 85),
        (passwords.HASHED, "x" * 128),
    ],
)
def test_accepted(kind: Parameter, word: str) -> None:
    assert kind.read(word) == word


@pytest.mark.parametrize(
    ("kind", "word", "reason"),
    [
        *((kind, "", "1 to") for kind in KINDS),
        *((kind, "a\x07", "printable") for kind in KINDS),
        *((kind, "******", "how a password is shown") for kind in KINDS),
        (passwords.PASSWORD, "x" * 256, "1 to 255"),
        (passwords.PASSWORD, "\u00e9" * 128, "1 to 255"),
        (passwords.PLAIN, "\U0001f600" * 64, "1 to 255"),
        (passwords.HASHED, "x" * 129, "1 to 128"),
        (passwords.PASSWORD, "%^%#" + "A" * 393 + "%^%#", "type the password in plain"),
        (passwords.PLAIN, SEALED, "type the password in plain"),
        (passwords.HASHED, "$scrypt$ln=14", "the whole hash"),
    ],
)
def test_refused(kind: Parameter, word: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        kind.read(word)
    assert len(word) < 2 or word not in str(caught.value).replace("******", "")


def test_a_cipher_text_at_the_question() -> None:
    terminal = Terminal(FakeDevice())
    terminal.type("system-view", "pki realm abc")
    said = terminal.type("password cipher", "%@%@a b", "%@%@a b")
    assert "Error: This password is not possible" in said
    assert "type the password in plain" in said


def test_what_this_device_has_sealed_is_taken_as_it_is() -> None:
    _device, script, realm = realm_script()
    assert script.run(f"password cipher {seal('x')}")[1] == 0
    assert realm.password == seal("x")
