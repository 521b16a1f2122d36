"""The command line of the demo."""

import argparse
import os
import sys
import time
from collections.abc import Callable

from tools.demo import __doc__ as about
from tools.demo import boardfile, checks, console, procedure, readme, watch
from tools.demo.failure import DemoError, Stopped, catch_signals, stoppable
from tools.demo.lab import CHALLENGE, lab
from tools.demo.procedure import Part, Plan
from tools.demo.typist import Step, Typist

PACE_MS = 25  # a key; a fast typist, so that the whole procedure takes half a minute
SIM_BAUD = 9600
SIM_SOURCE = "127.0.0.1"

Show = Callable[[str], None]


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    options = _options(arguments)
    catch_signals()
    try:
        return _chosen(options)
    except DemoError as error:
        sys.stderr.write(f"\ndemo: {error}\n")
        return 1
    except BrokenPipeError:  # nobody reads any more; what is left in the buffer has no reader
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Stopped as stopped:
        return 128 + stopped.number


def _chosen(options: argparse.Namespace) -> int:
    pace_ms = 0 if options.fast else PACE_MS
    if options.console:
        return console.run(options.keep)
    if options.board:
        with stoppable():
            _real(options.board, pace_ms, _print)
    elif options.readme:
        _rewrite(options.readme)
    else:
        _simulated(pace_ms, options.keep, _print)
    return 0


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _simulated(pace_ms: int, keep: bool, show: Show) -> None:
    """The whole demo on the simulated board."""
    checks.need_openssl()
    began_s = time.monotonic()
    with lab(keep) as bench:
        _heading(show, "A lab CA and a simulated board")
        show(f"$ python -m tools.lab_ca --dir ca --challenge {CHALLENGE}\n{bench.announced}\n")
        show("$ scep-agent run --board sim --state board\n")
        plan = Plan(bench.url, bench.fingerprint, CHALLENGE, SIM_SOURCE)
        typist = Typist(str(bench.serial), SIM_BAUD, show, pace_ms)
        try:
            with stoppable():
                _begin(typist, show)
                lines = _typed(typist, procedure.parts(plan), show)
                _heading(show, "What the board shows")
                typist.show_prompt()
                typist.type(Step(procedure.LOCAL))
                _heading(show, "What openssl says")
                checks.with_openssl(bench.folder, show)
            _heading(show, "A realm that renews by itself, and a CA that issues for three minutes")
            lines += watch.watch(bench, plan, typist, show)
        finally:
            typist.close()
        with stoppable():
            _heading(show, "What was written where (bytes, mode)")
            files = checks.written(bench.folder, show)
            if keep:
                show(f"\nkept: {bench.folder}\n")
    show(f"\ndemo: lines={lines} files={files} seconds={int(time.monotonic() - began_s)}\n")


def _real(path: str, pace_ms: int, show: Show) -> None:
    """The serial part on a real board."""
    board = boardfile.load(path, _asked)
    typist = Typist(board.port, board.baud, show, pace_ms)
    try:
        _begin(typist, show)
        parts = (procedure.leftovers(typist), *procedure.parts(board.plan))
        lines = _typed(typist, parts, show)
        _heading(show, "What the board shows")
        typist.show_prompt()
        shows = (procedure.LOCAL, procedure.CA, procedure.PUBLIC)
        local, ca, public = [typist.type(Step(line)) for line in shows]
    finally:
        typist.close()
    _heading(show, "What follows from it")
    checks.by_display(local, ca, public, show)
    show(f"\ndemo: lines={lines} port={board.port}\n")


def _begin(typist: Typist, show: Show) -> None:
    _heading(show, "On the serial line")
    typist.wake()
    typist.type(Step("screen-length 0 temporary"))


def _typed(typist: Typist, parts: tuple[Part, ...], show: Show) -> int:
    """The procedure on the serial line; how many lines were typed."""
    for part in parts:
        if part.steps:
            _heading(show, part.heading)
            typist.show_prompt()
        for step in part.steps:
            typist.type(step)
    return sum(len(part.steps) for part in parts)


def _heading(show: Show, text: str) -> None:
    show(f"\n\n== {text}\n")


def _asked() -> str:
    """The fingerprint stands on the screen: only a person may say Yes to it."""
    if not sys.stdin.isatty():
        return "n"
    return "y" if input("\n== Your answer [y/N]: ").strip().lower() in ("y", "yes") else "n"


def _rewrite(path: str) -> None:
    said: list[str] = []
    _simulated(0, False, said.append)
    try:
        with open(path, encoding="utf-8") as file:
            text = readme.replaced(file.read(), "".join(said))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        raise DemoError(f"{path} was not rewritten: {error}") from error


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.demo",
        description=about,
        epilog=f"A board file:\n\n{boardfile.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--board", metavar="FILE", help="a real board, as this file describes it")
    kind.add_argument("--console", action="store_true", help="a prompt at a simulated board")
    kind.add_argument("--readme", metavar="FILE", help="rewrite the transcript in this file")
    parser.add_argument("--fast", action="store_true", help="type without pauses")
    parser.add_argument("--keep", action="store_true", help="leave the temporary folder")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
