"""Each `--hostile` of the lab CA against a whole board that serves a certificate already.

Every real part takes part: agent, worker, children, console, and the lab CA's own server, whose
switch is turned from one lie to the next. A lie is refused with its code, and what is in use stays
as it was, byte for byte; what is accepted is said in `tests/vectors/expected.py`, with the reason
in `tests/vectors/rules.py`.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.catalogue import CATALOGUE
from hal import records
from hal.flash import FileFlash
from hal.store import Store
from tests.board import AGAIN, IN_USE, Agent, procedure
from tests.labca_seen import Base, Lab, serving
from tests.vectors.expected import BOARD
from tools.lab_ca import hostile
from tools.lab_ca.hooks import PLAIN, Hooks
from tools.lab_ca.operations import Policy, Responder

BASE = Base(following=True, life_s=30 * 86_400)
# A board whose line is so good that nobody need wait long: the caps themselves are what is tried.
LINE = "[worker]\nconnect_s = 2\nreceive_s = 2\nexchange_s = 3\n"
REALM = ("system-view", "pki realm abc")
NEXT = ("system-view", "pki get-certificate ca realm abc next")
ABORT = ("system-view", "pki abort-request realm abc")
ERASE_BYTES = 4096  # of the simulated board
ACCEPTED = ("issued", "pending")


def test_every_lie_has_its_outcome() -> None:
    assert BOARD.keys() == hostile.HOSTILE.keys()
    assert set(BOARD.values()) <= {*CATALOGUE, *ACCEPTED}


class Bench:
    """A board with a certificate in use, and the lab CA that issued it and now lies."""

    def __init__(self, agent: Agent, lab: Lab) -> None:
        self.agent, self._lab = agent, lab
        pin = f"fingerprint sha256 {lab.ca.sha256.hex()}"
        agent.must(*procedure(lab.url, pin), AGAIN[1])
        agent.wait_state("issued")

    def turn(self, hook: Hooks) -> None:
        """From now on the lab CA lies so."""
        lab = self._lab
        policy = Policy(life=(300, BASE.life_s), hooks=hook)
        responder = Responder(lab.authority, lab.ledger, policy)
        lab.server.service = lab.server.service._replace(responder=responder, hooks=hook)

    def code(self) -> str | None:
        """The code of the realm's last error."""
        text = self.agent.must("display pki enrollment realm abc json")
        (realm,) = json.loads(text)["items"]
        code: str | None = realm["last_error_code"]
        return code

    def in_use(self) -> dict[str, object]:
        """What an operator or a consumer may read, where `current` leads, and what is in flash."""
        memory = self.agent.dir / "memory" / "abc"
        folders = (self.agent.dir / "storage", (memory / "current").resolve())
        found = {str(path): path.read_bytes() for one in folders for path in one.iterdir()}
        assert len(found) >= 7
        return {**found, **self._stored()}

    def _stored(self) -> dict[str, object]:
        """The records of the store that a refused answer must leave alone."""
        copy = self.agent.dir.parent / "flash.copy"
        shutil.copyfile(self.agent.dir / "flash.bin", copy)
        flash = FileFlash(str(copy), ERASE_BYTES, copy.stat().st_size // ERASE_BYTES)
        store = Store.mount(flash)
        ca = records.decode(records.CaRecord, store.get(records.realm_key("abc", "ca")))
        flash.close()
        kept = (records.realm_key("abc", "local"), records.key_pair_key("k1"))
        return {**{key: store.get(key) for key in kept}, "ca": ca._replace(fetched_s=0, caps=[])}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    (tmp_path / "board.toml").write_text(LINE)
    agent = Agent(tmp_path)
    words = ("run", "--board", str(tmp_path / "board.toml"), "--state", str(agent.dir))
    with open(tmp_path / "agent.log", "ab") as log:
        agent.adopt(
            subprocess.Popen(
                agent.command(*words), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        )
    with agent, serving(BASE) as lab:
        yield Bench(agent, lab)


PART = 15  # lies of one test, so that they spread over the processes of a test run
PARTS = [
    (table, names[at : at + PART])
    for table, names in enumerate(list(one) for one in hostile.TABLES)
    for at in range(0, len(names), PART)
]


@pytest.mark.parametrize(("table", "names"), PARTS, ids=lambda part: str(part)[:40])
def test_a_board_with_a_certificate_in_use(bench: Bench, table: int, names: list[str]) -> None:
    for name in names:
        bench.turn(hostile.TABLES[table][name])
        outcome, before = BOARD[name], bench.in_use()
        if name.startswith("next-"):
            _named_next(bench, outcome)
        elif outcome in ACCEPTED:
            _accepted(bench, outcome, name)
            before = bench.in_use()
        else:
            _refused(bench, outcome, name)
        assert bench.in_use() == before, name
    bench.turn(PLAIN)  # it comes to its senses: nothing is left in the way
    bench.agent.must(*AGAIN)
    bench.agent.wait_state("issued")


def _refused(bench: Bench, outcome: str, name: str) -> None:
    strict = name == "names"
    if strict:
        bench.agent.must(*REALM, "subject-match strict")
    said = bench.agent.script(*AGAIN)
    if strict:
        bench.agent.must(*REALM, "undo subject-match")
    assert said.status == 1, f"{name}: {said.text}"
    assert bench.code() == outcome, f"{name}: {said.text}"
    assert bench.agent.state() == "failed"
    assert bench.agent.shown("Why") != IN_USE


def _accepted(bench: Bench, outcome: str, name: str) -> None:
    before = bench.in_use()
    said = bench.agent.script(*AGAIN)
    assert bench.agent.state() == outcome, f"{name}: {said.text}"
    assert (bench.in_use() == before) is (outcome == "pending")
    if outcome == "pending":
        bench.agent.must(*ABORT)


def _named_next(bench: Bench, outcome: str) -> None:
    said = bench.agent.script(*NEXT)
    assert said.status == 1
    pattern = re.sub(r"\\{\w+\\}", ".*", re.escape(CATALOGUE[outcome].what))
    assert re.search(pattern, said.text, re.IGNORECASE), said.text
    assert bench.agent.shown("Next CA From") == "-"
