"""docs/confinement.md: the figures as tables."""

from collections.abc import Iterable, Mapping, Sequence

from hal.confinement import rules
from tools.confinement.operations import Operation
from tools.confinement.reach import Outcomes

Column = tuple[str, str]  # environment, versions

HEAD = """# What a job child can do

Made by `make confinement` (root, strace), not by hand. Why the rungs are as they are stands in
`DESIGN.md`; the numbers of the calls are in `hal/confinement/syscalls.py`, the lists in
`hal/confinement/rules.py`.
"""
CALLS = """
## The system calls of each kind of job

Seen by strace from the moment when the filter is loaded, over all environments of the tables below:
{runs} children. Every child calls {common}; the table has the calls beside these.

| operation | kind | calls |
|---|---|---|
"""
REFUSED = """
Refused in these jobs: {refused}. (`getaddrinfo` asks for the cache of names, is told EACCES, and
goes on.) Allowed besides, for other C libraries and architectures: {spare}.
"""
REACH = """
## What a child can do that was taken over: {kind}

{about} "ok" is what it can do.

"""
ABOUT = {
    "local": "Keys, certificates, files that are open already.",
    "network": "The child that talks to the CA.",
}


def page(operations: Sequence[Operation], outcomes: Mapping[str, Mapping[Column, Outcomes]]) -> str:
    """The whole page. `outcomes`: kind of job -> column -> what was tried."""
    text = HEAD + _calls(operations)
    for kind, columns in outcomes.items():
        text += REACH.format(kind=f"jobs of the kind {kind}", about=ABOUT[kind])
        text += _table(columns)
    return text


def _calls(operations: Sequence[Operation]) -> str:
    common = frozenset.intersection(*(one.calls.made for one in operations))
    text = CALLS.format(runs=len(operations), common=_names(common))
    for name in dict.fromkeys(one.name for one in operations):
        same = [one for one in operations if one.name == name]
        made = frozenset.union(*(one.calls.made for one in same)) - common
        kind = rules.NETWORK if same[0].network else rules.LOCAL
        text += f"| {name} | {kind} | {_names(made) or '-'} |\n"
    refused = frozenset.union(*(one.calls.refused for one in operations))
    made = frozenset.union(*(one.calls.made for one in operations))
    allowed = {n for n, rule in rules.rules(rules.NETWORK).items() if rule != rules.REFUSED}
    told = ", ".join(f"`{name}` ({number})" for name, number in sorted(refused)) or "none"
    return text + REFUSED.format(refused=told, spare=_names(allowed - made))


def _names(calls: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(calls))


def _table(columns: Mapping[Column, Outcomes]) -> str:
    """A column for each environment; where its stacks differ, a value for each of them."""
    names = list(dict.fromkeys(environment for environment, _ in columns))
    text = "| | " + " | ".join(names) + " |\n|---" + "|---" * len(names) + "|\n"
    for row in dict.fromkeys(row for column in columns.values() for row in column):
        cells = []
        for name in names:
            found = [cells_[row] for (where, _), cells_ in columns.items() if where == name]
            cells.append(" / ".join(dict.fromkeys(found)))
        text += f"| {row} | " + " | ".join(cells) + " |\n"
    stacks = "; ".join(dict.fromkeys(versions for _, versions in columns))
    return text + f"\nEach with {stacks}; two values where these differ.\n"
