"""Room for renewals on a whole board: people fill its flash, and the next renewal succeeds."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.helpers import scep_files as files
from tests.helpers.board import AGAIN, APPLY, SAVE, Agent, check_certificate, procedure
from tests.helpers.labca import LabCa

MOST = 60  # spare key pairs: more than the part holds
BOARD = "[flash]\nsize = 131072\n"
FULL = re.compile(
    r"Error: The change was not stored: it takes (\d+) bytes, and the last (\d+) bytes of the store"
    r" are kept for renewals\.\n Cause: .*\.\n Next step: see `display pki statistics`; "
)


def small(folder: Path) -> Agent:
    """An agent with little flash: it takes a second to make a key pair, or to read one."""
    agent = Agent(folder)
    (folder / "board.toml").write_text(BOARD)
    words = ("run", "--board", str(folder / "board.toml"), "--state", str(agent.dir))
    with open(folder / "agent.log", "ab") as log:
        agent.adopt(
            subprocess.Popen(
                agent.command(*words), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        )
    return agent


def statistics(agent: Agent) -> dict[str, Any]:
    """The one item of `display pki statistics json`."""
    (item,) = json.loads(agent.must("display pki statistics json"))["items"]
    assert isinstance(item, dict)
    return item


def test_spare_key_pairs_fill_the_store_and_the_next_renewal_succeeds(tmp_path: Path) -> None:
    """They filled it, and the renewal ended in `full` while the display said issued."""
    with LabCa(tmp_path) as ca, small(tmp_path) as agent:
        agent.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE, *APPLY)
        before = statistics(agent)
        assert before["store_free_bytes"] > 20_000
        assert agent.shown("Room For Renewal").endswith(" bytes, free")
        key = files.openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        (agent.dir / "storage" / "spare.pem").write_bytes(key)
        spare = [f"pki import rsa-key-pair spare{n} pem spare.pem" for n in range(MOST)]
        said = agent.script("system-view", *spare)
        refused = FULL.search(said.text)
        assert (said.status, bool(refused)) == (1, True), said.text[-600:]
        assert refused is not None
        wanted, left = map(int, refused.groups())

        after = statistics(agent)
        assert 10 < after["key_pairs"] < MOST
        assert after["store_free_bytes"] < wanted
        assert not after["store_reserve_reached"]
        assert left >= after["store_reserve_bytes"] > 4 * 4_000
        assert agent.shown("Room For Renewal").endswith(" bytes, free")
        said = agent.script("system-view", "pki rsa local-key-pair create more modulus 2048")
        assert FULL.search(said.text)

        for number in range(2, 4):
            agent.must(*AGAIN)
            agent.wait_state("issued")
            assert len(ca.issued()) == number
        check_certificate(agent, ca.dir / "ca.pem")
        gone = [line for n in (1, 2) for line in (f"pki rsa local-key-pair destroy spare{n}", "y")]
        agent.must("system-view", *gone, "pki import rsa-key-pair again pem spare.pem")
