"""The DAG on a real engine: images from docker/Dockerfile, their programs replaced by a shell script that tells what it finds.

Wants an engine (DOCKER_HOST or its usual socket) that has debian:bookworm-slim, which `docker/make-base` can make.
"""

import json
import os
import shutil
import threading
import time
from types import SimpleNamespace

import pytest
from airflow_home import ROOT, airflow, migrated

import container
import docker
from airflow.sdk.bases.operator import ExecutorSafeguard

BASE = "debian:bookworm-slim"
IMAGES = {"OFFKEY_IMAGE_PREFIX": "offkey-test/", "OFFKEY_IMAGE_QUALITY": "offkey-test/ingest:latest"}

STAND_IN = r"""#!/bin/sh
{
    echo "uid $(id -u), $(grep CapEff /proc/self/status | tr -s '[:space:]' ' ')"
    grep NoNewPrivs /proc/self/status | tr -s '[:space:]' ' '
    echo "pid 1 is $(cat /proc/1/comm)"
    touch /x 2>&1
    touch /tmp/x && echo "tmp is writable"
    printf 'word: %s\n' "$@"
    [ -z "$X_BEARER_TOKEN" ] || echo "$0 has a token"
} >&2
for word in "$@"; do
    case $word in
    --lake=/*) echo "$OFFKEY_RUN_ID" >"${word#--lake=}/written" ;;
    --track=fail) echo "hint: search for something else" >&2; exit 65 ;;
    --track=sleep) sleep 60 ;;
    esac
done
case $1 in
plan) echo '{"stage": "plan", "batches": [["2026-11-20"], ["unknown"]]}' ;;
*) echo '{"stage": "any", "dataset": "tweets", "version": "0123456789ab"}' ;;
esac
"""


def engine():
    """A client of the engine, or None."""
    try:
        client = docker.from_env(timeout=60)
        client.images.get(BASE)
    except docker.errors.DockerException:
        return None
    return client


ENGINE = engine()
pytestmark = pytest.mark.skipif(ENGINE is None, reason=f"no engine with {BASE}: THE DAG IS NOT RUN IN CONTAINERS")


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake that the containers' user may write, and images to write it with; both are removed after the tests."""
    migrated()
    context = tmp_path_factory.mktemp("context")
    programs = context / "target/release"
    programs.mkdir(parents=True)
    for name in ("ingest", "clean", "featurize"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    shutil.copy(ROOT / "docker/Dockerfile", context)
    for name in ("ingest", "clean", "featurize"):
        ENGINE.images.build(
            path=str(context), target=name, tag=f"offkey-test/{name}:latest", buildargs={"BUILDER": BASE}, rm=True, forcerm=True
        )
    folder = tmp_path_factory.mktemp("lakes") / "lake"
    if os.geteuid() != 0:
        folder.mkdir(mode=0o777)
    yield folder
    for name in ("ingest", "clean", "featurize"):
        ENGINE.images.remove(f"offkey-test/{name}:latest", force=True)


def run(lake, **conf):
    """One run in containers."""
    conf = json.dumps({"lake": str(lake), **conf})
    settings = {**IMAGES, "RUNNER": "docker", "OFFKEY_FOLDERS": str(lake), "X_BEARER_TOKEN": "canary-token"}
    return airflow("dags", "test", "tweets", "--conf", conf, **settings)


def left_over() -> list:
    return ENGINE.containers.list(all=True, filters={"label": "offkey.dag=tweets"})


def test_a_run_in_containers(lake):
    hostile = 'it\'s "x" $(id) {{ 1+1 }}'
    done = run(lake, track=[hostile])
    said = done.stdout
    assert done.returncode == 0, said
    assert said.count("uid 65532, CapEff: 0000000000000000") == 10
    assert said.count("NoNewPrivs: 1") == said.count("pid 1 is docker-init") == said.count("tmp is writable") == 10
    assert said.count("Read-only file system") == 10
    assert f"word: --track={hostile}" in said
    assert "/usr/local/bin/ingest has a token" in said and "canary-token" not in said
    assert (lake / "written").read_text().startswith("manual__")
    assert (lake / "written").stat().st_uid == 65532
    assert left_over() == []


def test_a_permanent_failure_in_a_container(lake):
    done = run(lake, track=["fail"])
    assert done.returncode == 1
    assert "ingest ended with exit code 65 (bad input). hint: search for something else" in done.stdout
    assert "failed at try 1" in done.stdout and left_over() == []


def test_a_killed_task_takes_its_container_along(lake, monkeypatch):
    """As a worker does on SIGTERM: `on_kill()` while the task waits for its container."""
    for name, value in {**IMAGES, "OFFKEY_FOLDERS": str(lake)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(ExecutorSafeguard, "test_mode", True)
    step = container.Container(task_id="ingest", program="ingest", words=[], options=["track"])
    ti = SimpleNamespace(map_index=-1, dag_id="tweets", task_id="ingest", try_number=1)
    raised = []

    def execute():
        try:
            step.execute({"params": {"lake": str(lake), "track": ["sleep"]}, "ti": ti, "run_id": "killed"})
        except Exception as error:  # noqa: BLE001
            raised.append(error)

    thread = threading.Thread(target=execute)
    thread.start()
    deadline = time.monotonic() + 60
    while not any(found.status == "running" for found in left_over()) and time.monotonic() < deadline:
        time.sleep(0.1)
    step.on_kill()
    thread.join(30)
    assert not thread.is_alive()
    assert [error.code for error in raised] == [143]
    assert left_over() == []
