"""Broken records in the flash of a real agent: it starts, serves the others, and names each.

Ten realms at a time have one broken record each, beside one that the lab CA has given a
certificate; a realm that rests in the middle of a step shares that board.
"""

import random
from pathlib import Path

import pytest

from hal import record_codec, records
from hal.ports import StoreError
from tests.helpers.board import APPLY, SAVE, Agent, procedure
from tests.helpers.labca import LabCa, wait_for
from tests.helpers.loss import stored, write
from tests.rigs.broken_records import broken, is_unread
from tests.rigs.test_mixtures import SEED

STARTS, AT_ONCE = 20, 10  # 200 maps
PARTS = ("ca", "request", "local", "outcome", "crl")
NAMES = [f"b{number}" for number in range(AT_ONCE)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Agent:
    """A board with realm `abc` in use and ten more that are configured; its agent has ended."""
    folder = tmp_path_factory.mktemp("broken-records")
    with LabCa(folder) as ca, Agent(folder) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), APPLY[1], *SAVE)
        others = [line for name in NAMES for line in (f"pki realm {name}", "quit")]
        agent.must("system-view", *others, *SAVE)
    return agent


def _examples(agent: Agent) -> dict[str, object]:
    """A record of each part that a realm has, to be broken."""
    found = stored(agent)
    leaf = record_codec.decode(records.LocalRecord, found["realm/abc/local"]).certificate
    renewal = records.RenewalRecord(17, leaf, "k1", 1, False)
    settings: dict[str, object] = {"key_pair": "k1", "url": "http://127.0.0.1:1/", "digest": "x"}
    request = records.RequestRecord("pending", "t1", 4, 1, settings, None, 0, renewal)
    crl = records.CrlRecord(b"der", "CN=CA", 1, 2, 3, "scep", 3)
    more = {"request": record_codec.encode(request), "crl": record_codec.encode(crl)}
    return {part: more.get(part) or found[f"realm/abc/{part}"] for part in PARTS}


def _of_abc(agent: Agent) -> dict[str, bytes]:
    """What consumers read of the realm that nobody touches."""
    paths = [*(agent.dir / "storage").glob("abc_*"), *(agent.dir / "memory/abc").glob("*.pem")]
    return {path.name: path.read_bytes() for path in paths}


@pytest.mark.parametrize("half", range(2))
def test_two_hundred_maps(served: Agent, half: int) -> None:
    rng = random.Random(f"{SEED} {half}")
    examples, consumers = _examples(served), _of_abc(served)
    assert len(consumers) == 7
    unread = 0
    for _ in range(STARTS // 2):
        named = [name for name in NAMES if _replaced(served, name, rng, examples)]
        unread += len(named)
        before = len(served.log())
        served.start()
        try:
            assert served.state() == "issued"
            said = served.log()[before:]
            assert [name for name in named if f"realm {name}: " not in said] == []
            served.must("display pki enrollment", "display pki realm", "display pki statistics")
            assert _of_abc(served) == consumers
        finally:
            assert served.stop() == 0, served.log()[before:]
    assert unread > STARTS // 2 * AT_ONCE // 10


def _replaced(agent: Agent, name: str, rng: random.Random, examples: dict[str, object]) -> bool:
    """Leaves a realm one broken record and no other; whether nobody can read that."""
    gone: dict[str, object] = dict.fromkeys(f"realm/{name}/{part}" for part in PARTS)
    while True:
        part = rng.choice(PARTS)
        value = broken(rng, examples[part])
        try:
            write(agent, {**gone, f"realm/{name}/{part}": value})
        except StoreError:
            continue  # no store would hold it
        return is_unread(part, value)


def test_three_kills_at_one_step_make_a_realm_rest_and_a_stop_in_order_does_not(
    tmp_path: Path,
) -> None:
    said = "the agent ended 3 times in a row"
    with LabCa(tmp_path, "--manual") as ca, Agent(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE)
        agent.must(*APPLY)
        assert agent.state() == "pending"
        for end in (agent.kill, agent.kill, agent.stop, agent.kill, agent.kill):
            end()
            agent.start()
            assert said not in agent.shown("Why")
        agent.kill()
        agent.start()
        wait_for(lambda: said in agent.shown("Why"), 60, "it does not rest")
        assert f"PKI/4/REALM_RESTS: realm abc: {said}" in agent.log()
        agent.must("system-view", "pki abort-request realm abc")
        assert said not in agent.shown("Why")
