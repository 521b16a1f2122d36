"""`scep-agent apply`: the running configuration becomes a text, all of it or nothing.

The text is read into fresh settings by the handlers that read what is typed, so it passes the same
checks. Passwords in plain are sealed by tasks, and sealed ones are tried; then the text is read
again, compared, committed and switched to in one go, since other sessions may have configured the
device meanwhile.

Fault model. The text is wrong, asks for more than its sender may do, or flash does not take it:
then nothing has changed, and the exit status is 1. The sender hangs up: nothing has changed.
"""

from functools import partial

from agent.console.commands import access, lookups
from agent.console.commands.rows import CONFIGURE_LEVEL, SECRET_LEVEL
from agent.console.commands.table import render_configuration, table
from agent.console.configuration.loader import BadLine, Secrets, load_configuration
from agent.console.language.blocks import Change, difference
from agent.console.language.grammar import GrammarError, match
from agent.console.language.views import SYSTEM
from agent.console.session.session import Session
from agent.console.session.work import Hold
from agent.errors import AgentError, fail
from agent.settings import Realm, Settings, fold

NOT_APPLIED = "Nothing was changed."
SHOWN_CHARACTERS = 200  # of a bad line


def apply(session: Session, text: str, dry_run: bool) -> None:
    """Begins; the session is busy until the end. A dry run only tells the difference."""
    if session.level < CONFIGURE_LEVEL:
        raise fail("apply-level", line="apply", wanted=CONFIGURE_LEVEL, level=session.level)
    secrets = Secrets(session.device.settings)
    _read(session, text, secrets)
    _protect(session, text, secrets, dry_run)


def _protect(session: Session, text: str, secrets: Secrets, dry_run: bool) -> None:
    """The passwords, and then the end."""
    if secrets.tasks:
        session.start(
            f"Sealing or checking passwords: {len(secrets.tasks)}",
            lambda hold: _Passwords(secrets, hold).go(),
            lambda _result: _conclude(session, text, secrets, dry_run),
            NOT_APPLIED,
        )
    else:
        _conclude(session, text, secrets, dry_run)


class _Passwords:
    """One task after the other; no call stands in a call, however fast they end."""

    def __init__(self, secrets: Secrets, hold: Hold) -> None:
        self._secrets, self._hold = secrets, hold
        self._waiting = sorted(secrets.tasks, reverse=True)
        self._pending = self._going = False

    def go(self) -> int:
        """Starts what can be started; the number of the last task."""
        handle = 0
        self._going = True
        while self._waiting and not (self._pending or self._hold.over):
            line = self._waiting.pop()
            self._pending = True
            handle = self._secrets.tasks[line](partial(self._ended, line))
        self._going = False
        if not self._pending:
            self._hold.done(None)
        return handle

    def _ended(self, line: int, result: object) -> None:
        self._pending = False
        self._secrets.ready[line] = result
        if isinstance(result, AgentError):
            self._hold.note(f"The password of line {line} is not possible.")
            self._hold.done(result)
        elif not self._going:
            self.go()


def _read(session: Session, text: str, secrets: Secrets) -> Settings:
    """The settings that a text makes; AgentError when a line of it does not apply."""
    device = session.device
    running = device.settings
    # Handlers find the device's settings here: for this moment, in which nothing else runs.
    device.settings = candidate = Settings()
    try:
        bad = load_configuration(device, text, secrets)
    finally:
        device.settings = running
    if bad:
        _tell(session, bad)
    _keep_spelling(candidate, running)
    return candidate


def _tell(session: Session, bad: list[BadLine]) -> None:
    for number, line in bad:
        session.line(f" line {number}: {line.text[:SHOWN_CHARACTERS]}: {line.why}")
    raise fail("apply-refused", count=len(bad))


def _keep_spelling(candidate: Settings, running: Settings) -> None:
    """The first spelling of a name is kept, as when it is typed again."""
    for key, entity in candidate.entities.items():
        entity.name = running.entities.get(key, entity).name
    for key, realm in candidate.realms.items():
        realm.name = running.realms.get(key, realm).name
        if realm.entity is not None:
            realm.entity = candidate.entities[fold(realm.entity)].name


def _conclude(session: Session, text: str, secrets: Secrets, dry_run: bool) -> None:
    configuration = session.device.configuration
    candidate = _read(session, text, secrets)
    shut = access.shut_by(candidate)
    if shut and not access.shut_by(session.device.settings):
        raise shut
    changes = difference(configuration.running().splitlines(), render_configuration(candidate))
    gone = _gone(session, candidate)
    _check_rights(session, changes, gone)
    access.refuse_to_open(session)
    for change in changes:
        shown = session.concealed(change)
        session.line(f"{shown.sign}{shown.line}")
    for realm in gone:
        doubt = lookups.doubt(session, realm)
        if doubt:
            session.warn(f"Realm {realm.name} {doubt}. All of it is removed.")
    if dry_run:
        session.info("This was a dry run. " + NOT_APPLIED if changes else "No change.")
    elif changes or configuration.unsaved():
        configuration.replace(candidate)
        session.info(f"{'The configuration was applied' if changes else 'No change'}, and saved.")
    else:
        session.info("No change.")


def _gone(session: Session, candidate: Settings) -> list[Realm]:
    running = session.device.settings.realms
    return [realm for key, realm in running.items() if key not in candidate.realms]


def _check_rights(session: Session, changes: list[Change], gone: list[Realm]) -> None:
    """Each line needs the level at which it, or its `undo`, could be typed."""
    for change in changes:
        wanted = _level(change) if change.sign.strip() else 0
        if session.level < wanted:
            line = session.concealed(change).line.strip()
            raise fail("apply-level", line=line, wanted=wanted, level=session.level)
    for realm in gone:
        lookups.removable_realm(session, realm.name)


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
