"""A thousand realms: how soon the prompt is there, what each takes, how many a part holds.

The flash of a board is written beside the agent: by a device on fakes, whose store is the real one,
or by copies of the records of one realm that has been enrolled. What is configured is in
`tests/helpers/fleet.py`, some 470 bytes a realm with a sealed password.
"""

import time
from collections.abc import Iterator
from itertools import chain

from agent.device import reserve, saved
from agent.device.reserve import Ledger
from agent.pieces import at_once
from hal.fakes.flash import FakeFlash
from hal.flash import FileFlash
from hal.store import Store
from tests.helpers import fleet
from tests.helpers.board import APPLY, SAVE, procedure
from tests.helpers.fleet import BLOCK
from tests.helpers.fleet import MIB as MIB_BYTES
from tests.helpers.labca import LabCa, wait_for
from tools.bench import idle, proc
from tools.bench.figures import BYTES, COUNT, MS, TIMES, Figure
from tools.bench.rig import FULL, Board, Person, Probe, Rig, Samples

CONFIGURED, ENROLLED = (1000, 2000), (100, 400)
QUICKLY = 20  # the part of them that a quick run has
PART = 16 * MIB_BYTES
PARTS = (1, 4, 16)  # MiB
DISPLAYS = 20
USE_S = 120  # for all certificates into use; for the worker to go
SETTLE_S = 3  # look of a worker at itself, its linger not counted
STATISTICS = "display pki statistics"

OF_CONFIGURED = (
    Figure(
        "scale_prompt", MS, "from exec to the prompt at the socket with 1,000 realms saved", 500_000
    ),
    Figure("scale_prompt_cpu", MS, "CPU of the same"),
    Figure(
        "scale_prompt_double",
        TIMES,
        "CPU of a start with 2,000 realms in times that of 1,000",
        2200,
    ),
    Figure(
        "scale_configured", BYTES, "Private_Dirty a configured realm, from 1,000 to 2,000", 2048
    ),
    Figure("scale_statistics", MS, f"CPU of one `{STATISTICS}` with 1,000 realms", 50_000),
    Figure("scale_save", BYTES, "bytes of flash that `save` of one changed line programs", 1000),
)
OF_ENROLLED = (
    Figure(
        "scale_enrolled", BYTES, "Private_Dirty an enrolled realm, its configuration included", 8192
    ),
    *(
        Figure(
            f"scale_holds_{size}m",
            COUNT,
            f"enrolled realms of one CA that a file of {size} MiB holds",
        )
        for size in PARTS
    ),
)


def configured(rig: Rig) -> Samples:
    """Starts with the two counts of realms, and a day's work with the smaller one."""
    few, many = _counts(rig, CONFIGURED)
    with _board(rig, "few", fleet.saved(few, PART, raw=False).flash.image()) as board:
        wall_us, few_us, few_kib = _start(board)
        before_us = proc.cpu_us(board.pid)
        for _display in range(DISPLAYS):
            board.must(STATISTICS)
        display_us = (proc.cpu_us(board.pid) - before_us) // DISPLAYS
        lines = ("system-view", f"pki realm {fleet.name(few // 2)}", "ca id another")
        used = _programmed(board)
        board.must(*lines, *SAVE)
        used = _programmed(board) - used
    with _board(rig, "many", fleet.saved(many, PART, raw=False).flash.image()) as board:
        _wall_us, many_us, many_kib = _start(board)
    return {
        "scale_prompt": [wall_us],
        "scale_prompt_cpu": [few_us],
        "scale_prompt_double": [many_us * TIMES.size // few_us],
        "scale_configured": [(many_kib - few_kib) * 1024 // (many - few)],
        "scale_statistics": [display_us],
        "scale_save": [used],
    }


def enrolled(rig: Rig) -> Samples:
    """Boards whose realms are copies of one that a CA has enrolled."""
    few, many = _counts(rig, ENROLLED)
    with LabCa(rig.folder) as ca, _board(rig, "one") as board:
        board.must(*procedure(ca.url, f"fingerprint sha256 {ca.fingerprint}"), *SAVE, *APPLY)
        board.wait_state("issued")
        board.stop()
        dirty_kib = {}
        for count in (few, many):
            _copy(board, count)
            dirty_kib[count] = _start(board, count)[2]
            board.stop()
        holds = {size: _holds(_store(board), size * MIB_BYTES, many) for size in PARTS}
    each = (dirty_kib[many] - dirty_kib[few]) * 1024 // (many - few)
    return {
        "scale_enrolled": [each],
        **{f"scale_holds_{size}m": [count] for size, count in holds.items()},
    }


def _counts(rig: Rig, counts: tuple[int, int]) -> tuple[int, int]:
    part = 1 if rig.scale == FULL else QUICKLY
    return counts[0] // part, counts[1] // part


# -- boards ----------------------------------------------------------------------------------------


def _board(rig: Rig, name: str, image: bytes = b"") -> Board:
    """A board of its own with a large part; its device key is made before the flash is written."""
    folder = rig.folder / name
    folder.mkdir()
    wiring = folder / "board.toml"
    wiring.write_text(f"[flash]\nsize = {PART}\n")
    board = Board(folder, python=rig.python)
    board.board = str(wiring)
    board.start()
    if image:
        board.stop()
        (board.dir / "flash.bin").write_bytes(image)
    return board


def _start(board: Board, in_use: int = 0) -> tuple[int, int, int]:
    """Microseconds to the prompt, CPU of them, and KiB dirty when all is in use and at rest."""
    begin_ns = time.monotonic_ns()
    process = board.spawn()
    sock = None
    try:
        while sock is None:
            time.sleep(idle.POLL_S)
            sock = idle.greeted(board)
        Person(sock.fileno()).wait(b">")
        wall_us, cpu_us = (time.monotonic_ns() - begin_ns) // 1000, proc.cpu_us(board.pid)
    finally:
        board.adopt(process)
        if sock:
            sock.close()
    links = (board.dir / "memory" / fleet.name(number) / "current" for number in range(in_use))
    wait_for(lambda: all(link.exists() for link in links), USE_S, "not all are in use")
    time.sleep(SETTLE_S)
    wait_for(lambda: not board.worker(), USE_S, "the worker does not go")
    return wall_us, cpu_us, proc.memory(board.pid).dirty_kib


# -- flash -----------------------------------------------------------------------------------------


def _programmed(board: Board) -> int:
    """The bytes of the flash file that are not erased."""
    data = (board.dir / "flash.bin").read_bytes()
    return len(data) - data.count(b"\xff")


def _flash(board: Board) -> FileFlash:
    return FileFlash(str(board.dir / "flash.bin"), BLOCK, PART // BLOCK)


def _store(board: Board) -> Store:
    flash = _flash(board)
    try:
        return Store.mount(flash)
    finally:
        flash.close()


def _copy(board: Board, count: int) -> None:
    """Makes realms like `abc`, with the certificate of that and a configuration of their own."""
    flash = _flash(board)
    try:
        store = Store.mount(flash)
        store.commit(fleet.copied(store, "abc", count))
        fleet.write(store, _lines(store, count))
    finally:
        flash.close()


def _lines(store: Store, count: int) -> Iterator[str]:
    """The saved configuration without its realms, then these."""
    lines = [line for line in saved.read(store).lines() if line not in ("#", "return")]
    parts = at_once(saved.parted(lines))
    entities = (block for name, block in parts.blocks.items() if name.startswith("entity/"))
    model = parts.blocks["realm/abc"][1:]
    model = [line for line in model if not line.startswith(" rsa ")]
    own = fleet.text(count).splitlines()
    realms = {line: model for line in own if line.startswith("pki realm ")}
    yield from chain(parts.front, *entities, parts.blocks["realm/abc"])
    for header, block in realms.items():
        yield from (header, *block)


def _holds(store: Store, size: int, count: int) -> int:
    """How many realms like these fit into a file of that size, with the reserve behind them."""
    sizes = dict(store.sizes())
    names = {fleet.name(number) for number in range(count)}
    each = sum(size for key, size in sizes.items() if names & set(key.split("/"))) // count
    rest = sum(sizes.values()) - each * count
    room = Store.mount(FakeFlash(BLOCK, size // BLOCK, raw=False)).room_bytes
    return (room - rest - reserve.kept(Ledger(sizes.items()), {}).bytes()) // each


PROBES = (
    Probe("scale", configured, OF_CONFIGURED),
    Probe("scale_enrolled", enrolled, OF_ENROLLED, once=True),
)
