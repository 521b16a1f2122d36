"""python -m tools.confinement [--names] [--write FILE]

Runs every operation under strace, and children that try what they must not, in each environment
and with each stack of this machine. Needs root and strace; takes some minutes. Prints one line for
each run, then the page, or writes it. `--names`: only names that a server resolves, as root.

All of it happens in a network and a mount name space of its own. The exit status is 1 when a job
was refused a call, other than the cache of names: somebody must look at it.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hal.confinement import rules
from tools.confinement import nameserver, operations, page, reach
from tools.confinement.environments import ENVIRONMENTS, UID, Environment, stacks

HARMLESS = frozenset([("socket", "EACCES")])  # the cache of names: nobody there


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--names", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if os.geteuid() != 0:
        print("it needs root: it becomes other users", file=sys.stderr)
        return 2
    if not given.inside:
        return nameserver.isolated([*arguments, "--inside"])
    with tempfile.TemporaryDirectory() as name, nameserver.serving(Path(name)):
        found = _names(ENVIRONMENTS[0])
        outcomes: dict[str, dict[page.Column, reach.Outcomes]] = {}
        if not given.names:
            found = _everything(outcomes) + found
    text = page.page(found, outcomes)
    if given.write is None:
        print(text)
    else:
        given.write.write_text(text)
    refused = frozenset.union(*(one.calls.refused for one in found)) - HARMLESS
    print(f"{len(found)} children; refused: {sorted(refused) or 'nothing'}", file=sys.stderr)
    return 1 if refused else 0


def _names(where: Environment) -> list[operations.Operation]:
    with _folder(where) as folder:
        stack, work = stacks(where)[0], operations.names_from_a_server
        return operations.watched(stack, where, folder, work)


def _everything(
    outcomes: dict[str, dict[page.Column, reach.Outcomes]],
) -> list[operations.Operation]:
    found: list[operations.Operation] = []
    for where in ENVIRONMENTS:
        for stack in stacks(where):
            with _folder(where) as folder:
                found += operations.watched(stack, where, folder, operations.every_operation)
                for kind in (rules.LOCAL, rules.NETWORK):
                    tried = reach.tried(stack, where, kind == rules.NETWORK, folder / "secret")
                    outcomes.setdefault(kind, {})[where.name, stack.versions] = tried
            print(f"{where.name}: {stack.versions}", file=sys.stderr)
    return found


@contextmanager
def _folder(where: Environment) -> Iterator[Path]:
    """A folder that everybody may enter, with a file of the agent."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        secret = folder / "secret"
        secret.write_text("of the agent")
        secret.chmod(0o600)
        if where.user is None:
            os.chown(secret, UID, UID)
        yield folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
