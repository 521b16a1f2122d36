"""The one device, CA and moment that all vectors are about, and the jobs that meet them.

The keys in `desk.json` are nobody's: they were made for these files and stand there in plain.
"""

import base64
import functools
import json
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from agent.scep import crypto, vault
from tests.vectors.row import HERE, Row

FILE = HERE / "desk.json"
NOBODYS = "keys of nobody: made for these files, worth nothing"
NOW_S = 1_800_000_000
TRANSACTION = "5ce9a9e7" * 4
NONCE = bytes(range(0x10, 0x20))
DEVICE_KEY = b"\x5a" * 32
CHALLENGE = "sekret"
KEYS = ("device", "ca", "ca-next", "liar")
ENTITY: dict[str, Any] = {
    "common_name": "dev1", "country": "DE", "state": None, "locality": None, "organization": "Lab",
    "organization_unit": [], "email": None, "fqdn": "dev1.example", "ip_addresses": [],
    "serial_number": None,
}  # fmt: skip
SOURCE = {"address": None, "interface": None, "bind_device": False, "vrf": None}
# As a board with a very good line has them: the caps themselves are what is tried.
LIMITS = {"connect_s": 5, "receive_s": 2, "exchange_s": 4}


@functools.cache
def desk() -> dict[str, Any]:
    """The file: keys by name (PKCS#8, base64), certificates `ca` and `local` (DER, base64)."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    return found


@functools.cache
def key(name: str) -> rsa.RSAPrivateKey:
    pkcs8 = base64.b64decode(desk()["keys"][name])
    loaded = serialization.load_der_private_key(pkcs8, None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    return loaded


def certificate(name: str) -> bytes:
    return base64.b64decode(desk()[name])


@functools.cache
def key_fields() -> dict[str, Any]:
    pair = key("device")
    sealed = vault.seal(DEVICE_KEY, crypto.private_der(pair), b"key|k1|1")
    return {"name": "k1", "generation": 1, "sealed": sealed, "spki": crypto.public_der(pair)}


@functools.cache
def _password() -> str:
    return vault.seal_password(DEVICE_KEY, CHALLENGE)


def job(row: Row, url: str) -> dict[str, Any]:
    """The map of the row's job, as the agent would send it."""
    return {**base_job(row.op, url), **row.job}


def base_job(op: str, url: str) -> dict[str, Any]:
    ca = certificate("ca")
    pin = crypto.digest("sha-256", ca).hex()
    signer = {"certificate": certificate("local"), "key": key_fields()}
    return {
        "op": op, "realm": "r", "url": url, "ca_id": None, "source": SOURCE, "http": None,
        "https_ca_file": None, "https_ca": None, "limits": LIMITS,
        "now_s": NOW_S, "clock_trusted": True, "caps": ["SCEPStandard", "AES"],
        "ca": {"certificates": [ca], "pin": pin, "lineage": []},
        "fingerprint": {"algorithm": "sha256", "hex": pin}, "ra": False,
        "digest": "sha-256", "cipher": "aes128", "weak": [], "subject_match": "standard",
        "compatibility": [], "transaction": TRANSACTION, "request_time_s": NOW_S, "nonce": NONCE,
        "entity": ENTITY, "key_usage": ["ike"], "key": key_fields(), "password": _password(),
        "renewal": None, "revocation": None,
        "cdp_url": url, "from_ca": False, "certificate": None, "before_s": None, "signer": signer,
    }  # fmt: skip
