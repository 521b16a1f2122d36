"""`scep-agent apply`: the running configuration becomes a text, all of it or nothing.

The text is read into fresh settings by the handlers that read what is typed, so it passes the same
checks. Passwords in plain are sealed by tasks, and sealed ones are tried; then the text is read
again, compared, committed and switched to in one go, since other sessions may have configured the
device meanwhile.

Fault model. The text is wrong, asks for more than its sender may do, or flash does not take it:
then nothing has changed, and the exit status is 1. The sender hangs up: nothing has changed.
"""

from __future__ import annotations

from functools import partial

from agent.console.commands import access, lookups
from agent.console.commands.lines import concealed
from agent.console.commands.operator import Operator, Task
from agent.console.commands.rows import CONFIGURE_LEVEL, SECRET_LEVEL
from agent.console.commands.table import render_configuration, table
from agent.console.configuration.loader import BadLine, Secrets, load_configuration
from agent.console.language.blocks import Change, difference
from agent.console.language.grammar import GrammarError, match
from agent.console.language.views import SYSTEM
from agent.errors import AgentError, fail
from agent.settings import Realm, Settings, fold

NOT_APPLIED = "Nothing was changed."
SHOWN_CHARACTERS = 200  # of a bad line


def apply(operator: Operator, text: str, dry_run: bool) -> None:
    """Begins; the session is busy until the end. A dry run only tells the difference."""
    if operator.level < CONFIGURE_LEVEL:
        raise fail("apply-level", line="apply", wanted=CONFIGURE_LEVEL, level=operator.level)
    secrets = Secrets(operator.device.settings)
    _read(operator, text, secrets)
    _protect(operator, text, secrets, dry_run)


def _protect(operator: Operator, text: str, secrets: Secrets, dry_run: bool) -> None:
    """The passwords, and then the end."""
    if secrets.tasks:
        operator.start(
            f"Sealing or checking passwords: {len(secrets.tasks)}",
            lambda task: _Passwords(secrets, task).go(),
            lambda _result: _conclude(operator, text, secrets, dry_run),
            NOT_APPLIED,
        )
    else:
        _conclude(operator, text, secrets, dry_run)


class _Passwords:
    """One task after the other; no call stands in a call, however fast they end."""

    def __init__(self, secrets: Secrets, task: Task) -> None:
        self._secrets, self._task = secrets, task
        self._waiting = sorted(secrets.tasks, reverse=True)
        self._pending = self._going = False

    def go(self) -> int:
        """Starts what can be started; the number of the last task."""
        handle = 0
        self._going = True
        while self._waiting and not (self._pending or self._task.over):
            line = self._waiting.pop()
            self._pending = True
            handle = self._secrets.tasks[line](partial(self._ended, line))
        self._going = False
        if not self._pending:
            self._task.done(None)
        return handle

    def _ended(self, line: int, result: object) -> None:
        self._pending = False
        self._secrets.ready[line] = result
        if isinstance(result, AgentError):
            self._task.note(f"The password of line {line} is not possible.")
            self._task.done(result)
        elif not self._going:
            self.go()


def _read(operator: Operator, text: str, secrets: Secrets) -> Settings:
    """The settings that a text makes; AgentError when a line of it does not apply."""
    device = operator.device
    settings, running, candidate = device.settings, Settings(), Settings()
    running.become(settings)
    # Handlers find the device's settings here: for this moment, in which nothing else runs.
    settings.become(candidate)
    secrets.running = running
    try:
        bad = load_configuration(device, text, secrets)
    finally:
        candidate.become(settings)
        settings.become(running)
    if bad:
        _tell(operator, bad)
    _keep_spelling(candidate, running)
    return candidate


def _tell(operator: Operator, bad: list[BadLine]) -> None:
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


def _conclude(operator: Operator, text: str, secrets: Secrets, dry_run: bool) -> None:
    configuration = operator.device.configuration
    candidate = _read(operator, text, secrets)
    shut = access.shut_by(candidate)
    if shut and not access.shut_by(operator.device.settings):
        raise shut
    changes = difference(configuration.running().splitlines(), render_configuration(candidate))
    gone = _gone(operator, candidate)
    _check_rights(operator, changes, gone)
    access.refuse_to_open(operator)
    for change in changes:
        operator.line(f"{change.sign}{concealed(change.line)}")
    for realm in gone:
        doubt = lookups.doubt(operator, realm)
        if doubt:
            operator.warn(f"Realm {realm.name} {doubt}. All of it is removed.")
    if dry_run:
        operator.info("This was a dry run. " + NOT_APPLIED if changes else "No change.")
    elif changes or configuration.unsaved():
        configuration.replace(candidate)
        operator.info(f"{'The configuration was applied' if changes else 'No change'}, and saved.")
    else:
        operator.info("No change.")


def _gone(operator: Operator, candidate: Settings) -> list[Realm]:
    running = operator.device.settings.realms
    return [realm for key, realm in running.items() if key not in candidate.realms]


def _check_rights(operator: Operator, changes: list[Change], gone: list[Realm]) -> None:
    """Each line needs the level at which it, or its `undo`, could be typed."""
    for change in changes if operator.level < SECRET_LEVEL else ():
        wanted = _level(change) if change.sign.strip() else 0
        if operator.level < wanted:
            line = concealed(change.line).strip()
            raise fail("apply-level", line=line, wanted=wanted, level=operator.level)
    for realm in gone:
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
