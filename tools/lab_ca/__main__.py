"""The command line of the lab CA."""

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tools.lab_ca import algorithms, clock, hold, hooks, server
from tools.lab_ca.authority import BACKDATE_S, YEAR_S, Authority, Plan
from tools.lab_ca.hostile import HOSTILE
from tools.lab_ca.ledger import ALL, APPROVED, DENIED, Ledger, Log
from tools.lab_ca.operations import Policy, Responder
from tools.lab_ca.quirks import QUIRKS

STOP_LOOK_S = 0.05


def serve(options: argparse.Namespace) -> int:
    """Serves until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    service = _service(options)
    with server.Server(options.listen, service) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(STOP_LOOK_S,))
        fingerprint = algorithms.sha256_hex(service.authority.ca.certificate.dump())
        print(f"lab-ca: listening on {httpd.url} fingerprint sha256 {fingerprint}", flush=True)
        thread.start()  # connections have been queued since the socket listens
        stop.wait()
        httpd.shutdown()
        thread.join()
    return 0


def list_transactions(options: argparse.Namespace) -> int:
    """A line for each transaction: id, state, requests, polls, subject."""
    for record in Ledger(options.dir).records():
        counts = f"requests {record.requests} polls {record.polls}"
        print(f"{record.id} {record.state} {counts} {record.subject}")
    return 0


def approve(options: argparse.Namespace) -> int:
    return _decide(options, APPROVED)


def deny(options: argparse.Namespace) -> int:
    return _decide(options, DENIED)


def release(options: argparse.Namespace) -> int:
    """Lets a held conversation go; status 1 when none is held."""
    if hold.release(options.dir):
        return 0
    print("lab-ca: nobody is held", file=sys.stderr)
    return 1


def revoke(options: argparse.Namespace) -> int:
    """Puts a certificate on the CRL, by the name of its file below issued/."""
    _standing(options).revoke(options.name.upper())
    return 0


def prepare(options: argparse.Namespace) -> int:
    """Makes the next CA, which GetNextCACert then tells."""
    _standing(options).prepare()
    return 0


def rollover(options: argparse.Namespace) -> int:
    """The next CA takes over, also in a server that runs."""
    _standing(options).roll_over()
    return 0


def renew(options: argparse.Namespace) -> int:
    """The CA gets a new certificate for the same key, also in a server that runs."""
    _standing(options).renew()
    return 0


def _standing(options: argparse.Namespace) -> Authority:
    """The CA that stands in the folder."""
    return _authority(options, Plan(chain=(options.dir / "root.pem").exists()))


def _authority(options: argparse.Namespace, plan: Plan) -> Authority:
    clock_s = clock.of_board(options.clock) if options.clock else time.time
    return Authority(options.dir, plan, options.clock_offset, clock_s)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "serve": serve,
    "list": list_transactions,
    "approve": approve,
    "deny": deny,
    "release": release,
    "revoke": revoke,
    "prepare": prepare,
    "rollover": rollover,
    "renew": renew,
}


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    options.dir.mkdir(parents=True, exist_ok=True)
    try:
        return COMMANDS[options.command](options)
    except (OSError, ValueError) as error:
        print(f"lab-ca: {error}", file=sys.stderr)
        return 1


def _decide(options: argparse.Namespace, state: str) -> int:
    done = Ledger(options.dir).decide(options.name, state)
    for transaction_id in done:
        print(f"{transaction_id} {state}")
    if not done:
        print("lab-ca: no such pending transaction", file=sys.stderr)
    return 0 if done else 1


def _service(options: argparse.Namespace) -> server.Service:
    switches = hooks.combined([*options.quirk, *options.hostile])
    plan = switches.plan(Plan(chain=options.chain, ra=options.ra))
    authority = _authority(options, plan)
    policy = Policy(
        challenge=options.challenge,
        manual=options.manual,
        life=(options.backdate, options.validity),
        digest=options.reply_digest,
        cipher=options.reply_cipher,
        hooks=switches,
    )
    return server.Service(
        authority=authority,
        responder=Responder(authority, Ledger(options.dir), policy),
        gate=hold.Gate(options.dir, frozenset(options.hold), always=options.hold_always),
        log=Log(options.dir),
        capabilities=tuple(options.caps.split()),
        hooks=switches,
        debug=options.debug,
    )


def _switch(table: dict[str, hooks.Hooks]) -> Callable[[str], hooks.Hooks]:
    def find(name: str) -> hooks.Hooks:
        try:
            return hooks.chosen(table, name)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return find


def _listed() -> str:
    """Every switch and its sentence, for --help."""
    lines = []
    for option, table in (("--quirk", QUIRKS), ("--hostile", HOSTILE)):
        lines += [f"names for {option}:", *(f"  {n:22} {row.says}" for n, row in table.items()), ""]
    return "\n".join(lines)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError("ADDR:PORT is needed")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.lab_ca",
        description="A SCEP CA for demo and tests.",
        epilog=_listed(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dir", type=Path, required=True, help="the CA's state folder")
    parser.add_argument("command", nargs="?", choices=tuple(COMMANDS), default="serve")
    parser.add_argument(
        "name", nargs="?", default=ALL, help="for approve, deny: the ID; for revoke: the SERIAL"
    )
    for add in (_add_ca_options, _add_reply_options, _add_fault_options):
        add(parser)
    return parser


def _add_ca_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--listen", type=_address, default=("127.0.0.1", 0), metavar="ADDR:PORT")
    add("--challenge", metavar="TEXT", help="password that a PKCSReq needs; default: none")
    add("--validity", type=int, default=YEAR_S, metavar="SECONDS", help="of what is issued")
    add("--backdate", type=int, default=BACKDATE_S, metavar="SECONDS", help="of notBefore")
    add("--no-backdate", dest="backdate", action="store_const", const=0, help="notBefore is now")
    add("--clock-offset", type=int, default=0, metavar="SECONDS", help="of this CA's clock")
    add("--clock", type=Path, metavar="FILE", help="live by the clock of a simulated board")
    add("--manual", action="store_true", help="PENDING until `approve`")
    add(
        "--ra",
        action="store_true",
        help="an RA with two certificates in front, both for enrollment agents",
    )
    add("--chain", action="store_true", help="the CA stands under a root")


def _add_reply_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--caps", default=server.CAPABILITIES, metavar='"A B C"', help="what GetCACaps lists")
    add("--reply-digest", choices=tuple(algorithms.DIGESTS), help="default: the client's")
    add("--reply-cipher", choices=tuple(algorithms.CIPHERS), help="default: the client's")
    add("--debug", action="store_true", help="HTTP log and faults on standard error")


def _add_fault_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--hold", choices=hold.STATES, action="append", default=[], help="freeze here")
    add("--hold-always", action="store_true", help="not only the first time")
    tables = ("--quirk", QUIRKS, "a real server"), ("--hostile", HOSTILE, "a liar")
    for option, table, who in tables:
        add(
            option,
            type=_switch(table),
            action="append",
            default=[],
            metavar="NAME",
            help=f"as {who} does it; the names are below",
        )


if __name__ == "__main__":
    sys.exit(main())
