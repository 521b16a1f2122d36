"""`diagnose realm`: each thing that can be wrong is found, named, and told how to mend."""

from collections.abc import Callable

import pytest

from agent.console.appliance import Check
from agent.errors import fail
from agent.settings import Realm
from hal.fake_flash import PROGRAM_ERROR
from tests.appliance import FakeDevice, Script
from tests.device_bench import Bench, ready, refuse


def checks(bench: Bench, realm: str = "abc") -> dict[str, Check]:
    results: list[list[Check]] = []
    bench.device.diagnose(realm, results.append)  # type: ignore[arg-type]
    bench.turn()
    (found,) = results
    return {check.check: check for check in found}


def test_a_realm_that_is_ready() -> None:
    found = checks(ready())
    names = ["configuration", "key pair", "clock", "source", "store", "CA", "fingerprint"]
    assert list(found) == [*names, "challenge"]
    assert {check.result for check in found.values()} == {"ok", "warning"}
    assert "trusted by fingerprint" in found["fingerprint"].detail


def no_url(bench: Bench) -> None:
    bench.device.settings.realms["abc"].url = None


def no_key(bench: Bench) -> None:
    bench.device.settings.realms["abc"].key_pair = "gone"


def no_time(bench: Bench) -> None:
    bench.clock.jump(-1_700_000_000)


def no_address(bench: Bench) -> None:
    bench.device.settings.realms["abc"].source_interface = "eth7"


def other_address(bench: Bench) -> None:
    bench.device.settings.realms["abc"].source_address = "198.51.100.1"


def no_flash(bench: Bench) -> None:
    for block in range(bench.flash.block_count):
        bench.flash.spoil(block, PROGRAM_ERROR)
    with pytest.raises(Exception, match="did not take"):
        bench.device.configuration.save()


def no_name(bench: Bench) -> None:
    bench.worker.answers["fetch-ca"] = refuse("name-unresolved", host="ca", what="no such name")


def nonsense(bench: Bench) -> None:
    bench.worker.answers["fetch-ca"] = {"caps": [], "certificates": [{"der": 7}]}


def another_ca(bench: Bench) -> None:
    bench.device.settings.realms["abc"].fingerprint = ("sha256", "66" * 32)


@pytest.mark.parametrize(
    ("spoil", "check", "step"),
    [
        (no_url, "configuration", "enrollment-url"),
        (no_key, "key pair", "pki rsa local-key-pair create gone"),
        (no_time, "clock", "clock datetime"),
        (no_address, "source", "check the interface"),
        (other_address, "source", "check the interface"),
        (no_flash, "store", "log"),
        (no_name, "CA", "check `enrollment-url`"),
        (nonsense, "CA", "try again"),
        (another_ca, "fingerprint", "compare with the CA's operator"),
    ],
)
def test_what_is_wrong_is_found(spoil: Callable[[Bench], None], check: str, step: str) -> None:
    bench = ready()
    spoil(bench)
    found = checks(bench)
    assert found[check].result == "failed"
    assert step in str(found[check].next_step)


def test_a_ca_that_nobody_has_compared_is_a_doubt_with_its_fingerprint() -> None:
    bench = ready()
    bench.device.settings.realms["abc"].fingerprint = None
    found = checks(bench)
    assert found["fingerprint"].result == "warning"
    assert "5a" * 32 in found["fingerprint"].detail


def test_nothing_is_changed() -> None:
    bench = ready()
    before = bench.store.health.sequence
    checks(bench)
    assert bench.store.health.sequence == before
    assert bench.device.ca("abc") is None


def test_a_script_ends_with_status_1_when_something_has_failed() -> None:
    device = FakeDevice(eager=True)
    device.settings.realms["abc"] = Realm("abc")
    text, status = Script(device).run("diagnose realm abc")
    assert (status, "Next step: set one." in text) == (0, True)
    device.eager = False
    script = Script(device)
    script.run("diagnose realm abc")
    device.finish([Check("CA", "failed", "no answer", "wait")])
    assert script.status == 1
    script = Script(device)
    script.run("diagnose realm abc")
    device.finish(fail("job-died"))
    assert script.status == 1
