"""Rules that a file keeps or breaks by itself; a rule names each offence, and is tried on a file
that breaks it.

One test is one rule for all files: a case for each file would cost more than the rule.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.test_tidy import (
    PRODUCT,
    ROOT,
    SOURCES,
    TESTS,
    WORKER_ONLY,
    imports,
    module_name,
    within,
)
from tools.structure import modules
from tools.structure.modules import tree

Rule = Callable[[Path], Iterator[str]]

OWN = ("agent", "hal", "platforms", "tools")
FAKES = "hal.fakes"
# Named by a text (`resident.WORKER_START`), a command, or a board file.
WAYS_IN = ("agent.__main__", "agent.worker", "hal.forking", "platforms.sim", "platforms.linux")

# Of the standard library, and for nobody: no seed reaches what they draw (`hal.ports.Chance`).
DRAWING = ("random", "secrets", "uuid")

# Call -> modules that may make it.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "time.time": ("hal.clock",),
    "time.time_ns": ("hal.clock",),
    "time.monotonic": ("hal.clock",),
    "time.monotonic_ns": ("hal.clock",),
    "time.clock_gettime": ("hal.clock",),
    "time.clock_gettime_ns": ("hal.clock",),
    "time.sleep": (),
    "datetime.datetime.now": (),
    "datetime.datetime.utcnow": (),
    "datetime.now": (),
    "socket.create_connection": (),
    "open": ("hal",),
    "os.open": ("hal",),
    "print": ("agent.__main__", "agent.doors.client"),
    "os.urandom": ("hal.chance", "agent.scep.crypto"),
    "os.getrandom": (),
    "eval": (),
    "exec": (),
}


# Module -> what it imports within a function, at the start or right behind the opening of a file.
AT_ITS_TIME: dict[str, tuple[str, ...]] = {
    "agent.__main__": (
        *("agent.resident", "agent.usage"),
        *("agent.doors.client", "agent.doors.enroll", "agent.doors.tty"),
    ),
    "agent.resident": (
        *("agent.watchdog.Feeder", "hal.withheld.WithheldStore", "agent.service.Service"),
        *("hal.supervisor.of_environment", "hal.supervisor.ServiceWatchdog"),
    ),
    "agent.console.session.interpreter": ("agent.console.commands.foreign.called_here",),
    "agent.device.device": ("agent.device.unusable",),
    "agent.doors.enroll": ("getpass.getpass",),  # another process
    "hal.inspection": ("_ctypes",),
    "platforms.toml": ("tomllib",),
    "platforms.linux": (
        *("hal.rtc.LinuxRtc", "hal.watchdog.LinuxWatchdog", "hal.serialport.PyserialPort"),
        "hal.withheld.BlankFlash",
    ),
    "platforms.users": ("grp", "pwd"),
}


def third_parties(path: Path) -> Iterator[str]:
    """cryptography only in the worker's rooms, pyserial only behind its HAL module; no source of
    random numbers but ours."""
    module = name_of(path)
    allowed = {"hal.serialport": {"serial"}}.get(module, set())
    if within(module, "agent.scep"):
        allowed = {"cryptography"}
    for line, name in imports(path):
        top = name.split(".")[0]
        if top in DRAWING or top not in {*OWN, *sys.stdlib_module_names, *allowed}:
            yield f"line {line}: {name}"


def calls_of_other_rooms(path: Path) -> Iterator[str]:
    """Only the HAL touches the world; a socket has a family that the agent knows."""
    module = name_of(path)
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if not any(within(module, room) for room in ONLY_IN.get(name, [module])):
            yield f"line {node.lineno}: {name}"
        if name == "socket.socket" and not node.keywords:
            families = [ast.unparse(argument) for argument in node.args]
            if families[:1] != ["socket.AF_UNIX"] and module not in ("hal.link", "hal.netlink"):
                yield f"line {node.lineno}: a socket of another family"


def too_long(path: Path) -> Iterator[str]:
    """A file is one idea: 400 lines."""
    lines = len(path.read_text().splitlines())
    if lines > 400:
        yield f"{lines} lines"


def sizes(path: Path) -> Iterator[str]:
    """A line has 100 columns, a function 50 lines; what is caught is named."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if len(line) > 100:
            yield f"line {number}: {len(line)} columns"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            if length > 50:
                yield f"{node.name}: {length} lines"
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield f"line {node.lineno}: bare except"


def late_imports(path: Path) -> Iterator[str]:
    """The agent loads at its start what it uses later, when there may be no descriptor left to
    read a module by."""
    module = name_of(path)
    if any(within(module, room) for room in WORKER_ONLY):
        return
    for function in ast.walk(tree(path)):
        if isinstance(function, ast.FunctionDef):
            for name in modules.imports_below(function):
                if name not in AT_ITS_TIME.get(module, ()):
                    yield f"{function.name}: {name}"


@cache
def importers() -> dict[str, set[Path]]:
    """Module -> the files that import it or a name of it."""
    found: dict[str, set[Path]] = {}
    for path in (*SOURCES, *TESTS):
        for _line, name in imports(path):
            found.setdefault(name, set()).add(path)
            found.setdefault(name.rpartition(".")[0], set()).add(path)
    return found


def dead(path: Path) -> Iterator[str]:
    """Each module is imported by another one or is a way in; each has a word about what it is."""
    module = name_of(path)
    if path.name == "__init__.py" or module in WAYS_IN:
        return
    if not importers().get(module, set()) - {path}:
        yield "nobody imports it"
    if not ast.get_docstring(tree(path)):
        yield "no word about it"


def fakes(path: Path) -> Iterator[str]:
    """Nothing that is installed needs a fake."""
    if not within(name_of(path), FAKES):
        yield from (name for _line, name in imports(path) if within(name, FAKES))


def name_of(path: Path) -> str:
    """The module of a file; a file elsewhere is one of no room."""
    return module_name(path) if path.is_relative_to(ROOT) else path.stem


# Rule -> the files that keep it, and a file that does not with the offences in it.
RULES: dict[Rule, tuple[list[Path], str, list[str]]] = {
    third_parties: (
        PRODUCT,
        "import serial\nimport random\n\n\ndef f():\n    import os\n"
        "    from cryptography import x509\n",
        ["line 1: serial", "line 2: random", "line 7: cryptography.x509"],
    ),
    calls_of_other_rooms: (
        PRODUCT,
        "time.monotonic_ns()\nopen(x)\nos.read(x)\nsocket.socket(socket.AF_INET)\n"
        "socket.socket(socket.AF_UNIX)\nx(lambda: eval(x))\nos.urandom(8)\n",
        [
            *("line 1: time.monotonic_ns", "line 2: open"),
            *("line 4: a socket of another family", "line 6: eval", "line 7: os.urandom"),
        ],
    ),
    too_long: ([*SOURCES, *TESTS], "x\n" * 401, ["401 lines"]),
    sizes: (
        SOURCES,
        f"# {'x' * 98}\n# {'x' * 99}\n"
        "def f():" + "\n    x" * 49 + "\ndef g():" + "\n    x" * 50 + "\n"
        "try:\n    x\nexcept x:\n    x\nexcept:\n    x\n",
        ["line 2: 101 columns", "g: 51 lines", "line 108: bare except"],
    ),
    late_imports: (
        PRODUCT,
        "import a\ndef f():\n    import b\n    x = 1\n\nif x:\n    from c import d\n"
        "class E:\n    def g(self):\n        if x:\n            from f import g\n",
        ["f: b", "g: f.g"],
    ),
    dead: (PRODUCT, "x = 1\n", ["nobody imports it", "no word about it"]),
    fakes: (
        PRODUCT,
        "from hal import flash\nfrom hal.fakes.flash import MemoryFlash\n",
        ["hal.fakes.flash.MemoryFlash"],
    ),
}


def named(rule: Rule) -> str:
    return rule.__name__


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_each_file_keeps_the_rule(rule: Rule) -> None:
    paths, *_ = RULES[rule]
    assert len(paths) > 200
    found = [f"{module_name(path)}: {offence}" for path in paths for offence in rule(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_the_rule_can_fail(rule: Rule, tmp_path: Path) -> None:
    _paths, text, offences = RULES[rule]
    planted = tmp_path / "x.py"
    planted.write_text(text)
    assert sorted(rule(planted)) == sorted(offences)
