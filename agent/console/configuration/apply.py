"""`scep-agent apply`: the running configuration becomes a text, all of it or nothing.

The text is read into fresh settings by the handlers that read what is typed, so it passes the same
checks; to be merged, it is read behind the running configuration. Passwords in plain are sealed by
tasks, sealed ones are tried, and key pairs that are missing are made. Then the text is read again,
compared, committed and switched to. All of that goes in pieces, since a thousand realms take
seconds; whoever configures meanwhile is served.

Fault model. The text is wrong, asks for more than its sender may do, flash does not take it, or
somebody else has configured between the comparison and the switch: then the configuration has not
changed, and the exit status is 1. The sender hangs up: the same, unless it is being written
already, which goes on. A key pair that was made by then stays.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.appliance import Done
from agent.console.commands import access, lookups
from agent.console.commands.lines import concealed
from agent.console.commands.operator import NewKey, Operator, Task
from agent.console.commands.rows import CONFIGURE_LEVEL, SECRET_LEVEL
from agent.console.commands.table import stored_lines, table
from agent.console.configuration.loader import BadLine, loading
from agent.console.configuration.needs import InTurn, Needs, Step
from agent.console.displays import saved
from agent.console.displays.document import Document
from agent.console.language.blocks import Change, difference
from agent.console.language.grammar import GrammarError, match
from agent.console.language.views import SYSTEM
from agent.errors import fail
from agent.pieces import Pieces, grouped
from agent.settings import Realm, Settings, fold
from hal.annotations import Any, NoReturn
from hal.named import NamedTuple

NOT_APPLIED = "Nothing was changed."
KEYS_STAY = "The configuration was not changed; key pairs that were made stay."
SHOWN_CHARACTERS = 200  # of a bad line
SHOWN_NAMES = 8  # of what goes


class How(NamedTuple):
    """A dry run only tells the difference; a merge keeps what the text does not name."""

    dry_run: bool = False
    merge: bool = False


def apply(operator: Operator, text: str, how: How) -> None:
    """Begins; the session is busy until the end."""
    if operator.level < CONFIGURE_LEVEL:
        raise fail("apply-level", line="apply", wanted=CONFIGURE_LEVEL, level=operator.level)
    needs = Needs(operator.device.settings)
    work = _read(operator, text, needs, how)
    operator.start(
        "",
        lambda task: operator.device.in_pieces(work, task.done),
        lambda candidate: _meet(operator, text, needs, candidate, how),
        NOT_APPLIED,
    )


def _meet(operator: Operator, text: str, needs: Needs, candidate: Settings, how: How) -> None:
    """What the text needs, then the end."""

    def protected(_result: object) -> None:
        for name in sorted(operator.keys.names() & set(needs.keys)):
            operator.info(f"The RSA key pair {name} is there and stays as it is.")
        _make_keys(operator, _wanted(candidate, needs), how, conclude)

    def conclude(_result: object) -> None:
        _conclude(operator, text, needs, how)

    if needs.tasks:
        steps = [_sealing(needs, line) for line in sorted(needs.tasks)]
        label = f"Sealing or checking passwords: {len(steps)}"
        operator.start(label, lambda task: InTurn(steps, task).go(), protected, NOT_APPLIED)
    else:
        protected(None)


def _sealing(needs: Needs, line: int) -> Step:
    def keep(result: object) -> None:
        needs.ready[line] = result

    return Step(needs.tasks[line], keep, f"The password of line {line} is not possible.")


def _wanted(candidate: Settings, needs: Needs) -> dict[str, NewKey]:
    """The key pairs that lines of the text make, and those that its realms name."""
    wanted = dict(needs.keys)
    for realm in candidate.realms.values():
        if realm.key_pair:
            bits = realm.auto_enroll.key_bits if realm.auto_enroll else None
            named = NewKey(realm.key_pair, bits or limits.KEY_BITS_DEFAULT, False)
            wanted.setdefault(realm.key_pair, named)
    return wanted


def _make_keys(
    operator: Operator, wanted: dict[str, NewKey], how: How, then: Callable[[object], None]
) -> None:
    """Makes those that are missing; a dry run says which."""
    there = operator.keys.names()
    missing = [key for name, key in wanted.items() if name not in there]

    def begin(task: Task) -> int:
        return InTurn([_making(operator, key, task) for key in missing], task).go()

    if how.dry_run:
        for key in missing:
            operator.info(f"An RSA key pair {key.name} of {key.bits} bits would be created.")
    if how.dry_run or not missing:
        then(None)
    else:
        operator.start(f"Generating RSA key pairs: {len(missing)}", begin, then, KEYS_STAY)


def _making(operator: Operator, key: NewKey, task: Task) -> Step:
    def begin(done: Done[Any]) -> int:
        return operator.device.create_key_pair(key.name, key.bits, key.exportable, done)

    def created(_result: object) -> None:
        task.note(f"The RSA key pair {key.name} of {key.bits} bits was created.")

    return Step(begin, created, KEYS_STAY)


def _read(operator: Operator, text: str, needs: Needs, how: How) -> Pieces[Settings]:
    """The settings that a text makes; AgentError when a line of it does not apply."""
    settings = operator.device.settings
    candidate = Settings(settings.host_name)
    running = needs.running = Settings()
    before = list(stored_lines(settings)) if how.merge else []
    lines = [*before, *text.splitlines()]
    work = loading(operator.device, lambda: lines, needs, 1 - len(before))
    found: list[BadLine] | None = None
    while found is None:
        # Handlers find the device's settings here: for this piece, in which nothing else runs.
        running.become(settings)
        settings.become(candidate)
        try:
            next(work)
        except StopIteration as end:
            found = end.value
        finally:
            candidate.become(settings)
            settings.become(running)
        if found is None:
            yield
    candidate.unapplied = [line for number, line in found if number < 1]
    if bad := [line for line in found if line.number >= 1]:
        _tell(operator, bad)
    _keep_spelling(candidate, running)
    return candidate


def _tell(operator: Operator, bad: list[BadLine]) -> NoReturn:
    for number, line in bad:
        operator.line(f" line {number}: {line.text[:SHOWN_CHARACTERS]}: {line.why}")
    raise fail("apply-refused", count=len(bad))


def _keep_spelling(candidate: Settings, running: Settings) -> None:
    """The first spelling of a name is kept, as when it is typed again."""
    for key, entity in candidate.entities.items():
        entity.name = running.entities.get(key, entity).name
    for key, realm in candidate.realms.items():
        realm.name = running.realms.get(key, realm).name
        if realm.entity is not None:
            realm.entity = candidate.entities[fold(realm.entity)].name


class _Told(NamedTuple):
    """The outcome: what differs, what goes with it, and the last word."""

    changes: list[Change]
    warnings: list[str]
    end: str


def _conclude(operator: Operator, text: str, needs: Needs, how: How) -> None:
    def begin(task: Task) -> int:
        return operator.device.in_pieces(_applied(operator, text, needs, how, task), task.done)

    def told(outcome: _Told) -> None:
        shown = saved.changed(outcome.changes, concealed)
        foot = [*(f"Warning: {text}" for text in outcome.warnings), f"Info: {outcome.end}"]
        operator.show(Document(saved.CHANGE, shown, foot=foot))

    operator.start("", begin, told)


def _applied(operator: Operator, text: str, needs: Needs, how: How, task: Task) -> Pieces[_Told]:
    configuration = operator.device.configuration
    edits = configuration.edits()
    candidate = yield from _read(operator, text, needs, how)
    shut = access.shut_by(candidate)
    if shut and not access.shut_by(operator.device.settings):
        raise shut
    lines = stored_lines(candidate)
    changes = yield from grouped(difference(configuration.running(), lines))
    gone = _gone(operator, candidate)
    yield from _check_rights(operator, changes, gone)
    access.refuse_to_open(operator)
    warnings = yield from _loss(operator, candidate, gone)
    end = "No change."
    if how.dry_run and changes:
        end = f"This was a dry run. {NOT_APPLIED}"
    elif not (how.dry_run or task.over) and (changes or configuration.unsaved()):
        yield from configuration.replace(candidate, edits)
        end = f"{'The configuration was applied' if changes else 'No change'}, and saved."
    return _Told(changes, warnings, end)


def _loss(operator: Operator, candidate: Settings, gone: list[Realm]) -> Pieces[list[str]]:
    """What goes because the text does not name it."""
    users = operator.device.settings.users
    names = [f"realm {realm.name}" for realm in gone]
    names += [f"user {user.name}" for key, user in users.items() if key not in candidate.users]
    warnings = []
    if names:
        more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
        warnings.append(
            f"Not in the text, so removed: {', '.join(names[:SHOWN_NAMES])}{more}."
            " `scep-agent apply --merge` keeps what a text does not name."
        )
    for realm in gone:
        yield
        doubt = lookups.doubt(operator, realm)
        if doubt:
            warnings.append(f"Realm {realm.name} {doubt}. All of it is removed.")
    return warnings


def _gone(operator: Operator, candidate: Settings) -> list[Realm]:
    running = operator.device.settings.realms
    return [realm for key, realm in running.items() if key not in candidate.realms]


def _check_rights(operator: Operator, changes: list[Change], gone: list[Realm]) -> Pieces[None]:
    """Each line needs the level at which it, or its `undo`, could be typed."""
    for change in changes if operator.level < SECRET_LEVEL else ():
        yield
        wanted = _level(change) if change.sign.strip() else 0
        if operator.level < wanted:
            line = concealed(change.line).strip()
            raise fail("apply-level", line=line, wanted=wanted, level=operator.level)
    for realm in gone:
        yield
        lookups.removable_realm(operator, realm.name)


def _level(change: Change) -> int:
    """The lowest level at which the line is a command; a kept line that means nothing is none."""
    levels = range(CONFIGURE_LEVEL, SECRET_LEVEL + 1)
    return next((level for level in levels if _is_command(change, level)), CONFIGURE_LEVEL)


def _is_command(change: Change, level: int) -> bool:
    try:
        row = match(table(SYSTEM, level), change.block).command.row
        if change.line.startswith(" "):
            match(table(row.opens or SYSTEM, level), change.line)
    except GrammarError:
        return False
    return True
