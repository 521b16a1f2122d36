"""One seed, one log: a device on the fakes does the same again, byte for byte."""

from tests.helpers.device_bench import Bench, ready


def lived(seed: int) -> Bench:
    """A device that has applied, was left to wait, has restarted, and has applied anew."""
    bench = ready(seed=seed)
    granted = bench.worker.answers["enrol"]
    bench.worker.answers["enrol"] = {"status": "pending", "notes": []}
    assert bench.enrol().code is None
    bench.reboot()
    bench.device.applications.abort("abc")
    bench.worker.answers["enrol"] = granted
    assert bench.enrol().code is None
    return bench


def test_the_same_seed_gives_the_same_log_and_the_same_flash() -> None:
    one, other = lived(1), lived(1)
    assert one.logged() == other.logged()
    assert one.flash.image() == other.flash.image()
    assert one.worker.jobs == other.worker.jobs


def test_another_seed_gives_other_transactions() -> None:
    one, other = lived(1), lived(2)
    assert one.logged() != other.logged()
    assert len(one.logged()) == len(other.logged())
