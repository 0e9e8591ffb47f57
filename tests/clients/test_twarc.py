"""twarc2, as a program and unmodified, against the double: only the base URL differs (see rewrite/sitecustomize.py)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from double import TOKEN

HERE = Path(__file__).resolve().parent


@pytest.fixture
def twarc2(double, tmp_path):
    """Runs twarc2 with a home of its own; gives its output."""
    script = Path(sys.executable).with_name("twarc2")
    assert script.exists(), "twarc is not installed beside this Python"

    def run(*arguments: str) -> str:
        environment = os.environ | {
            "HOME": str(tmp_path), "PYTHONPATH": str(HERE / "rewrite"), "X_SERVER_URL": double.url, "BEARER_TOKEN": TOKEN,
        }  # fmt: skip
        command = [sys.executable, str(script), "--log", str(tmp_path / "twarc.log"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def pages(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def ids(found: list[dict]) -> list[str]:
    return [tweet["id"] for page in found for tweet in page["data"]]


def test_search_recent_pages_to_the_end(double, twarc2, tmp_path):
    twarc2("search", "--hide-progress", '"justin bieber"', "out.jsonl")
    found = pages(tmp_path / "out.jsonl")
    served = double.ledger()["searched"]
    past = {tweet for tweet in double.matching('"justin bieber"') if tweet in served}
    assert len(found) > 2
    assert set(ids(found)) == past == set(served)
    assert len(ids(found)) == len(past), "no tweet twice"
    assert all(user["username"] for page in found for user in page["includes"]["users"])
    assert any(page.get("errors") for page in found), "lost parents come as partial errors"


def test_search_archive_keeps_its_pace(double, twarc2, tmp_path):
    twarc2("search", "--hide-progress", "--archive", "--max-results", "100", "--limit", "200", "bieber", "out.jsonl")
    assert len(set(ids(pages(tmp_path / "out.jsonl")))) >= 200
    statuses = {request["status"] for request in double.requests()}
    assert statuses == {200}, "twarc knows the limit of one a second"


def test_flatten_finds_everything_it_needs(double, twarc2, tmp_path):
    twarc2("search", "--hide-progress", "--limit", "100", "bieber", "out.jsonl")
    twarc2("flatten", "--hide-progress", "out.jsonl", "flat.jsonl")
    flat = pages(tmp_path / "flat.jsonl")
    assert len(flat) == len(ids(pages(tmp_path / "out.jsonl")))
    assert all(tweet["author"]["id"] == tweet["author_id"] for tweet in flat)


def test_counts(double, twarc2):
    text = twarc2("counts", "--text", "--granularity", "day", "bieber")
    total = int(text.split("Total Tweets:")[1].replace(",", ""))
    twarc2("search", "--hide-progress", "bieber", "out.jsonl")
    assert total == len(double.ledger()["searched"])


def test_rules_and_stream(double, twarc2, tmp_path):
    assert "No rules" in twarc2("stream-rules", "list")
    twarc2("stream-rules", "add", "bieber lang:en", "--tag", "english")
    twarc2("stream-rules", "add", "bieber lang:es")
    assert "bieber lang:es" in twarc2("stream-rules", "list")
    twarc2("stream-rules", "delete", "bieber lang:es")
    twarc2("stream", "--limit", "25", "out.jsonl")
    found = pages(tmp_path / "out.jsonl")
    assert len(found) == 25
    assert {line["matching_rules"][0]["tag"] for line in found} == {"english"}
    assert {line["data"]["id"] for line in found} <= double.matching("bieber lang:en", "stream")
    twarc2("stream-rules", "delete-all")
    assert "No rules" in twarc2("stream-rules", "list")


def test_stream_survives_an_operational_disconnect(double, twarc2, tmp_path):
    twarc2("stream-rules", "add", "bieber")
    disconnect = {"kind": "OperationalDisconnect"}
    double.faults({"on": "stream", "script": [{"tweets": 5}, {"disconnect": disconnect}, "end"]})
    twarc2("stream", "--limit", "20", "out.jsonl")
    tweets = [line for line in pages(tmp_path / "out.jsonl") if "data" in line]
    assert len({line["data"]["id"] for line in tweets}) == len(tweets) >= 19
    assert double.ledger()["totals"]["requests"]["stream"] == 2


def test_search_waits_out_a_503(double, twarc2, tmp_path):
    double.faults({"on": "search", "skip": 1, "refuse": {"with": {"status": 503}}})
    twarc2("search", "--hide-progress", "--limit", "150", "--max-results", "100", "bieber", "out.jsonl")
    assert len(set(ids(pages(tmp_path / "out.jsonl")))) >= 150
    assert double.ledger()["totals"]["answers"]["search_recent"]["503"] == 1
