"""An application with nobody, played once in the worker before its children do theirs.

What runs for the first time writes: libcrypto looks an algorithm up, a class remembers who is none
of its subclasses, the interpreter adapts its code. A child would do that in copies of the worker's
pages and leave nothing of it to the next one. So the worker plays all sides once. It unseals a key,
signs a request, encrypts it for its own signer, reads it as a reply, verifies and opens it, and
shows a certificate.

The key is made of two Mersenne primes: everybody has it. No byte of a job or of a peer is here.
"""

from __future__ import annotations

from agent import child, limits
from agent.errors import AgentError
from agent.scep import cms, crypto, der, messages, oids, vault
from agent.scep.keys import Hands, HeldKey, Keeper
from hal import cbor

_PRIMES = (1 << 607) - 1, (1 << 521) - 1
_EXPONENT = 65537
_DEVICE_KEY, _NONCE = bytes(vault.DEVICE_KEY_BYTES), bytes(limits.NONCE_BYTES)
_NAME, _DIGEST, _CIPHER = "nobody", "sha-256", "aes128"
_REQUEST = messages.Request("0" * 32, 0, _DIGEST, {"common_name": _NAME}, ("ike",), _NAME)


def rehearse() -> None:
    """Never raises for what this system refuses: a job then says so in its own words."""
    try:
        _play()
    except (AgentError, ValueError):
        return


def _play() -> None:
    pair = _pair()
    wanted = {"keys": [{**pair, "field": "key", "signatures": 3, "unwraps": 1}]}
    password = vault.seal_password(_DEVICE_KEY, _NAME)
    request = _crossed({**wanted, "digest": _DIGEST, "password": password})
    key = Hands(holder=Keeper(request, _DEVICE_KEY)).key("key", pair)
    signer = _exchange(key)
    child.perform(cbor.dumps({"op": "inspect", "kind": "certificate", "ders": [signer]}), Hands())


def _exchange(key: HeldKey) -> bytes:
    """The certificate of the signer."""
    request = messages.certification_request(_REQUEST, key)
    signer = messages.signer_certificate(_REQUEST, key)
    out = messages.Outgoing(signer, key, signer, _CIPHER, _NONCE, 0)
    message = messages.pki_message(messages.PKCS_REQ, request, _REQUEST, out)
    reply = cms.read_signed(message)
    cms.verify(reply, reply.signers[0], signer.spki)
    cms.decrypt(cms.read_envelope(reply.content), key, signer.serial)
    return signer.der


def _pair() -> dict[str, object]:
    """The key pair as a record holds it."""
    sealed, spki = vault.seal_key(_DEVICE_KEY, _NAME, 1, crypto.load_own(_pkcs8(*_PRIMES)))
    return {"name": _NAME, "generation": 1, "sealed": sealed, "spki": spki}


def _pkcs8(p: int, q: int) -> bytes:
    """RFC 8017 A.1.2 in RFC 5958 2."""
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    numbers = (0, p * q, _EXPONENT, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    algorithm = der.sequence(der.oid(oids.RSA), der.null())
    key = der.octet_string(der.sequence(*map(der.integer, numbers)))
    return der.sequence(der.integer(0), algorithm, key)


def _crossed(job: dict[str, object]) -> dict[str, object]:
    """A map as it comes out on the other side."""
    found = cbor.loads(cbor.dumps(job), max_bytes=limits.JOB_BYTES)
    return found if isinstance(found, dict) else {}
