"""Words of other command lines, and what they are called here: `show version`, `exit`, `no ...`.

Nothing is done for them: a word that means something else at home must not change anything here.
The table is asked about a line that no view knows, so no row of it hides a command.
"""

from __future__ import annotations

from agent.console.commands.table import table
from agent.console.language.grammar import GrammarError, match, tokens
from agent.console.language.views import SYSTEM, USER, View

HELP = (
    "`?` lists what may come next, at any place, and TAB completes a word; `display this` shows the"
    " settings of a view, `undo` removes one, `diagnose realm NAME` tells what a realm lacks"
)
LEVELS = "nothing has to be enabled: `display users` shows the level that the login gave"

# The words of a line, each perhaps cut short, and what is typed here; the longest first. What
# follows them is typed behind it, except where the second part ends in a full stop.
WORDS: tuple[tuple[str, str], ...] = (
    ("show running-config", "display current-configuration"),
    ("show startup-config", "display saved-configuration"),
    ("show ip interface", "display interface"),
    ("show logging", "display logbuffer"),
    ("show history", "display history-command"),
    ("show crypto pki certificates", "display pki certificate local"),
    ("show crypto pki trustpoints", "display pki realm"),
    ("show crypto pki crls", "display pki crl"),
    ("show crypto key mypubkey rsa", "display pki rsa local-key-pair public"),
    ("show", "display"),
    ("copy running-config startup-config", "save"),
    ("write memory", "save"),
    ("write", "save"),
    ("configure terminal", "system-view"),
    ("configure", "system-view"),
    ("crypto pki trustpoint", "pki realm"),
    ("crypto pki enroll", "pki enroll-certificate realm"),
    ("crypto pki authenticate", "pki get-certificate ca realm"),
    ("crypto key generate rsa", "pki rsa local-key-pair create NAME."),
    ("pki domain", "pki realm"),
    ("pki retrieve-certificate", "pki get-certificate ca realm NAME."),
    ("terminal length", "screen-length LINES temporary."),
    ("hostname", "sysname"),
    ("reload", "reboot"),
    ("no", "undo"),
    ("end", "return"),
    ("exit", "quit"),
    ("logout", "quit"),
)
LEAST = 2  # letters of a first word that is cut short


def called_here(view: View, level: int, text: str) -> str:
    """What to type instead of a line that nobody knows; "" when no other command line has it."""
    said = tokens(text)
    first = said[0].text.lower() if said else ""
    if len(first) < LEAST:
        return ""
    if "help".startswith(first):
        return HELP
    if any(word.startswith(first) for word in ("enable", "disable")):
        return LEVELS
    for words, ours in WORDS:
        known = words.split()
        pairs = zip(known, said, strict=False)
        if len(said) >= len(known) and all(w.startswith(s.text.lower()) for w, s in pairs):
            rest = text[said[len(known)].column :] if len(said) > len(known) else ""
            return f"`{words}` is called `{ours.rstrip('.')}` here{_typed(view, level, ours, rest)}"
    return ""


def _typed(view: View, level: int, ours: str, rest: str) -> str:
    """Which line to type, and where; "" where its name says it. A password is not repeated."""
    line = ours if ours.endswith(".") else f"{ours} {rest}".rstrip()
    for kind in dict.fromkeys((view.kind, USER, SYSTEM)):
        try:
            found = match(table(kind, level), line)
        except GrammarError:
            continue
        where = "" if kind == view.kind else f" in the {kind} view"
        shown = "" if found.secret is not None or line == ours else f": type `{line}`"
        return f"{shown}{where}"
    return "" if ours.endswith(".") else f": type `{ours} ?`"
