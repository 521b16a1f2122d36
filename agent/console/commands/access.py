"""Commands about who may log in on the serial lines: `user-interface console 0` and `aaa`.

Nobody locks himself out: a command after which no password, or no user of level 3, would open the
serial line is refused. A configuration is loaded whatever it says; what the line does then is at
the head of `agent/console/login/login.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from agent import limits
from agent.console.commands import protection
from agent.console.commands.operator import Operator
from agent.console.commands.rows import (
    SECRET_LEVEL,
    Row,
    display,
    line_of,
    one_of,
    rendered,
    restore,
    setting,
)
from agent.console.displays import users
from agent.console.language import parameters, passwords
from agent.console.language.grammar import Args
from agent.console.language.views import AAA, CONSOLE, SYSTEM
from agent.errors import AgentError, fail
from agent.settings import ConsoleLine, LocalUser, Settings, fold

MODES = ("none", "password", "aaa")
TO_SET = "set authentication password"
LEVEL = parameters.integer("Level: 1 displays, 2 configures, 3 does all", *limits.LEVELS)
USER_NAME = parameters.name("Name of a user")

Users = Mapping[str, LocalUser]


def shut(mode: str, password: str | None, users: Users) -> AgentError | None:
    """Why nobody who may change all could log in on the serial line; None when somebody could."""
    if mode == "password" and password is None:
        return fail("login-no-password")
    if mode == "aaa" and not any(
        user.may_log_in and user.level == SECRET_LEVEL for user in users.values()
    ):
        return fail("login-no-user")
    return None


def shut_by(settings: Settings) -> AgentError | None:
    """The same of a whole configuration."""
    console = settings.console
    return shut(console.mode, console.password, settings.users)


def refuse_to_open(operator: Operator) -> None:
    """Before what would open serial lines that let nobody in, since they have lost whom."""
    if operator.device.configuration.closed() and operator.level < SECRET_LEVEL:
        raise fail("lost-level", wanted=SECRET_LEVEL, level=operator.level)


def _refuse_to_shut(
    operator: Operator, password: str | None, users: Users, mode: str | None = None
) -> None:
    """Refuses what would shut an open line; what is shut already may be mended step by step."""
    settings: Settings = operator.device.settings
    why = shut(mode or settings.console.mode, password, users)
    if why and (mode or not shut_by(settings)):
        operator.refuse(why)


def _take_hash(
    operator: Operator, text: str, before: str | None, command: str, keep: Callable[[object], None]
) -> None:
    """Hashes a password in plain; a hash, which may be another device's, is tried and kept."""
    access = operator.device.access
    if not passwords.is_hash(text):
        operator.protect(
            "Hashing the password",
            lambda done: access.hash_password(text, before, done),
            keep,
            protection.refused(command),
        )
    elif text == before:
        keep(text)
    else:
        operator.protect(
            "Checking the hash",
            lambda done: access.check_password(passwords.MASK, text, done),
            lambda _matches: keep(text),
            lambda: keep(text),
        )


def show_users(operator: Operator, _args: Args) -> None:
    operator.show(users.users(list(operator.device.access.seats), operator.seat))


# -- user-interface console 0 ----------------------------------------------------------------------


def open_console(operator: Operator, _args: Args) -> None:
    operator.enter(CONSOLE)


def reset_console(operator: Operator, _args: Args) -> None:
    operator.device.settings.console = ConsoleLine()


def render_console(settings: Settings) -> Iterator[str]:
    lines = list(rendered(CONSOLE_ROWS, settings.console))
    if lines:
        yield "user-interface console 0"
        yield from (f" {line}" for line in lines)


def authentication_mode(operator: Operator, args: Args) -> None:
    console, mode = operator.record(CONSOLE), args.chosen(MODES)[0]
    _refuse_to_shut(operator, console.password, operator.device.settings.users, mode)
    console.mode = mode


def line_password(operator: Operator, args: Args) -> None:
    def keep(stored: object) -> None:
        operator.device.settings.console.password = str(stored)

    def use(text: str) -> None:
        _take_hash(operator, text, operator.former().password, TO_SET, keep)

    protection.take(operator, args, passwords.HASHED, use)


def no_line_password(operator: Operator, _args: Args) -> None:
    _refuse_to_shut(operator, None, operator.device.settings.users)
    operator.record(CONSOLE).password = None


def idle_timeout(operator: Operator, args: Args) -> None:
    operator.record(CONSOLE).idle_s = args.number("MINUTES", 0) * 60 + args.number("SECONDS", 0)


def render_idle(record: ConsoleLine) -> Iterator[str]:
    if record.idle_s != limits.IDLE_SESSION_S:
        minutes, seconds = divmod(record.idle_s, 60)
        yield f"idle-timeout {minutes} {seconds}"


def line_level(operator: Operator, args: Args) -> None:
    console = operator.record(CONSOLE)
    console.level = args.number("LEVEL", SECRET_LEVEL)
    if console.level < SECRET_LEVEL and console.mode != "aaa":
        operator.warn(
            "From the next login on, the serial line has this level. Raising it again takes"
            " `scep-agent console` as root."
        )


# -- aaa -------------------------------------------------------------------------------------------


def open_aaa(operator: Operator, _args: Args) -> None:
    operator.enter(AAA)


def remove_users(operator: Operator, _args: Args) -> None:
    _put_users(operator, {})


def render_aaa(settings: Settings) -> Iterator[str]:
    if settings.users:
        yield "aaa"
        yield from (f" {line}" for line in render_users(settings))


def render_users(settings: Settings) -> Iterator[str]:
    for user in settings.users.values():
        head = f"local-user {user.name}"
        if user.password:
            yield f"{head} password irreversible-cipher {user.password}"
        if user.level != limits.USER_LEVEL_DEFAULT or not (user.password or user.terminal):
            yield f"{head} privilege level {user.level}"
        if user.terminal:
            yield f"{head} service-type terminal"


def local_user(operator: Operator, args: Args) -> None:
    name = args.text("NAME")
    if "password" in args:
        _user_password(operator, args, name)
    elif "privilege" in args:
        level = args.number("LEVEL", limits.USER_LEVEL_DEFAULT)
        _change_user(operator, name, lambda user: user._replace(level=level))
    else:
        _change_user(operator, name, lambda user: user._replace(terminal=True))


def _user_password(operator: Operator, args: Args, name: str) -> None:
    command = f"local-user {name} password irreversible-cipher"

    def keep(stored: object) -> None:
        _change_user(operator, name, lambda user: user._replace(password=str(stored)))

    def use(text: str) -> None:
        known = operator.former().users.get(fold(name))
        _take_hash(operator, text, known.password if known else None, command, keep)

    protection.take(operator, args, passwords.HASHED, use)


def _change_user(operator: Operator, name: str, change: Callable[[LocalUser], LocalUser]) -> None:
    users = operator.device.settings.users
    known = users.get(fold(name))
    if known is None and len(users) >= limits.USERS:
        raise fail("users-full", cap=limits.USERS)
    changed = change(known or LocalUser(name))
    _put_users(operator, {**users, fold(name): changed})


def undo_user(operator: Operator, args: Args) -> None:
    """A user of whom nothing is left is no user any more."""
    name, users = args.text("NAME"), operator.device.settings.users
    user = users.get(fold(name))
    if user is None:
        raise fail("user-unknown", name=name)
    new = left = LocalUser(user.name)
    if "privilege" in args:
        left = user._replace(level=new.level)
    elif "service-type" in args:
        left = user._replace(terminal=new.terminal)
    elif "password" in args:
        left = user._replace(password=new.password)
    kept = {**users, fold(name): left}
    _put_users(operator, {key: one for key, one in kept.items() if one != new})


def _put_users(operator: Operator, users: dict[str, LocalUser]) -> None:
    settings = operator.device.settings
    _refuse_to_shut(operator, settings.console.password, users)
    settings.users = users


# In the order in which they can be pasted back: what a mode needs comes before it.
CONSOLE_ROWS = tuple(
    row._replace(level=SECRET_LEVEL)
    for row in (
        Row(
            f"{TO_SET} [ cipher [ PASSWORD ] ]",
            (CONSOLE,),
            line_password,
            {"PASSWORD": passwords.HASHED},
            words={"password": "Password of the line", "cipher": passwords.HASHED.help},
            render=line_of(CONSOLE, "password", f"{TO_SET} cipher"),
            undo=TO_SET,
            undone=no_line_password,
        ),
        one_of(CONSOLE, "authentication-mode", MODES, "mode")._replace(
            handler=authentication_mode,
            words={
                "none": "Nothing is asked for",
                "password": "The password of the line is asked for",
                "aaa": "Name and password of a local user are asked for",
            },
        ),
        Row(
            "idle-timeout MINUTES [ SECONDS ]",
            (CONSOLE,),
            idle_timeout,
            {
                "MINUTES": parameters.integer(
                    "Minutes without a keystroke (0 0: never)", *limits.IDLE_MINUTES
                ),
                "SECONDS": parameters.integer("Seconds in addition", *limits.IDLE_SECONDS),
            },
            render=render_idle,
            undo="idle-timeout",
            undone=restore(CONSOLE, "idle_s"),
            default="idle-timeout {} {}".format(*divmod(limits.IDLE_SESSION_S, 60)),
        ),
        setting(CONSOLE, "user privilege level", "LEVEL", LEVEL, "level")._replace(
            handler=line_level
        ),
    )
)

SHOW = display("users", show_users, users.USERS)

ROWS = (
    Row(
        "aaa",
        (SYSTEM,),
        open_aaa,
        words={"aaa": "Local users"},
        level=SECRET_LEVEL,
        render=render_aaa,
        undo="aaa",
        undone=remove_users,
        opens=AAA,
    ),
    Row(
        "local-user NAME { password { irreversible-cipher | cipher } [ PASSWORD ]"
        " | privilege level LEVEL | service-type terminal }",
        (AAA,),
        local_user,
        {"NAME": USER_NAME, "PASSWORD": passwords.HASHED, "LEVEL": LEVEL},
        words={
            "password": "Password of the user",
            "cipher": passwords.HASHED.help,
            "terminal": "Serial lines",
        },
        level=SECRET_LEVEL,
        render=render_users,
        undo="local-user NAME [ privilege level | service-type ]",
        undone=undo_user,
    ),
    Row(
        "user-interface console NUMBER",
        (SYSTEM,),
        open_console,
        {"NUMBER": parameters.integer("Number of the line", 0, 0)},
        level=SECRET_LEVEL,
        render=render_console,
        undo="user-interface console NUMBER",
        undone=reset_console,
        opens=CONSOLE,
    ),
    *CONSOLE_ROWS,
)
