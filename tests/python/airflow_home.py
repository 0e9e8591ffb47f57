"""An Airflow of the tests' own: import this before anything of Airflow.

All tests of a session share one home in a temporary folder, which is removed at the end.
"""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
HOME = Path(tempfile.mkdtemp(prefix="offkey-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

BIN = HOME / "bin"
"""The stand-ins of fake_program.py, one under each program's name."""

CALLS = HOME / "calls.jsonl"
"""What they were called with."""

REAL_BIN = os.environ.get("OFFKEY_BIN_DIR")
"""The folder of the real programs, if the caller named one."""

for name in [name for name in os.environ if name.startswith(("AIRFLOW", "OFFKEY_", "FAKE_"))]:
    del os.environ[name]

os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "RUNNER": "local",
    "OFFKEY_BIN_DIR": str(BIN),
    "OFFKEY_QUALITY_DIR": str(BIN),
    "OFFKEY_LAKE": str(HOME / "lake"),
    "FAKE_CALLS": str(CALLS),
}
sys.path.insert(0, str(DAGS))


def install_fakes(folder: Path = BIN):
    """Puts the stand-ins into `folder`, started by this Python without its start-up files."""
    folder.mkdir(exist_ok=True)
    text = (Path(__file__).parent / "fake_program.py").read_text()
    for name in ("ingest", "clean", "featurize", "check.py", "report.py"):
        program = folder / name
        program.write_text(f"#!{sys.executable} -IS\n{text}")
        program.chmod(0o755)


def airflow(*words: str, **environment: str) -> subprocess.CompletedProcess:
    """Runs the `airflow` command to its end; its output is kept."""
    return subprocess.run(
        [sys.executable, "-m", "airflow", *words],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )


@cache
def migrated() -> Path:
    """The home, with a database and the stand-ins in it."""
    install_fakes()
    done = airflow("db", "migrate")
    assert done.returncode == 0, done.stdout
    shutil.copy(HOME / "airflow.db", HOME / "empty.db")
    return HOME


def home_of_its_own(home: Path) -> dict[str, str]:
    """Makes a home with a database that no run is in. Returns the settings that lead to it."""
    home.mkdir()
    shutil.copy(migrated() / "empty.db", home / "airflow.db")
    return {"AIRFLOW_HOME": str(home), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db"}


def calls(stage: str | None = None) -> list[dict]:
    """The calls of the stand-ins since the file was last removed."""
    if not CALLS.exists():
        return []
    found = [json.loads(line) for line in CALLS.read_text().splitlines()]
    return [call for call in found if stage in (None, call["stage"])]
