"""The command line of the lab CA."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tools.lab_ca import algorithms, faults, hold, server
from tools.lab_ca.authority import BACKDATE_S, Authority
from tools.lab_ca.ledger import ALL, APPROVED, DENIED, Ledger, Log
from tools.lab_ca.operations import Policy, Responder

YEAR_S = 365 * 86_400
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


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "serve": serve,
    "list": list_transactions,
    "approve": approve,
    "deny": deny,
    "release": release,
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
    done = Ledger(options.dir).decide(options.transaction, state)
    for transaction_id in done:
        print(f"{transaction_id} {state}")
    if not done:
        print("lab-ca: no such pending transaction", file=sys.stderr)
    return 0 if done else 1


def _service(options: argparse.Namespace) -> server.Service:
    authority = Authority(
        options.dir,
        chain=options.chain,
        omit_root=options.omit_root,
        ra=options.ra,
        clock_offset_s=options.clock_offset,
    )
    policy = Policy(
        challenge=options.challenge,
        manual=options.manual,
        life=(0 if options.no_backdate else BACKDATE_S, options.validity),
        digest=options.reply_digest,
        cipher=options.reply_cipher,
        misissue=options.misissue,
        tamper=options.tamper,
        legacy=options.legacy_reply,
    )
    return server.Service(
        authority=authority,
        responder=Responder(authority, Ledger(options.dir), policy),
        gate=hold.Gate(options.dir, frozenset(options.hold), always=options.hold_always),
        log=Log(options.dir),
        capabilities=tuple(
            word
            for word in options.caps.split()
            if not (options.get_only and word in server.MEANS_POST)
        ),
        get_only=options.get_only,
        debug=options.debug,
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError("ADDR:PORT is needed")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.lab_ca", description="A SCEP CA for demo and tests."
    )
    parser.add_argument("--dir", type=Path, required=True, help="the CA's state folder")
    parser.add_argument("command", nargs="?", choices=tuple(COMMANDS), default="serve")
    parser.add_argument("transaction", nargs="?", default=ALL, help="for approve and deny")
    for add in (_add_ca_options, _add_reply_options, _add_fault_options):
        add(parser)
    return parser


def _add_ca_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--listen", type=_address, default=("127.0.0.1", 0), metavar="ADDR:PORT")
    add("--challenge", metavar="TEXT", help="password that a PKCSReq needs; default: none")
    add("--validity", type=int, default=YEAR_S, metavar="SECONDS", help="of what is issued")
    add("--no-backdate", action="store_true", help=f"else notBefore is {BACKDATE_S} s ago")
    add("--clock-offset", type=int, default=0, metavar="SECONDS", help="of this CA's clock")
    add("--manual", action="store_true", help="PENDING until `approve`")
    add("--ra", action="store_true", help="an RA with two certificates in front")
    add("--chain", action="store_true", help="the CA stands under a root")
    add("--omit-root", action="store_true", help="GetCACert leaves the root out")


def _add_reply_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--caps", default=server.CAPABILITIES, metavar='"A B C"', help="what GetCACaps lists")
    add("--get-only", action="store_true", help="POST is refused and not listed")
    add("--reply-digest", choices=tuple(algorithms.DIGESTS), help="default: the client's")
    add("--reply-cipher", choices=tuple(algorithms.CIPHERS), help="default: the client's")
    add("--debug", action="store_true", help="HTTP log and faults on standard error")


def _add_fault_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--hold", choices=hold.STATES, action="append", default=[], help="freeze here")
    add("--hold-always", action="store_true", help="not only the first time")
    add("--misissue", choices=tuple(faults.MISISSUE), help="certificates that are wrong")
    add("--tamper", choices=tuple(faults.TAMPER), help="replies that are wrong")
    add("--legacy-reply", action="store_true", help="replies in the shape of micromdm 2.1.0")


if __name__ == "__main__":
    sys.exit(main())
