"""Losing records on purpose: flash that rots behind the agent's back, in life and on fakes."""

import binascii
import struct
from collections.abc import Mapping

from agent.console.session.session import Session
from agent.pieces import at_once
from agent.settings import LocalUser
from hal.fakes.flash import FakeFlash
from hal.flash import FileFlash
from hal.store import Store
from platforms.board import Flash
from tests.helpers.appliance_values import hashed
from tests.helpers.board import Agent
from tests.helpers.device_bench import Bench, ready

MAGIC, HEADER = b"SCEPSEG\0", struct.Struct(">8sHHIIHHIIQI")  # docs/FORMAT.md 3
SMALL = (4096, 16)  # blocks of a part on which many cuts are tried


def stored(agent: Agent) -> dict[str, object]:
    """What the store of an agent holds that does not run."""
    flash = _flash(agent)
    try:
        store = Store.mount(flash)
        return {key: store.get(key) for key in store.keys("")}
    finally:
        flash.close()


def write(agent: Agent, changes: Mapping[str, object]) -> None:
    """Records of any shape, in the place of those of an agent that does not run."""
    flash = _flash(agent)
    try:
        Store.mount(flash).commit(changes)
    finally:
        flash.close()


def rot(agent: Agent, *keys: str) -> int:
    """Turns a bit in each record of these keys, replaced ones too; how many there were."""
    path = agent.dir / "flash.bin"
    data = bytearray(path.read_bytes())
    count = sum(rot_image(data, key) for key in keys)
    path.write_bytes(data)
    return count


def rot_image(data: bytearray, key: str, behind: int = 9) -> int:
    """The same in an image: a bit of the value, `behind` bytes after each place of the key."""
    name = bytes((0x60 + len(key),)) + key.encode()  # CBOR: a text of up to 23 bytes
    count, at = 0, data.find(name)
    while at >= 0:
        data[at + len(name) + behind] ^= 1
        count += 1
        at = data.find(name, at + 1)
    return count


def _flash(agent: Agent) -> FileFlash:
    part = Flash()
    return FileFlash(str(agent.dir / "flash.bin"), part.erase_size, part.size // part.erase_size)


def of_the_next_version(image: bytearray) -> int:
    """Gives each intact header of segments the next format version; how many there were."""
    count, at = 0, image.find(MAGIC)
    while at >= 0:
        magic, version, *rest = HEADER.unpack_from(image, at)
        newer = HEADER.pack(magic, version + 1, *rest)
        image[at : at + len(newer) + 4] = newer + struct.pack(">I", binascii.crc32(newer))
        at, count = image.find(MAGIC, at + 1), count + 1
    return count


# -- on fakes --------------------------------------------------------------------------------------


def rotten(bench: Bench, *keys: str) -> None:
    """After a reboot on flash that has rotted in each record of these keys."""
    data = bytearray(bench.flash.image())
    assert all(rot_image(data, key) for key in keys)
    bench.flash = FakeFlash.from_image(bytes(data), bench.flash.block_size)
    bench.reboot()


def rotting(bench: Bench, *keys: str) -> None:
    """The same, and the device goes on."""
    image = bench.flash.image()
    data = bytearray(image)
    assert all(rot_image(data, key) for key in keys)
    for at in (at for at in range(len(data)) if data[at] != image[at]):
        bench.flash.flip(at, 0)


def spoilt(bench: Bench, **values: object) -> None:
    """After a reboot with records that nobody can read."""
    bench.store.commit({key.replace("__", "/"): value for key, value in values.items()})
    bench.reboot()


def closed(bench: Bench) -> str:
    return bench.device.configuration.closed()


def typed(bench: Bench, level: int, *lines: str) -> str:
    """What a script of this level says."""
    said = bytearray()
    session = Session(bench.device, said.extend, bench.loop, level=level, terminal=False)
    ended: list[int] = []
    for line in lines:
        session.run_line(line, ended.append)
    for _turn in range(1000):
        if len(ended) == len(lines):
            break
        bench.turn(1)
    bench.turn()
    session.close()
    return said.decode()


def with_users() -> Bench:
    """A device with realm abc whose line asks for a user."""
    bench = ready(FakeFlash(*SMALL))
    settings = bench.device.settings
    settings.users["ann"] = LocalUser("ann", hashed("of ann"), 3, True)
    settings.console.mode = "aaa"
    at_once(bench.device.configuration.save())
    return bench
