"""One run by a real scheduler, started through the API without a logical date, as the form does it."""

import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest
from airflow_home import CALLS, HOME, calls, migrated

WAIT = 120
"""Seconds until the API answers, and until the run ends."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def alive(pid: int) -> bool:
    """Whether a process runs."""
    return os.path.exists(f"/proc/{pid}")


def group_members(group: int) -> list[int]:
    """Processes of a process group that still run."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                state, _, member = file.read().rpartition(")")[2].split()[:3]
        except FileNotFoundError:
            continue
        if int(member) == group and state != "Z":
            found.append(int(name))
    return found


def until(what: str, done):
    """Waits until `done()` gives something."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        if found := done():
            return found
        time.sleep(0.5)
    pytest.fail(f"{what} did not come in {WAIT} s; see the log:\n" + (HOME / "standalone.log").read_text()[-5000:])


@pytest.fixture(scope="module")
def api():
    """A client of a whole Airflow: API server, scheduler, DAG processor, triggerer. All of it is ended after the tests."""
    migrated()
    CALLS.unlink(missing_ok=True)
    url = f"http://127.0.0.1:{(port := free_port())}"
    settings = {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__TRIGGERER__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "no_proxy": "127.0.0.1",
    }
    with (HOME / "standalone.log").open("w") as log:
        airflow = subprocess.Popen(
            [sys.executable, "-m", "airflow", "standalone"],
            env=os.environ | settings,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:

            def token():
                try:
                    answer = client.get("/auth/token")
                except httpx.TransportError:
                    return None
                return answer.json()["access_token"] if answer.is_success else None

            client.headers["Authorization"] = "Bearer " + until("the API", token)
            until("the DAG", lambda: client.get("/api/v2/dags/tweets").is_success)
            yield client
    finally:
        for end in (signal.SIGTERM, signal.SIGKILL):
            deadline = time.monotonic() + 15
            if group_members(airflow.pid):
                os.killpg(airflow.pid, end)
            while group_members(airflow.pid) and time.monotonic() < deadline:
                time.sleep(0.1)
        airflow.wait(15)
    assert group_members(airflow.pid) == []


def test_the_form_refuses_what_is_wrong(api):
    answer = api.post("/api/v2/dags/tweets/dagRuns", json={"logical_date": None, "conf": {"source": "twitter"}})
    assert answer.status_code == 400 and "twitter" in answer.text


def test_a_run_without_a_logical_date(api):
    conf = {"source": "search", "track": ['it\'s "x" $(id) {{ 1+1 }}'], "name": "sample"}
    answer = api.post("/api/v2/dags/tweets/dagRuns", json={"logical_date": None, "conf": conf})
    assert answer.is_success, answer.text
    run = "/api/v2/dags/tweets/dagRuns/" + answer.json()["dag_run_id"]
    assert api.patch("/api/v2/dags/tweets", json={"is_paused": False}).is_success

    def ended():
        found = api.get(run).json()
        return found if found["state"] in ("success", "failed") else None

    found = until("the end of the run", ended)
    tasks = api.get(run + "/taskInstances").json()["task_instances"]
    assert (found["state"], found["logical_date"], found["data_interval_start"]) == ("success", None, None), tasks
    assert len(tasks) == 10 and {task["state"] for task in tasks} == {"success"}
    words = next(call["words"] for call in calls("ingest") if "--source=search" in call["words"])
    assert '--track=it\'s "x" $(id) {{ 1+1 }}' in words
    assert [word.partition("=")[0] for word in words if word.startswith(("--since", "--until"))] == ["--since", "--until"]
    events = api.get("/api/v2/assets/events").json()["asset_events"]
    datasets = [event for event in events if event["name"] == "tweets_dataset"]
    assert datasets and datasets[0]["extra"]["version"] == "0123456789ab"


def test_marking_a_task_failed_ends_its_program(api):
    answer = api.post(
        "/api/v2/dags/tweets/dagRuns", json={"logical_date": None, "conf": {"source": "search", "track": ["sleep"]}}
    )
    run = "/api/v2/dags/tweets/dagRuns/" + answer.json()["dag_run_id"]
    assert api.patch("/api/v2/dags/tweets", json={"is_paused": False}).is_success
    call = until("the program", lambda: [call for call in calls("ingest") if "--track=sleep" in call["words"]])[0]
    assert alive(call["pid"])
    assert api.patch(run + "/taskInstances/ingest", json={"new_state": "failed"}).is_success
    until("the program's end", lambda: not alive(call["pid"]))
    until("the end of the run", lambda: api.get(run).json()["state"] == "failed")
