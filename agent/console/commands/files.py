"""Files of device storage: their format, their passwords, what is asked before one is written."""

from __future__ import annotations

from collections.abc import Callable

from agent.console.commands import protection
from agent.console.commands.operator import Operator
from agent.console.commands.rows import DISPLAY_LEVEL, Row, one_of
from agent.console.displays import board
from agent.console.language import parameters, passwords
from agent.console.language.grammar import Args
from agent.console.language.views import SYSTEM, USER

FORMATS = ("pem", "der", "pkcs12")
ENDINGS = {"pem": "pem", "der": "der", "pkcs12": "p12"}


def with_password(operator: Operator, args: Args, use: Callable[[str | None], None]) -> None:
    """PKCS#12 always has a password; it is asked for when the line does not hold it."""

    def read(line: str) -> None:
        use(protection.read(passwords.PLAIN, line) if line else line)

    if "PASSWORD" in args:
        use(args.text("PASSWORD"))
    elif "pkcs12" in args:
        operator.ask("Enter the password of the file: ", read, hidden=True)
    else:
        use(None)


def to_file(operator: Operator, file: str, write: Callable[[], None]) -> None:
    """Asks before a file of that name is overwritten."""

    def answered(yes: bool) -> None:
        if yes:
            write()

    if operator.device.storage.exists(file):
        operator.question(f"The file {file} exists and will be overwritten. Continue?", answered)
    else:
        write()


def new_password(operator: Operator, args: Args, use: Callable[[str | None], None]) -> None:
    """A password for a file that is written: given, or asked for twice."""
    prompt = "Enter a password for the file: "
    protection.take(operator, args, passwords.PLAIN, use, prompt)


def show_files(operator: Operator, _args: Args) -> None:
    operator.show(board.files(operator.device.storage.entries()))


PARAMETERS = {"FILENAME": parameters.FILE, "PASSWORD": passwords.PLAIN}
WORDS = {"password": "Password of the file"}

FORMAT = one_of(SYSTEM, "pki file-format", ("der", "pem"), "file_format")
DIR = Row("dir", (USER,), show_files, level=DISPLAY_LEVEL, shows=board.FILE)
