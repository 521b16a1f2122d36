"""Names of what is there, behind `?` and TAB."""

import pytest

from agent import limits
from agent.settings import Entity, LocalUser, Realm
from tests.helpers.appliance import FakeDevice
from tests.helpers.appliance_values import hashed, seal
from tests.helpers.terminal import Terminal

SECRETS = ("topsecret", "hidden")


def device() -> FakeDevice:
    found = FakeDevice(eager=True)
    for name in ("Berlin", "bonn", "Aachen"):
        found.settings.realms[name.lower()] = Realm(name)
        found.settings.entities[f"e-{name.lower()}"] = Entity(f"e-{name}")
    found.settings.realms["bonn"].password = seal("topsecret")
    found.settings.users["ann"] = LocalUser("ann", hashed("hidden"), 3, terminal=True)
    for name in ("k1", "K2"):
        found.add_key_pair(name)
    for name in ("bonn_local.cer", "old.req", ".odd name", 'x"y'):
        found.storage.content[name] = b"topsecret"
    return found


def listed(line: str, found: FakeDevice | None = None, *, level: int = 3, view: str = "") -> str:
    """What `?` shows behind a line of the system view."""
    terminal = Terminal(found or device(), level=level)
    terminal.type("system-view", *([view] if view else []))
    shown = terminal.keys(line.encode() + b"?")
    return "\n".join(row.strip() for row in shown.splitlines()[1:-1])


REALMS = "Aachen\nBerlin\nbonn\ndefault"
ENTITIES = "e-Aachen\ne-Berlin\ne-bonn"
KEYS = "K2\nk1"
FILES = "bonn_local.cer\nold.req"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("pki realm ", REALMS),
        ("undo pki realm ", REALMS),
        ("pki enroll-certificate realm ", REALMS),
        ("pki update-certificate realm ", REALMS),
        ("pki abort-request realm ", REALMS),
        ("diagnose realm ", REALMS),
        ("display pki enrollment realm ", REALMS),
        ("display pki realm ", REALMS),
        ("display pki certificate local realm ", REALMS),
        ("pki get-crl realm ", REALMS),
        ("pki realm b", "Berlin\nbonn"),
        ("pki realm B", "Berlin\nbonn"),
        ("pki realm bo", "bonn"),
        ("pki entity ", ENTITIES),
        ("display pki entity ", ENTITIES),
        ("pki rsa local-key-pair destroy ", KEYS),
        ("display pki rsa local-key-pair name ", KEYS),
        ("pki export rsa-key-pair ", KEYS),
        ("pki import-certificate local realm bonn pem filename ", FILES),
        ("pki import rsa-key-pair new pem ", FILES),
        ("display pki certificate local filename ", FILES),
        ("display pki cert-req filename o", "old.req"),
        ("pki delete-certificate local filename ", FILES),
    ],
)
def test_names_of_what_is_there(line: str, names: str) -> None:
    shown = listed(line)
    assert f"\n{names}" in shown
    assert not any(secret in shown for secret in SECRETS)


@pytest.mark.parametrize(
    ("line", "view", "names"),
    [
        ("entity ", "pki realm bonn", ENTITIES),
        ("rsa local-key-pair ", "pki realm bonn", KEYS),
        ("https ca-file ", "pki realm bonn", FILES),
        ("more ", "return", FILES),
        ("delete ", "return", FILES),
        ("dir ", "return", FILES),
    ],
)
def test_names_in_other_views(line: str, view: str, names: str) -> None:
    assert f"\n{names}" in listed(line, view=view)


@pytest.mark.parametrize(
    "line",
    [
        "pki rsa local-key-pair create ",
        "pki import rsa-key-pair ",
        "pki export rsa-key-pair k1 pem ",
        "pki export-certificate local realm bonn pem filename ",
        "pki enroll-certificate realm bonn pkcs10 filename ",
        "pki http http://h/f ",
        "sysname ",
        "aaa",
    ],
)
def test_what_is_new_has_no_names(line: str) -> None:
    shown = listed(line)
    assert not any(name in shown.splitlines() for name in (*REALMS.split(), *KEYS.split()))
    assert not any(name in shown.splitlines() for name in FILES.split())


def test_a_thousand_realms_are_as_many_as_fit_and_their_count() -> None:
    found = FakeDevice()
    found.settings.realms.update({f"r{n:03}": Realm(f"r{n:03}") for n in range(1000)})
    rows = listed("diagnose realm r", found).splitlines()
    names = [f"r{n:03}" for n in range(limits.NAMES_LISTED)]
    more = 1000 - limits.NAMES_LISTED
    assert rows == ["STRING<1-64>  Name of a realm", *names,
                    f"...           {more} more: type their first letters"]  # fmt: skip
    fewer = listed("diagnose realm r99", found).splitlines()[1:]
    assert fewer == [f"r{n}" for n in range(990, 1000)]


def test_who_may_not_type_a_command_is_shown_no_names() -> None:
    assert "bonn_local.cer" not in listed("more ", level=1, view="return")
    assert "k1" not in listed("pki export rsa-key-pair ", level=2)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (b"diagnose realm be\t", "diagnose realm Berlin "),
        (b"diagnose realm BO\t", "diagnose realm bonn "),
        (b"diagnose realm b\t", "diagnose realm Berlin"),  # one after the other
        (b"diagnose realm b\t\t", "diagnose realm bonn"),
        (b"pki rsa local-key-pair destroy k2\t", "pki rsa local-key-pair destroy K2 "),
        (b"pki delete-certificate local filename bonn_l\t",
         "pki delete-certificate local filename bonn_local.cer "),
        (b"diagnose realm \t", "diagnose realm "),
        (b"display pki realm br\t", "display pki realm brief "),
        (b"display pki realm b\t\t\t", "display pki realm bonn"),
    ],
)  # fmt: skip
def test_tab_completes_names(keys: bytes, line: str) -> None:
    terminal = Terminal(device())
    terminal.type("system-view")
    for key in keys:  # one at a time, as a person types
        terminal.keys(bytes((key,)))
    assert terminal.session.keyboard.editor.line.text == line


def test_a_tab_in_a_pasted_text_makes_no_other_name() -> None:
    terminal = Terminal(device())
    terminal.type("system-view")
    terminal.keys(b"pki realm be\t\r")
    assert terminal.session.place.view.name == "be"
    terminal.keys(b"pki realm aachen\t\r")
    assert terminal.session.place.view.name == "aachen"


def test_a_whole_name_is_itself() -> None:
    found = device()
    found.settings.realms["bonn2"] = Realm("bonn2")
    terminal = Terminal(found)
    for key in b"diagnose realm bonn\t":
        terminal.keys(bytes((key,)))
    assert terminal.session.keyboard.editor.line.text == "diagnose realm bonn "


def test_a_storage_that_cannot_be_read_has_no_names() -> None:
    found = device()
    found.storage.fails = True
    assert listed("more ", found, view="return").splitlines() == [
        "STRING<1-127>  Name of a file in device storage"
    ]
