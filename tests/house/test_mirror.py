"""The tests mirror the product: who changes a module knows which file of the tests is about it.

A module `x` of a room has a file `test_x` in the folder of its room, also with the folders between
in its name (`test_displays_x`), and that alone where two modules of the room are called so. Modules
of `agent` beside the rooms have theirs in `tests/ground`. For the others a table says which file of
the tests is about them.
"""

from collections import Counter
from pathlib import Path

import pytest

from tests.house.test_tidy import PRODUCT, ROOT

# Module or folder of the product -> the file of the tests that is about it.
ELSEWHERE = {
    "agent/__main__.py": "ground/test_main.py",
    "agent/appliance.py": "device/test_contract_appliance.py",  # the fake and the device
    "agent/catalogue": "ground/test_errors.py",  # one table in seven pieces
    "agent/console/commands": "console/test_command_rows.py",  # each row, whatever file it is in
    "agent/console/configuration/unapplied.py": "console/test_loader.py",
    "agent/console/displays": "console/test_displays.py",
    "agent/console/session": "console/test_session.py",  # parts of one session
    "agent/device": "device/test_device.py",
    "agent/device/commits.py": "device/test_reserve.py",
    "agent/doors/client.py": "ground/test_main.py",  # `scep-agent console` and `apply`
    "agent/doors/enroll.py": "whole/test_first_hour.py",
    "agent/doors/register.py": "doors/test_sessions.py",
    "agent/doors/wire.py": "doors/test_socket.py",
    "agent/enrolment/actions.py": "enrolment/test_engine.py",  # records of what it answers
    "agent/device/alone.py": "device/test_automatic.py",
    "agent/enrolment/attempt.py": "enrolment/test_engine.py",
    "agent/enrolment/resting.py": "enrolment/test_engine_operator.py",
    "agent/command_line.py": "ground/test_usage.py",
    "agent/limits.py": "doors/test_attach.py",  # numbers: tested where they are reached
    "agent/pem.py": "device/test_activation.py",
    "agent/resident.py": "ground/test_main.py",
    "agent/scep/border.py": "scep/test_property.py",  # any bytes at all
    "agent/scep/certmap.py": "scep/test_operations.py",
    "agent/scep/enrol.py": "scep/test_operations.py",
    "agent/scep/jobmap.py": "scep/test_operations.py",
    "agent/scep/nextca.py": "scep/test_succession.py",
    "agent/scep/oids.py": "scep/test_cms.py",
    "agent/scep/pki_operation.py": "scep/test_operations.py",
    "agent/scep/relations.py": "scep/test_ca_query.py",
    "agent/scep/served.py": "scep/test_path.py",
    "agent/scep/stored.py": "scep/test_succession.py",
    "agent/worker.py": "hal/test_contract_jobs.py",  # real processes
    "hal/chance.py": "hal/test_contract_chance.py",
    "hal/confinement": "hal/test_confinement.py",  # the ladder, seen from the child that it holds
    "hal/confinement/rules.py": "hal/test_confinement_calls.py",
    "hal/record_keys.py": "hal/test_records.py",
    "hal/fakes/chance.py": "hal/test_contract_chance.py",
    "hal/fakes/lines.py": "hal/test_contract_link.py",
    "hal/fakes/storage.py": "hal/test_contract_files.py",
    "hal/jobs.py": "hal/test_contract_jobs.py",
    "hal/memory_sets.py": "hal/test_memory.py",
    "hal/ports.py": "hal/test_contract_files.py",  # protocols: each has a contract test
    "hal/power.py": "ground/test_signals.py",
    "hal/signals.py": "ground/test_signals.py",
    "hal/watchdog.py": "hal/test_contract_watchdog.py",
    "hal/fakes/watchdog.py": "hal/test_contract_watchdog.py",
    "platforms/linux.py": "platforms/test_board.py",
    "platforms/users.py": "platforms/test_board.py",
}
MODULES = [str(path.relative_to(ROOT)) for path in PRODUCT if path.name != "__init__.py"]


def place(module: str) -> tuple[str, list[str]]:
    """The folder of the tests for a module, and its names inside of its room."""
    room, *inner = Path(module).with_suffix("").parts
    if room != "agent":
        return room, inner
    return (inner[0], inner[1:]) if len(inner) > 1 else ("ground", inner)


NAMESAKES = Counter((room, inner[-1]) for room, inner in map(place, MODULES))


def of_its_name(module: str) -> set[str]:
    """The test files that a module may have by the rule, from `tests` on."""
    room, inner = place(module)
    names = {"_".join(inner)}
    if NAMESAKES[room, inner[-1]] == 1:
        names.add(inner[-1])
    return {f"{room}/test_{name}.py" for name in names}


def row_of(module: str) -> str:
    """The row of a module: its own or that of the closest folder around it; empty without one."""
    around = (module, *map(str, Path(module).parents))
    return next((name for name in around if name in ELSEWHERE), "")


def has_its_own(module: str) -> bool:
    return any((ROOT / "tests" / name).exists() for name in of_its_name(module))


def test_each_module_has_a_file_of_its_name_or_a_row() -> None:
    assert len(MODULES) > 200
    assert [module for module in MODULES if not (has_its_own(module) or row_of(module))] == []


@pytest.mark.parametrize("row", ELSEWHERE)
def test_each_row_is_there_and_needed(row: str) -> None:
    assert (ROOT / row).exists()
    assert (ROOT / "tests" / ELSEWHERE[row]).exists()
    assert any(row_of(module) == row and not has_its_own(module) for module in MODULES)


def test_the_rule_by_examples() -> None:
    assert of_its_name("agent/loop.py") == {"ground/test_loop.py"}
    assert of_its_name("agent/scep/ber.py") == {"scep/test_ber.py"}
    both = {"console/test_columns.py", "console/test_displays_columns.py"}
    assert of_its_name("agent/console/displays/columns.py") == both
    assert of_its_name("hal/flash.py") == {"hal/test_flash.py"}
    assert of_its_name("hal/fakes/flash.py") == {"hal/test_fakes_flash.py"}
