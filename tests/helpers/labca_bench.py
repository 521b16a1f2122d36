"""The lab CA in this process, without HTTP: for tests of what it says."""

import functools
import shutil
import tempfile
from pathlib import Path

from asn1crypto import x509 as asn1

from tests.helpers import labca_client as client
from tests.helpers.labca_client import Device
from tools.lab_ca import authority
from tools.lab_ca.authority import ALONE, Authority, Plan
from tools.lab_ca.ledger import Ledger
from tools.lab_ca.operations import Note, Policy, Responder

DAY_S = authority.DAY_S
CIPHER_NAMES = {
    "tripledes_3key": "3des",
    **{f"aes{bits}_cbc": f"aes{bits}" for bits in (128, 192, 256)},
}
RA = Plan(ra=True)
PLAIN = Policy(life=(300, DAY_S))


class Bench:
    """A CA in this process; each `send` is one PKIOperation."""

    def __init__(self, home: Path, plan: Plan = ALONE, *, offset_s: int = 0) -> None:
        self.home = home
        self.authority = Authority(home, plan, offset_s)
        self.ledger = Ledger(home)
        self.notes: list[Note] = []
        self.reached: list[str] = []

    @property
    def ca(self) -> asn1.Certificate:
        return self.authority.ca.certificate

    def device(self, name: str = "dev1", key: int = 0) -> Device:
        return Device(self.authority.encryption.certificate, self.ca, name, key)

    def send(self, policy: Policy = PLAIN) -> client.Send:
        responder = Responder(self.authority, self.ledger, policy)

        def exchange(body: bytes) -> bytes:
            self.notes.append({})
            return responder.answer(body, self.notes[-1], self.reached.append)

        return exchange


def public_key(certificate: asn1.Certificate) -> bytes:
    der: bytes = certificate.public_key.dump()
    return der


@functools.cache
def _made() -> tempfile.TemporaryDirectory[str]:
    """A state folder with a CA, its RA, and every key that a plan may need: keys cost time."""
    folder = tempfile.TemporaryDirectory()
    home = Path(folder.name)
    Bench(home, Plan(chain=True, ra=True, encryption_stem="ra-enc-new")).authority.prepare()
    for path in home.glob("*.pem"):
        path.unlink()
    Bench(home, RA)
    return folder


def a_home(folder: Path) -> Path:
    """A copy of that state folder, below a folder of the test's own."""
    return Path(shutil.copytree(_made().name, folder / "ca"))


def replanned(home: Path) -> Path:
    """The same without its certificates, which a plan makes anew for the same keys."""
    for path in home.glob("*.pem"):
        path.unlink()
    return home
