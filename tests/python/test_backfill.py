"""Backfills with the real programs: whatever the order, and however many runs at once, the same dataset comes out."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow_home import DAGS, ROOT, airflow, home_of_its_own, migrated
from double import by_day, corpus
from road import Road
from standalone import standalone, told, until

from airflow.dag_processing.dagbag import DagBag

FIRST = datetime(2026, 1, 5, tzinfo=UTC)


def archive(folder: Path, days: int) -> Path:
    """A folder with a file a day."""
    folder.mkdir()
    corpus(folder / "all", FIRST, days)
    by_day(folder / "all", folder)
    return folder


def day(number: int) -> str:
    return f"{FIRST + timedelta(days=number):%Y-%m-%d}"


def in_order(programs, lake, days: int, files: Path) -> Road:
    """The same days one after the other, from a shell and without gates."""
    road = Road(programs, lake)
    for number in range(days):
        road.ingest([files / f"{day(number)}.jsonl"])
        road.clean()
        road.featurize()
    road.promote()
    return road


def published(lake) -> dict[str, bytes]:
    """The version that is current, file by file."""
    folder = lake / "datasets/sample"
    version = folder / json.loads((folder / "current.json").read_text())["version"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted((version / "data").iterdir())}


def out_of_order(programs, tmp_path, monkeypatch, order):
    """Backfills days in some order by the DAG, with gates that pass everything: what is asked here is whether the order shows."""
    migrated()
    gates, lake, days = tmp_path / "gates", tmp_path / "lake", len(set(order))
    files = archive(tmp_path / "archive", days)
    gates.mkdir()
    for name in ("check.py", "report.py"):
        shutil.copy(Path(__file__).parent / "passing_gates.py", gates / name)
    for name, value in {"RUNNER": "local", "OFFKEY_BIN_DIR": programs, "OFFKEY_QUALITY_DIR": gates}.items():
        monkeypatch.setenv(name, str(value))
    dag = DagBag(str(DAGS)).dags["tweets"]
    for number in order:
        conf = {"input": [f"{files}/{{day}}.jsonl"], "lake": str(lake), "name": "sample"}
        assert dag.test(logical_date=FIRST + timedelta(days=number + 1), run_conf=conf).state == "success"
    ordered = in_order(programs, tmp_path / "ordered", days, files)
    assert published(lake) == published(ordered.folder) != {}
    assert len(list((lake / "datasets/sample").glob("*/manifest.json"))) == days


def test_five_days_out_of_order_and_twice_equal_five_in_order(programs, tmp_path, monkeypatch):
    out_of_order(programs, tmp_path, monkeypatch, [3, 0, 4, 4, 1, 2])


@pytest.mark.slow
def test_a_month_out_of_order_equals_a_month_in_order(programs, tmp_path, monkeypatch):
    out_of_order(programs, tmp_path, monkeypatch, [number * 7 % 30 for number in range(30)])


@pytest.mark.slow
def test_a_week_backwards_by_three_runs_at_once_equals_a_week_in_order(programs, tmp_path):
    """As an operator does it, `airflow backfill create`, by a real scheduler and with the real gates."""
    home, lake, files = tmp_path / "home", tmp_path / "lake", archive(tmp_path / "archive", 7)
    settings = home_of_its_own(home) | {
        "OFFKEY_BIN_DIR": str(programs),
        "OFFKEY_QUALITY_DIR": str(ROOT / "great_expectations"),
    }
    with standalone(home, **settings) as api:
        conf = json.dumps({"input": [f"{files}/{{day}}.jsonl"], "lake": str(lake), "name": "sample"})
        asked = ["--from-date", day(0), "--to-date", day(6), "--run-backwards", "--max-active-runs", "3"]
        done = airflow("backfill", "create", "--dag-id", "tweets", *asked, "--dag-run-conf", conf, **settings)
        assert done.returncode == 0, done.stdout
        assert api.patch("/api/v2/dags/tweets", json={"is_paused": False}).is_success

        def ended():
            runs = told(api, "/api/v2/dags/tweets/dagRuns", limit=100, run_type="backfill") or {"dag_runs": []}
            states = [run["state"] for run in runs["dag_runs"]]
            return states if len(states) == 7 and not {"queued", "running"} & set(states) else None

        assert set(until("the end of the backfill", ended, home / "standalone.log", 3600)) == {"success"}
    ordered = in_order(programs, tmp_path / "ordered", 7, files)
    assert published(lake) == published(ordered.folder) != {}
    verdicts = [json.loads(path.read_text()) for path in (lake / "_meta/gates").glob("*/*.json")]
    assert len(verdicts) >= 15 and all(verdict["success"] for verdict in verdicts)
