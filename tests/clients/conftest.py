"""A double for each test; a test without the program is skipped, and says so."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "rewrite")]

from double import Double, program  # noqa: E402


@pytest.fixture
def start():
    """Starts doubles with the arguments given; they end with the test."""
    if program() is None:
        pytest.skip("NO x-server PROGRAM: run `make build`, or name it in X_SERVER")
    running = []

    def begin(*arguments: str) -> Double:
        running.append(Double.start(*arguments))
        return running[-1]

    yield begin
    for double in running:
        double.stop()


@pytest.fixture
def double(start) -> Double:
    return start("--tweets", "600", "--live", "300", "--seed", "7")


def pytest_terminal_summary(terminalreporter):
    """What was not tried is said at the end, also without `-rs`."""
    skipped = terminalreporter.stats.get("skipped", [])
    for reason in sorted({report.longrepr[2] for report in skipped}):
        terminalreporter.write_line(reason, yellow=True, bold=True)
