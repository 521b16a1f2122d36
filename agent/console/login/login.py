"""Login on a serial line: name and password, as `user-interface console 0` says. Sans-IO.

A transport feeds bytes; `entered` is called once, when somebody is let in, and `ended` when the
line shall be given up until somebody types again. What is asked is looked up anew for each
attempt, since another session may configure it meanwhile.

Fault model. Somebody guesses: delays and locks are in `lockout.py`, they count when the password
has been checked, also when the line was hung up before that; an unknown name costs the same work
and reads the same as a wrong password. Somebody stays silent: after a while the line is given up.
The line makes up bytes: an empty line is no attempt, and what is typed during the check or a delay
is dropped. Nobody can log in (a configuration was loaded that lacks the passwords it asks for): the
line lets nobody in and says the way out, `scep-agent console` as root, which asks for nothing.
A worker that cannot check lets nobody in either, and counts no failure. Automation looks for words
like `login` and `password`, `>` and `]`: nothing but a prompt has them.
"""

from __future__ import annotations

from collections.abc import Callable

from agent import limits
from agent.appliance import Appliance
from agent.console.login.lockout import SECOND_NS, Lockout
from agent.console.terminal.editor import Editor, Interrupt, Line
from agent.console.terminal.output import Output
from agent.errors import AgentError
from agent.settings import fold
from hal.named import NamedTuple
from hal.ports import Reactor, Timer

# The hash of nothing that can be typed, of the same cost: what an unknown user is compared with.
NOBODY = "$scrypt$ln=14,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
WRONG = "Error: Authentication failed."  # whatever was wrong
SHUT = (
    "Nobody can log in on this line: what it asks for is not set."
    " `scep-agent console`, as root of this device, asks for nothing."
)


class Account(NamedTuple):
    """Who may log in: name ("" for the line itself), hash of the password, level."""

    name: str
    password: str
    level: int


class Entry(NamedTuple):
    """Somebody was let in. `failures`: wrong passwords on this line since the last login."""

    user: str
    level: int
    failures: int


class Login:
    """One caller at a line, from the first key to the session. `report` takes log lines."""

    def __init__(
        self,
        device: Appliance,
        lockout: Lockout,
        send: Callable[[bytes], None],
        reactor: Reactor,
        *,
        report: Callable[[str, str], None],
        entered: Callable[[Entry], None],
        ended: Callable[[], None],
        width: int = limits.SCREEN_COLUMNS,
    ) -> None:
        self._out = Output(send, terminal=True, width=width)
        self._device, self._lockout, self._reactor = device, lockout, reactor
        self._report, self._entered, self._ended = report, entered, ended
        self._editor = Editor(width)
        self._read: Callable[[str], None] | None = None  # who takes the next line
        self._timer: Timer | None = None
        self._over = False

    # -- what a transport calls --------------------------------------------------------------------

    def begin(self) -> None:
        """Asks, or lets in at once when nothing is asked."""
        self._next()
        self._out.flush()

    def feed(self, data: bytes) -> None:
        for byte in data:
            event = self._editor.key(byte) if self._read else None
            self._out.write(self._editor.take_output())
            if isinstance(event, Line) and self._read:
                read, self._read = self._read, None
                read(event.text)
            elif isinstance(event, Interrupt):
                self._next()
        self._out.flush()

    def close(self) -> None:
        """Hang-up. A check that runs goes on, and counts."""
        self._over = True
        self._read = None
        self._stop_timer()

    # -- asking ------------------------------------------------------------------------------------

    def _next(self) -> None:
        """The next attempt, by the configuration as it is now."""
        self._read = None
        console = self._device.settings.console
        if self._device.configuration.closed():  # the next key is told why
            self._give_up("")
            return
        if console.mode == "none":
            self._enter(Entry("", console.level, self._lockout.succeeded("")))
            return
        if not self._accounts():
            self._give_up(SHUT)
            return
        wait_ns = self._lockout.wait_ns(self._device.outside_ns())
        if wait_ns:
            self._after(wait_ns, self._next)
            return
        self._after(limits.LOGIN_S * SECOND_NS, self._late)
        if console.mode == "aaa":
            self._ask("Username:", self._name_read)
        elif not self._is_locked(""):
            self._ask("Password:", lambda text: self._check("", text), hidden=True)
        else:
            self._give_up("")

    def _name_read(self, text: str) -> None:
        name = fold(text.strip())[: limits.NAME_CHARACTERS]
        if name:
            self._ask("Password:", lambda plain: self._check(name, plain), hidden=True)
        else:
            self._next()

    def _ask(self, prompt: str, read: Callable[[str], None], *, hidden: bool = False) -> None:
        self._read = read
        self._editor.begin(prompt, hidden=hidden, question=True)
        self._out.write(self._editor.take_output())

    def _late(self) -> None:
        self._out.write("\r\n")
        self._give_up(f"Nobody logged in within {limits.LOGIN_S} s.")

    def _give_up(self, why: str) -> None:
        if why:
            self._out.info(why)
        self._out.flush()
        self.close()
        self._ended()

    # -- checking ----------------------------------------------------------------------------------

    def _accounts(self) -> dict[str, Account]:
        """Who could log in now, by folded name."""
        settings = self._device.settings
        console = settings.console
        if console.mode == "password":
            return {"": Account("", console.password, console.level)} if console.password else {}
        return {
            key: Account(user.name, user.password, user.level)
            for key, user in settings.users.items()
            if user.password and user.may_log_in
        }

    def _check(self, name: str, plain: str) -> None:
        if not plain:
            self._next()
            return
        if self._is_locked(name):
            self._next()
            return
        self._stop_timer()  # the job has a deadline of its own
        fits = len(plain.encode(errors="replace")) <= limits.LOGIN_PASSWORD_BYTES
        account = self._accounts().get(name) if fits else None
        tried = plain if fits else "?"  # the work is the same

        def checked(result: object) -> None:
            right = result is True and account is not None and account == self._accounts().get(name)
            if isinstance(result, AgentError) and result.code != "hash-unreadable":
                self._unchecked(result)
            elif right and account:
                self._right(name, account)
            else:
                self._wrong(name)
            self._out.flush()

        try:
            password = account.password if account else NOBODY
            self._device.access.check_password(tried, password, checked)
        except AgentError as error:
            self._unchecked(error)

    def _is_locked(self, name: str) -> bool:
        left_ns = self._lockout.locked_ns(name, self._device.outside_ns())
        if left_ns > 0:
            whom = "This user" if name else "This line"
            self._out.line(f"Error: {whom} is locked for another {-(-left_ns // SECOND_NS)} s.")
        return left_ns > 0

    def _right(self, name: str, account: Account) -> None:
        if not self._over:
            self._enter(Entry(account.name, account.level, self._lockout.succeeded(name)))

    def _wrong(self, name: str) -> None:
        who = self._known(name)
        self._report("LOGINFAIL", f"{who}: wrong password")
        if self._lockout.failed(name, self._device.outside_ns()):
            self._report("LOGINLOCK", f"{who}: locked for {limits.LOGIN_LOCK_S} s")
        if self._over:
            return
        self._out.line(WRONG)
        self._next()

    def _known(self, name: str) -> str:
        """How the log calls who tried. A name that nobody has may be a password, typed too soon."""
        user = self._device.settings.users.get(name)
        return f"user {user.name}" if user else "an unknown user" if name else "the line"

    def _unchecked(self, error: AgentError) -> None:
        self._report("LOGINFAIL", f"the password could not be checked: {error.what}")
        if not self._over:
            self._out.error(error)
            self._give_up("Nobody was let in.")

    def _enter(self, entry: Entry) -> None:
        self._out.flush()
        self.close()
        self._entered(entry)

    # -- time --------------------------------------------------------------------------------------

    def _after(self, delay_ns: int, call: Callable[[], None]) -> None:
        self._stop_timer()

        def due() -> None:
            call()
            self._out.flush()

        self._timer = self._reactor.after(delay_ns, due)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
