"""Certificates in flash whose realm is not configured: served, told of, taken over again. Field
case 17 (b)."""

import pytest

from agent.pieces import at_once
from tests.helpers.device_bench import CONFIGURATION, Bench, ready

TOLD = "PKI/4/LOCAL_UNCONFIGURED: certificate "


def orphaned() -> Bench:
    """Enrolled, and the power fails before anything was saved."""
    bench = ready()
    bench.enrol()
    at_once(bench.device.configuration.reset())
    bench.factory = ""
    bench.reboot()
    return bench


def test_the_certificate_stays_in_use_and_each_start_says_whose_it_is() -> None:
    bench = orphaned()
    for _ in range(2):
        assert bench.logged().count(TOLD) == 1
        assert "realm abc is not configured, so nothing renews it" in bench.logged()
        assert bench.memory.current("abc", "cert.pem") == b"cert"
        assert "abc" not in bench.device.settings.realms
        bench.reboot()


def test_a_realm_that_is_configured_again_takes_it_over() -> None:
    bench = orphaned()
    bench.worker.jobs.clear()
    other = Bench(CONFIGURATION)
    other.device.settings.realms["abc"].key_pair = "k1"
    bench.replace(other.device.settings)
    bench.turn()
    assert bench.device.status("abc").state == "issued"
    assert bench.memory.current("abc", "cert.pem") == b"cert"
    bench.reboot()
    assert TOLD not in bench.logged()
    del bench.device.settings.realms["abc"]
    bench.device.forget_realm("abc")
    at_once(bench.device.configuration.save())
    bench.reboot()
    assert TOLD not in bench.logged()
    assert bench.memory.current("abc", "cert.pem") is None


def test_a_wipe_takes_it_out_of_use() -> None:
    bench = orphaned()
    bench.device.system.wipe()
    bench.turn()
    assert bench.memory.current("abc", "cert.pem") is None
    bench.reboot()
    assert TOLD not in bench.logged()


@pytest.mark.parametrize("part", ["local", "ca"])
def test_what_cannot_be_read_or_is_no_certificate_is_left_alone(part: str) -> None:
    bench = ready()
    bench.enrol()
    at_once(bench.device.configuration.reset())
    kept = {key: None for key in bench.store.keys("realm/abc/") if not key.endswith(f"/{part}")}
    bench.store.commit({**kept, f"realm/abc/{part}": {"v": 99}})
    bench.factory = ""
    bench.reboot()
    assert TOLD not in bench.logged()
    assert bench.memory.current("abc", "cert.pem") is None
