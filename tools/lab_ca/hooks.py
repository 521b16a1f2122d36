"""Where a switch can change a conversation, as one record of small functions.

    plan          the CA, before it is made or loaded
    admit         a request of HTTP, before it is looked at; may raise `HttpError`
    words         what GetCACaps lists
    ca_set        what GetCACert and GetNextCACert carry
    judge         a pkiMessage that was verified and opened; may raise `RefusedError`, `HttpError`
    certificate   a certificate, before it is signed
    reply         a CertRep, before it is encoded: its record and the edits of each of its layers
    answer        the reply of HTTP, before it leaves

Each takes a record and returns it, changed or not. A row of the tables of switches (`quirks`,
`hostile`) is a `Hooks`: one sentence, and whichever functions make it true. Several switches are
one, in the order of the command line (`combined`).
"""

import difflib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from tools.lab_ca.answer import Answer, Incoming
from tools.lab_ca.authority import Change, Plan
from tools.lab_ca.caset import CaSet
from tools.lab_ca.edits import Edit, same, then
from tools.lab_ca.reply import Reply
from tools.lab_ca.request import Asked

T = TypeVar("T")
Words = tuple[str, ...]


class Hooks(NamedTuple):
    """One switch."""

    says: str
    plan: Callable[[Plan], Plan] = same
    admit: Callable[[Incoming], Incoming] = same
    words: Callable[[Words], Words] = same
    ca_set: Callable[[CaSet], CaSet] = same
    judge: Callable[[Asked], Asked] = same
    certificate: Change = same
    reply: Callable[[Reply], Reply] = same
    answer: Callable[[Answer], Answer] = same


PLAIN = Hooks("")


def combined(switches: Iterable[Hooks]) -> Hooks:
    """One record that does what all of these do, the first one first."""
    found = PLAIN
    for switch in switches:
        pairs: Iterable[tuple[Any, Any]] = zip(found[1:], switch[1:], strict=True)
        found = Hooks("", *(then(first, second) for first, second in pairs))
    return found


def chosen(table: dict[str, Hooks], name: str) -> Hooks:
    """A row by its name; `ValueError` with the nearest names for one that is not there."""
    if name in table:
        return table[name]
    near = difflib.get_close_matches(name, table, 3, 0.4)
    raise ValueError(f"no such name: {name!r}; the nearest: {', '.join(near) or 'none'}")


def refuses(when: Callable[[T], bool], error: type[Exception], *words: object) -> Callable[[T], T]:
    """For `admit` and `judge`: raises `error(*words)` when the condition holds."""

    def check(record: T) -> T:
        if when(record):
            raise error(*words)
        return record

    return check


def on(operation: str, change: Callable[[Answer], Answer]) -> Callable[[Answer], Answer]:
    """For `answer`: a change to the successful replies of one operation."""

    def apply(answer: Answer) -> Answer:
        return change(answer) if (answer.operation, answer.status) == (operation, 200) else answer

    return apply


def edit(layer: str, change: Edit) -> Callable[[Reply], Reply]:
    """For `reply`: adds an edit to one of its layers, after those that it has."""

    def apply(reply: Reply) -> Reply:
        fields: dict[str, Any] = {layer: then(getattr(reply, layer), change)}
        return reply._replace(**fields)

    return apply
