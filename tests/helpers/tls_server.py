"""An https server for the tests: its chain is made here, what is wrong with it an argument."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asn1crypto import x509

from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab

DAY_S = 86_400
NAME = "localhost"


def authority(**how: Any) -> lab.Party:
    """A CA for servers that is valid now."""
    start_s = int(time.time()) - DAY_S
    return lab.certificate({"common_name": "Web CA"}, "web-ca", None,
                           **{"ca": True, "start_s": start_s, **how})  # fmt: skip


def server_certificate(issuer: lab.Party, *names: str, **how: Any) -> lab.Party:
    """A certificate for `localhost` and both loopback addresses, or for other DNS names."""
    given = [x509.GeneralName("dns_name", name) for name in names or (NAME,)]
    if not names:
        given += [x509.GeneralName("ip_address", text) for text in ("127.0.0.1", "::1")]
    key = how.pop("key", "web")
    fields = {"start_s": int(time.time()) - DAY_S, "sans": x509.GeneralNames(given), **how}
    return lab.certificate({"common_name": "web"}, key, issuer, **fields)


def context(folder: Path, *chain: lab.Party) -> ssl.SSLContext:
    """What a server with this chain, its own certificate first, works with."""
    own = folder / f"server-{chain[0].cert.serial_number}.pem"
    own.write_text("".join(ssl.DER_cert_to_PEM_cert(party.der) for party in chain)
                   + pem_key(chain[0].key))  # fmt: skip
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("DEFAULT@SECLEVEL=0")  # weak ones must be refused by the other end
    made.load_cert_chain(own)
    return made


def pem_key(name: str) -> str:
    return lab.key(name).private_bytes(
        lab.serialization.Encoding.PEM,
        lab.serialization.PrivateFormat.PKCS8,
        lab.serialization.NoEncryption(),
    ).decode()  # fmt: skip


class TlsServer(web.Server):
    """`web.Server` behind TLS; a client that breaks off is none of its business."""

    def __init__(self, answer: web.Answer, how: ssl.SSLContext) -> None:
        self._how = how
        super().__init__(answer)

    def url(self, path: str = "/scep", host: str = NAME) -> str:
        return f"https://{host}:{self.port}{path}"

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            try:
                self._one(connection)
            except OSError:
                continue

    def _one(self, plain: socket.socket) -> None:
        plain.settimeout(web.WAIT_S)
        with plain, self._how.wrap_socket(plain, server_side=True) as connection:
            request = web.read_request(connection)
            self.requests.append(request)
            connection.sendall(self.answer(request))
            connection.unwrap()


@contextmanager
def serving(answer: web.Answer | bytes, how: ssl.SSLContext) -> Iterator[TlsServer]:
    """A server for the length of a test; bytes are the same answer each time."""
    server = TlsServer(answer if callable(answer) else lambda _: answer, how)
    try:
        yield server
    finally:
        server.close()
