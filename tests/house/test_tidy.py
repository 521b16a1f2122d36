"""The house rules as tests: arrows, who may touch the world, sizes, what the idle agent loads."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted(
    path for room in ("agent", "hal", "platforms") for path in (ROOT / room).rglob("*.py")
)
SOURCES = PRODUCT + sorted((ROOT / "tools").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# What the resident agent must never have loaded (runtime measurements: memory).
FORBIDDEN_IDLE = frozenset(
    (
        *("argparse", "ast", "asyncio", "cryptography", "ctypes", "dataclasses", "dis", "email"),
        *("hashlib", "http", "inspect", "json", "logging", "pathlib", "shutil", "ssl"),
        *("subprocess", "tempfile", "tomllib", "traceback", "unittest", "urllib"),
    )
)
LANGUAGE = "hal.named"  # stands in for a part of the standard library; all the product has it
WORKER_ONLY = ("agent.scep", "agent.worker", "hal.confinement")

# Room -> what it may import of the project. The longest name that fits a module is its room.
MAY_IMPORT = {
    "agent.catalogue.table": (
        "agent.catalogue.published",
        "agent.catalogue.files",
        "agent.catalogue.microsoft",
        "agent.catalogue.network",
        "agent.catalogue.ra",
        "agent.catalogue.reply",
        "agent.catalogue.room",
        "agent.catalogue.row",
    ),
    "agent.doors.admission": ("agent.errors", "agent.limits"),
    "agent.catalogue.published": ("agent.catalogue.row",),
    "agent.catalogue.files": ("agent.catalogue.row",),
    "agent.catalogue.microsoft": ("agent.catalogue.row",),
    "agent.catalogue.network": ("agent.catalogue.row",),
    "agent.catalogue.ra": ("agent.catalogue.row",),
    "agent.catalogue.reply": ("agent.catalogue.row",),
    "agent.catalogue.room": ("agent.catalogue.row",),
    "agent.catalogue.row": (),
    "agent.errors": ("agent.catalogue.table", "agent.visible"),
    "agent.visible": (),
    "agent.limits": (),
    "agent.enrolment.states": ("agent.errors", "hal.records"),
    "agent.enrolment.schedule": ("agent.limits",),
    "agent.enrolment.verdicts": ("agent.errors",),
    "agent.enrolment.actions": ("agent.errors", "agent.enrolment.states", "hal.records"),
    "agent.enrolment.engine": (
        "agent.enrolment.actions",
        "agent.errors",
        "agent.limits",
        "agent.enrolment.pins",
        "agent.enrolment.drafts",
        "agent.enrolment.renewal",
        "agent.enrolment.schedule",
        "agent.enrolment.states",
        "agent.enrolment.verdicts",
        "agent.visible",
        "agent.enrolment.vouched",
        "hal.records",
    ),
    "agent.enrolment.vouched": (
        "agent.limits",
        "agent.enrolment.pins",
        "agent.enrolment.states",
        "agent.visible",
        "hal.records",
    ),
    "agent.enrolment.pins": (
        "agent.errors",
        "agent.limits",
        "agent.enrolment.states",
        "agent.visible",
        "hal.records",
    ),
    "agent.enrolment.drafts": (
        "agent.enrolment.actions",
        "agent.errors",
        "agent.limits",
        "agent.enrolment.renewal",
        "agent.enrolment.states",
        "agent.enrolment.verdicts",
        "hal.records",
    ),
    "agent.enrolment.renewal": (
        "agent.enrolment.actions",
        "agent.errors",
        "agent.enrolment.states",
        "hal.records",
    ),
    "agent.device.reserve": (
        "agent.enrolment.actions",
        "agent.limits",
        "agent.settings",
        "hal.records",
    ),
    "agent.device.commits": ("agent.errors", "agent.device.reserve", "hal.ports", "hal.store"),
    "agent.settings": ("agent.limits",),
    "agent.scep": (
        "agent.errors",
        "agent.limits",
        "agent.pem",
        "agent.scep",
        "agent.visible",
        "hal.link",
        "hal.ports",
    ),
    "agent.worker": ("agent", "hal"),
    "agent.console": (
        "agent.appliance",
        "agent.enrolment.actions",
        "agent.console",
        "agent.enrolment.engine",
        "agent.errors",
        "agent.limits",
        "agent.pem",
        "agent.settings",
        "agent.enrolment.states",
        "agent.visible",
        "hal.ports",
    ),
    "agent": ("agent", "hal"),
    "agent.__main__": ("agent", "hal", "platforms"),
    "agent.resident": ("agent", "hal", "platforms"),
    "hal": ("hal",),
    "platforms": ("agent.loop", "agent.limits", "hal", "platforms"),
    "tools.lab_ca": ("tools.lab_ca",),
    "tools.bench": ("agent", "hal", "platforms", "tests", "tools"),
    "tools.confinement": ("agent", "hal", "platforms", "tests", "tools"),
    "tools.fuzz": ("agent", "hal", "tests", "tools"),
    "tools": ("agent", "hal", "platforms", "tools"),
}


@cache
def tree(path: Path) -> ast.Module:
    """A source, parsed once for all the rules."""
    return ast.parse(path.read_text())


@cache
def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports(path: Path) -> list[tuple[int, str]]:
    """(line, module) of every import, those inside functions too; `from x import y` gives x.y."""
    found = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def room_of(module: str) -> str:
    return max((room for room in MAY_IMPORT if within(module, room)), key=len)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_arrows(path: Path) -> None:
    allowed = MAY_IMPORT[room_of(module_name(path))] + ((LANGUAGE,) if path in PRODUCT else ())
    own = ("agent", "hal", "platforms", "tools", "tests")
    wrong = [
        f"line {line}: {name}"
        for line, name in imports(path)
        if name.split(".")[0] in own and not any(within(name, room) for room in allowed)
    ]
    assert not wrong


@pytest.mark.parametrize("path", PRODUCT, ids=module_name)
def test_third_parties(path: Path) -> None:
    """cryptography only in the worker's rooms, cbor2 and pyserial only behind their HAL module."""
    module = module_name(path)
    allowed = {"hal.cbor": {"cbor2"}, "hal.serialport": {"serial"}}.get(module, set())
    if within(module, "agent.scep"):
        allowed = {"cryptography"}
    for line, name in imports(path):
        top = name.split(".")[0]
        if top not in ("agent", "hal", "platforms", "tools") and top not in sys.stdlib_module_names:
            assert top in allowed, f"line {line}: {name}"


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
    "random.random": (),
    "eval": (),
    "exec": (),
}


@pytest.mark.parametrize("path", PRODUCT, ids=module_name)
def test_calls_that_belong_to_one_room(path: Path) -> None:
    module = module_name(path)
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name in ONLY_IN:
            assert any(within(module, room) for room in ONLY_IN[name]), f"{node.lineno}: {name}"
        if name == "socket.socket" and not node.keywords:
            families = [ast.unparse(argument) for argument in node.args]
            assert families[:1] == ["socket.AF_UNIX"] or module in ("hal.link", "hal.netlink")


# Files of the tests that are still to be split. The list may only shrink.
STILL_TOO_LONG = frozenset(
    (
        "tests.console.test_commands",
        "tests.console.test_session",
        "tests.device.test_device",
        "tests.device.test_losses",
        "tests.device.test_reserve",
        "tests.enrolment.test_engine",
        "tests.helpers.appliance",
        "tests.helpers.scep_lab",
        "tests.lab_ca.test_hostile",
        "tests.lab_ca.test_quirks",
        "tests.rigs.interop.quirks",
        "tests.rigs.mixtures",
        "tests.whole.test_quirks_agent",
    )
)


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=module_name)
def test_one_file_is_one_idea(path: Path) -> None:
    too_long = len(path.read_text().splitlines()) > 400
    assert too_long == (module_name(path) in STILL_TOO_LONG), "the list may only shrink"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_sizes(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert max((len(line) for line in lines), default=0) <= 100
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 50, f"{node.name}: {length} lines"
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: bare except"


@cache
def importers() -> dict[str, set[Path]]:
    """Module -> the files that import it or a name of it."""
    found: dict[str, set[Path]] = {}
    for path in (*SOURCES, *TESTS):
        for _line, name in imports(path):
            found.setdefault(name, set()).add(path)
            found.setdefault(name.rpartition(".")[0], set()).add(path)
    return found


@pytest.mark.parametrize("path", PRODUCT, ids=module_name)
def test_no_dead_file(path: Path) -> None:
    """Each module is imported by another one or is a way in; each has a word about what it is."""
    module = module_name(path)
    ways_in = ("agent.__main__", "agent.worker", "platforms.sim", "platforms.linux")
    if path.name == "__init__.py" or module in ways_in:
        return
    assert importers().get(module, set()) - {path}
    assert ast.get_docstring(tree(path))


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
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == []


def test_the_rules_can_fail(tmp_path: Path) -> None:
    """The walkers above see what they are there to see."""
    planted = tmp_path / "x.py"
    planted.write_text("def f():\n    from agent.device.device import Device\n    import os.path\n")
    assert imports(planted) == [(2, "agent.device.device.Device"), (3, "os.path")]
    assert room_of("agent.scep.cms") == "agent.scep"
    assert room_of("agent.device.device") == "agent"
    assert not within("agent.scepter", "agent.scep")
