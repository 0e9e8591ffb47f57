"""The DAG on a real engine: in images whose programs are a shell script that tells what it finds, and in the images as they are.

Wants an engine (DOCKER_HOST or its usual socket) that has debian:bookworm-slim, which `docker/make-base` can make, and, for the
real programs, what `make images` builds.
"""

import json
import os
import shutil
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from airflow_home import ROOT, airflow, migrated
from conftest import SAMPLE
from road import Road

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


def engine(*images: str):
    """A client of the engine if it has these images, or None."""
    try:
        client = docker.from_env(timeout=60)
        for image in images:
            client.images.get(image)
    except docker.errors.DockerException:
        return None
    return client


ENGINE = engine(BASE)
REAL = [f"offkey/{name}" for name in ("ingest", "clean", "featurize", "quality")]
pytestmark = pytest.mark.skipif(ENGINE is None, reason=f"no engine with {BASE}: THE DAG IS NOT RUN IN CONTAINERS")


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake that the containers' user may write, and images to write it with; both are removed after the tests."""
    migrated()
    context = tmp_path_factory.mktemp("context")
    programs = context / "target/images"
    programs.mkdir(parents=True)
    for name in ("ingest", "clean", "featurize"):
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    shutil.copy(ROOT / "docker/Dockerfile", context)
    (context / "crates").mkdir()
    for name in ("Cargo.toml", "Cargo.lock"):
        (context / name).touch()
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


real = pytest.mark.skipif(engine(*REAL) is None, reason="no images of the programs: `make images` builds them")


@contextmanager
def killing(task: str, killed: list):
    """Kills the first container of a task, as the kernel does when memory is short."""
    over = threading.Event()

    def look():
        while not over.is_set() and not killed:
            for found in ENGINE.containers.list(filters={"label": f"offkey.task={task}"}):
                found.kill()
                killed.append(found.labels["offkey.try"])
            time.sleep(0.1)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@real
def test_the_real_programs_in_containers_and_one_is_killed(road: Road, tmp_path):
    """The sample from file to promoted dataset; the gate's container is killed once and the task tried again."""
    killed, folder = [], tmp_path / "lake"
    if os.geteuid() != 0:
        folder.mkdir(mode=0o777)
    shutil.copy(SAMPLE, tmp_path)
    conf = {"lake": str(folder), "input": [str(tmp_path / SAMPLE.name)], "name": "sample"}
    with killing("gate_clean", killed):
        done = airflow(
            "dags", "test", "tweets", "--conf", json.dumps(conf), RUNNER="docker", OFFKEY_FOLDERS=str(tmp_path)
        )
    assert done.returncode == 0, done.stdout[-5000:]
    assert killed == ["1"] and "quality ended with exit code 137" in done.stdout
    contained = Road(road.programs, folder)
    assert contained.parquet() == road.parquet()
    assert list(folder.glob("_meta/reports/*/report.html")) and list(folder.glob("_meta/reports/*/data_docs/index.html"))
    assert left_over() == []


@real
def test_the_real_programs_in_containers_on_s3(road: Road, s3):
    """The same, with nothing of this machine mounted but the input."""
    bucket, keys = s3
    conf = {"lake": "s3://offkey/lake", "input": [str(SAMPLE)], "name": "sample"}
    settings = {"RUNNER": "docker", "OFFKEY_FOLDERS": str(SAMPLE.parent), "OFFKEY_NETWORK": "host", **keys}
    done = airflow("dags", "test", "tweets", "--conf", json.dumps(conf), **settings)
    assert done.returncode == 0, done.stdout[-5000:]
    assert Road(road.programs, "s3://offkey/lake", bucket / "lake").parquet() == road.parquet()
    assert left_over() == []


@real
@pytest.mark.parametrize("image", REAL[:3])
def test_images_are_small_and_labelled(image):
    client = engine(*REAL)
    above = client.images.get(image).attrs["Size"] - client.images.get(BASE).attrs["Size"]
    labels = client.images.get(image).labels
    assert above < 60_000_000
    assert labels["org.opencontainers.image.title"] == image.partition("/")[2] and labels["org.opencontainers.image.licenses"]
    assert client.images.get(image).attrs["Config"]["User"] == "65532:65532"
