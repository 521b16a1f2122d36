"""The board file: the wiring of one board, in TOML. Nothing else knows which board it is on.

    [flash]      kind = "file" (or "mtd"), path, size, erase_size, program_size     bytes
    [storage]    path                        folder of the certificate files
    [memory]     path, owner, group, mode    folder on tmpfs; mode as "0640"
    [memory.realm.NAME]  owner, group, mode  of one realm, where they are others
    [console]    socket, operators           unix socket, and the group that may use it
                 recovery                    "erase" or "none": what a serial line offers that lets
                                             nobody in, since whom it lets in was lost
    [[console.serial]]  path, baud, flow     flow = "none", "xonxoff" or "rtscts"
    [clock]      rtc, synchronised           RTC device or ""; the file that a time source touches,
                                             which vouches for the time of a day
                 floor                       "leave" or "set": a clock that is behind all that has
                                             passed for sure is moved up to it at the start
    [watchdog]   path                        watchdog device or ""
    [seal]       path                        the device key
    [worker]     user                        name or number; without: see `platforms/users.py`
                 memory_bytes, cpu_s         of each child
                 connect_s, receive_s, exchange_s    for a slow line: see `agent/limits.py`
    [herd]       first_s                     over which time the first attempts after a start are
                                             spread; 0 on the simulated board
    [interfaces] "GigabitEthernet0/0/0" = "eth0"
    [hooks]      path                        folder of executables
    [metrics]    path                        file for a node exporter
    [identity]   serial                      serial number of the board
    [reboot]     program                     what restarts the board, /sbin/reboot; "": it cannot

Every key may be absent. Owners and groups are names or numbers. A relative path lies in the folder
of its kind: state (flash, storage, key), run (socket, memory, metrics), configuration (hooks).
A key that is not known is an error: a misspelt one must not be a default in silence. So is an
empty text where there is a default.
"""

import os
from collections.abc import Mapping

from agent import limits
from hal.annotations import Any
from hal.clock import SYNCHRONISED_FILE
from hal.files import read_text
from hal.named import NamedTuple
from platforms import toml

BOARD_FILE_BYTES = 64 * 1024
STATE_FOLDER = "/var/lib/scep-agent"
RUN_FOLDER = "/run/scep-agent"
CONFIGURATION_FOLDER = "/etc/scep-agent"
BOARD_FILE = CONFIGURATION_FOLDER + "/board.toml"  # what `scep-agent run` reads unless told


class BoardError(ValueError):
    """The board file is wrong: section, key, and what was expected there."""


class Flash(NamedTuple):
    """256 blocks of 4 KiB: what a small NOR part has, and room for some hundred realms."""

    kind: str = "file"
    path: str = "flash.bin"
    size: int = 1024 * 1024
    erase_size: int = 4096
    program_size: int = 1


class Storage(NamedTuple):
    path: str = "storage"


class RealmReaders(NamedTuple):
    """What is absent is that of [memory]."""

    owner: str = ""
    group: str = ""
    mode: int = 0


class Memory(NamedTuple):
    """realm: by the folded names of realms."""

    path: str = "memory"
    owner: str = ""
    group: str = ""
    mode: int = 0o600
    realm: Mapping[str, RealmReaders] = {}


class SerialLine(NamedTuple):
    path: str
    baud: int = 9600
    flow: str = "none"


class Console(NamedTuple):
    socket: str = "console.sock"
    operators: str = ""
    recovery: str = "erase"
    serial: tuple[SerialLine, ...] = ()


class ClockWiring(NamedTuple):
    rtc: str = ""
    synchronised: str = SYNCHRONISED_FILE
    floor: str = "leave"


class WatchdogWiring(NamedTuple):
    """Without a device there is none. The time is what the driver makes of it."""

    device: str = ""
    timeout_s: int = 60


class Seal(NamedTuple):
    path: str = "device.key"


class Worker(NamedTuple):
    user: str = ""
    memory_bytes: int = limits.CHILD_MEMORY_BYTES
    cpu_s: int = limits.CHILD_CPU_S
    connect_s: int = limits.CONNECT_S
    receive_s: int = limits.RECEIVE_S
    exchange_s: int = limits.EXCHANGE_S


class Herd(NamedTuple):
    first_s: int = limits.SPREAD_S


class Hooks(NamedTuple):
    path: str = "hooks.d"


class Metrics(NamedTuple):
    path: str = "metrics.prom"


class Identity(NamedTuple):
    serial: str = ""


class Reboot(NamedTuple):
    program: str = ""


class Board(NamedTuple):
    """The whole board file. `Board()` is the built-in generic Linux board."""

    flash: Flash = Flash()
    storage: Storage = Storage()
    memory: Memory = Memory()
    console: Console = Console()
    clock: ClockWiring = ClockWiring()
    watchdog: WatchdogWiring = WatchdogWiring()
    seal: Seal = Seal()
    worker: Worker = Worker()
    herd: Herd = Herd()
    interfaces: Mapping[str, str] = {}
    hooks: Hooks = Hooks()
    metrics: Metrics = Metrics()
    identity: Identity = Identity()
    reboot: Reboot = Reboot()


_CHOICES = {
    ("flash", "kind"): ("file", "mtd"),
    ("console.serial", "flow"): ("none", "xonxoff", "rtscts"),
    ("console", "recovery"): ("erase", "none"),
    ("clock", "floor"): ("leave", "set"),
}
_KINDS = {str: "a text", int: "an integer", list: "a list", dict: "a table"}


def load_board(path: str) -> Board:
    """Reads a board file. Raises BoardError for its content, FilesError for the file."""
    return parse_board(read_text(path, BOARD_FILE_BYTES))


def board_file() -> Board:
    """The installed board file, or the built-in board. Raises as `load_board` does."""
    return load_board(BOARD_FILE) if os.path.exists(BOARD_FILE) else Board()


def default_board() -> Board:
    """The same with whole paths: where an installed agent has its console."""
    return place(board_file())


def parse_board(text: str) -> Board:
    """A board from TOML. Raises BoardError."""
    try:
        table = toml.tables(text)
    except toml.TomlError as error:
        raise BoardError(f"not TOML: {error}") from error
    except OSError as error:
        raise BoardError(f"the board file could not be read: {error.strerror}") from error
    _check_keys("the board file", table, Board._fields, "section")
    sections: dict[str, Any] = {
        name: _names(value) if name == "interfaces" else _section(name, value)
        for name, value in table.items()
    }
    board = Board(**sections)
    _check_flash(board.flash)
    return board


def place(board: Board, state_dir: str | None = None) -> Board:
    """The board with whole paths; `state_dir` stands for all three folders at once."""
    state, run, configuration = (
        state_dir or default for default in (STATE_FOLDER, RUN_FOLDER, CONFIGURATION_FOLDER)
    )
    join = os.path.join  # which leaves a path that is whole already as it is
    return board._replace(
        flash=board.flash._replace(path=join(state, board.flash.path)),
        storage=Storage(join(state, board.storage.path)),
        seal=Seal(join(state, board.seal.path)),
        memory=board.memory._replace(path=join(run, board.memory.path)),
        console=board.console._replace(socket=join(run, board.console.socket)),
        metrics=Metrics(join(run, board.metrics.path)),
        hooks=Hooks(join(configuration, board.hooks.path)),
    )


def _section(name: str, value: object) -> Any:
    return _record(name, type(Board._field_defaults[name]), _typed(dict, value, name))


def _record(section: str, record: Any, table: dict[str, object]) -> Any:
    """One table of the file as a record: its fields are the keys, their types the shapes."""
    _check_keys(section, table, record._fields, "key")
    missing = set(record._fields) - set(record._field_defaults) - set(table)
    if missing:
        raise BoardError(f"[{section}]: `{missing.pop()}` is missing")
    return record(**{key: _value(section, record, key, value) for key, value in table.items()})


def _value(section: str, record: Any, key: str, value: object) -> object:
    where = f"[{section}] {key}"
    if (section, key) == ("memory", "realm"):
        return _realms(where, _typed(dict, value, where))
    if section.startswith("memory") and key == "mode":
        return _mode(where, value)
    if (section, key) == ("console", "serial"):
        lines = _typed(list, value, where)
        return tuple(_record("console.serial", SerialLine, _typed(dict, x, where)) for x in lines)
    found = _typed(record.__annotations__[key], value, where)
    choices = _CHOICES.get((section, key))
    if choices and found not in choices:
        raise BoardError(f"{where}: one of {', '.join(choices)} was expected")
    if not found and record._field_defaults.get(key) != "":
        raise BoardError(f"{where}: must not be empty or 0")
    return found


def _realms(where: str, table: dict[str, object]) -> dict[str, RealmReaders]:
    """Names that differ in case only are one realm (VRP)."""
    found = {
        name.casefold(): _record(f"memory.realm.{name}", RealmReaders, _typed(dict, value, where))
        for name, value in table.items()
    }
    if len(found) < len(table):
        raise BoardError(f"{where}: two names differ in case only")
    return found


def _typed(kind: type, value: object, where: str) -> Any:
    """The value, when it is of the kind; numbers are not negative, texts have no control codes."""
    if type(value) is not kind:
        raise BoardError(f"{where}: {_KINDS[kind]} was expected")
    if isinstance(value, int) and value < 0:
        raise BoardError(f"{where}: must not be negative")
    if isinstance(value, str) and not value.isprintable():
        raise BoardError(f"{where}: holds a control character")
    return value


def _mode(where: str, value: object) -> int:
    """A file mode, written as the text of chmod(1) or as an octal integer of TOML."""
    try:
        mode = value if type(value) is int else int(_typed(str, value, where), 8)
    except ValueError as error:
        raise BoardError(f'{where}: an octal mode such as "0640" was expected') from error
    if not 0o400 <= mode <= 0o777 or mode & 0o022:
        raise BoardError(f"{where}: readable for the owner, writable for no one else")
    return mode


def _names(value: object) -> dict[str, str]:
    """Router names of interfaces to Linux names."""
    table = _typed(dict, value, "interfaces")
    return {name: _typed(str, linux, f"[interfaces] {name}") for name, linux in table.items()}


def _check_keys(where: str, table: dict[str, object], known: tuple[str, ...], what: str) -> None:
    for key in table:
        if key not in known:
            raise BoardError(f"{where}: unknown {what} `{key}`; known: {', '.join(known)}")


def _check_flash(flash: Flash) -> None:
    if flash.size % flash.erase_size or flash.erase_size % flash.program_size:
        raise BoardError("[flash]: size is not a multiple of erase_size, or that of program_size")
