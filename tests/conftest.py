"""Skips are counted, and in CI a suite that this machine can run must have run.

`--hypothesis-profile=nightly` tries so many examples where a test names no number of its own.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("nightly", max_examples=20_000)

# What even root with apt cannot run; jscep is one server more than those that must be tried.
FOR_OTHERS = ("everybody but root", "needs Go", "needs a JDK", "needs `make peers-java`")


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
