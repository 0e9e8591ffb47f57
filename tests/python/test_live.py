"""Live sources all the way: the double of X and of Jetstream, the programs, the gates, a dataset and a report."""

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pyarrow.parquet as pq
import pytest
from road import ROOT, Road
from test_road import holds_from_stage_to_stage

sys.path.insert(0, str(ROOT / "tools"))

TOKEN = "offkey-test-token"
FAULTS = [
    {"on": "stream", "script": [{"tweets": 50}, {"disconnect": {"kind": "OperationalDisconnect"}}, {"miss": 5}, "end"]},
    {"on": "stream", "script": [{"tweets": 50}, {"repeat": 20}, {"half_then": "reset"}]},
    {"on": "stream", "refuse": {"with": {"status": 503}, "rate": "true"}},
    {"on": "stream", "script": [{"part_then": {"bytes": 300, "cut": "eof"}}]},
    {"on": "search", "drop": "reset"},
]


@pytest.fixture
def double(programs):
    """Starts the double; gives its address. It ends with the test."""
    running = []

    def start(*arguments) -> str:
        command = [programs / "x-server", *map(str, arguments)]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return running[-1].stdout.readline().split()[-1]

    yield start
    for process in running:
        process.terminate()
        process.wait()
        process.stdout.close()


def live(programs, lake: Path, url: str, *arguments) -> Road:
    """A road whose tweets come from the double."""
    socket = url.replace("http:", "ws:") + "/subscribe"
    road = Road(programs, lake, X_BEARER_TOKEN=TOKEN, OFFKEY_API_URL=url, OFFKEY_JETSTREAM_URL=socket)
    road.run("ingest", "ingest", "--lake", lake, *arguments)
    return road


def test_a_stream_that_breaks_loses_nothing_and_has_nothing_twice(programs, double, tmp_path):
    faults = tmp_path / "faults.json"
    faults.write_text(json.dumps(FAULTS))
    before = datetime.now(UTC) - timedelta(minutes=2)
    url = double("--live", 1500, "--faults", faults, "--no-limits", "--now", f"{before:%Y-%m-%dT%H:%M:%SZ}")
    road = live(programs, tmp_path / "lake", url, "--source", "stream", "--for", "10s")
    with urlopen(f"{url}/_control/ledger?ids") as answer:
        served = json.load(answer)["totals"]
    assert served["requests"]["stream"] >= 5
    told = road.summaries["ingest"]
    assert told["unique"] == served["distinct"] > 1000
    assert told["consumed"] > told["unique"], "copies are kept, and counted"
    road.go_on()
    holds_from_stage_to_stage(road)
    rows = pq.read_table(road.version / "data", columns=["tweet_id"])["tweet_id"].to_pylist()
    assert rows and max(Counter(rows).values()) == 1


def test_a_search_of_a_day(programs, double, tmp_path):
    url = double("--tweets", 12000, "--live", 0)
    day = datetime.now(UTC).date()
    interval = ["--since", day - timedelta(days=1), "--until", day]
    road = live(programs, tmp_path / "lake", url, "--source", "search", *interval)
    assert 1_000 < road.summaries["ingest"]["unique"] <= 2_000
    road.go_on()
    holds_from_stage_to_stage(road)


def test_bluesky_replays_the_last_hour(programs, double, tmp_path):
    url = double("--tweets", 20000)
    road = live(programs, tmp_path / "lake", url, "--source", "bluesky")
    assert road.summaries["ingest"]["consumed"] > 50 and road.summaries["ingest"]["unmatched"] > 0
    road.go_on()
    holds_from_stage_to_stage(road)
    assert set(pq.read_table(road.version / "data")["source"].to_pylist()) == {"bluesky"}


def test_no_match_is_a_dataset_and_a_report_too(programs, double, tmp_path):
    url = double("--tweets", 1000)
    road = live(programs, tmp_path / "lake", url, "--source", "bluesky", "--track", "a phrase that nobody says")
    assert road.summaries["ingest"]["consumed"] == 0
    road.go_on(nothing_to_clean=True)
    holds_from_stage_to_stage(road)
    assert pq.read_table(road.version / "data").num_rows == 0
    assert (road.folder / road.summaries["report"]["report"].removeprefix(f"{road.lake}/")).exists()


def test_make_run_without_a_token_asks_the_double():
    import run

    given = {"SOURCE": "stream", "INPUT": "", "RUNNER": "local", "FOR": "", "LAKE": "", "TRACK": "", "NAME": "n", "LANGUAGES": "", "MUSIC": ""}
    form = run.parameters(given)
    assert run.without_x(given) and form["for"] == "20s" and form["lake"].endswith("/lake-double")
    form = run.parameters(given | {"X_BEARER_TOKEN": "t"})
    assert form["for"] == "10m" and form["lake"].endswith("/lake")
    search = given | {"SOURCE": "search"}
    form = run.parameters(search)
    assert run.without_x(search) and "for" not in form and form["lake"].endswith("/lake-double")
    assert not run.without_x(search | {"X_BEARER_TOKEN": "t"})
    assert not run.without_x(given | {"SOURCE": "bluesky"}) and "for" not in run.parameters(given | {"SOURCE": "bluesky"})
    with pytest.raises(run.Failed, match="RUNNER=local"):
        run.parameters(given | {"RUNNER": "docker"})


@pytest.mark.slow
@pytest.mark.parametrize("source", ["search", "stream"])
def test_make_run_without_a_token_ends_with_a_dataset_that_says_what_it_is(programs, source, tmp_path):
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("OFFKEY_", "AIRFLOW", "X_BEARER"))}
    mine["OFFKEY_BIN_DIR"] = str(programs)
    words = ["make", "--no-print-directory", "run", f"SOURCE={source}", f"LAKE={tmp_path / 'lake'}", "NAME=made-up"]
    done = subprocess.run(words, cwd=ROOT, env=mine, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    first, *_, last = done.stdout.splitlines()
    assert "made up by the double of X" in first and "made up by the double of X" in last
    assert f"X_BEARER_TOKEN=… OFFKEY_MAX_SPEND_USD=5 make run SOURCE={source}" in done.stdout
    current = json.loads((tmp_path / "lake/datasets/made-up/current.json").read_text())
    manifest = json.loads((tmp_path / "lake/datasets/made-up" / current["version"] / "manifest.json").read_text())
    assert manifest["consumed"] > 500 and manifest["kept"] > 200
    assert list((tmp_path / "lake/_meta/reports").glob("*/report.html"))
