"""The commands of `scep-agent`; picks the platform and puts the parts together.

scep-agent run [--board FILE|sim] [--state DIR] [--config FILE]
scep-agent console [--socket PATH] [-c LINE]...
scep-agent worker                                        started by the agent only
"""

import getopt
import os
import sys
from collections.abc import Callable, Sequence

from agent import attach, limits
from agent.device import Device, Hardware
from agent.errors import AgentError
from agent.log import Log
from agent.loop import Loop
from agent.tasks import Tasks
from hal.clock import LinuxClock
from hal.files import read_text
from hal.jobs import WorkerJobs
from hal.ports import HalError
from hal.sockets import Credentials, listen_unix
from hal.store import Store
from platforms import linux, sim
from platforms.board import BOARD_FILE, Board, BoardError, load_board, place
from platforms.linux import Platform
from platforms.users import group_number, worker_user

CONFIGURATION_BYTES = 1024 * 1024
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# The worker is started from where this program lies, whatever the working directory is.
WORKER_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from agent.worker import main; sys.exit(main(sys.argv[1:]))"
)

Options = dict[str, list[str]]


def usage(message: str) -> int:
    """Says how it is called; exit status 2."""
    sys.stderr.write(f"scep-agent: {message}\n\n{__doc__}")
    return 2


def run(options: Options) -> int:
    """The resident agent, in the foreground, until SIGTERM or SIGINT."""
    loop = Loop(LinuxClock())
    platform = None
    try:
        board = _board(options)
        platform = _open(options, board, loop)
        factory = _factory(options)
        loop.use_clock(platform.clock, platform.longest_sleep_ns)
        _serve(loop, platform, factory)
    except (HalError, BoardError, AgentError) as error:
        sys.stderr.write(f"scep-agent: {error}\n")
        return 1
    finally:
        if platform:
            platform.close()
        loop.close()
    return 0


def _board(options: Options) -> Board:
    name = options.get("--board", [""])[-1]
    if name == "sim":
        return Board()
    if name:
        return load_board(name)
    return load_board(BOARD_FILE) if os.path.exists(BOARD_FILE) else Board()


def _open(options: Options, board: Board, loop: Loop) -> Platform:
    state = options.get("--state", [None])[-1]
    if options.get("--board", [""])[-1] == "sim":
        return sim.open_board(board, state or "sim-board", loop)
    return linux.open_board(board, state, loop)


def _factory(options: Options) -> str:
    path = options.get("--config", [""])[-1]
    return read_text(path, CONFIGURATION_BYTES) if path else ""


def _serve(loop: Loop, platform: Platform, factory: str) -> None:
    board = platform.board
    log = Log(platform.clock.wall_s)
    jobs = WorkerJobs(
        loop,
        _worker_argv(board),
        answer_bytes=limits.JOB_BYTES,
        linger_s=limits.WORKER_LINGER_S,
    )
    hardware = Hardware(
        clock=platform.clock,
        files=platform.files,
        link=platform.link,
        memory=platform.memory,
        linux_name=_linux_names(board),
        serial=board.identity.serial,
    )
    store = Store.mount(platform.flash)
    device = Device(loop, store, hardware, Tasks(jobs, platform.device_key_fd), log)
    operators = group_number(board.console.operators)
    listener = listen_unix(board.console.socket, 0o660, operators)
    server = attach.Server(loop, device, listener, lambda who: _level(who, operators))
    try:
        device.boot(factory)
        for opener in platform.serials:
            attach.SerialLine(loop, device, opener)
        log.report("AGENT_START", f"scep-agent runs; console at {board.console.socket}")
        loop.run()
        log.report("AGENT_STOP", "scep-agent ends")
    finally:
        server.close()
        os.unlink(board.console.socket)
        device.close()
        jobs.close()


def _worker_argv(board: Board) -> list[str]:
    user = worker_user(board.worker.user)
    numbers = (*user,) if user else (-1, -1)
    more = (*numbers, board.worker.memory_bytes, board.worker.cpu_s)
    return [sys.executable, "-I", "-c", WORKER_START, ROOT, *map(str, more)]


def _linux_names(board: Board) -> Callable[[str], str]:
    """Router names of interfaces to Linux names; spaces and case do not count (VRP)."""
    table = {name.replace(" ", "").casefold(): linux for name, linux in board.interfaces.items()}
    return lambda name: table.get(name.replace(" ", "").casefold(), name.replace(" ", ""))


def _level(who: Credentials, operators: int | None) -> int:
    """What a peer of the console socket may do (console conventions: levels)."""
    if who.uid in (0, os.geteuid()):
        return 3
    if operators is not None and who.gid == operators:
        return 2
    return 1 if who.gid == os.getegid() else 0


def console(options: Options) -> int:
    """A prompt, or a script from -c or standard input, at the running agent."""
    from agent import client

    paths = options.get("--socket") or [place(_board({})).console.socket]
    if "-c" in options:
        return client.run_script(paths[-1], options["-c"])
    if sys.stdin.isatty():
        return client.run_terminal(paths[-1])
    return client.run_script(paths[-1], sys.stdin)


def worker(_options: Options) -> int:
    """Only the agent starts a worker, with sockets that a shell cannot give."""
    return usage("the worker is started by the agent")


COMMANDS: dict[str, tuple[Callable[[Options], int], str, list[str]]] = {
    "run": (run, "", ["board=", "state=", "config="]),
    "console": (console, "c:", ["socket="]),
    "worker": (worker, "", []),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """The `scep-agent` command; its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] not in COMMANDS:
        return usage(f"one of {', '.join(COMMANDS)} is wanted")
    command, short, long = COMMANDS[words[0]]
    try:
        found, rest = getopt.gnu_getopt(words[1:], short, long)
    except getopt.GetoptError as error:
        return usage(str(error))
    if rest:
        return usage(f"`{rest[0]}` is not understood")
    options: Options = {}
    for name, value in found:
        options.setdefault(name, []).append(value)
    return command(options)


if __name__ == "__main__":
    sys.exit(main())
