"""The rows of the catalogue for what there is only so much of: flash, sessions, descriptors."""

from __future__ import annotations

from agent.catalogue.row import LATER, LOCAL, OPERATOR, Row

ROOM: dict[str, Row] = {
    "store-reserved": Row(LOCAL, OPERATOR, "the change was not stored: it takes {wanted} bytes, and"
        " the last {left} bytes of the store are kept for renewals",
        "key pairs, realms, CA certificates and revocation lists have taken the rest",
        "see `display pki statistics`; remove what is not needed with `pki rsa local-key-pair"
        " destroy NAME` and `undo pki realm NAME`, and try again"),
    "store-short": Row(LOCAL, OPERATOR, "the store has no room for the next application of realm"
        " {realm}: it takes {wanted} bytes, {left} are left",
        "key pairs, realms, CA certificates and revocation lists have taken the rest",
        "see `display pki statistics`; remove what is not needed with `pki rsa local-key-pair"
        " destroy NAME` and `undo pki realm NAME`"),
    "session-stranger": Row(LOCAL, OPERATOR, "this user may not use the console",
        "it is for root, the user of the agent, its group and the operators of the board file",
        "have the user put into the group that [console] operators names"),
    "session-full": Row(LOCAL, LATER, "too many sessions",
        "all {most} are taken, including those of scripts and of connections that send nothing",
        "see `display users` in an open session, and end one of them"),
    "session-kept": Row(LOCAL, LATER, "too many sessions: the last {kept} are kept for level 3",
        "all others are taken",
        "end another session, or wait: one where nothing is typed ends by itself"),
    "session-user": Row(LOCAL, LATER, "too many sessions of this user: {most} are allowed below"
        " level 3",
        "they were left open, or a script opens them without end",
        "end one of them; one where nothing is typed ends by itself"),
    "session-descriptors": Row(LOCAL, LATER, "no more descriptors: the agent cannot open a session",
        "its other sessions and jobs hold all that its system allows it (RLIMIT_NOFILE)",
        "end other sessions and try again; raise the limit where the agent is started"),
}  # fmt: skip
