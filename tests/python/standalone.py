"""A whole Airflow for a test: API server, scheduler, DAG processor, triggerer, all ended with it."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what: str, done, log: Path, wait: float = 300):
    """Waits until `done()` gives something."""
    deadline = time.monotonic() + wait
    while time.monotonic() < deadline:
        if found := done():
            return found
        time.sleep(0.5)
    pytest.fail(f"{what} did not come in {wait} s; see the log:\n" + log.read_text(errors="replace")[-5000:])


def told(api, path: str, **params) -> dict | None:
    """What the API answers, or nothing: around the end of a run Airflow answers 500 now and then, and a moment later as it should."""
    answer = api.get(path, params=params)
    return answer.json() if answer.is_success else None


def end(group: subprocess.Popen, *signals: int):
    """Ends a process and all that it started, by one signal after the other, fifteen seconds each."""
    for number in signals or (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + 15
        if group_members(group.pid):
            os.killpg(group.pid, number)
        while group_members(group.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
    group.wait(15)
    assert group_members(group.pid) == []


def group_members(group: int) -> list[int]:
    """Processes of a process group that still run."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                state, _, member = file.read().rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(member) == group and state != "Z":
            found.append(int(name))
    return found


def settings(port: int) -> dict[str, str]:
    """What makes an Airflow small, quick to notice a DAG, and open to whoever reaches its loopback port."""
    url = f"http://127.0.0.1:{port}"
    return {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",  # a busy machine is no fault
        "AIRFLOW__TRIGGERER__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "no_proxy": "127.0.0.1",
    }


@contextmanager
def client(url: str, log: Path):
    """A client of the API once it answers and knows the DAG."""
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as api:

        def token():
            try:
                answer = api.get("/auth/token")
            except httpx.TransportError:
                return None
            return answer.json()["access_token"] if answer.is_success else None

        api.headers["Authorization"] = "Bearer " + until("the API", token, log)
        until("the DAG", lambda: api.get("/api/v2/dags/tweets").is_success, log)
        yield api


@contextmanager
def standalone(home: Path, **more: str):
    """An Airflow over a home with a database. Gives a client of its API."""
    log, chosen = home / "standalone.log", settings(free_port()) | {"AIRFLOW_HOME": str(home)} | more
    with log.open("w") as file:
        airflow = subprocess.Popen(
            [sys.executable, "-m", "airflow", "standalone"],
            env=os.environ | chosen,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        with client(chosen["AIRFLOW__API__BASE_URL"], log) as api:
            yield api
    finally:
        end(airflow)
