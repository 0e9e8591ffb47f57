"""The collecting DAG against the double of X and of Jetstream, and `tweets` over the lake that it feeds."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow_home import DAGS, migrated
from double import TOKEN, serving

from airflow.dag_processing.dagbag import DagBag


@pytest.fixture
def dags(programs, tmp_path, monkeypatch):
    """Both DAGs with the real programs, and gates that pass everything."""
    migrated()
    gates = tmp_path / "gates"
    gates.mkdir()
    for name in ("check.py", "report.py"):
        shutil.copy(Path(__file__).parent / "passing_gates.py", gates / name)
    settings = {"RUNNER": "local", "OFFKEY_BIN_DIR": programs, "OFFKEY_QUALITY_DIR": gates, "X_BEARER_TOKEN": TOKEN}
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    return DagBag(str(DAGS)).dags


def consumed(lake, how: str) -> int:
    """Tweets in the raw parts that came this way."""
    commits = [json.loads(path.read_text()) for path in lake.glob("_meta/raw/**/*.json")]
    return sum(commit["tweets"] for commit in commits if commit["via"] == how)


def test_two_runs_that_listen_feed_one_lake_and_a_run_of_tweets_publishes_it(programs, dags, tmp_path, monkeypatch):
    lake, at = tmp_path / "lake", datetime(2026, 11, 20, tzinfo=UTC)
    with serving(programs, "--tweets", "200", "--live", "2000", "--rate", "100") as url:
        monkeypatch.setenv("OFFKEY_API_URL", url)
        monkeypatch.setenv("OFFKEY_JETSTREAM_URL", url.replace("http://", "ws://") + "/subscribe")
        brought = []
        for source in ("stream", "stream", "bluesky"):
            conf = {"source": source, "for": "4s", "lake": str(lake)}
            assert dags["collect"].test(logical_date=at, run_conf=conf).state == "success"
            brought.append((consumed(lake, "stream"), consumed(lake, "bluesky")))
    assert 0 < brought[0][0] < brought[1][0] == brought[2][0] and brought[1][1] == 0 < brought[2][1]

    assert dags["tweets"].test(logical_date=at, run_conf={"source": "lake", "lake": str(lake), "name": "live"}).state == "success"
    version = json.loads((lake / "datasets/live/current.json").read_text())["version"]
    manifest = json.loads((lake / "datasets/live" / version / "manifest.json").read_text())
    in_raw = sum(json.loads(path.read_text())["tweets"] for path in lake.glob("_meta/raw/**/*.json"))
    assert manifest["consumed"] == in_raw >= sum(brought[2]) and manifest["kept"] > 0
