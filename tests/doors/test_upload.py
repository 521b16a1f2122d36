"""Configurations that come over the console socket: in pieces, cut off, too long, at any level."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import limits
from agent.doors.wire import APPLY, DRY_RUN, END, hello
from agent.errors import fail
from tests.doors.test_attach import Console


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    found = Console(str(tmp_path / "console.sock"))
    yield found
    found.server.close()
    for client in found.clients:
        client.close()


def running(console: Console) -> str:
    return "".join(f"{line}\n" for line in console.bench.device.configuration.running())


def send(console: Console, kind: str, *pieces: bytes) -> tuple[str, str]:
    client = console.client(hello(kind))
    for piece in pieces:
        rest = memoryview(piece)
        while rest:
            rest = rest[client.send(rest[:65536]) :]
            console.turn(2)
    said = b""
    for _look in range(1000):
        said += console.read(client)
        if said.endswith(b"EOF"):
            break
    text, _mark, status = said.partition(END)
    return text.decode(), status.decode()


def test_a_text_in_pieces_is_applied_at_its_end(console: Console) -> None:
    text = running(console).replace("sysname Huawei", "sysname r7").encode()
    said, status = send(console, APPLY, *[bytes([byte]) for byte in text + END])
    assert status == "0\nEOF"
    assert said.splitlines()[:2] == ["-sysname Huawei", "+sysname r7"]
    assert console.bench.device.settings.sysname == "r7"
    assert not console.bench.device.configuration.unsaved()


def test_a_dry_run_changes_nothing(console: Console) -> None:
    before = running(console)
    said, status = send(console, DRY_RUN, b"sysname r7\n" + END)
    assert status == "0\nEOF"
    assert "+sysname r7" in said
    assert running(console) == before


def test_passwords_go_through_the_worker_with_what_was_before(console: Console) -> None:
    bench = console.bench
    text = running(console).replace("\n entity r1", "\n entity r1\n password cipher topsecret")
    for expected in (None, "%^%#tercespot%^%#"):
        bench.worker.jobs.clear()
        assert send(console, APPLY, text.encode() + END)[1] == "0\nEOF"
        (job,) = bench.worker.jobs
        assert (job["op"], job["plain"], job["before"]) == ("seal", "topsecret", expected)
    assert b"topsecret" not in bench.flash.image()
    assert "topsecret" not in bench.logged()


def test_a_job_that_fails_changes_nothing(console: Console) -> None:
    before = running(console)
    console.bench.worker.answers["seal"] = fail("job-died")
    text = b"pki realm x\n password cipher topsecret\n"
    said, status = send(console, APPLY, text + END)
    assert status == "1\nEOF"
    assert "Info: The password of line 2 is not possible." in said
    assert running(console) == before


def test_who_hangs_up_while_passwords_are_sealed_changes_nothing(console: Console) -> None:
    before = running(console)
    console.bench.worker.answers["seal"] = lambda job: None
    client = console.client(hello(APPLY))
    client.send(b"pki realm x\n password cipher topsecret\n" + END)
    console.turn()
    assert console.bench.worker.ops()[-1] == "seal"
    client.close()
    console.turn()
    assert running(console) == before


@pytest.mark.parametrize(
    "text", [b"! " + b"x" * limits.APPLY_BYTES + END, b"sysname a" + END + b"sysname b\n" + END]
)
def test_too_much_is_refused(console: Console, text: bytes) -> None:
    before = running(console)
    client = console.client(hello(APPLY))
    client.setblocking(True)
    client.settimeout(60)
    said, sent = b"", 0
    while sent < len(text):  # the agent reads while we write
        sent += client.send(text[sent : sent + 4096])
        console.turn(3)
    client.setblocking(False)
    said = console.read(client)
    assert b"Error: Nothing was changed" in said
    assert said.endswith(END + b"1\nEOF")
    assert running(console) == before


def test_a_text_that_never_ends_is_not_kept(console: Console) -> None:
    client = console.client(hello(APPLY))
    client.send(b"sysname r7\n")
    console.turn()
    client.close()
    console.turn()
    assert console.bench.device.settings.sysname == "Huawei"


def test_levels_are_those_of_the_lines(console: Console) -> None:
    text = running(console).replace("sysname Huawei", "sysname r7").encode()
    for level, status in ((1, "1\nEOF"), (2, "0\nEOF")):
        console.level = level
        assert send(console, APPLY, text + END)[1] == status
    without = b"sysname r7\n" + END  # the realm holds a trusted CA
    said, status = send(console, APPLY, without)
    assert status == "1\nEOF"
    assert "level 3" in said


def test_a_kind_that_nobody_knows_is_refused(console: Console) -> None:
    assert console.read(console.client(hello("nonsense"))) == b"EOF"
