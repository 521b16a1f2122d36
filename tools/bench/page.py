"""docs/BENCHMARKS.md from the results of a run."""

import datetime
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.bench import modules
from tools.bench.figures import MIB, Result, goal, number

HEAD = """# What it costs

Written by `make bench` (`python -m tools.bench --write docs/BENCHMARKS.md`). A value is the median
of its runs, with the least and the greatest; a goal is the most that the median may be. Times are
those of the machine below: a router's core is 20 to 40 times slower, and memory is the same there.
Other work on the machine (its load average) makes times longer and leaves memory and flash alone.

{machine}

| figure | goal | unit | {columns} | what it is |
| --- | --- | --- | {rules} | --- |
"""

READING = """
## How to read it

* **Resident** is what `ps` shows and counts pages that are shared with every other process that
  maps the same libraries. **Dirty** (Private_Dirty) is what the agent alone costs.
* **One enrolment** of ours is that of a whole device: the console command, capabilities and CA
  certificate, the request in flash before it leaves, the worker started and its libraries loaded,
  the reply checked, key and certificate in storage and in memory, each flush done. The peers write
  one file and are given the key in plain. `pki --scep` is given the CA certificate as well. So the
  ratios say what a device pays for a process that lives only while there is something to do, not
  which code is faster; `series_...` says that: many enrolments through one worker, beside the
  other client started anew for each on the same server.
* **CPU** of a living process is its CPU clock; of ended ones, wait4(2) with all their children.
  `series_cpu` and `series_micromdm_cpu` alone come from /proc/PID/stat, in ticks of 10 ms over many
  enrolments. No figure holds CPU time of a CA.
* **series_child_cpu** is the part of `series_cpu` that isolation costs: fork, confinement and end
  of a child that does nothing else. Another part is that each child is new: the same enrolments
  done one after the other in one process cost 4 ms each (two RSA signatures and a decryption are
  1.5 ms of it), in a fresh child 7: it copies some 1,000 pages when it first writes to them, and
  the interpreter has not seen its code run. That price is paid for what no parser can then reach.
* **Where an enrolment's CPU goes**, by samples of 200 on the newest libraries (2026-11-30):

  | part | share |
  | --- | --- |
  | page faults; 22 % are copies of pages, 4 % program text | 35 % |
  | the interpreter | 30 % |
  | RSA and digests: three signatures, an opening | 18 % |
  | two forks | 6 % |
  | filters of system calls; other system calls | 2 %; 6 % |
  | the C library and others | 3 % |

  The two children of an enrolment have 685 and 1,275 page faults, 338 of them in each before it
  reads its job; a job that does nothing has 465. By what they are for:

  | faults | key child | talking child |
  | --- | --- | --- |
  | reference counts of code, functions, constants | 200 | 513 |
  | look-ups of attributes: names, types, the cache of methods | 183 | 392 |
  | program text that the fork did not map, symbols of the linker | 156 | 167 |
  | allocators and new objects on used pages | 83 | 120 |
  | other | 63 | 83 |

  What gave little, in faults of one enrolment: twenty rehearsals in place of one, 20 fewer; a
  rehearsal of the ladder, 13 fewer; objects in the C library's heap, 420 more. A page that is
  copied ahead costs 2.3 us and one at its fault 3.0 to 3.4, but nobody knows beforehand which ones.
  CPython 3.11 counts references in the objects, so a child writes to whatever it uses.
* **The start of the worker** is most of what one enrolment costs by itself (`lab_ca_cpu`,
  `alone_cpu`). Of it 12 % more (Debian 9 %) would go with an HTTP of our own in place of
  `http.client`, which loads `email` and `ssl`, and TLS loaded for https servers alone; 3 % with
  Python's `site` left out (both measured with stand-ins, not done).
* **child_peak**: the high-water mark of a child starts at what is resident in it after the fork,
  and counts pages that it shares with the worker; it is read in the child when the operation is
  done, by a worker that is hooked outside the product (`tools/bench/hooked.py`).
* **echo**: the key presses are 10 ms apart and go through the simulated cable, two ptys and a pump
  that runs in the agent itself; of keys beside a job only those count that are pressed while its
  child is at work. The other sessions are driven by threads of the bench on the same cores.
* **herd**: flash, storage and memory are files on a tmpfs, where memory is on each device. On the
  disk of this machine (`herd_echo_disk_p99`) each enrolment waits for nine flushes, among those of
  the lab CA; what a slow part costs is tested with a fake one of 50 ms an erase.
* **prompt**: a start with a saved configuration and a serial line of its own (a pty, no pump) on
  which Enter is pressed every two milliseconds, since a line without anybody has no session. The
  interpreter has compiled the program before.
* **One renewal by itself** is that of a realm that nobody touches, from its renewal point to the
  certificate in use, the worker started for it; `certmonger` is told to renew with the same key
  (`getcert resubmit`), ten times, and runs all the time with a library for cryptography in it. CPU
  is in ticks of 10 ms.
* **Debian** is the column of /usr/bin/python3 with the packages of Debian 12. Its `cryptography`
  tests a private key for primality each time that it loads one, and has no public switch for it;
  that is most of what `series_cpu` and the enrolments cost more there.

## Where the memory goes

What each import adds to an interpreter that was just started, with the serial line's driver; ours
by part of a room, the rest by package. The agent itself has some objects on top of it.

| module | {columns} |
| --- | {rules} |
"""

VERSIONS = (
    "import sys, importlib.metadata as m; "
    "print(sys.version.split()[0], *(f'{n} {m.version(n)}' for n in "
    "('cryptography', 'pyserial')), sep=', ')"
)
RUN_S = 60


def text(results: Sequence[Result], columns: Mapping[str, str], runs: int, load: float) -> str:
    """The whole page; `load` is the load average of what else ran on the machine."""
    names = [_title(column) for column in columns]
    marks = {"columns": " | ".join(names), "rules": " | ".join("---" for _ in names)}
    head = HEAD.format(machine=_machine(columns, runs, load), **marks)
    rows = [_row(name, results, columns) for name in _figures(results)]
    where = {column: modules.measured(python) for column, python in columns.items()}
    reading = READING.format(**marks)
    return head + "\n".join(rows) + "\n" + reading + "\n".join(_modules(where)) + "\n"


def _title(column: str) -> str:
    return column.capitalize() or "newest"


def _figures(results: Sequence[Result]) -> list[str]:
    return list(dict.fromkeys(result.figure.name for result in results))


def _row(name: str, results: Sequence[Result], columns: Mapping[str, str]) -> str:
    found = {result.column: result for result in results if result.figure.name == name}
    figure = next(iter(found.values())).figure
    cells = [_cell(found[column]) if column in found else "" for column in columns]
    unit = figure.unit.name or "number"
    return f"| `{name}` | {goal(figure)} | {unit} | {' | '.join(cells)} | {figure.how} |"


def _cell(result: Result) -> str:
    if not result.samples:
        return "skipped: " + result.skipped if result.skipped else "failed"
    unit = result.figure.unit
    spread = f"{number(min(result.samples), unit)}..{number(max(result.samples), unit)}"
    over = " **over**" if result.over else ""
    return f"{number(result.value, unit)}{over} ({spread})"


def _modules(where: Mapping[str, list[modules.Added]]) -> list[str]:
    listed = {
        column: {one.name: one for one in [*found, modules.total(modules.ALL, found)]}
        for column, found in where.items()
    }
    names = dict.fromkeys(name for found in listed.values() for name in found)
    ordered = sorted(names, key=lambda name: (name == modules.ALL, name == modules.SMALLER))
    return [
        f"| {name} | {' | '.join(_added(found.get(name)) for found in listed.values())} |"
        for name in ordered
    ]


def _added(one: modules.Added | None) -> str:
    if one is None:
        return "-"
    return f"{number(one.resident_kib, MIB)} / {number(one.dirty_kib, MIB)} MiB"


def _machine(columns: Mapping[str, str], runs: int, load: float) -> str:
    lines = [
        f"* {datetime.date.today().isoformat()}, {runs} runs",
        f"* {os.cpu_count()} cores, {_cpu_model()}, Linux {platform.release()};"
        f" load average {load:.1f} before the first run",
    ]
    for column, python in columns.items():
        said = subprocess.run(
            [python, "-c", VERSIONS], capture_output=True, text=True, timeout=RUN_S, check=True
        )
        lines.append(f"* {_title(column)}: Python {said.stdout.strip()}")
    return "\n".join(lines)


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
