"""Draws the state diagram of `docs/states.md` from the transition table (Mermaid).

python -m tools.statediagram docs/states.md      write it
python -m tools.statediagram                     print it
"""

import sys

from agent.enrolment.states import TABLE, Restart, State

HEAD = """# The states of an enrolment

Generated from `agent/enrolment/states.py` by `make docs`; a test compares it. An arrow is an event;
a pair that has no arrow is refused. `Restart` is what happens to a state found in flash after power
came back; states without it are only in memory.
"""


def diagram() -> str:
    """The whole page."""
    lines = [HEAD, "```mermaid", "stateDiagram-v2"]
    lines += [f"    {state.name} : {state.value}" for state in State]
    for (state, event), (_handler, targets) in TABLE.items():
        for target in targets:
            if not (event is Restart and target is state):
                lines.append(f"    {state.name} --> {target.name} : {event.__name__}")
    resting = ", ".join(s.name for (s, e), (_h, t) in TABLE.items() if e is Restart and s in t)
    return "\n".join([*lines, "```", "", f"Restart leaves these as they are: {resting}.", ""])


def main(arguments: list[str]) -> int:
    if not arguments:
        print(diagram())
        return 0
    with open(arguments[0], "w") as page:
        page.write(diagram())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
