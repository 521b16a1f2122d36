"""The rows of the catalogue for `undo` before a line that is not configured."""

from __future__ import annotations

from agent.catalogue.row import LOCAL, OPERATOR, Row

_AGAIN = "nothing was changed; `display this` shows what is configured, `undo {words}` removes it"

UNDO: dict[str, Row] = {
    "undo-other": Row(LOCAL, OPERATOR, "{words} is {present}, not {said}",
        "it was changed since the line was read, or the line is another device's", _AGAIN),
    "undo-secret": Row(LOCAL, OPERATOR, "{words} is not the one that was typed",
        "it was changed since the line was read, or it was typed in plain", _AGAIN),
    "undo-unset": Row(LOCAL, OPERATOR, "{words} is not configured",
        "it was removed already, or the line is another device's",
        "nothing was changed; `display this` shows what is configured"),
}  # fmt: skip
