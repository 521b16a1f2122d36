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
from asn1crypto import pem as asn1pem

from agent.catalogue.table import CATALOGUE
from hal import record_keys
from hal.flash import FileFlash
from hal.store import Store
from tests.helpers.board import AGAIN, IN_USE, Agent, procedure
from tests.helpers.labca_seen import Base, Lab, serving
from tests.vectors.expected import BOARD
from tools.lab_ca import authority, hostile
from tools.lab_ca.authority import Authority
from tools.lab_ca.hooks import PLAIN, Hooks
from tools.lab_ca.hostile import liars
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
        """All records of the store but those of the attempt itself."""
        copy = self.agent.dir.parent / "flash.copy"
        shutil.copyfile(self.agent.dir / "flash.bin", copy)
        flash = FileFlash(str(copy), ERASE_BYTES, copy.stat().st_size // ERASE_BYTES)
        store = Store.mount(flash)
        attempt = [record_keys.realm_key("abc", part) for part in ("request", "outcome")]
        found = {key: store.get(key) for key in store.keys("") if key not in attempt}
        flash.close()
        assert len(found) >= 3
        return found

    def trusted(self) -> dict[str, object]:
        """What of it says whom consumers trust."""
        names = ("/ca.pem", "/abc_ca.cer", "realm/abc/ca")
        found = {key: value for key, value in self.in_use().items() if key.endswith(names)}
        assert len(found) == len(names)
        return {key.rpartition("/")[2]: value for key, value in found.items()}

    def verified(self, folder: Path) -> None:
        """Under each file that consumers may trust: no leaf of an attacker, and the honest peer."""
        file = f"trusted{len(list(folder.iterdir()))}.pem"
        export = f"pki export-certificate ca realm abc pem filename {file}"
        self.agent.must("system-view", export)
        storage = self.agent.dir / "storage"
        places = (self.agent.memory("ca.pem"), storage / "abc_ca.cer", storage / file)
        leaves = attackers(self._lab.authority, folder)
        crowd = ["-untrusted", str(folder / "crowd.pem")]
        for trusted in places:
            for words in ([], ["-partial_chain"]):
                command = ["openssl", "verify", *words, "-no-CApath", "-no-CAstore", "-CAfile"]
                assert _verifies([*command, str(trusted), str(self.agent.memory("cert.pem"))])
                for leaf in leaves:
                    assert not _verifies([*command, str(trusted), *crowd, str(leaf)]), leaf
        (storage / file).unlink()


def attackers(ca: Authority, folder: Path) -> list[Path]:
    """Leaves by the key of all that lie, in each name that they use; `crowd.pem`: their CAs."""
    key, real = liars.key(), ca.ca.certificate
    other = authority.self_signed(authority.name("Some Other CA"), key, (0, 2_000_000_000))
    first = authority.self_signed(authority.name("Stranger 0"), key, (0, 2_000_000_000))
    crowd = [liars.impostor(real), other, first, liars.device(ca)]
    pems = [asn1pem.armor("CERTIFICATE", one.certificate.dump()) for one in crowd]
    (folder / "crowd.pem").write_bytes(b"".join(pems))
    found = []
    for at, one in enumerate(crowd):
        template = liars.template(ca)._replace(issuer=one.certificate.subject, issuer_key=key)
        leaf = asn1pem.armor("CERTIFICATE", authority.certify(template).dump())
        found.append(folder / f"leaf{at}.pem")
        found[-1].write_bytes(leaf)
    return found


def _verifies(command: list[str]) -> bool:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0 or "error" in done.stderr, done.stderr
    return done.returncode == 0


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


UNDATED = ("expired", "not-yet")
NEXT_KEY = record_keys.realm_key("abc", "next")
PART = 15  # lies of one test, so that they spread over the processes of a test run
PARTS = [
    (table, names[at : at + PART])
    for table, names in enumerate(list(one) for one in hostile.TABLES)
    for at in range(0, len(names), PART)
]


@pytest.mark.parametrize(("table", "names"), PARTS, ids=lambda part: str(part)[:40])
def test_a_board_with_a_certificate_in_use(
    bench: Bench, table: int, names: list[str], tmp_path: Path
) -> None:
    files = tmp_path / "verified"
    files.mkdir()
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
        after = bench.in_use()
        if name in UNDATED:  # kept, and not in use: the clock of this board may be the wrong one
            assert after.pop(NEXT_KEY) != before.pop(NEXT_KEY, None), name
        assert after == before, name
        if name.startswith(("ca-", "next-")):
            bench.verified(files)
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
    before, trusted = bench.in_use(), bench.trusted()
    said = bench.agent.script(*AGAIN)
    assert bench.agent.state() == outcome, f"{name}: {said.text}"
    assert (bench.in_use() == before) is (outcome == "pending")
    if outcome == "pending":
        bench.agent.must(*ABORT)
    now = bench.trusted()
    if name.startswith("ca-device"):  # he is a customer of this CA, so he may be its RA one day
        now["ca"] = trusted["ca"]
    assert now == trusted, name


def _named_next(bench: Bench, outcome: str) -> None:
    said = bench.agent.script(*NEXT)
    assert said.status == 1
    pattern = re.sub(r"\\{\w+\\}", ".*", re.escape(CATALOGUE[outcome].what))
    assert re.search(pattern, said.text, re.IGNORECASE), said.text
    assert bench.agent.shown("Next CA From") == "-"
