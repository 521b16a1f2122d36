"""`auto-enroll regenerate`: the key pair in use is that of the certificate in use, whatever fails.
Field case 21."""

from typing import Any

import pytest

from agent.errors import OPERATOR, AgentError, PeerError, fail
from hal.fakes.flash import FakeFlash, PowerCut
from tests.device.test_automatic import HOUR_S, alone, in_use, issue, pair, pass_time
from tests.helpers.device_bench import Answer, Bench

AUTO = "auto-enroll 50 regenerate 3072 updated-effective"
REFUSED = PeerError("ca-badRequest", "no", "because", "do", OPERATOR)
SILENT = fail("connection-refused", host="ca", what="x")
LIFE_DAYS = 30


class Ca:
    """It answers three times with a refusal, twice not at all, and issues from then on. `keys`: the
    generation of the key pair for which it issued, by the certificate."""

    def __init__(self, first: bytes) -> None:
        self.answers: list[AgentError] = [REFUSED, REFUSED, REFUSED, SILENT, SILENT]
        self.keys = {first: 1}
        self.asked: list[tuple[str, int]] = []  # each transaction with its key pair

    def __call__(self, job: Answer) -> Any:
        self.asked.append((job["transaction"], job["key"]["generation"]))
        if self.answers:
            return self.answers.pop(0)
        found = issue(job, LIFE_DAYS)
        self.keys[found["certificate"]["der"]] = job["key"]["generation"]
        return found

    def connect(self, bench: Bench) -> None:
        bench.worker.answers |= {"enrol": self, "poll": self, "generate-key": pair}


def whole(bench: Bench, ca: Ca) -> int:
    """The generation of the key pair in use: it fits to the certificate, as device memory has it,
    and is in flash."""
    local = in_use(bench)
    assert ca.keys[local.certificate.der] == local.generation
    shown = [job for job in bench.worker.jobs if job["op"] == "activate"][-1]
    assert shown["certificate"] == local.certificate.der
    assert shown["key"]["generation"] == local.generation
    assert bench.memory.current("abc", "key.pem") is not None
    assert f"key/k1/{local.generation}" in bench.store.keys("key/")
    return int(local.generation)


def enrolled() -> tuple[Bench, Ca]:
    bench = alone(AUTO)
    bench.worker.answers["enrol"] = lambda job: issue(job, LIFE_DAYS)
    ca = Ca(in_use(bench).certificate.der)
    ca.connect(bench)
    return bench, ca


def renew(bench: Bench, ca: Ca, days: int = LIFE_DAYS) -> int:
    """The generation in use when the CA has issued; until then it is the old one."""
    for _hour in range(days * 24):
        pass_time(bench, HOUR_S)
        generation = whole(bench, ca)
        if generation > 1:
            return generation
        assert len(ca.keys) == 1, "it has issued, and that is in use"
    raise AssertionError("it does not renew")


def test_what_fails_leaves_the_key_pair_in_use_and_a_retry_has_the_new_one() -> None:
    bench, ca = enrolled()
    generation = renew(bench, ca)
    assert bench.store.keys("key/") == [f"key/k1/{generation}"]
    for transaction, _generation in ca.asked:
        assert len({key for name, key in ca.asked if name == transaction}) == 1


@pytest.mark.parametrize("killed", [False, True])
def test_power_fails_at_each_operation_of_flash(killed: bool) -> None:
    """killed: device memory stays as it is."""
    first, _ca = enrolled()
    image, factory = first.flash.image(), first.factory
    for operation in range(1_000):
        bench = Bench(factory, FakeFlash.from_image(image, 4096))
        bench.keeps_folders = killed
        bench.turn(20)
        ca = Ca(in_use(bench).certificate.der)
        ca.connect(bench)
        bench.flash.cut_after(operation, 3, -1)
        try:
            renew(bench, ca)
            break
        except PowerCut:
            bench.reboot()
            bench.turn(20)
        generation = whole(bench, ca) if len(ca.keys) > 1 else renew(bench, ca)
        assert bench.store.keys("key/") == [f"key/k1/{generation}"]
    assert operation > 10
