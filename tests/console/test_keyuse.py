"""Who uses a key pair, as a text asks: what the device says, without a look at every realm."""

from agent.console.commands.keyuse import KeysOfText
from agent.console.configuration.loader import load_configuration
from agent.settings import Realm
from tests.helpers.appliance import FakeDevice
from tests.helpers.counted import calls
from tests.helpers.device_bench import CONFIGURATION, Bench, ready

REALMS = ("a", "b", "c")


def test_realms_are_seen_as_their_lines_are_read() -> None:
    device = FakeDevice()
    keys = KeysOfText(device)
    realms = device.settings.realms
    realms.update({name: Realm(name) for name in REALMS})
    realms["b"].key_pair = "k1"
    steps = [
        ("a", "k1"),
        ("c", "k2"),
        ("a", "k2"),
        ("c", "k3"),
        ("a", "k2"),
        ("b", "k2"),
        ("b", "k1"),
    ]
    for realm, name in steps:
        used = keys.user(name, realm)
        assert used == device.key_pair_user(name)
        if used in (None, realm):
            realms[realm].key_pair = name
    assert [realms[name].key_pair for name in REALMS] == ["k2", "k1", "k3"]


def test_the_first_of_two_realms_is_named() -> None:
    device = FakeDevice()
    realms = device.settings.realms
    for name in REALMS:
        realms[name] = Realm(name)
        realms[name].key_pair = "k1"
    assert KeysOfText(device).user("k1", "c") == device.key_pair_user("k1") == "a"
    del realms["a"]
    assert KeysOfText(device).user("k1", "c") == "b"


def test_what_the_records_of_a_realm_need_is_used() -> None:
    bench = ready()
    bench.enrol()
    bench.device.settings.realms["abc"].key_pair = None
    assert KeysOfText(bench.device).user("k1", "other") == "abc"
    del bench.device.settings.realms["abc"]
    assert KeysOfText(bench.device).user("k1", "other") is None
    bench.reboot()
    assert Bench(CONFIGURATION, bench.flash).device.settings.unapplied == []


def test_a_text_of_many_realms_takes_so_many_steps() -> None:
    def steps(count: int) -> int:
        device = FakeDevice()
        lines = []
        for number in range(count):
            device.add_key_pair(f"k{number}")
            lines += [f"pki realm r{number}", f" rsa local-key-pair k{number}"]
        found = calls(lambda: load_configuration(device, "\n".join(lines)))
        assert device.settings.realms[f"r{count - 1}"].key_pair == f"k{count - 1}"
        return found

    small = steps(200)
    assert steps(400) < 2.2 * small
