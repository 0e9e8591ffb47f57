"""The DAG on CeleryExecutor: Redis between, PostgreSQL behind, two workers, nothing of the DAG changed. `make test-celery`."""

import contextlib
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import standalone
from airflow_home import ROOT, airflow
from conftest import SAMPLE
from road import Road

POSTGRES = Path(next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), "/usr/bin"))
WORKERS = ("w1", "w2")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("redis-server") or not (POSTGRES / "postgres").exists(), reason="NO REDIS OR NO POSTGRES"),
]


def started(stack: contextlib.ExitStack, log: Path, words, ends=(), **environment) -> subprocess.Popen:
    """Starts a program that ends with the stack, by these signals; its output goes to the log."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            list(map(str, words)), env=os.environ | environment, stdout=file, stderr=file, start_new_session=True
        )
    stack.callback(standalone.end, process, *ends)
    return process


def redis(stack, folder) -> str:
    port = standalone.free_port()
    started(stack, folder / "redis.log", ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", folder])
    return f"redis://127.0.0.1:{port}/0"


def postgres(stack, folder) -> str:
    """A database of its own. It runs as `postgres` where we are root, which it refuses to be, so in a folder outside of pytest's."""
    port, data, us = standalone.free_port(), Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="offkey-postgres-"))), []
    if os.geteuid() == 0:
        us = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        shutil.chown(data, "postgres", "postgres")
    made = [*us, POSTGRES / "initdb", "-D", data, "-U", "airflow", "-E", "UTF8", "--locale=C.UTF-8", "--auth=trust", "--no-sync"]
    subprocess.run(made, check=True, stdout=subprocess.DEVNULL)
    words = [*us, POSTGRES / "postgres", "-D", data, "-p", port, "-k", data, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    started(stack, folder / "postgres.log", words, (signal.SIGINT, signal.SIGKILL))
    ready = [POSTGRES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    standalone.until("the database", lambda: subprocess.run(ready, check=False).returncode == 0, folder / "postgres.log")
    return f"airflow@127.0.0.1:{port}/postgres"


@pytest.fixture(scope="module")
def cluster(programs, tmp_path_factory):
    """Redis, PostgreSQL, the four parts of an Airflow and two workers. Gives (API, folder of logs, workers)."""
    folder, port = tmp_path_factory.mktemp("celery"), standalone.free_port()
    with contextlib.ExitStack() as stack:
        broker, database = redis(stack, folder), postgres(stack, folder)
        settings = standalone.settings(port) | {
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__API_AUTH__JWT_SECRET": "one secret for all of them, for an hour",
            "AIRFLOW__CELERY__BROKER_URL": broker,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql://{database}",
            "AIRFLOW__CELERY__WORKER_CONCURRENCY": "2",
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "45",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            "OFFKEY_BIN_DIR": str(programs),
            "OFFKEY_QUALITY_DIR": str(ROOT / "great_expectations"),
        }
        done = airflow("db", "migrate", **settings)
        assert done.returncode == 0, done.stdout
        parts = {name: [name] for name in ("api-server", "scheduler", "dag-processor")}
        parts |= {name: ["celery", "worker", "--celery-hostname", name, "--skip-serve-logs"] for name in WORKERS}
        running = {}
        for name, words in parts.items():
            ends = (signal.SIGQUIT, signal.SIGTERM, signal.SIGKILL) if name in WORKERS else ()
            running[name] = started(stack, folder / f"{name}.log", [sys.executable, "-m", "airflow", *words], ends, **settings)
        with standalone.client(settings["AIRFLOW__API__BASE_URL"], folder / "api-server.log") as api:
            for name in WORKERS:
                log = folder / f"{name}.log"
                standalone.until(f"worker {name}", lambda log=log: " ready." in log.read_text(), log)
            assert api.patch("/api/v2/dags/tweets", json={"is_paused": False}).is_success
            yield api, folder, running


def begin(api, lake) -> str:
    """Starts a run over the sample; gives its address."""
    conf = {"input": [str(SAMPLE)], "lake": str(lake), "name": "sample"}
    answer = api.post("/api/v2/dags/tweets/dagRuns", json={"logical_date": None, "conf": conf})
    assert answer.is_success, answer.text
    return "/api/v2/dags/tweets/dagRuns/" + answer.json()["dag_run_id"]


def ended(api, run, log) -> list[dict]:
    """The tasks of a run that has succeeded."""

    def state():
        answer = api.get(run)
        found = answer.json()["state"] if answer.is_success else None
        return found if found in ("success", "failed") else None

    found = standalone.until("the end of the run", state, log, 600)
    tasks = api.get(run + "/taskInstances").json()["task_instances"]
    assert found == "success", [(task["task_id"], task["state"], task["try_number"]) for task in tasks]
    return tasks


def took_part(folder) -> set[str]:
    """The workers that have been handed a task."""
    return {name for name in WORKERS if "received" in (folder / f"{name}.log").read_text()}


def test_two_workers_make_the_bytes_of_one_machine(cluster, road: Road, tmp_path):
    api, folder, _ = cluster
    begun = time.monotonic()
    tasks = ended(api, begin(api, tmp_path / "lake"), folder / "scheduler.log")
    print(f"\n{len(tasks)} tasks by two workers: {time.monotonic() - begun:.0f} s")
    assert took_part(folder) == set(WORKERS)
    assert len([task for task in tasks if task["task_id"] == "clean"]) == 7 and {task["try_number"] for task in tasks} == {1}
    distributed = Road(road.programs, tmp_path / "lake")
    assert distributed.parquet() == road.parquet()
    assert json.loads((distributed.version / "manifest.json").read_text())["consumed"] == road.summaries["ingest"]["consumed"]


def ancestors(pid: int) -> set[int]:
    """The processes that a process was started by, directly or not."""
    found = set()
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.add(pid)
    return found


def test_a_worker_that_dies_is_replaced(cluster, road: Road, tmp_path):
    """kill -9 of a worker with all that it runs, while it runs a task; the other one does it again."""
    api, folder, running = cluster
    run = begin(api, tmp_path / "lake")

    def busy():
        """The worker that runs a gate of this lake."""
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"check.py\0raw\0{tmp_path}/lake".encode() in (entry / "cmdline").read_bytes():
                    above = ancestors(int(entry.name))
                    return next((name for name in WORKERS if running[name].pid in above), None)
        return None

    victim = standalone.until("a busy worker", busy, folder / "scheduler.log")
    os.killpg(running[victim].pid, signal.SIGKILL)
    tasks = ended(api, run, folder / "scheduler.log")
    assert max(task["try_number"] for task in tasks) == 2
    assert Road(road.programs, tmp_path / "lake").parquet() == road.parquet()
