"""The other clients: how each is called in a folder that has a key, and what it needs to run."""

import shutil
from pathlib import Path

from tests.helpers import micromdm, netns
from tests.helpers.labca import LabCa
from tests.helpers.micromdm import MicroMdm
from tests.helpers.netns import NetNs
from tools.bench import proc
from tools.bench.figures import MissingPeerError

CHALLENGE = "sekret"
STRONGSWAN = f"pki --scep --in k.pem --outform pem --password {CHALLENGE} --dn CN=dev1"
STRONGSWAN_CA = "--cacert ca.pem --cacert-enc ca.pem --cacert-sig ca.pem"
SCEPCLIENT = f"scepclient -private-key k.pem -certificate cert.pem -challenge {CHALLENGE} -cn dev1"


def need(program: str, package: str) -> None:
    """Skips what cannot be measured without a program of Debian's."""
    if shutil.which(program) is None:
        raise MissingPeerError(f"needs Debian's package `{package}`")


def need_micromdm() -> None:
    """Skips what cannot be measured without Debian's SCEP server."""
    if why := netns.missing() or micromdm.missing():
        raise MissingPeerError(why)


def with_key(folder: Path) -> Path:
    """A folder for a peer, with a key of the size of ours."""
    peer = folder / "peer"
    peer.mkdir()
    proc.spend(["openssl", "genrsa", "-traditional", "-out", "k.pem", "2048"], peer)
    return peer


def strongswan(ca: LabCa, folder: Path) -> list[str]:
    """strongSwan's client; the CA certificate is put into its folder."""
    need("pki", "strongswan-pki")
    shutil.copy(ca.dir / "ca.pem", folder)
    return f"{STRONGSWAN} {STRONGSWAN_CA} --url {ca.url}".split()


def scepclient(ca: MicroMdm, net: NetNs) -> list[str]:
    """micromdm's client in the name space of its server."""
    need("scepclient", "scep")
    return [*inside(net), *SCEPCLIENT.split(), "-server-url", ca.url]


def inside(net: NetNs) -> list[str]:
    """In front of a command: nsenter becomes what it starts, so the process stays the same."""
    return [shutil.which("nsenter") or "nsenter", f"--net=/run/netns/{net.name}"]
