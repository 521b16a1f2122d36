"""Draws the state diagram of `docs/states.md` from the transition table (Mermaid).

python -m tools.statediagram docs/states.md      write it
python -m tools.statediagram                     print it
"""

import sys

from agent.enrolment.states import AS_STORED, RESTING, TABLE, Restart, State, Target

HEAD = """# The states of an enrolment

Generated from `agent/enrolment/states.py` by `make docs`; a test compares it. An arrow is an event;
a pair that has no arrow is refused. `Restart` is what happens to a state found in flash after power
came back; states without it are only in memory.

AS_STORED is no state of its own: the operator has changed the records of the realm, and it rests as
they say, in {resting}.
"""


def diagram() -> str:
    """The whole page."""
    *states, last = [state.name for state in RESTING]
    head = HEAD.format(resting=f"{', '.join(states)} or {last}")
    lines = [head, "```mermaid", "stateDiagram-v2"]
    lines += [f"    {state.name} : {state.value}" for state in State]
    lines += [f"    {AS_STORED} : at rest, as the records say"]
    for (state, event), (_handler, targets) in TABLE.items():
        for target in targets:
            if not (event is Restart and target is state):
                lines.append(f"    {state.name} --> {_name(target)} : {event.__name__}")
    resting = ", ".join(s.name for (s, e), (_h, t) in TABLE.items() if e is Restart and s in t)
    return "\n".join([*lines, "```", "", f"Restart leaves these as they are: {resting}.", ""])


def _name(target: Target) -> str:
    return target.name if isinstance(target, State) else target


def main(arguments: list[str]) -> int:
    if not arguments:
        print(diagram())
        return 0
    with open(arguments[0], "w") as page:
        page.write(diagram())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
