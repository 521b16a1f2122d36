"""An intermediate is pinned, and somebody computes a key that fits its signature (`dsks`)."""

import subprocess
from pathlib import Path

import pytest

from agent.enrolment import pins, vouched
from agent.jobs import answers, maps
from agent.scep import caset, ra, relations, served
from agent.settings import Realm
from tests.helpers import scep_lab as lab
from tests.rigs import worlds

FORGED = worlds.fitting


@pytest.fixture(scope="module")
def attackers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The forged root, the pinned CA, and a leaf that the forged key has signed, as files."""
    folder = tmp_path_factory.mktemp("forged")
    forged = FORGED()
    leaf = lab.certificate({"common_name": "r1.example"}, "peer", forged)
    parties = {"root": forged, "pin": worlds.fixed_issuing(), "leaf": leaf}
    found = {}
    for name, party in parties.items():
        found[name] = folder / f"{name}.pem"
        found[name].write_bytes(lab.pem_of(party))
    return found


def verified(trusted: Path, leaf: Path, *words: str) -> bool:
    command = ["openssl", "verify", "-attime", str(lab.NOW_S), "-no-CApath", "-no-CAstore", *words]
    done = subprocess.run(
        [*command, "-CAfile", str(trusted), str(leaf)],
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    return done.returncode == 0


def test_openssl_takes_it_for_the_issuer_of_the_pin(attackers: dict[str, Path]) -> None:
    """The contrast: whoever trusts this root trusts the pinned CA below it, and the attacker."""
    assert verified(attackers["root"], attackers["pin"])
    assert verified(attackers["root"], attackers["leaf"])


@pytest.mark.parametrize("order", [1, -1])
def test_a_key_that_fits_the_signature_of_the_pin_is_nobody(
    attackers: dict[str, Path], order: int, tmp_path: Path
) -> None:
    pin, forged = worlds.fixed_issuing(), FORGED()
    sent = caset.readable([pin.der, forged.der][::order])
    told = relations.described(sent, caset.Rules(lab.NOW_S, frozenset()), ra.RaRules())
    realm = Realm("abc")
    realm.fingerprint = ("sha256", pin.cert.sha256.hex())
    arrived = vouched.Arrived(answers.ca_set({"certificates": told}), (), lab.NOW_S)
    choice = pins.choose(realm.fingerprint, None, arrived.found, lab.NOW_S)
    pinned = vouched.Pinned(choice.certificate, "fingerprint", realm.fingerprint)
    ca = vouched.record(pinned, arrived, None)
    assert [one.der for one in ca.certificates] == [pin.der]
    # It is told as what it is: a candidate, unverified.
    assert "unverified" in vouched.notes(pinned, arrived, ca)[-1]
    own = lab.certificate({"common_name": "r1.example"}, "dev", pin).der
    job = {**maps.served_job(realm, ca, []), "now_s": lab.NOW_S}
    found = served.of(job, own)
    assert (found.chain, found.ca, found.note) == ([pin.der], [pin.der], "")
    trusted = tmp_path / "ca.pem"
    trusted.write_bytes(lab.pem_of(pin))
    for words in ([], ["-partial_chain"]):
        assert not verified(
            trusted, attackers["leaf"], "-untrusted", str(attackers["root"]), *words
        )
