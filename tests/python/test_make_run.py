"""What `make run` says before it does anything, and what it tells the containers."""

import sys

import pytest
from road import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import run

ASKED = {"SOURCE": "file", "INPUT": "", "TRACK": "", "FOR": "", "LAKE": "", "NAME": "sample", "LANGUAGES": "", "MUSIC": "", "RUNNER": "local"}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"RUNNER": "kubernetes"}, "error: RUNNER is local or docker, not kubernetes\nhint: kubernetes is for an Airflow of yours"),
        ({"INPUT": "/nowhere.jsonl"}, "error: /nowhere.jsonl is not there\nhint: make run INPUT=FILE"),
    ],
)
def test_what_cannot_be_is_refused(asked, says):
    with pytest.raises(run.Failed, match=says):
        run.parameters(ASKED | asked)


@pytest.mark.parametrize(
    ("endpoint", "network"), [("http://127.0.0.1:8014", "host"), ("http://localhost:9000", "host"), ("https://s3.example.org", None)]
)
def test_containers_reach_a_server_on_loopback(monkeypatch, endpoint, network):
    for name, value in (ASKED | {"RUNNER": "docker", "AWS_ENDPOINT_URL": endpoint}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OFFKEY_NETWORK", raising=False)
    assert run.environment().get("OFFKEY_NETWORK") == network
    monkeypatch.setenv("OFFKEY_NETWORK", "mine")
    assert run.environment()["OFFKEY_NETWORK"] == "mine"
