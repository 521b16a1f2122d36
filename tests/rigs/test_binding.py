"""Source binding in random networks: a slice of the rig, its planted faults, and its own parts."""

import os
import re
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from hal.ports import Source
from tests.rigs.binding.network import RST, _read
from tests.rigs.binding.topology import CA_4, LOOPBACK, NAME, Nic, Topology, Try, draw, rule

ROOT = Path(__file__).resolve().parents[2]
RIG_S = 200
FIGURES = re.compile(
    r"netns: topologies=(\d+) connections=(\d+) segments=(\d+) orphans=\d+ violations=(\d+)"
    r" seconds=\d+ seed=1"
)

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "ip", "mount"))),
    reason="needs root, unshare, ip and mount",
)


def rig(topologies: int, *arguments: str) -> tuple[int, list[int], str]:
    """Status, figures and all the words of a run."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.rigs.binding", "--topologies", str(topologies), *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=RIG_S,
    )  # fmt: skip
    found = FIGURES.fullmatch(done.stdout.splitlines()[-1] if done.stdout else "")
    assert found, done.stdout + done.stderr
    return done.returncode, [int(number) for number in found.groups()], done.stdout


@pytest.mark.needs_root
@needs_root
def test_no_segment_leaves_from_elsewhere() -> None:
    status, (topologies, connections, segments, violations), words = rig(20)
    assert (status, violations) == (0, 0), words
    assert topologies == 20
    assert connections > 10
    assert segments > 5 * connections / 2
    assert " answered=" in words


@pytest.mark.needs_root
@needs_root
@pytest.mark.parametrize(("fault", "topologies"), [("source", 5), ("device", 8), ("second", 5)])
def test_the_rig_finds_planted_faults(fault: str, topologies: int) -> None:
    status, figures, words = rig(topologies, "--plant", fault)
    assert status == 1
    assert figures[3] > 0
    assert "1:" in words


# -- its own parts ---------------------------------------------------------------------------------

NICS = (
    Nic("e1", ("10.1.0.1", "10.1.0.2", "2001:db8:1::1")),
    Nic("e2", ("10.2.0.1",), "down"),
    Nic("e3", ()),
    Nic("lo", ("192.0.2.1", *LOOPBACK)),
)


def judged(source: Source, host: str = CA_4[0], mishap: str | None = None) -> tuple[object, ...]:
    topology = Topology("x:0", NICS, (CA_4[1], "2001:db8:fffe::1"), (), ())
    right = rule(topology, Try(source, host, mishap, None))
    return sorted(right.addresses or ()), right.device, right.closed


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (Source(), ([], None, False)),
        (Source("10.1.0.2"), (["10.1.0.2"], None, False)),
        (Source("10.1.0.2", bind_device=True), (["10.1.0.2"], "e1", False)),
        (Source("10.9.0.9"), (["10.9.0.9"], None, True)),
        (Source("2001:db8:1::1"), (["2001:db8:1::1"], None, True)),  # the CA has IPv4 only
        (Source(interface="e1"), (["10.1.0.1", "2001:db8:1::1"], None, False)),
        (Source(interface="e1", bind_device=True), (["10.1.0.1", "2001:db8:1::1"], "e1", False)),
        (Source(interface="e2"), (["10.2.0.1"], None, True)),
        (Source(interface="e3"), ([], None, True)),
        (Source(interface="e9"), ([], None, True)),
        (Source(interface="lo", vrf="e1"), (["192.0.2.1", "::1"], "e1", False)),
        (Source(vrf="e1"), ([], "e1", False)),
        (Source(vrf="e2"), ([], "e2", True)),
        (Source("10.1.0.1", vrf="e2"), (["10.1.0.1"], "e2", True)),
    ],
)
def test_what_is_right(source: Source, wanted: tuple[object, ...]) -> None:
    assert judged(source) == wanted


def test_a_name_may_have_the_right_family_and_a_mishap_may_change_the_first_address() -> None:
    assert judged(Source("2001:db8:1::1"), NAME) == (["2001:db8:1::1"], None, False)
    found, _device, _closed = judged(Source(interface="e1"), mishap="flushed")
    assert found == ["10.1.0.1", "10.1.0.2", "2001:db8:1::1"]


def test_drawings_are_replayed_and_differ() -> None:
    many = [draw("7", number) for number in range(50)]
    assert many == [draw("7", number) for number in range(50)]
    assert len({str(topology) for topology in many}) == 50
    assert {len(topology.nics) - 1 for topology in many} == {1, 2, 3, 4}
    tries = [attempt for topology in many for attempt in topology.tries]
    assert {attempt.mishap for attempt in tries} == {
        *(None, "down", "removed", "flushed", "no-carrier")
    }


def test_segments_are_read() -> None:
    tcp = struct.pack("!HHIIBBHHH", 40000, 80, 1, 2, 0x50, RST, 0, 0, 0)
    four = bytes([0x46]) + bytes(8) + b"\x06" + bytes(2) + socket.inet_aton("10.1.0.1") + bytes(8)
    six = bytes([0x60]) + bytes(5) + b"\x06\x40"
    six += socket.inet_pton(socket.AF_INET6, "2001:db8::1") + bytes(16)
    assert _read(four + tcp) == ("10.1.0.1", (40000, 80), RST)
    assert _read(six + tcp) == ("2001:db8::1", (40000, 80), RST)
    assert _read(four.replace(b"\x06", b"\x11", 1) + tcp) is None
    assert _read(b"") is None
