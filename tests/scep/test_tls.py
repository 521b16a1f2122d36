"""https: whom it is spoken with, and what each way to fail is called."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509

from agent import limits
from agent.errors import CATALOGUE, AgentError
from agent.scep import tls, transport
from hal.link import LinuxLink
from hal.ports import Source
from tests.helpers import scep_http as web
from tests.helpers import scep_lab as lab
from tests.helpers import tls_server as https

CAP = 4096
SHORT = limits.Timeouts(2, 1, 2)


def get(url: str, trust: bytes, check_dates: bool = True, source: Source = Source()) -> bytes:  # noqa: B008
    judge = tls.context(trust, "web.pem", check_dates)
    place = transport.server(url)
    return transport.Exchange(place, LinuxLink(), source, SHORT, judge).get("GetCACaps", None, CAP)


def failed(url: str, trust: bytes, **how: Any) -> AgentError:
    with pytest.raises(AgentError) as caught:
        get(url, trust, **how)
    return caught.value


@pytest.fixture(scope="module")
def ca() -> lab.Party:
    return https.authority()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("source", [Source(), Source("127.0.0.1"), Source(interface="lo")])
def test_a_server_of_the_trusted_ca(
    tmp_path: Path, ca: lab.Party, host: str, source: Source
) -> None:
    with https.serving(web.ok(b"AES"), https.context(tmp_path, https.server_certificate(ca))) as up:
        assert get(up.url(host=host), ca.der, source=source) == b"AES"
    assert f"Host: {host}:{up.port}\r\n".encode() in up.requests[0]


@pytest.mark.parametrize("form", ["der", "pem", "bundle", "leaf", "intermediate"])
def test_forms_of_the_trust_file(tmp_path: Path, ca: lab.Party, form: str) -> None:
    sub = lab.certificate({"common_name": "Sub"}, "web-sub", ca, ca=True,
                          start_s=int(time.time()) - https.DAY_S)  # fmt: skip
    leaf = https.server_certificate(sub)
    pem = ssl.DER_cert_to_PEM_cert
    trust = {
        "der": ca.der,
        "pem": pem(ca.der).encode(),
        "bundle": b"# two\n" + pem(lab.root().der).encode() + pem(ca.der).encode(),
        "leaf": leaf.der,
        "intermediate": sub.der,
    }[form]
    with https.serving(web.ok(b"AES"), https.context(tmp_path, leaf, sub)) as up:
        assert get(up.url(), trust) == b"AES"


@pytest.mark.parametrize("data", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAA", b"\x30\x80"])
def test_a_trust_file_that_is_none(data: bytes) -> None:
    with pytest.raises(AgentError) as caught:
        tls.context(data, "web.pem", True)
    assert caught.value.code == "tls-trust-file"
    assert "web.pem" in caught.value.what


# -- certificates that are refused -----------------------------------------------------------------


def _ago(days: int) -> int:
    return int(time.time()) - days * https.DAY_S


def other_ca(_ca: lab.Party) -> list[lab.Party]:
    other = lab.certificate({"common_name": "Other"}, "other", None, ca=True, start_s=_ago(1))
    return [https.server_certificate(other)]


def namesake(_ca: lab.Party) -> list[lab.Party]:
    other = lab.certificate({"common_name": "Web CA"}, "other", None, ca=True, start_s=_ago(1))
    return [https.server_certificate(other)]


def self_signed(_ca: lab.Party) -> list[lab.Party]:
    return [lab.certificate({"common_name": "localhost"}, "web", None, start_s=_ago(1))]


def without_intermediate(ca: lab.Party) -> list[lab.Party]:
    sub = lab.certificate({"common_name": "S"}, "web-sub", ca, ca=True, start_s=_ago(1))
    return [https.server_certificate(sub)]


def with_foreign_root(_ca: lab.Party) -> list[lab.Party]:
    other = lab.certificate({"common_name": "Other"}, "other", None, ca=True, start_s=_ago(1))
    return [https.server_certificate(other), other]


def expired(ca: lab.Party) -> list[lab.Party]:
    return [https.server_certificate(ca, start_s=_ago(9), days=8)]


def of_tomorrow(ca: lab.Party) -> list[lab.Party]:
    return [https.server_certificate(ca, start_s=_ago(-1))]


def other_name(ca: lab.Party) -> list[lab.Party]:
    return [https.server_certificate(ca, "ca.example")]


def common_name_alone(ca: lab.Party) -> list[lab.Party]:
    """Somebody else's certificate, in whose subject he has put the name of the server."""
    return [lab.certificate({"common_name": "localhost"}, "web", ca, start_s=_ago(1))]


def common_name_beside_a_mailbox(ca: lab.Party) -> list[lab.Party]:
    sans = x509.GeneralNames([x509.GeneralName("rfc822_name", "mallory@example.com")])
    subject = {"common_name": "localhost"}
    return [lab.certificate(subject, "web", ca, start_s=_ago(1), sans=sans)]


def for_clients(ca: lab.Party) -> list[lab.Party]:
    return [https.server_certificate(ca, purposes=["client_auth"])]


def by_a_leaf(ca: lab.Party) -> list[lab.Party]:
    middle = lab.certificate({"common_name": "L"}, "web-sub", ca, start_s=_ago(1))
    return [https.server_certificate(middle), middle]


REFUSED: dict[Callable[[lab.Party], list[lab.Party]], str] = {
    other_ca: "tls-unknown-ca",
    namesake: "tls-unknown-ca",
    self_signed: "tls-unknown-ca",
    without_intermediate: "tls-unknown-ca",
    with_foreign_root: "tls-unknown-ca",
    expired: "tls-expired",
    of_tomorrow: "tls-not-yet-valid",
    other_name: "tls-name",
    common_name_alone: "tls-name",
    common_name_beside_a_mailbox: "tls-name",
    for_clients: "tls-certificate",
    by_a_leaf: "tls-certificate",
}


@pytest.mark.parametrize("chain", REFUSED)
def test_certificates_that_are_refused(
    tmp_path: Path, ca: lab.Party, chain: Callable[[lab.Party], list[lab.Party]]
) -> None:
    with https.serving(web.ok(b"AES"), https.context(tmp_path, *chain(ca))) as up:
        error = failed(up.url(), ca.der)
    assert error.code == REFUSED[chain]
    assert "localhost" in error.what
    assert up.requests == []  # not a byte of HTTP has left


def test_an_address_that_is_not_in_the_certificate(tmp_path: Path, ca: lab.Party) -> None:
    chain = other_name(ca)
    with https.serving(web.ok(b"AES"), https.context(tmp_path, *chain)) as up:
        assert failed(up.url(host="127.0.0.1"), ca.der).code == "tls-name"


def test_a_weak_key(tmp_path: Path, ca: lab.Party) -> None:
    leaf = https.server_certificate(ca, key="1024 bits")
    with https.serving(web.ok(b"AES"), https.context(tmp_path, leaf)) as up:
        assert failed(up.url(), ca.der).code == "tls-weak"


@pytest.mark.parametrize("chain", [expired, of_tomorrow])
def test_dates_do_not_count_while_the_clock_is_not_trusted(
    tmp_path: Path, ca: lab.Party, chain: Callable[[lab.Party], list[lab.Party]]
) -> None:
    with https.serving(web.ok(b"AES"), https.context(tmp_path, *chain(ca))) as up:
        assert get(up.url(), ca.der, check_dates=False) == b"AES"
    with https.serving(web.ok(b"AES"), https.context(tmp_path, *other_name(ca))) as up:
        assert failed(up.url(), ca.der, check_dates=False).code == "tls-name"


# -- servers that speak something else -------------------------------------------------------------


def test_old_tls_is_refused(tmp_path: Path, ca: lab.Party) -> None:
    how = https.context(tmp_path, https.server_certificate(ca))
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        how.minimum_version = how.maximum_version = ssl.TLSVersion.TLSv1_1
    with https.serving(web.ok(b"AES"), how) as up:
        assert failed(up.url(), ca.der).code == "tls-version"


def test_tls_1_2_is_taken(tmp_path: Path, ca: lab.Party) -> None:
    how = https.context(tmp_path, https.server_certificate(ca))
    how.maximum_version = ssl.TLSVersion.TLSv1_2
    with https.serving(web.ok(b"AES"), how) as up:
        assert get(up.url(), ca.der) == b"AES"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_client_certificate(
    tmp_path: Path, ca: lab.Party, version: ssl.TLSVersion
) -> None:
    how = https.context(tmp_path, https.server_certificate(ca))
    how.verify_mode = ssl.CERT_REQUIRED
    how.maximum_version = version
    with https.serving(web.ok(b"AES"), how) as up:
        wanted = {"tls-client-certificate", "tls-version", "connection-reset"}
        assert failed(up.url(), ca.der).code in wanted


def _plain(said: bytes) -> Callable[[socket.socket], None]:
    def serve(listening: socket.socket) -> None:
        connection, _address = listening.accept()
        with connection:
            connection.settimeout(web.WAIT_S)
            connection.recv(65536)
            connection.sendall(said)

    return serve


def _silent(listening: socket.socket) -> None:
    connection, _address = listening.accept()
    with connection:
        connection.settimeout(web.WAIT_S)
        while connection.recv(65536):
            pass


def _dripping(listening: socket.socket) -> None:
    connection, _address = listening.accept()
    with connection:
        connection.settimeout(web.WAIT_S)
        for byte in b"\x16\x03\x03\x40\x00" + bytes(200):
            try:
                connection.sendall(bytes([byte]))
            except OSError:
                return
            threading.Event().wait(0.05)


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (_plain(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "tls-not-spoken"),
        (_plain(b"220 mail.example ESMTP\r\n"), "tls-not-spoken"),
        (_plain(b""), "connection-reset"),
        (_plain(b"\x15\x03\x03\x00\x02\x02\x28"), "tls-version"),
        (_plain(b"\x15\x03\x03\x00\x02\x02\x50"), "tls-failed"),
        (_silent, "answer-timeout"),
        (_dripping, "answer-timeout"),  # the time of one read is all that a handshake has
    ],
)
def test_other_ends(ca: lab.Party, behaviour: Callable[[socket.socket], None], code: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(web.WAIT_S)
        thread = threading.Thread(target=behaviour, args=(listening,))
        thread.start()
        began = time.monotonic()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        assert failed(url, ca.der).code == code
        assert time.monotonic() - began < web.WAIT_S
        thread.join(web.WAIT_S)


class Dripping(https.TlsServer):
    """A byte of the body every now and then, until the client has enough."""

    def _one(self, plain: socket.socket) -> None:
        with plain, self._how.wrap_socket(plain, server_side=True) as connection:
            web.read_request(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            for _ in range(100):
                connection.sendall(b"x")
                threading.Event().wait(0.05)


@pytest.mark.slow
def test_a_body_that_drips_through_tls(tmp_path: Path, ca: lab.Party) -> None:
    how = https.context(tmp_path, https.server_certificate(ca))
    server, began = Dripping(lambda _: b"", how), time.monotonic()
    try:
        assert failed(server.url(), ca.der).code == "answer-too-slow"
        assert time.monotonic() - began < web.WAIT_S
    finally:
        server.close()


def test_a_chain_without_end(tmp_path: Path, ca: lab.Party) -> None:
    """OpenSSL takes 100 kB of certificates and no more."""
    many = [https.server_certificate(ca), *[ca] * 200]
    with https.serving(web.ok(b"AES"), https.context(tmp_path, *many)) as up:
        assert failed(up.url(), ca.der).code == "tls-failed"


def test_a_name_that_no_certificate_can_have(ca: lab.Party) -> None:
    with socket.socket() as one, pytest.raises(AgentError) as caught:
        tls.secure(one, tls.bare(), "a" * 64 + ".example")
    assert caught.value.code == "url-invalid"


# -- the tables ------------------------------------------------------------------------------------


def test_every_code_of_the_tables_has_a_row() -> None:
    codes = {*tls.CODES.values(), *tls.REASONS.values(), "tls-certificate", "tls-failed"}
    known = {code for code in CATALOGUE if code.startswith("tls-")}
    assert codes - known == {"connection-reset"}
    assert codes & known | {"tls-no-trust", "tls-trust-file"} == known


@pytest.mark.parametrize("number", tls.CODES)
def test_each_verdict_of_openssl(number: int) -> None:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_code, error.verify_message = number, "as the test\x1b wants it"
    found = tls.failure(error, "ca.example")
    assert found.code == tls.CODES[number]
    assert found.what.isprintable()


@pytest.mark.parametrize("name", [*tls.REASONS, None, "NEW_REASON"])
def test_each_reason_of_openssl(name: str | None) -> None:
    error = ssl.SSLError(1, "x")
    error.reason = name
    assert tls.failure(error, "ca.example").code == tls.REASONS.get(name or "", "tls-failed")
