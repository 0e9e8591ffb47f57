"""Runs by a real scheduler, started through the API without a logical date, as the form does it."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest
import standalone
from airflow_home import CALLS, DAGS, HOME, calls, migrated

READERS = Path(__file__).parent / "readers"
"""A DAG of somebody who waits for new versions of the dataset."""


def until(what: str, done):
    return standalone.until(what, done, HOME / "standalone.log")


def alive(pid: int) -> bool:
    """Whether a process runs."""
    return os.path.exists(f"/proc/{pid}")


class Metrics:
    """Listens as StatsD does, on a port of its own."""

    def __init__(self):
        self.socket, self.heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), set()
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            self.heard.update(self.socket.recv(65536).decode().split("\n"))


METRICS = Metrics()


@pytest.fixture(scope="module")
def api():
    """A client of a whole Airflow, which has a reader's DAG beside ours. All of it is ended after the tests."""
    migrated()
    CALLS.unlink(missing_ok=True)
    bundles = [
        {"name": folder.name, "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle", "kwargs": {"path": str(folder)}}
        for folder in (DAGS, READERS)
    ]
    more = {
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_PORT": str(METRICS.port),
    }
    with standalone.standalone(HOME, **more) as client:
        # A paused DAG is not told what happens meanwhile.
        until("the reader's DAG", lambda: client.patch("/api/v2/dags/reader", json={"is_paused": False}).is_success)
        yield client


def test_the_form_refuses_what_is_wrong(api):
    answer = api.post("/api/v2/dags/tweets/dagRuns", json={"logical_date": None, "conf": {"source": "twitter"}})
    assert answer.status_code == 400 and "twitter" in answer.text


def test_a_run_without_a_logical_date(api):
    conf = {"source": "search", "track": ['it\'s "x" $(id) {{ 1+1 }}'], "name": "sample"}
    answer = api.post("/api/v2/dags/tweets/dagRuns", json={"logical_date": None, "conf": conf})
    assert answer.is_success, answer.text
    run_id = answer.json()["dag_run_id"]
    run = f"/api/v2/dags/tweets/dagRuns/{run_id}"
    assert api.patch("/api/v2/dags/tweets", json={"is_paused": False}).is_success

    def ended():
        found = standalone.told(api, run)
        return found if found and found["state"] in ("success", "failed") else None

    found = until("the end of the run", ended)
    tasks = until("its tasks", lambda: standalone.told(api, run + "/taskInstances"))["task_instances"]
    assert (found["state"], found["logical_date"], found["data_interval_start"]) == ("success", None, None), tasks
    assert len(tasks) == 10 and {task["state"] for task in tasks} == {"success"}
    words = next(call["words"] for call in calls("ingest") if "--source=search" in call["words"])
    assert '--track=it\'s "x" $(id) {{ 1+1 }}' in words
    assert [word.partition("=")[0] for word in words if word.startswith(("--since", "--until"))] == ["--since", "--until"]
    # Other tests of this Airflow have left events of their own.
    events = until("its events", lambda: standalone.told(api, "/api/v2/assets/events", source_run_id=run_id))["asset_events"]
    versions = [event["extra"]["version"] for event in events if event["name"] == "tweets_dataset"]
    assert versions == ["0123456789ab"]


def test_a_new_version_starts_the_dag_of_a_reader(api):
    """By the run before."""

    def read():
        runs = api.get("/api/v2/dags/reader/dagRuns").json()["dag_runs"]
        return [run for run in runs if run["state"] == "success"]

    run = until("the reader's run", read)[0]
    path = f"/api/v2/dags/reader/dagRuns/{run['dag_run_id']}/taskInstances/read/xcomEntries/return_value"
    assert run["run_type"] == "asset_triggered" and api.get(path).json()["value"] == "0123456789ab"


def test_metrics_by_airflows_own_settings(api):
    """Of the run before: how long it took, and what its stages counted."""
    wanted = ["airflow.dagrun.duration.success", "airflow.offkey.ingest.consumed:3|g", "airflow.offkey.featurize.unique:2|g"]
    until("the metrics", lambda: all(any(heard.startswith(name) for heard in METRICS.heard) for name in wanted))


def test_marking_a_task_failed_ends_its_program(api):
    answer = api.post(
        "/api/v2/dags/tweets/dagRuns", json={"logical_date": None, "conf": {"source": "search", "track": ["sleep"]}}
    )
    run_id = answer.json()["dag_run_id"]
    run = f"/api/v2/dags/tweets/dagRuns/{run_id}"
    assert api.patch("/api/v2/dags/tweets", json={"is_paused": False}).is_success
    call = until("the program", lambda: [call for call in calls("ingest") if "--track=sleep" in call["words"]])[0]
    assert alive(call["pid"])
    assert api.patch(run + "/taskInstances/ingest", json={"new_state": "failed"}).is_success
    until("the program's end", lambda: not alive(call["pid"]))
    until("the end of the run", lambda: api.get(run).json()["state"] == "failed")
