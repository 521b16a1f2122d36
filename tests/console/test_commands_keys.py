"""Key pairs: made, destroyed, read from files and written to them."""

import pytest

from agent.appliance import FromFile
from tests.helpers.appliance import FakeDevice
from tests.helpers.terminal import Script, Terminal, furnished, realm_script, system


def test_key_pairs() -> None:
    device, script, _ = realm_script()
    text, status = script.run("pki rsa local-key-pair create k1 modulus 3073 exportable")
    assert (status, device.pairs["k1"].bits, device.pairs["k1"].exportable) == (0, 3072, True)
    assert "3072 bits was created" in text
    script.run("pki rsa local-key-pair create k1", "y")
    assert device.pairs["k1"].bits == 2048
    script.run("pki realm abc", "rsa local-key-pair k1")
    assert "used by realm abc" in script.run("pki rsa local-key-pair create k1")[0]
    assert "used by realm abc" in script.run("pki rsa local-key-pair destroy k1")[0]
    script.run("pki realm abc", "undo rsa local-key-pair", "pki rsa local-key-pair destroy k1", "y")
    assert device.pairs == {}
    assert "no RSA key pair" in script.run("pki rsa local-key-pair destroy k1")[0]


@pytest.mark.parametrize(("answer", "bits"), [("", 2048), ("4095", 4094)])
def test_the_size_of_a_key_is_asked_for_at_a_terminal(answer: str, bits: int) -> None:
    device = FakeDevice(eager=True)
    terminal = Terminal(device)
    text = terminal.type("system-view", "pki rsa local-key-pair create k1", answer)
    assert text.partition("k1\n")[2].startswith("Info: The size of the key is 2048 to 4096 bits.\n")
    question = text.partition("bits.\n")[2].partition(": ")[0]
    assert question == "Enter the size (default 2048)", "no > and no ], which end a prompt"
    assert device.pairs["k1"].bits == bits


def test_a_size_that_is_refused_is_asked_for_again_twice_and_the_view_stays() -> None:
    device = FakeDevice(eager=True)
    terminal = Terminal(device)
    terminal.type("system-view", "pki realm abc")
    asked = "Enter the size (default 2048): "
    shown = terminal.type("pki rsa local-key-pair create k1", "1024")
    told = "Warning: This key size is not possible: the range is 2048 to 4096.\n"
    assert shown.endswith(f"{asked}1024\n{told}{asked}")
    assert "a number in decimal digits" in terminal.type("big")
    shown = terminal.type("8192")
    assert "Error: This key size is not possible.\n Cause: the range is" in shown
    assert shown.endswith("\n[Huawei-pki-realm-abc]")
    assert device.pairs == {}
    assert terminal.type("pki rsa local-key-pair create k1", "1024", "3072").endswith("\n[Huawei]")
    assert device.pairs["k1"].bits == 3072


def test_ctrl_c_at_the_size_keeps_the_view_too() -> None:
    terminal = Terminal(FakeDevice(eager=True))
    terminal.type("system-view", "pki realm abc", "pki rsa local-key-pair create k1")
    assert terminal.keys(b"\x03").endswith("[Huawei-pki-realm-abc]")
    assert terminal.type("pki rsa local-key-pair destroy k9").endswith("[Huawei-pki-realm-abc]")


def test_keys_come_and_go_by_files() -> None:
    found = furnished()
    found.storage.content["k.pem"] = b"file"
    lines = ["pki import rsa-key-pair k9 pem k.pem exportable password sekret",
             "pki export rsa-key-pair k9 pkcs12 k.p12 password sekret"]  # fmt: skip
    text, status = system(found, *lines)
    assert (status, list(found.pairs)) == (0, ["k9"])
    assert found.exchange.asked == [
        ("import", "key", "k9", FromFile("k.pem", "pem", "sekret"), True),
        ("export", "key", "k9", FromFile("k.p12", "pkcs12", "sekret")),
    ]
    text, status = system(found, lines[0], "n")
    assert "exists and will be overwritten" in text
    assert len(found.exchange.asked) == 2


def test_a_storage_of_another_device_is_confirmed_by_a_yes() -> None:
    device = FakeDevice()
    script = Script(device)
    assert "made here, or this was confirmed" in script.run("system-view", "pki confirm-device")[0]
    device.system.moved = True
    for answer, done in (("n", []), ("y", [("confirm", None)])):
        text, status = Script(device).run("system-view", "pki confirm-device", answer)
        assert ("[Y/N]:" in text, status, device.system.done) == (True, 0, done)
