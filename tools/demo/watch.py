"""The second half: a realm that nobody applies for, and that renews while one watches.

Its certificates live for three minutes, and the board's clock runs twenty times as fast as ours;
the CA lives by the same clock. Shown are the lines of the board's log that say what came of it, as
`terminal monitor` brings them; one renewal falls into a time in which the CA is away.
"""

import json
import os
import re
from collections.abc import Callable

from tools.demo.failure import stoppable
from tools.demo.lab import Lab, short_lived
from tools.demo.procedure import ALONE, Plan, alone
from tools.demo.typist import Step, Typist

Show = Callable[[str], None]

RATE = 20
CLOCK = json.dumps({"offset_s": 0, "rate": RATE})


def _told(mnemonic: str, words: str) -> re.Pattern[str]:
    """A line of the log, which a terminal may have broken at any space."""
    text = rf"\d{{4}}-\S+ \S+ UTC PKI/\d/{mnemonic}: realm {ALONE}: {words}"
    return re.compile(text.replace(" ", r"\s+"))


ISSUED = _told("GET_LOCAL_CERT_OK", "certificate [0-9a-f]{20,}")
AWAY = _told("GET_CA_CERT_ERR", r"\S+ refused the connection")


def watch(bench: Lab, plan: Plan, typist: Typist, show: Show) -> int:
    """At the prompt of the user view; how many lines were typed. Raises DemoError when something
    does not come."""
    with short_lived(bench) as ca, stoppable():
        show(f"$ {ca.command}\n{ca.announced}\n")
        typist.show_prompt()
        steps = alone(plan._replace(url=ca.url))
        for step in steps:
            typist.type(step)
        _heading(show, "Nobody types any more, and the board's clock is in a hurry")
        show(f"$ echo '{CLOCK}' > board/clock\n")
        _hurry(bench)
        _seen(typist, ISSUED, "its first certificate", show)
        _seen(typist, ISSUED, "renewed", show)
    with stoppable():
        _heading(show, "The CA goes away")
        _seen(typist, AWAY, "not renewed, and tried again", show)
    with short_lived(bench, ca.port), stoppable():
        _heading(show, "The CA is back")
        _seen(typist, ISSUED, "renewed", show)
        with typist.unseen():  # further lines of the log may come into it
            typist.type(Step("undo terminal monitor"))
        _heading(show, "What comes next")
        typist.show_prompt()
        typist.type(Step(f"display pki enrollment realm {ALONE}"))
    return len(steps)


def _hurry(bench: Lab) -> None:
    clock = bench.folder / "board" / "clock"
    clock.with_suffix(".new").write_text(CLOCK)
    os.replace(clock.with_suffix(".new"), clock)


def _seen(typist: Typist, line: re.Pattern[str], what: str, show: Show) -> None:
    show(f"{what}:\n  {' '.join(typist.watch(line).split())}\n")


def _heading(show: Show, text: str) -> None:
    show(f"\n\n== {text}\n")
