"""The DAG with a pod a step: what is asked of a cluster, by the real operator and client, and what its answers come to."""

import json
import sys
from types import SimpleNamespace

import cluster
import pytest
from airflow_home import BIN, CALLS, airflow, calls, install_fakes, migrated

from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import AirflowSkipException

import pod
import runner

SECRETS = {"X_BEARER_TOKEN": "canary-token", "OFFKEY_PSEUDONYM_KEY": "canary-key", "AWS_SECRET_ACCESS_KEY": "canary-aws"}
HOSTILE = 'it\'s "x" $(id) {{ 1+1 }} \\ 🎵'


@pytest.fixture
def kubernetes(tmp_path, monkeypatch):
    """A cluster whose images are the stand-ins, and the settings that a run in it takes."""
    migrated()
    install_fakes()
    CALLS.unlink(missing_ok=True)
    quality = [sys.executable, "-c", f"import os, sys; os.execv('{BIN}/' + sys.argv[1], ['{BIN}/' + sys.argv[1], *sys.argv[2:]])"]
    programs = {f"offkey/{name}:latest": [str(BIN / name)] for name in ("ingest", "clean", "featurize")} | {"offkey/quality:latest": quality}
    for image, words in programs.items():  # a pod has no environment but its own: the stand-ins need two variables more
        programs[image] = ["/usr/bin/env", f"FAKE_CALLS={CALLS}", *words]
    with cluster.started(tmp_path, programs, SECRETS) as (found, settings):
        for name, value in (settings | {"RUNNER": "kubernetes"}).items():
            monkeypatch.setenv(name, value)
        yield found


def test_a_run_in_pods(kubernetes):
    conf = {"lake": "s3://bucket/lake", "source": "search", "track": [HOSTILE], "name": "sample"}
    done = airflow("dags", "test", "tweets", "--conf", json.dumps(conf))
    assert done.returncode == 0, done.stdout[-8000:]
    assert len(kubernetes.asked) == len(calls()) == 10 and kubernetes.pods == {}
    assert f"--track={HOSTILE}" in calls("ingest")[0]["words"] and "canary" not in done.stdout
    assert "ingest begins" in done.stdout, "what a program says is in the task's log"
    assert sorted(word for call in calls("clean") for word in call["words"] if "partition=" in word) == [
        "--partition=2026-11-19", "--partition=2026-11-20", "--partition=unknown",
    ]  # fmt: skip
    tokens = {call["stage"]: sorted(name for name in SECRETS if name in call["environment"]) for call in calls()}
    assert tokens["ingest"] == ["AWS_SECRET_ACCESS_KEY", "X_BEARER_TOKEN"]
    assert tokens["clean"] == ["AWS_SECRET_ACCESS_KEY", "OFFKEY_PSEUDONYM_KEY"] and tokens["gate_raw"] == ["AWS_SECRET_ACCESS_KEY"]


def step(**arguments):
    """A step by itself, and as much of a context as it reads."""
    ti = SimpleNamespace(map_index=-1, dag_id="tweets", task_id="ingest", try_number=1, xcom_push=lambda **_: None)
    params = {"source": "file", "lake": "s3://bucket/lake", "input": []} | arguments
    context = {"params": params, "ti": ti, "dag": SimpleNamespace(parent_dag=None), "run_id": "manual__2026-11-20T11:00:00+00:00"}
    ExecutorSafeguard.test_mode = True
    return pod.Pod(task_id="ingest", program="ingest", words=[], options=["lake", "input"]).execute(context | {"outlet_events": {}})


def test_a_pod_is_closed_in(kubernetes, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://s3:9000")
    monkeypatch.setenv("OFFKEY_MEMORY", "3g")
    monkeypatch.setenv("OFFKEY_NAMESPACE", "tweets")
    monkeypatch.setenv("X_BEARER_TOKEN", "canary of the worker")
    assert step() == {"stage": "ingest", "consumed": 3, "unique": 2}
    (asked,) = kubernetes.asked
    spec, (container,) = asked["spec"], asked["spec"]["containers"]
    assert "canary" not in json.dumps(asked)
    assert asked["metadata"]["namespace"] == "tweets" and asked["metadata"]["labels"]["task_id"] == "ingest"
    assert spec["restartPolicy"] == "Never" and spec["automountServiceAccountToken"] is False and not spec["hostNetwork"]
    assert spec["securityContext"] == {"seccompProfile": {"type": "RuntimeDefault"}}
    assert spec["volumes"] == [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "256Mi"}}]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsGroup": 65532,
        "runAsNonRoot": True,
        "runAsUser": 65532,
    }
    assert container["resources"] == {"limits": {"memory": "3Gi"}, "requests": {"memory": "3Gi"}}
    assert container["args"] == ["--lake=s3://bucket/lake"] and container["command"] == []
    assert container["image"] == "offkey/ingest:latest" and container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    assert variables.items() >= {"AWS_ENDPOINT_URL": "http://s3:9000", "OFFKEY_RUN_ID": "manual__2026-11-20T11:00:00+00:00"}.items()


@pytest.mark.parametrize(
    ("code", "raised"),
    [(65, runner.StepRefused), (77, runner.StepRefused), (69, runner.StepFailed), (137, runner.StepFailed), (99, AirflowSkipException)],
)
def test_exit_codes_of_a_pod(kubernetes, code, raised):
    kubernetes.programs["offkey/ingest:latest"] = ["/bin/sh", "-c", f"echo 'hint: mend it' >&2; exit {code}"]
    with pytest.raises(raised) as caught:
        step()
    if code != 99:
        assert caught.value.code == code and "hint: mend it" in str(caught.value)
    assert len(kubernetes.asked) == 1 and kubernetes.pods == {}


@pytest.mark.parametrize("place", [{"lake": "/lake"}, {"input": ["s3://b/a", "/data/b"]}])
def test_folders_are_refused(kubernetes, place):
    with pytest.raises(runner.StepRefused, match="a pod does not see /(lake|data/b). hint: give"):
        step(**place)
    assert kubernetes.asked == []
