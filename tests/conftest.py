"""Skips are counted, and in CI a suite that this machine can run must have run.

Who starts a peer, the lab CA or an agent is marked so; `make quick` leaves these and `slow` out.

Examples of hypothesis are the same in each run, and no clock judges them: a run says something of
the sources, not of the machine. `--hypothesis-profile=nightly` draws others, and so many where a
test names no number of its own.
"""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers.reach import earned

settings.register_profile("nightly", max_examples=20_000)
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")

# What even root with apt cannot run; jscep is one server more than those that must be tried.
FOR_OTHERS = ("everybody but root", "needs Go", "needs a JDK", "needs `make peers-java`")

FOLDERS = {"whole": "lab", "lab_ca": "lab"}  # all of it, however its tests start what they talk to


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        assert isinstance(item, pytest.Function)
        fixtures = [found[-1].func for found in item._fixtureinfo.name2fixturedefs.values()]
        marks = earned([item.function, *fixtures]) | {FOLDERS.get(item.path.parent.name, "")}
        for mark in sorted(marks - {""}):
            item.add_marker(mark)


def pytest_collection_finish() -> None:
    """Thousands of tests are never garbage: nobody looks for it among them from here on."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the tests that CI must not skip; `pytest_sessionfinish` has failed the run for them."""
    for report in _wrongly_skipped(terminalreporter):
        terminalreporter.write_line(f"CI must not skip: {report.nodeid}: {_reason(report)}")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.exitstatus == 0 and _wrongly_skipped(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _wrongly_skipped(reporter: pytest.TerminalReporter) -> list[pytest.TestReport]:
    if not os.environ.get("CI") or os.geteuid() != 0:
        return []
    skipped = reporter.stats.get("skipped", [])
    return [report for report in skipped if not any(w in _reason(report) for w in FOR_OTHERS)]


def _reason(report: pytest.TestReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
