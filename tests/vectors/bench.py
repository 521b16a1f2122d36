"""Makes the bytes of rows: the lab CA in this process, with the keys and the moment of the desk.

Each reply answers the same request, which the product itself has made from the job of the desk.
"""

import base64
import contextlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from asn1crypto import x509
from cryptography.hazmat.primitives import serialization

from agent.errors import AgentError
from hal.link import LinuxLink
from tests.helpers import keeping
from tests.helpers.scep_http import ok, serving
from tests.scep.test_operations import message_of
from tests.vectors import desk
from tools.lab_ca import algorithms, authority, caset, hooks
from tools.lab_ca.authority import DAY_S, Authority, Template
from tools.lab_ca.hooks import Hooks
from tools.lab_ca.ledger import Ledger
from tools.lab_ca.operations import Policy, Responder


class Bench:
    """`with Bench() as bench:`; a desk is made on entering where there is none."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._home = Path(self._folder.name) / "ca"
        self._made = 0
        self._requests: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        kept = json.loads(desk.FILE.read_text()) if desk.FILE.exists() else {}
        keys = kept.get("keys") or {name: _new_key() for name in desk.KEYS}
        self._home.mkdir()
        for name in ("ca", "ca-next"):
            (self._home / f"{name}.key").write_bytes(_pem(keys[name]))
        if kept:
            ca = x509.Certificate.load(desk.certificate("ca"))
            (self._home / "ca.pem").write_text(authority.to_pem(ca))
        self.authority = Authority(self._home, clock_offset_s=desk.NOW_S - int(time.time()))
        self.authority.prepare()
        if not kept:
            self._write_desk(keys)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def _write_desk(self, keys: dict[str, str]) -> None:
        found: dict[str, Any] = {
            "note": desk.NOBODYS,
            "now_s": desk.NOW_S,
            "transaction": desk.TRANSACTION,
            "nonce": desk.NONCE.hex(),
            "device_key": desk.DEVICE_KEY.hex(),
            "challenge": desk.CHALLENGE,
            "keys": keys,
            "ca": _text(self.authority.ca.certificate.dump()),
        }
        desk.FILE.write_text(json.dumps(found, indent=1) + "\n")
        desk.desk.cache_clear()
        desk.key.cache_clear()
        found["local"] = _text(self.local().dump())
        desk.FILE.write_text(json.dumps(found, indent=1) + "\n")
        desk.desk.cache_clear()

    def template(self, **changes: Any) -> Template:
        """A certificate of the device as the CA would issue it."""
        public = desk.key("device").public_key()
        usual = Template(
            subject=authority.name("dev1"),
            spki=algorithms.spki_of(public),
            issuer=self.authority.ca.certificate.subject,
            issuer_key=self.authority.ca.key,
            not_before_s=desk.NOW_S - DAY_S,
            not_after_s=desk.NOW_S + 90 * DAY_S,
            extensions=(*authority.key_usage(frozenset({"digital_signature"})), _names()),
        )
        return usual._replace(**changes)

    def local(self, **changes: Any) -> x509.Certificate:
        return authority.certify(self.template(**changes))

    # -- replies -----------------------------------------------------------------------------------

    def request(self, op: str) -> bytes:
        """The pkiMessage that the product sends in this job."""
        if op not in self._requests:
            self._requests[op] = _captured(op)
        return self._requests[op]

    def reply(self, hook: Hooks, op: str = "enrol") -> bytes:
        """The CertRep of the lab CA with this switch."""
        policy = Policy(desk.CHALLENGE, life=(300, 30 * DAY_S), hooks=hook)
        if op == "get-crl":
            policy = policy._replace(challenge=None)
        home = self._fresh()
        shelf = Authority(home, clock_offset_s=desk.NOW_S - int(time.time()))
        shelf.issue(
            authority.name("first of all"),
            algorithms.spki_of(desk.key("liar").public_key()).dump(),
            (),
            (300, DAY_S),
            lambda template: template,
        )
        responder = Responder(shelf, Ledger(home), policy)
        return responder.answer(self.request(op), {}, lambda _point: None)

    def _fresh(self) -> Path:
        """The CA without any transaction."""
        self._made += 1
        return Path(shutil.copytree(self._home, self._home.parent / f"ca-{self._made}"))

    def ca_set(self, hook: Hooks = hooks.PLAIN) -> bytes:
        return caset.encode(hook.ca_set(caset.of_now(self.authority)))

    def next_set(self, hook: Hooks = hooks.PLAIN) -> bytes:
        return caset.encode(hook.ca_set(caset.of_next(self.authority)))


def _captured(op: str) -> bytes:
    heard: list[bytes] = []
    key = keeping.device_key(desk.DEVICE_KEY)

    def answer(request: bytes) -> bytes:
        heard.append(request)
        return ok(b"")

    with serving(answer) as server, contextlib.suppress(AgentError):  # nobody likes that answer
        keeping.run(desk.base_job(op, server.url()), [key], LinuxLink())
    os.close(key)
    return message_of(heard[0])


def _names() -> x509.Extension:
    names = x509.GeneralNames([x509.GeneralName("dns_name", "dev1.example")])
    return x509.Extension({"extn_id": "subject_alt_name", "extn_value": names})


def _new_key() -> str:
    der = algorithms.new_key().private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return _text(der)


def _pem(pkcs8: str) -> bytes:
    key = serialization.load_der_private_key(base64.b64decode(pkcs8), None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
