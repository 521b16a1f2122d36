"""The lab CA as a process: command line, state folder and HTTP."""

import base64
import hashlib
import http.client
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.helpers import labca_client as client
from tests.helpers.labca import CALL_S, ROOT, InBackground, LabCa
from tests.helpers.labca_client import Device, openssl, pkcs10
from tests.helpers.labca_http import by_get, by_post, certificates, device_of, http_request
from tools.lab_ca import __main__, request, server
from tools.lab_ca.authority import read_certificate, to_pem
from tools.lab_ca.hostile import HOSTILE
from tools.lab_ca.quirks import QUIRKS


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, cwd=cwd, capture_output=True, timeout=CALL_S, check=False)


def command(ca: LabCa, *words: str) -> int:
    return __main__.main(["--dir", str(ca.dir), *words])


def test_it_starts_serves_and_ends(tmp_path: Path) -> None:
    ca = LabCa(tmp_path)
    with ca:
        (certificate,) = certificates(ca.url)
        assert hashlib.sha256(certificate.dump()).hexdigest() == ca.fingerprint
        assert (ca.dir / "ca.key").stat().st_mode & 0o777 == 0o600
        assert ca.stop() == 0
    assert (ca.dir / "stderr").read_bytes() == b""
    with LabCa(tmp_path) as again:
        assert again.fingerprint == ca.fingerprint
        assert again.stop(signal.SIGINT) == 0


def test_it_says_exactly_one_line(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tools.lab_ca", "--dir", str(tmp_path)]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
        rest, _ = process.communicate(timeout=CALL_S)
    assert (rest, process.returncode) == (b"", 0)
    url = rb"http://127\.0\.0\.1:\d+/scep"
    found = re.fullmatch(rb"lab-ca: listening on %b fingerprint sha256 (\S{64})\n" % url, line)
    assert found is not None
    der = read_certificate(tmp_path / "ca.pem").dump()
    assert found[1].decode() == hashlib.sha256(der).hexdigest()


def test_pending_requests_survive_a_restart(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--manual", "--challenge", "sekret") as ca:
        device = device_of(ca.url)
        assert device.enrol(by_post(ca.url), "sekret").status == client.PENDING
        assert device.poll(by_get(ca.url)).status == client.PENDING
        (record,) = ca.requests()
        assert (record.id, record.state, record.polls) == (device.transaction_id, "pending", 1)
        assert record.subject == "Common Name: dev1, Country: DE"
    with LabCa(tmp_path, "--manual") as ca:
        assert command(ca, "approve", device.transaction_id) == 0
        leaf = device.poll(by_post(ca.url)).leaf(device.key)
        assert to_pem(leaf) == ca.issued()[0].read_text()


def test_the_operators_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LabCa(tmp_path, "--manual") as ca:
        device = device_of(ca.url)
        device.enrol(by_post(ca.url))
        assert command(ca, "list") == 0
        assert f"{device.transaction_id} pending requests 1 polls 0" in capsys.readouterr().out
        assert command(ca, "approve", "unknown") == 1
        assert command(ca, "deny") == 0
        assert f"{device.transaction_id} denied" in capsys.readouterr().out
        assert command(ca, "approve", "all") == 1
        assert command(ca, "release") == 1
        assert "nobody is held" in capsys.readouterr().err
        assert device.poll(by_post(ca.url)).status == client.FAILURE


def test_a_ca_that_cannot_serve_says_why(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca:
        words = [sys.executable, "-m", "tools.lab_ca", "--dir", str(ca.dir)]
        taken = run(*words, "--listen", f"127.0.0.1:{ca.port}", cwd=ROOT)
        assert (taken.returncode, b"in use" in taken.stderr) == (1, True)
        chain = run(*words, "--chain", cwd=ROOT)
        assert (chain.returncode, b"without a root" in chain.stderr) == (1, True)
        address = run(*words, "--listen", "1234", cwd=ROOT)
        assert (address.returncode, b"ADDR:PORT" in address.stderr) == (2, True)


@pytest.mark.parametrize("options", [(), ("--quirk", "root-absent")])
def test_the_ca_set_under_a_root(tmp_path: Path, options: tuple[str, ...]) -> None:
    with LabCa(tmp_path, "--chain", "--ra", *options) as ca:
        names = ["ra-enc.pem", "ra-sig.pem", "ca.pem", "root.pem"][: 3 + (not options)]
        stored = [read_certificate(ca.dir / name) for name in names]
        published = certificates(ca.url)
        assert [item.dump() for item in published] == [item.dump() for item in stored]
        device = Device(published[0], published[2])
        device.enrol(by_post(ca.url))
        root, middle = str(ca.dir / "root.pem"), str(ca.dir / "ca.pem")
        verify = ("verify", "-x509_strict", "-CAfile", root, "-untrusted", middle)
        openssl(*verify, str(ca.issued()[0]), str(ca.dir / "ra-enc.pem"))


def test_operations_over_http(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca:
        caps = http_request(ca.url, "operation=GetCACaps")
        assert caps.body.decode().split("\n") == [*server.CAPABILITIES.split(), ""]
        elsewhere = ca.url.replace("/scep", "/cgi-bin/pkiclient.exe")
        assert http_request(elsewhere, "x=1&operation=GetCACaps&message=ca1") == caps
        rows: list[tuple[str, bytes | None, int]] = [
            ("operation=Nonsense", None, 400),
            ("", None, 400),
            ("operation=GetNextCACert", None, 404),
            ("operation=PKIOperation&message=%21", None, 400),
            ("operation=PKIOperation&message=AAAA", None, 400),
            ("operation=PKIOperation", b"rubbish", 400),
            ("operation=Nonsense", b"rubbish", 400),
            ("operation=PKIOperation", bytes(server.BODY_BYTES + 1), 413),
        ]
        answers = [http_request(ca.url, query, body) for query, body, _ in rows]
        assert [answer.status for answer in answers] == [status for _, _, status in rows]
        assert {answer.kind for answer in answers} == {"text/plain"}
        chunked = {"Transfer-Encoding": "chunked"}
        assert http_request(ca.url, "operation=PKIOperation", b"0\r\n\r\n", chunked).status == 411
        log = ca.log()
        assert [line["http_status"] for line in log[2:]] == [row[2] for row in rows] + [411]
        assert all(set(line) == {"time_ms", *server.LOG_FIELDS} for line in log)
        assert {line["peer"] for line in log} == {"127.0.0.1"}


def test_get_only(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--quirk", "get-only", "--caps", "AES SCEPStandard SHA-256") as ca:
        assert http_request(ca.url, "operation=GetCACaps").body == b"AES\nSHA-256\n"
        assert http_request(ca.url, "operation=PKIOperation", b"x").status == 405
        device = device_of(ca.url)
        device.enrol(by_get(ca.url)).leaf(device.key)
        message = device.message(client.PKCS_REQ, pkcs10(device.key, "dev1"))
        for text in odd_spellings(message):
            query = f"operation=PKIOperation&message={text}"
            assert http_request(ca.url, query).status == 200
        methods = [line["method"] for line in ca.pki_operations()]
        assert methods == ["POST", "GET", "GET", "GET"]


def odd_spellings(message: bytes) -> list[str]:
    """How sscep and macOS send it: line breaks escaped, nothing escaped at all."""
    lines = base64.encodebytes(message).decode()
    quoted = lines.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    return [quoted.replace("\n", "%0A"), lines.replace("\n", "")]


def test_the_log_tells_what_was_said(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--challenge", "sekret") as ca:
        device = device_of(ca.url)
        shape = client.Shape(cipher="aes256", digest="sha512")
        device.enrol(by_post(ca.url), "sekret", shape)
        (line,) = ca.pki_operations()
        port, time_ms = line.pop("port"), line.pop("time_ms")
        assert isinstance(port, int)
        assert isinstance(time_ms, int)
        assert line == {
            **dict.fromkeys(server.LOG_FIELDS[5:]),
            "operation": "PKIOperation",
            "method": "POST",
            "path": "/scep",
            "peer": "127.0.0.1",
            "messageType": "PKCSReq",
            "transactionID": device.transaction_id,
            "senderNonce": device.nonce.hex(),
            "digest": "sha512",
            "cipher": "aes256",
            "csr_sha256": hashlib.sha256(pkcs10(device.key, "dev1", "sekret")).hexdigest(),
            "signer_sha256": hashlib.sha256(device.signer.dump()).hexdigest(),
            "pkiStatus": "SUCCESS",
            "http_status": 200,
        }


def test_the_same_request_from_many_at_once_is_issued_once(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca:
        device = device_of(ca.url)
        body = device.message(client.PKCS_REQ, pkcs10(device.key, "dev1"))
        waiting = [InBackground(lambda: by_post(ca.url)(body)) for _ in range(4)]
        leaves = {client.read_reply(bytes_of(one)).leaf(device.key).dump() for one in waiting}
        assert len(leaves) == len(ca.issued()) == 1
        assert [record.requests for record in ca.requests()] == [4]


def bytes_of(waiting: InBackground) -> bytes:
    result = waiting.result()
    assert isinstance(result, bytes)
    return result


def test_one_connection_carries_many_operations(tmp_path: Path) -> None:
    with LabCa(tmp_path) as ca:
        connection = http.client.HTTPConnection("127.0.0.1", ca.port, timeout=CALL_S)
        for _ in range(3):
            connection.request("GET", "/?operation=GetCACaps")
            assert connection.getresponse().read()
        connection.close()
        assert len({line["port"] for line in ca.log()}) == 1


def test_options_reach_the_certificates(tmp_path: Path) -> None:
    words = ("--validity", "600", "--no-backdate", "--clock-offset", "-86400")
    with LabCa(tmp_path, *words, "--hostile", "subject", "--hostile", "message-type") as ca:
        device = device_of(ca.url)
        reply = device.enrol(by_post(ca.url))
        assert reply.attributes["2"] == "19"
        leaf = reply.leaf(device.key)
        assert leaf.subject.native["common_name"] == "somebody else"
        assert (leaf.not_valid_after - leaf.not_valid_before).total_seconds() == 600
        seen_s = int(str(ca.pki_operations()[0]["time_ms"])) // 1000
        assert abs(leaf.not_valid_before.timestamp() + 86_400 - seen_s) < 60


def test_it_shares_no_code_with_the_product() -> None:
    text = "import sys, tools.lab_ca.__main__; print(*(m for m in sys.modules))"
    done = run(sys.executable, "-c", text, cwd=ROOT)
    rooms = {name.partition(".")[0] for name in done.stdout.decode().split()}
    assert done.returncode == 0
    assert not rooms & {"agent", "hal", "platforms"}


def test_every_switch_has_its_sentence_in_the_help() -> None:
    done = run(sys.executable, "-m", "tools.lab_ca", "--help", cwd=ROOT)
    lines = {line.strip() for line in done.stdout.decode().splitlines()}
    for name, switch in (QUIRKS | HOSTILE).items():
        assert re.fullmatch("[a-z0-9.-]+", name)
        assert any(re.fullmatch(f"{name} +{re.escape(switch.says)}", line) for line in lines), name
    assert not set(QUIRKS) & set(HOSTILE), "one name has one meaning"


@pytest.mark.parametrize(
    ("option", "name", "near"),
    [("--quirk", "caps-htm", "caps-html"), ("--hostile", "nonces", "nonce")],
)
def test_an_unknown_switch_is_refused_with_the_nearest(
    tmp_path: Path, option: str, name: str, near: str
) -> None:
    words = [sys.executable, "-m", "tools.lab_ca", "--dir", str(tmp_path)]
    done = run(*words, option, name, cwd=ROOT)
    text = done.stderr.decode()
    assert done.returncode == 2
    assert f"no such name: '{name}'; the nearest: {near}" in text


def test_several_switches_are_one(tmp_path: Path) -> None:
    names = ("--quirk", "reply-3des", "--quirk", "chunked", "--hostile", "nonce")
    with LabCa(tmp_path, *names) as ca:
        device = device_of(ca.url)
        reply = device.enrol(by_post(ca.url))
        assert reply.cipher == "tripledes_3key"
        assert reply.attributes["6"] != device.nonce


def test_one_reader_at_a_time() -> None:
    """asn1crypto prepares a class at its first use: another thread would meet it half prepared."""
    read: list[str] = []

    def reads() -> None:
        with request.guard(ValueError()):
            read.append("the other one")

    with request.guard(ValueError()):
        other = threading.Thread(target=reads)
        other.start()
        other.join(0.05)  # it cannot come first, however long this takes
        read.append("the first one")
    other.join(CALL_S)
    assert read == ["the first one", "the other one"]
