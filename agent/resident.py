"""The resident agent: picks the platform, puts the parts together, runs until it is told to stop.

The half of `__main__` that a console client does not need. Beside it, the only place of the agent
that knows platforms.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial

from agent import limits
from agent.device import devicekey
from agent.device.device import Device
from agent.device.hardware import Hardware, Part
from agent.device.upkeep import Upkeep
from agent.doors import attach, socket
from agent.errors import AgentError, fail
from agent.jobs.runner import JobRunner
from agent.log import Log
from agent.loop import Loop
from agent.signals import Signals
from hal.clock import LinuxClock
from hal.files import read_text
from hal.folder import ForeignError
from hal.inspection import forbid_inspection
from hal.jobs import WorkerJobs
from hal.machine import identity
from hal.ports import DeviceKeyError, FilesError, HalError, InUseError, LinkError, StoreError
from hal.power import start_anew, start_reboot
from hal.priority import come_forward
from hal.sockets import Credentials, listen_unix, remove_socket
from hal.store import Store
from platforms import linux, sim
from platforms.board import Board, BoardError, Worker, board_file, load_board
from platforms.linux import Platform
from platforms.users import group_number, worker_user

TYPE_CHECKING = False
if TYPE_CHECKING:
    from agent.watchdog import Feeder
    from hal.supervisor import Supervisor

SIMULATED = "sim"
CONFIGURATION_BYTES = 1024 * 1024
LOOK_AGAIN_NS = 10_000_000_000  # for a flash that could not be opened
RESTART_NS = 500_000_000  # for the last words of a session
LOOK_NS = 1_000_000_000  # the first prompt does not wait for the start of a worker
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What keeps the agent from starting: the error of a port, and its code in the catalogue.
# The first that fits counts, for the error itself or for what it was made from.
START_CODES: dict[type[Exception], str] = {
    ForeignError: "start-foreign",
    BoardError: "start-board",
    FilesError: "start-folder",
    InUseError: "start-second",
    LinkError: "start-console",
    StoreError: "start-store",
    HalError: "start-folder",
}

# The worker is started from where this program lies, whatever the working directory is.
WORKER_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from hal.forking import spare_children; spare_children(); "
    "from agent.worker import main; sys.exit(main(sys.argv[1:]))"
)


def run(board: str, state_dir: str | None, factory: str) -> int:
    """`scep-agent run`; the exit status. board: a file, `sim`, or empty for what is installed."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a typed password may be in our memory
    forbid_inspection()
    come_forward()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it may be inherited as ignored; we do reap
    loop = Loop(LinuxClock())
    platform, power, signals = None, Power(loop), Signals(loop)
    log = Log(loop.wall_s)
    try:
        _make_room()
        read = _read_board(board)
        platform = _open(board, read, state_dir, loop, log)
        text = read_text(factory, CONFIGURATION_BYTES) if factory else ""
        loop.use_clock(platform.clock, platform.longest_sleep_ns)
        _serve(loop, platform, text, power, log, Sources(signals, board, read))
    except (HalError, BoardError, AgentError) as error:
        sys.stderr.write(f"scep-agent: {_told(error)}\n")
        return 1
    finally:
        if platform:
            platform.close()
        loop.close()
    if power.off:
        start_anew()
    return 0


def _make_room() -> None:
    """As many descriptors as the agent may need, if this process is let; AgentError with too few.

    An agent without one to spare would run, and nobody could tell it anything.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = limits.DESCRIPTORS if hard == resource.RLIM_INFINITY else hard
    if soft != resource.RLIM_INFINITY and soft < limits.DESCRIPTORS:
        soft = max(soft, min(most, limits.DESCRIPTORS))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < limits.DESCRIPTORS_LEAST:
            raise fail("start-descriptors", count=soft, wanted=limits.DESCRIPTORS_LEAST)


class Power:
    """The switch of a simulated board: everything is closed, then the agent starts anew."""

    def __init__(self, loop: Loop) -> None:
        self.off = False
        self._loop = loop

    def cycle(self) -> None:
        self.off = True
        self._loop.stop()


def _told(error: HalError | BoardError | AgentError) -> str:
    """Why it does not start, the cause and the next step: one line, as a supervisor logs it."""
    if not isinstance(error, AgentError):
        both = (error, error.__cause__)
        code = next(c for kind, c in START_CODES.items() if any(isinstance(e, kind) for e in both))
        error = fail(code, what=error)
    return f"{error}. Cause: {error.cause}. Next step: {error.remedy}."


class Sources:
    """What comes from outside and is read again at SIGHUP: the numbers of users and groups.

    The rest of the board is wiring, which stays as it was at the start; `told` says when the board
    file has another one. `name` and `board`: what the board was opened from.
    """

    def __init__(self, signals: Signals, name: str, board: Board) -> None:
        self.signals = signals
        self._name, self._board = name, board
        self.operators: int | None = None
        self.worker_argv: list[str] = []

    def read(self, board: Board) -> None:
        """Raises BoardError, and leaves all as it was."""
        operators = group_number(board.console.operators)
        self.operators, self.worker_argv = operators, worker_argv(board.worker)

    def told(self) -> str:
        """What a new start would find."""
        try:
            changed = _read_board(self._name) != self._board
        except (HalError, BoardError) as error:
            return f"the board file would not be taken at the next start: {error}"
        return "the board file has changed: that counts from the next start" if changed else ""


def _read_board(name: str) -> Board:
    if name == SIMULATED:
        return Board()
    return load_board(name) if name else board_file()


def _open(name: str, board: Board, state_dir: str | None, loop: Loop, log: Log) -> Platform:
    tell = partial(log.report, "MEMORY_ERR")
    if name == SIMULATED:
        return sim.open_board(board, state_dir or "sim-board", loop, tell)
    return linux.open_board(board, state_dir, loop, tell)


def _serve(
    loop: Loop, platform: Platform, factory: str, power: Power, log: Log, sources: Sources
) -> None:
    board = platform.board
    sources.read(board)
    jobs = WorkerJobs(
        loop,
        sources.worker_argv,
        answer_bytes=limits.JOB_BYTES,
        linger_s=limits.WORKER_LINGER_S,
    )
    supervisor = _supervisor()
    feeders = _feeders(loop, board, log, supervisor)
    platform = _watched(platform, feeders)
    store, withheld = _mount(loop, platform, power, log)
    key_fd, is_there = _device_key(platform, store, withheld, log)
    worker = board.worker
    timeouts = limits.Timeouts(worker.connect_s, worker.receive_s, worker.exchange_s)
    ports, later = (platform.chance, platform.clock), partial(loop.after, 0)
    runner = JobRunner(jobs, *ports, later, key_fd, timeouts, platform.files)
    renew_key = None if is_there or withheld else partial(_renew_key, platform, runner)
    hardware = _hardware(platform, power, renew_key, withheld)
    hardware = hardware._replace(time_source=jobs if platform.kernel_clock else None)
    device = Device(loop, store, hardware, runner, log)
    sources.signals.serve(log, partial(_reload, sources, board, jobs))
    listener = listen_unix(board.console.socket, 0o660, sources.operators)
    server = socket.Server(loop, device, listener, lambda who: _level(who, sources.operators))
    try:
        device.boot(factory)
        _attend(loop, device, supervisor)
        Upkeep(loop, store)
        loop.after(LOOK_NS, device.system.look_at_children)
        for number, line in enumerate(platform.serials):
            attach.SerialLine(loop, device, line.open, number, line.path)
        sys.path_importer_cache.clear()  # all names of files in each folder of an import: 0.1 MiB
        log.report("AGENT_START", f"scep-agent runs; console at {board.console.socket}")
        for feeder in feeders:
            feeder.begin(store)
        loop.run()
        device.starts.end()
        log.report("AGENT_STOP", "scep-agent ends")
        if not power.off:
            _stop(feeders, supervisor)
    finally:
        for feeder in feeders:
            feeder.close()
        server.close()
        device.close()
        jobs.close()
        remove_socket(board.console.socket)


def _supervisor() -> Supervisor | None:
    """The service manager, if it has started this process and wants to be told."""
    if "NOTIFY_SOCKET" not in os.environ:
        return None
    from hal.supervisor import of_environment  # an agent on a console has none

    return of_environment(os.environ)


def _attend(loop: Loop, device: Device, supervisor: Supervisor | None) -> None:
    if not supervisor:
        return
    from agent.service import Service

    service = Service(loop, device, supervisor)
    device.realms.watch.at_once.append(lambda _runner: service.changed())
    device.when_filled(service.filled)


def _feeders(loop: Loop, board: Board, log: Log, supervisor: Supervisor | None) -> list[Feeder]:
    """The watchdogs, running from here on; one that cannot be opened keeps nobody from anything."""
    try:
        device = linux.open_watchdog(board)
    except HalError as error:
        log.report("WATCHDOG_ERR", f"{error}: the agent runs without it")
        device = None
    service_s = supervisor.watchdog_s if supervisor else 0
    if device is None and not service_s:
        return []
    from agent.watchdog import Feeder  # a board without one does not keep its code

    found = [Feeder(device, loop, log)] if device else []
    if supervisor and service_s:
        from hal.supervisor import ServiceWatchdog

        each_ns = service_s * 1_000_000_000 // 4
        found.append(Feeder(ServiceWatchdog(supervisor), loop, log, each_ns))
    return found


def _stop(feeders: Sequence[Feeder], supervisor: Supervisor | None) -> None:
    """A person has ended the agent."""
    if supervisor:
        supervisor.stopping()
    for feeder in feeders:
        feeder.end()


def _watched(platform: Platform, feeders: Sequence[Feeder]) -> Platform:
    """Whose flash feeds the watchdogs while it is mounted."""
    for feeder in feeders:
        platform = platform._replace(flash=feeder.mounting(platform.flash))
    return platform


def _mount(loop: Loop, platform: Platform, power: Power, log: Log) -> tuple[Store, Part | None]:
    """The store. Of a part that cannot be used: an empty one that takes nothing, and the part.

    Raises StoreError for a board file whose part is too small for any store.
    """
    reason, open_part = platform.unopened, lambda: platform.flash
    if not reason:
        try:
            return Store.mount(platform.flash), None
        except StoreError as error:
            reason = str(error)
    else:
        open_part = cache(partial(platform.open_flash, True))
        loop.after(LOOK_AGAIN_NS, partial(_look_again, loop, platform, power, log))
    from hal.withheld import WithheldStore  # a part that serves never needs it

    restart = partial(loop.after, RESTART_NS, power.cycle)
    return WithheldStore(platform.flash, reason), Part(reason, open_part, restart)


def _look_again(loop: Loop, platform: Platform, power: Power, log: Log) -> None:
    """What could not be opened may come later, as a disk does: then all starts as it should."""
    try:
        platform.open_flash(False).close()
    except InUseError:
        return  # a person has it erased
    except HalError:
        loop.after(LOOK_AGAIN_NS, partial(_look_again, loop, platform, power, log))
        return
    log.report("AGENT_STOP", "the flash can be opened now: scep-agent starts anew")
    power.cycle()


def _hardware(
    platform: Platform,
    power: Power,
    renew_key: Callable[[], None] | None,
    withheld: Part | None,
) -> Hardware:
    board = platform.board
    return Hardware(
        clock=platform.clock,
        chance=platform.chance,
        files=platform.files,
        link=platform.link,
        memory=platform.memory,
        interfaces=board.interfaces,
        serial=board.identity.serial,
        rtc=platform.rtc,
        machine=identity(board.identity.serial),
        host_name=platform.host_name,
        clock_floor=board.clock.floor == "set",
        herd_s=0 if platform.restarts else board.herd.first_s,
        reboot=_reboot(platform, power),
        recovery=board.console.recovery == "erase",
        withheld=withheld,
        renew_key=renew_key,
    )


def _device_key(
    platform: Platform, store: Store, withheld: Part | None, log: Log
) -> tuple[int, bool]:
    """Its descriptor, and whether there is one; made where nothing can have been sealed by one."""
    key_fd, fault = platform.device_key(make=not (withheld or devicekey.is_sealed(store)))
    if fault:
        log.report("DEVICE_KEY_ERR", fault)
    return key_fd, not fault


def _renew_key(platform: Platform, jobs: JobRunner) -> None:
    key_fd, fault = platform.device_key(make=True)
    if fault:
        raise DeviceKeyError(f"{fault}: move it away")
    jobs.use_device_key(key_fd)


def _reload(sources: Sources, board: Board, jobs: WorkerJobs) -> str:
    """At SIGHUP: what was read again, or why not. A new worker reads what libraries have cached."""
    try:
        sources.read(board)
    except BoardError as error:
        return f"nothing was read again: {error}"
    jobs.renew(sources.worker_argv)
    read = "users and groups were read again, the next worker starts anew"
    return "; ".join(filter(None, (read, sources.told())))


def _reboot(platform: Platform, power: Power) -> Callable[[], None] | None:
    if platform.restarts:
        return power.cycle
    program = platform.board.reboot.program
    return partial(start_reboot, program) if program else None


def worker_argv(
    worker: Worker, python: str = sys.executable, start: str = WORKER_START
) -> list[str]:
    """How the worker is started; its arguments are those of `agent.worker.main`."""
    user = worker_user(worker.user) or (-1, -1, 0)
    more = (*user, worker.memory_bytes, worker.cpu_s)
    return [python, "-I", "-c", start, ROOT, *map(str, more)]


def _level(who: Credentials, operators: int | None) -> int:
    """What a peer of the console socket may do (console conventions: levels)."""
    if who.uid in (0, os.geteuid()):
        return 3
    if operators is not None and operators in who.groups:
        return 2
    return 1 if os.getegid() in who.groups else 0
