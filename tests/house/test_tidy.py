"""The house rules as tests: arrows, circles, sizes, what the idle agent loads.

Rules for each file by itself stand in `test_files.py`.
"""

import ast
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from tools.structure import graph, modules
from tools.structure.modules import tree, within

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = modules.sources(ROOT)
SOURCES = PRODUCT + modules.sources(ROOT, ("tools",))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# What the resident agent must never have loaded (runtime measurements: memory).
FORBIDDEN_IDLE = frozenset(
    (
        *("argparse", "ast", "asyncio", "cryptography", "ctypes", "dataclasses", "datetime"),
        *("dis", "email", "hashlib", "http", "inspect", "json", "logging", "pathlib", "shutil"),
        *("ssl", "subprocess", "tempfile", "tomllib", "traceback", "typing", "unittest"),
        *("urllib", "_ctypes"),
    )
)
LANGUAGE = (
    "hal.annotations",
    "hal.named",
    "hal.protocol",
)  # stand in for parts of the standard library
WORKER_ONLY = (
    *("agent.scep", "agent.child", "agent.keydoor", "agent.rehearsal", "agent.worker"),
    "hal.confinement",
)

GROUND = ("agent.errors", "agent.limits", "agent.visible", "agent.pem", "agent.pieces")
LANGUAGES = ("agent.console.language", "agent.console.displays", "agent.console.commands")

# Room -> the rooms beside itself, or single modules of them, that it may import; imports for the
# type checker count. A module belongs to the room with the longest name that fits.
# docs/DESIGN.md has a picture of this table (`make docs`).
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "agent.__main__": (
        *("agent.resident", "agent.doors", "platforms"),
        *("agent.command_line", "agent.usage", "agent.limits", "hal.ports", "hal.standard"),
    ),
    "agent.usage": ("agent.command_line",),
    "agent.command_line": LANGUAGE,
    "agent.resident": (
        *("agent.doors", "agent.device.device", "agent.device", "agent.jobs", "agent.signals"),
        *("agent.watchdog", "agent.service"),
        *("agent.log", "agent.loop", "platforms", "hal", *GROUND),
    ),
    "agent.doors": (
        *("agent.device.device", "agent.console.session", "agent.console.login"),
        *("agent.console.configuration", "agent.console.terminal", "agent.console.commands"),
        *("agent.console.language", "agent.command_line"),
        *("agent.appliance", "agent.log", "agent.loop", "hal", *GROUND),
    ),
    # device.py puts the parts together, so none of them may know it.
    "agent.device.device": (
        *("agent.console.configuration", "agent.device", "agent.jobs", "agent.appliance"),
        *("agent.settings", "agent.log", "agent.loop", "hal.store", *GROUND),
    ),
    "agent.device": (
        *("agent.console.configuration", "agent.console.commands", "agent.console.language"),
        *("agent.jobs", "agent.enrolment", "agent.appliance", "agent.settings"),
        *("agent.log", "agent.loop"),
        *("hal.ports", "hal.record_keys", "hal.records", "hal.store", "hal.withheld"),
        *("hal.record_codec", "hal.calendar", *GROUND),
    ),
    "agent.console.session": (
        *("agent.console.configuration", "agent.console.terminal", *LANGUAGES),
        *("agent.appliance", "agent.settings", "hal.ports", *GROUND),
    ),
    "agent.console.login": (
        *("agent.console.terminal", "agent.console.displays", "agent.console.language"),
        *("agent.appliance", "agent.settings", "hal.ports", *GROUND),
    ),
    "agent.console.configuration": (*LANGUAGES, "agent.appliance", "agent.settings", *GROUND),
    "agent.console.commands": (
        *("agent.console.displays", "agent.console.language", "agent.appliance"),
        *("agent.settings", "hal.ports", *GROUND),
    ),
    "agent.console.terminal": ("agent.console.displays", "agent.console.language", *GROUND),
    "agent.console.displays": (
        *("agent.console.language", "agent.appliance", "agent.settings", "hal.ports", *GROUND),
    ),
    "agent.console.language": ("agent.settings", "hal.calendar", *GROUND),
    "agent.jobs": (
        *(
            "agent.enrolment",
            "agent.appliance",
            "agent.settings",
            "hal.cbor",
            "hal.ports",
            "hal.record_codec",
            "hal.records",
            *GROUND,
        ),
    ),
    "agent.enrolment": ("hal.records", "hal.calendar", *GROUND),
    "agent.appliance": ("agent.settings", "hal.ports", *GROUND),
    "agent.settings": ("agent.limits",),
    "agent.signals": ("agent.log", "agent.loop", "hal"),
    "agent.watchdog": ("agent.log", "agent.loop", "hal"),
    "agent.service": (
        *("agent.console.language", "agent.appliance", "agent.loop", "hal.supervisor", *GROUND),
    ),
    "agent.log": ("agent.limits", "agent.visible"),
    "agent.loop": ("hal.ports",),
    "agent.errors": ("agent.catalogue", "agent.visible"),
    "agent.catalogue": (),
    "agent.visible": (),
    "agent.limits": (),
    "agent.pem": (),
    "agent.pieces": (),
    "agent.worker": (
        *("agent.child", "agent.rehearsal", "agent.scep", "agent.limits", "hal.confinement"),
        "hal",
    ),
    "agent.rehearsal": ("agent.child", "agent.scep", "agent.errors", "agent.limits", "hal.cbor"),
    "agent.child": (
        *("agent.keydoor", "agent.jobs.contract", "agent.scep", "hal.confinement", "hal"),
        *("agent.errors", "agent.limits"),
    ),
    "agent.keydoor": ("agent.scep", "agent.errors", "hal.cbor", *LANGUAGE),
    "agent.scep": ("hal.calendar", "hal.ports", *GROUND),
    "hal.confinement": ("hal",),
    "hal": (),
    "platforms": ("agent.limits", "hal"),
    "tools.lab_ca": (),
    "tools": ("agent", "hal", "hal.confinement", "platforms", "tests", "tools.lab_ca"),
    "tests": ("agent", "hal", "hal.confinement", "platforms", "tools", "tools.lab_ca"),
}

# Arrows against the table: (module, imported module). The list may only shrink.
EXCEPTIONS: tuple[tuple[str, str], ...] = ()

# Arrows within a room that close a circle: (module, imported module). The list may only shrink.
CLOSING: tuple[tuple[str, str], ...] = ()


def module_name(path: Path) -> str:
    return modules.module_name(path, ROOT)


def imports(path: Path) -> list[tuple[int, str]]:
    """(line, name) of every import, those inside functions too; `from x import y` gives x.y."""
    return [(line, name) for line, name, _typed in modules.imports(path)]


@cache
def arrows() -> graph.Arrows:
    """Who imports whom in the whole project."""
    return graph.arrows(modules.load(ROOT, (*modules.PRODUCT, "tools", "tests")))


def room_of(module: str) -> str:
    return max((room for room in MAY_IMPORT if within(module, room)), key=len)


def allowed(module: str, imported: str) -> bool:
    """A room in a row stands for its modules, but not for those that have a row of their own."""
    room, target = room_of(module), room_of(imported)
    single = (entry for entry in MAY_IMPORT[room] if entry not in MAY_IMPORT)
    return (
        imported in LANGUAGE
        or target in (room, *MAY_IMPORT[room])
        or any(within(imported, entry) for entry in single)
    )


def wrong() -> list[tuple[str, str]]:
    """The arrows against the table."""
    return [(m, name) for m, names in arrows().items() for name in names if not allowed(m, name)]


def circles_without(these: set[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The circles of the product and its tools that some arrows do not close."""
    own = {m: names for m, names in arrows().items() if not within(m, "tests")}
    rest = {m: [n for n in names if n in own and (m, n) not in these] for m, names in own.items()}
    return graph.circles({m: frozenset(names) for m, names in rest.items()})


def listed(found: Iterable[tuple[str, ...]]) -> str:
    """Arrows or circles as lines of a list, to be copied or searched."""
    return "".join(f"\n    {one}," for one in sorted(found)).replace("'", '"')


def test_arrows() -> None:
    new = set(wrong()) - set(EXCEPTIONS)
    assert not new, f"against the table:{listed(new)}"


def test_each_exception_is_needed() -> None:
    spare = set(EXCEPTIONS) - set(wrong())
    assert not spare, f"take these out of EXCEPTIONS:{listed(spare)}"


def test_no_circle() -> None:
    circles = circles_without({*EXCEPTIONS, *CLOSING})
    assert not circles, f"circles:{listed(circles)}"


def test_each_closing_arrow_is_needed() -> None:
    every = {*EXCEPTIONS, *CLOSING}
    spare = [arrow for arrow in CLOSING if not circles_without(every - {arrow})]
    assert not spare, f"take these out of CLOSING:{listed(spare)}"


# -S: an editable installation brings modules of its own, which no board has.
IDLE = """
import sys
sys.path[:0] = [{root!r}]
sys.path += {packages!r}
import agent.__main__, agent.resident, hal.serialport
loaded = {{name.split(".")[0] for name in sys.modules}}
own = [name for name in sys.modules if name.startswith({worker!r})]
print(*sorted((loaded & set({forbidden!r})) | set(own)))
"""


def test_what_the_idle_agent_has_loaded() -> None:
    packages = [path for path in sys.path if path.endswith("packages")]
    code = IDLE.format(
        root=str(ROOT), packages=packages, worker=WORKER_ONLY, forbidden=sorted(FORBIDDEN_IDLE)
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.split() == []


def test_the_rules_can_fail(tmp_path: Path) -> None:
    """The walkers above see what they are there to see."""
    planted = tmp_path / "x.py"
    planted.write_text(
        "def f():\n    from agent.device.device import Device\n    import os.path\n"
        "if TYPE_CHECKING:\n    import hal\n"
    )
    found = [(2, "agent.device.device.Device"), (3, "os.path"), (5, "hal")]
    assert imports(planted) == found
    assert [typed for *_, typed in modules.imports(planted)] == [False, False, True]
    assert room_of("agent.scep.cms") == "agent.scep"
    assert not within("agent.scepter", "agent.scep")
    assert allowed("agent.doors.attach", "agent.device.device")
    assert not allowed("agent.device.runner", "agent.device.device")
    assert not allowed("agent.console.commands.realm", "agent.enrolment.engine")
    assert allowed("agent.enrolment.engine", "hal.records")
    assert not allowed("agent.enrolment.engine", "hal.clock")


def _top(module: str) -> str:
    """The room of a module among the folders: agent.device, agent.scep, hal, ..."""
    return ".".join(module.split(".")[: 2 if module.startswith("agent.") else 1])


def _names(path: Path) -> set[str]:
    """The classes of a module, and the types that it has a name for."""
    found = {node.name for node in tree(path).body if isinstance(node, ast.ClassDef)}
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            found |= {name} if name[0].isupper() and not name.isupper() else set()
    return found


# "room name": the room has such a type and uses another room's. It may only shrink.
TWICE = frozenset(("platforms Flash",))


def test_no_word_means_two_things_where_rooms_meet() -> None:
    """A room that has a type does not import one of that name from another room."""
    homes: dict[str, set[str]] = {}
    for path in PRODUCT:
        for name in _names(path):
            homes.setdefault(name, set()).add(_top(module_name(path)))
    taken = {
        (_top(module_name(path)), imported) for path in PRODUCT for _line, imported in imports(path)
    }
    found = {
        f"{room} {name}"
        for name, rooms in homes.items()
        for room in rooms
        for user, imported in taken
        if user == room and imported.endswith(f".{name}") and _top(imported) in rooms - {room}
    }
    assert found == TWICE


METHODS = 25  # of a class, its own, public and private
LARGER = frozenset(("agent.appliance Appliance",))  # the protocol of all that is asked


def test_no_class_has_many_methods() -> None:
    larger = {
        f"{module_name(path)} {node.name}"
        for path in PRODUCT
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        and sum(isinstance(part, ast.FunctionDef) for part in node.body) > METHODS
    }
    assert larger == LARGER
