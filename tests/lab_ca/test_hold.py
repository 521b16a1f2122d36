"""Conversations that the lab CA holds at a named point."""

import socket
from pathlib import Path

from tests.helpers import labca_client as client
from tests.helpers.labca import CALL_S, InBackground, LabCa
from tests.helpers.labca_client import CertRep, Device, pkcs10
from tests.helpers.labca_http import Answer, by_post, device_of, http_request
from tools.lab_ca import __main__, hold
from tools.lab_ca.authority import to_pem


def command(ca: LabCa, *words: str) -> int:
    return __main__.main(["--dir", str(ca.dir), *words])


def caps_of(ca: LabCa, _device: Device) -> object:
    return http_request(ca.url, "operation=GetCACaps")


def set_of(ca: LabCa, _device: Device) -> object:
    return http_request(ca.url, "operation=GetCACert")


def enrol_at(ca: LabCa, device: Device) -> object:
    return device.enrol(by_post(ca.url))


def poll_at(ca: LabCa, device: Device) -> object:
    return device.poll(by_post(ca.url))


def test_each_state_can_be_held(tmp_path: Path) -> None:
    """One manual conversation, held at every point of it, each time released."""
    with LabCa(tmp_path) as plain:  # makes the CA, so that the device knows it
        device = device_of(plain.url)
    holds = [word for state in hold.STATES for word in ("--hold", state)]
    with LabCa(tmp_path, "--manual", *holds) as ca:
        calls = [(caps_of, "getcacaps"), (set_of, "getcacert"), (enrol_at, "pkcsreq")]
        for call, state in calls:
            waiting = InBackground(lambda call=call: call(ca, device))  # type: ignore[misc]
            held = ca.held()
            known = device.transaction_id if state == "pkcsreq" else None
            assert held == {"state": state, "transaction": known}
            if state != "pkcsreq":
                ca.release()
                assert isinstance(waiting.result(), Answer)
        assert ca.requests() == [], "nothing was done yet"
        ca.release()
        assert ca.held()["state"] == "pending"
        assert [record.state for record in ca.requests()] == ["pending"]
        assert ca.approve() == [device.transaction_id]
        ca.release()
        assert status_of(waiting) == client.PENDING
        waiting = InBackground(lambda: poll_at(ca, device))
        assert ca.held()["state"] == "certpoll"
        assert ca.issued() == []
        ca.release()
        assert ca.held()["state"] == "issued"
        assert len(ca.issued()) == 1
        assert command(ca, "release") == 0
        ca.let_go()
        assert status_of(waiting) == client.SUCCESS
        assert not (ca.dir / "release").exists()
        states = [line["held"] for line in ca.log() if line["held"]]
        assert states == ["getcacaps", "getcacert", "pkcsreq", "pending", "certpoll", "issued"]
        assert [line["pkiStatus"] for line in ca.pki_operations()] == ["PENDING", "SUCCESS"]


def status_of(waiting: InBackground) -> object:
    reply = waiting.result()
    assert isinstance(reply, CertRep)
    return reply.status


def test_a_client_that_goes_away_lets_go(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--hold", "issued") as ca:
        device = device_of(ca.url)
        body = device.message(client.PKCS_REQ, pkcs10(device.key, "dev1"))
        head = f"POST /?operation=PKIOperation HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", ca.port), CALL_S) as connection:
            connection.sendall(head.encode() + body)
            assert ca.held()["state"] == "issued"
            assert http_request(ca.url, "operation=GetCACaps").status == 200, "others are served"
        ca.let_go()
        assert ca.pki_operations() == [], "its reply never left"
        leaf = device.enrol(by_post(ca.url)).leaf(device.key)
        assert to_pem(leaf) == ca.issued()[0].read_text()
        assert len(ca.issued()) == 1


def test_hold_always_and_a_release_that_came_too_early(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--hold", "getcacaps", "--hold-always") as ca:
        (ca.dir / "release").touch()
        for _ in range(2):
            waiting = InBackground(lambda: http_request(ca.url, "operation=GetCACaps"))
            assert ca.held() == {"state": "getcacaps", "transaction": None}
            ca.release()
            assert waiting.result()


def test_it_ends_while_a_conversation_is_held(tmp_path: Path) -> None:
    with LabCa(tmp_path, "--hold", "getcacaps") as ca:
        connection = socket.create_connection(("127.0.0.1", ca.port), CALL_S)
        connection.sendall(b"GET /?operation=GetCACaps HTTP/1.1\r\n\r\n")
        ca.held()
        assert ca.stop() == 0
        connection.close()
    with LabCa(tmp_path) as ca:
        assert not (ca.dir / "held").exists(), "a stale file would mislead"
