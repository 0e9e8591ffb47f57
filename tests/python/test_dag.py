"""The DAG: its shape under both runners, and whole runs with stand-ins for the programs."""

import json
import os
import subprocess
import sys
from copy import copy
from datetime import UTC, datetime, timedelta
from itertools import pairwise, product
from types import SimpleNamespace

import pytest
from airflow_home import CALLS, DAGS, HOME, REAL_BIN, ROOT, airflow, calls, home_of_its_own, migrated
from road import Road

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.exceptions import ParamValidationError

import form

ROAD = ["ingest", "gate_raw", "plan", "clean", "gate_clean", "featurize", "gate_dataset", "promote", "report"]
HOSTILE = 'it\'s "x" $(id) {{ 1+1 }} \\ 🎵'


def load(monkeypatch, runner_name, dag_id="tweets"):
    """The DAG under one runner."""
    monkeypatch.setenv("RUNNER", runner_name)
    bag = DagBag(str(DAGS))
    assert bag.import_errors == {} and set(bag.dags) == {"collect", "tweets"}
    return bag.dags[dag_id]


@pytest.fixture(params=["local", "docker", "kubernetes"])
def dag(request, monkeypatch):
    migrated()
    return load(monkeypatch, request.param)


@pytest.fixture
def local(monkeypatch):
    """The DAG under the local runner, its pauses between tries cut short, no calls made yet."""
    migrated()
    CALLS.unlink(missing_ok=True)
    dag = load(monkeypatch, "local")
    for task in dag.tasks:
        kwargs = getattr(task, "partial_kwargs", None)
        if kwargs is None:
            task.retry_delay, task.retry_exponential_backoff = timedelta(0), 0
        else:
            kwargs.update(retry_delay=timedelta(0), retry_exponential_backoff=0)
    return dag


def test_steps_and_edges(dag):
    assert {task.task_id for task in dag.tasks} == set(ROAD)
    edges = {task.task_id: task.downstream_task_ids for task in dag.tasks}
    expected = {task: {after} for task, after in pairwise(ROAD)}
    expected |= {
        "featurize": {"gate_dataset", "report"},
        "gate_dataset": {"promote", "report"},
        "promote": set(),
        "report": set(),
    }
    assert edges == expected


def test_the_runner_decides_the_operator(monkeypatch):
    migrated()
    for name, expected in (("local", "Process"), ("docker", "Container"), ("kubernetes", "Pod")):
        assert {task.task_type for task in load(monkeypatch, name).tasks} == {expected}


def test_every_task_has_owner_retries_timeout_and_words(dag):
    for task in dag.tasks:
        assert task.owner == "offkey" and task.retries == (8 if task.task_id == "featurize" else 3), task.task_id
        assert task.retry_delay >= timedelta(seconds=30) and task.retry_exponential_backoff == 2
        assert timedelta(0) < task.execution_timeout <= timedelta(hours=6)
        assert len(task.doc_md) > 40
        assert task.on_failure_callback
    assert dag.tags == {"offkey"} and dag.doc_md and dag.description
    assert dag.max_active_runs == 2 and dag.catchup is False and dag.dagrun_timeout == timedelta(days=1)


def test_assets(dag):
    outlets = {task.task_id: [asset.name for asset in task.outlets] for task in dag.tasks if task.outlets}
    assert outlets == {"gate_raw": ["tweets_raw"], "gate_clean": ["tweets_clean"], "promote": ["tweets_dataset"]}


def test_data_intervals_have_length(dag):
    from airflow.serialization.encoders import coerce_to_core_timetable

    interval = coerce_to_core_timetable(dag.timetable).infer_manual_data_interval(run_after=datetime(2026, 11, 20, 9, tzinfo=UTC))
    assert interval.end - interval.start == timedelta(days=1)


@pytest.mark.parametrize(("schedule", "length"), [("0 0 * * *", timedelta(days=1)), ("0 * * * *", timedelta(hours=1))])
def test_catch_up_leaves_no_interval_out(monkeypatch, schedule, length):
    """What the scheduler is told to run, from the start on: every interval, each with its true length."""
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import TimeRestriction

    for name, value in {"SCHEDULE": schedule, "CATCHUP": "true", "START": "2026-11-18"}.items():
        monkeypatch.setenv(f"OFFKEY_{name}", value)
    migrated()
    dag = load(monkeypatch, "local")
    assert dag.catchup is True
    timetable, last, found = coerce_to_core_timetable(dag.timetable), None, []
    for _ in range(30):
        restriction = TimeRestriction(earliest=dag.start_date, latest=None, catchup=True)
        last = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction).data_interval
        found.append((last.start, last.end))
    assert found == [(start := datetime(2026, 11, 18, tzinfo=UTC) + number * length, start + length) for number in range(30)]


def test_no_secret_in_what_airflow_stores(monkeypatch):
    from airflow.serialization.serialized_objects import DagSerialization

    monkeypatch.setenv("X_BEARER_TOKEN", "canary-token")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-key")
    monkeypatch.setenv("OFFKEY_PSEUDONYM_KEY", "canary-key")
    migrated()
    for runner, name in product(("docker", "kubernetes"), ("tweets", "collect")):
        assert "canary" not in json.dumps(DagSerialization.to_dict(load(monkeypatch, runner, name)))


def test_a_runner_that_is_none(monkeypatch):
    monkeypatch.setenv("RUNNER", "podman")
    assert all("hint: local, docker or kubernetes" in said for said in DagBag(str(DAGS)).import_errors.values())


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("source", "bluesky", "twitter"),
        ("input", ["/data/a b.jsonl", "s3://bucket/x.gz"], ["../x"]),
        ("input", None, ["/data/../etc/passwd"]),
        ("track", [HOSTILE], ["two\nlines"]),
        ("since", "2026-11-20T00:00:00Z", "yesterday"),
        ("for", "30m", "30 m"),
        ("for", "1h30m", "1d"),
        ("locations", "/boxes.txt", "boxes.txt"),
        ("archive", "all", "everything"),
        ("partition_by", "hour", "week"),
        ("languages", "en,es", "english"),
        ("music_preset", "recall", ""),
        ("music_threshold", 2.5, 0),
        ("no_music_concerts", True, "yes"),
        ("music_fan_votes", False, None),
        ("profile", "/profiles/x.tsv", "/profiles/../x.tsv"),
        ("lexicon", None, "/"),
        ("pseudonymise", True, 1),
        ("retweets", "drop", None),
        ("max_tweets", 1, 0),
        ("max_spend_usd", 0.5, -1),
        ("max_reject_rate", 0, 1.1),
        ("lake", "s3://bucket/a/b", "file:///etc"),
        ("lake", "/lake", "/lake/../etc"),
        ("lake", "s3://bucket", "s3://bucket/../x"),
        ("name", "bieber-2026", "../x"),
        ("split_by", "time", "row"),
        ("split", "75,25", "most"),
        ("cuts", "2026-11-01,2026-11-08T06", "November"),
        ("near_copies", 0.9, 1.1),
        ("drop_near_copies", True, "all"),
        ("hash_bits", 18, 25),
        ("tfidf", True, "idf"),
        ("compression", "snappy", "gzip"),
    ],
)
def test_form(name, good, bad):
    assert copy(form.PARAMS[name]).resolve(good) == good
    with pytest.raises(ParamValidationError):
        copy(form.PARAMS[name]).resolve(bad)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"since": "2026-11-20T00:00:00Z", "until": "2026-11-20T01:00:00+01:00"}, "is not before `until`"),
        ({"source": "stream", "since": "2026-11-20T00:00:00Z"}, "`search` has what is past"),
        ({"split_by": "time"}, "`cuts` is empty"),
        ({"cuts": "2026-11-20"}, "`cuts` cut by time, and `split_by` is author"),
        ({"split_by": "time", "cuts": "2026-11-20T06,2026-11-20"}, "are not in order"),
        ({"split": "80,10,20"}, "make 110, not 100"),
        ({"tfidf": True, "hash_bits": 0}, "`hash_bits` is empty: 18 is usual"),
    ],
)
def test_what_a_form_contradicts(asked, says):
    defaults = {name: param.value for name, param in form.PARAMS.items()}
    assert list(form.contradictions(defaults)) == []
    (fault,) = form.contradictions(defaults | asked)
    assert says in fault


def test_the_form_can_be_sent_as_it_comes():
    """Airflow's page takes an empty text for null, and for a fault where null is not allowed."""
    assert [name for name, param in form.PARAMS.items() if param.value in ("", None) and "null" not in param.schema["type"]] == []


def test_form_has_words_for_everything():
    assert [
        name for name, param in form.PARAMS.items() if len(param.description or "") < 15 or not param.schema.get("section")
    ] == []


def test_defaults_come_from_the_flags_variables(monkeypatch):
    for name, value in {"TRACK": "Justin Bieber", "MAX_TWEETS": "5", "LANGUAGES": "en"}.items():
        monkeypatch.setenv(f"OFFKEY_{name}", value)
    assert (form.default("track", []), form.default("max_tweets"), form.default("languages", "")) == (["Justin Bieber"], 5, "en")


def test_interval_of_a_run():
    params = {"source": "search", "since": None, "until": None}
    bare = SimpleNamespace(run_after=datetime(2026, 11, 20, 9, 30, tzinfo=UTC), data_interval_start=None, data_interval_end=None)
    hourly = SimpleNamespace(
        run_after=bare.run_after,
        data_interval_start=datetime(2026, 11, 20, 8, tzinfo=UTC),
        data_interval_end=datetime(2026, 11, 20, 9, tzinfo=UTC),
    )

    def interval(run, **changed):
        return form.since(run, params | changed), form.until(run, params | changed)

    assert interval(bare) == ("2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z")
    assert interval(hourly) == ("2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z")
    assert interval(hourly, source="file") == interval(hourly, source="stream") == ("", "")
    asked = {"since": "2026-01-01T00:00:00Z", "until": "2026-02-01T00:00:00Z"}
    assert interval(hourly, **asked) == interval(bare, source="file", **asked) == tuple(asked.values())


def test_the_interval_in_a_path(local):
    files = ["/a/{day}.jsonl.gz", "s3://b/{hour}/{day}-{x}%20"]
    run(local, input=files, logical_date=datetime(2026, 11, 20, tzinfo=UTC))
    assert [word for word in calls("ingest")[0]["words"] if word.startswith("--input")] == [
        "--input=/a/2026-11-19.jsonl.gz",
        "--input=s3://b/2026-11-19T00/2026-11-19-{x}%20",
    ]


def states(run) -> dict[str, str]:
    """Task states of a run; those of a mapped task joined."""
    found = {}
    for ti in sorted(run.get_task_instances(), key=lambda ti: ti.map_index):
        found[ti.task_id] = f"{found[ti.task_id]} {ti.state}" if ti.task_id in found else str(ti.state)
    return found


def run(dag, **conf):
    """One run in this process."""
    return dag.test(logical_date=conf.pop("logical_date", datetime(2026, 11, 20, tzinfo=UTC)), run_conf=conf)


def test_a_run(local):
    done = run(local, track=[HOSTILE], input=["/data/a.jsonl"], name="sample")
    assert done.state == "success" and set(states(done).values()) == {"success", "success success"}
    made = [call["stage"] for call in calls()]
    assert made[:8] == ROAD[:4] + ROAD[3:7] and set(made[8:]) == {"promote", "report"}
    words = {call["stage"]: [word for word in call["words"] if "partition=" not in word] for call in calls()}
    partitions = {
        call["environment"]["OFFKEY_RUN_ID"]: [word for word in call["words"] if "partition=" in word] for call in calls("clean")
    }
    lake, run_id = str(HOME / "lake"), done.run_id
    assert words == {
        "ingest": [
            "--source=file",
            f"--lake={lake}",
            "--input=/data/a.jsonl",
            f"--track={HOSTILE}",
            "--partition-by=day",
            "--max-reject-rate=0.01",
        ],
        "gate_raw": ["raw", lake, f"--run-id={run_id}"],
        "plan": ["plan", f"--lake={lake}", "--retweets=fold", "--music-preset=balanced", "--batches=16", "--gated"],
        "clean": [f"--lake={lake}", "--retweets=fold", "--music-preset=balanced", "--gated"],
        "gate_clean": ["clean", lake, f"--run-id={run_id}"],
        "featurize": [f"--lake={lake}", "--name=sample", "--split-by=author", "--split=80,10,10", "--compression=zstd", "--gated"],
        "gate_dataset": ["dataset", lake, "--name=sample", "--version=0123456789ab", f"--run-id={run_id}"],
        "promote": ["promote", f"{lake}/datasets/sample/0123456789ab", "--gated", "--fresh"],
        "report": [lake, "--name=sample", "--version=0123456789ab", f"--run-id={run_id}"],
    }
    assert partitions == {
        f"{run_id}-0": ["--partition=2026-11-19", "--partition=2026-11-20"],
        f"{run_id}-1": ["--partition=unknown"],
    }


def test_a_search_reads_its_interval_with_and_without_a_logical_date(local):
    run(local, source="search", track=["x"])
    run(local, source="search", track=["x"], logical_date=None)
    first, second = (call["words"] for call in calls("ingest"))
    assert {"--since=2026-11-19T00:00:00Z", "--until=2026-11-20T00:00:00Z"} <= set(first)
    assert [word.partition("=")[0] for word in second if word.startswith(("--since", "--until"))] == ["--since", "--until"]


@pytest.mark.parametrize("gate", ["gate_raw", "gate_clean", "gate_dataset"])
def test_a_failed_gate_fails_the_run_and_nothing_is_promoted(local, monkeypatch, capfd, gate):
    monkeypatch.setenv("FAKE_EXITS", f'{{"{gate}": 65}}')
    done = run(local)
    assert done.state == "failed"
    expected = dict.fromkeys(ROAD[: ROAD.index(gate)], "success") | {gate: "failed"}
    expected |= dict.fromkeys(ROAD[ROAD.index(gate) + 1 :], "upstream_failed")
    if gate != "gate_raw":
        expected["clean"] = "success success"
    if gate == "gate_dataset":
        expected["report"] = "success"
    assert states(done) == expected
    assert len(calls(gate)) == 1 and calls("promote") == []
    said = capfd.readouterr()
    said = said.out + said.err
    assert f"{gate} of run {done.run_id} failed at try 1." in said
    assert f"what:  quality ended with exit code 65 (bad input). hint: tell {gate} to pass" in said
    assert f"pages: {HOME}/lake/_meta/reports/{done.run_id}/" in said


def test_a_failed_batch_is_named(local, monkeypatch, capfd):
    monkeypatch.setenv("FAKE_EXITS", '{"clean": [0, 70]}')
    done = run(local)
    assert done.state == "failed" and calls("gate_clean") == []
    named = {
        "failed success": "clean (batch 0: 2026-11-19, 2026-11-20) of run",
        "success failed": "clean (batch 1: unknown) of run",
    }
    said = capfd.readouterr()
    assert named[states(done)["clean"]] in said.out + said.err


def test_what_may_pass_is_tried_again(local, monkeypatch):
    monkeypatch.setenv("FAKE_EXITS", '{"ingest": [69, 74, 143, 0], "clean": [74, 0]}')
    done = run(local)
    assert done.state == "success" and len(calls("ingest")) == 4 and len(calls("clean")) == 3


def test_tries_end(local, monkeypatch):
    monkeypatch.setenv("FAKE_EXITS", '{"ingest": 69}')
    assert run(local).state == "failed" and len(calls("ingest")) == 4


def test_nothing_to_do_skips_the_step_and_the_road_goes_on(local, monkeypatch):
    monkeypatch.setenv("FAKE_EXITS", '{"ingest": 99}')
    monkeypatch.setenv("FAKE_BATCHES", "[]")
    done = run(local)
    assert done.state == "success"
    assert states(done) == dict.fromkeys(ROAD, "success") | {"ingest": "skipped", "clean": "skipped"}


def test_a_form_that_cannot_be_is_refused_before_anything_runs(local, capfd):
    done = run(local, source="search", max_spend_usd=5, split_by="time", split="50,30")
    assert done.state == "failed" and states(done)["ingest"] == "failed" and calls() == []
    said = capfd.readouterr()
    assert "the form cannot be: `split_by` is time and `cuts` is empty" in said.out + said.err
    assert "(50,30) make 80, not 100. hint: start the run again with another form" in said.out + said.err


def test_mapped_tasks_are_called_by_their_partitions(local, monkeypatch):
    days = [f"2026-11-{day:02}" for day in range(1, 31)]
    monkeypatch.setenv("FAKE_BATCHES", json.dumps([days[:2], days[2:], ["unknown"]]))
    tasks = [ti for ti in run(local).get_task_instances() if ti.task_id == "clean"]
    assert {ti.map_index: ti.rendered_map_index for ti in tasks} == {
        0: "2026-11-01, 2026-11-02",
        1: "2026-11-03, 2026-11-04, 2026-11-05 and 25 more",
        2: "unknown",
    }


def test_the_lake_as_it_is(local):
    done = run(local, source="lake")
    assert done.state == "success" and states(done)["ingest"] == "skipped" and states(done)["promote"] == "success"
    assert calls("ingest") == []


def test_every_flag_of_the_form_reaches_the_programs_that_know_it(local):
    asked = {"profile": "/p.tsv", "lexicon": "/l.tsv", "no_music_concerts": True, "music_fan_votes": True, "music_threshold": 2}
    run(local, pseudonymise=True, drop_near_copies=True, near_copies=0.9, hash_bits=18, tfidf=True, split_by="time", cuts="2026-11-01", locations="/boxes", archive="all", source="search", **asked)
    flags = {"--profile=/p.tsv", "--lexicon=/l.tsv", "--no-music-concerts", "--music-fan-votes", "--music-threshold=2", "--pseudonymise"}
    for call in (*calls("plan"), *calls("clean")):
        assert flags <= set(call["words"])
    assert {"--split-by=time", "--cuts=2026-11-01", "--near-copies=0.9", "--drop-near-copies", "--hash-bits=18", "--tfidf"} <= set(calls("featurize")[0]["words"])
    assert {"--locations=/boxes", "--archive=all"} <= set(calls("ingest")[0]["words"])


def test_an_empty_lake_makes_no_dataset(local, monkeypatch):
    monkeypatch.setenv("FAKE_EXITS", '{"ingest": 99, "featurize": 99}')
    monkeypatch.setenv("FAKE_BATCHES", "[]")
    done = run(local)
    assert done.state == "success" and {states(done)[task] for task in ("featurize", "gate_dataset", "promote", "report")} == {
        "skipped"
    }


def test_sixteen_batches(local, monkeypatch):
    monkeypatch.setenv("FAKE_BATCHES", json.dumps([[f"2026-11-{day:02}"] for day in range(1, 17)]))
    done = run(local)
    assert done.state == "success" and states(done)["clean"] == " ".join(["success"] * 16)


def test_the_command_line_says_whether_the_run_failed():
    migrated()
    conf = json.dumps({"track": [HOSTILE]})
    CALLS.unlink(missing_ok=True)
    good = airflow("dags", "test", "tweets", "--conf", conf)
    assert good.returncode == 0, good.stdout
    assert f"--track={HOSTILE}" in calls("ingest")[0]["words"]
    bad = airflow("dags", "test", "tweets", FAKE_EXITS='{"gate_dataset": 65}')
    assert bad.returncode == 1, bad.stdout


@pytest.fixture(params=["local", "docker", "kubernetes"])
def collect(request, monkeypatch):
    migrated()
    CALLS.unlink(missing_ok=True)
    return load(monkeypatch, request.param, "collect")


def test_collect_listens_without_a_pause(collect):
    (task,) = collect.tasks
    assert collect.timetable.active_runs_limit == collect.max_active_runs == 1 and collect.max_consecutive_failed_dag_runs == 3
    assert [asset.name for asset in task.outlets] == ["tweets_raw"] and len(task.doc_md) > 40 and task.on_failure_callback
    assert {name: collect.params[name] for name in ("source", "for")} == {"source": "stream", "for": "55m"}
    for wrong in ("", "6h", "1d"):
        with pytest.raises(ParamValidationError):
            copy(collect.params.get_param("for")).resolve(wrong)


def test_a_run_of_collect(monkeypatch):
    migrated()
    CALLS.unlink(missing_ok=True)
    assert run(load(monkeypatch, "local", "collect"), source="bluesky", track=["x"]).state == "success"
    words = ["--source=bluesky", "--for=55m", f"--lake={HOME}/lake", "--track=x", "--partition-by=day", "--max-reject-rate=0.01"]
    assert [call["words"] for call in calls()] == [words]


real = pytest.mark.skipif(REAL_BIN is None, reason="OFFKEY_BIN_DIR is not set: THE DAG IS NOT RUN WITH THE REAL PROGRAMS")


def begin(home, lake, **more: str) -> subprocess.Popen:
    """Starts a run of the real programs over the sample, by an Airflow with a database of its own."""
    conf = {"input": [str(ROOT / "examples/sample/justin-bieber.jsonl.gz")], "lake": str(lake), "name": "sample"}
    settings = home_of_its_own(home) | {
        "OFFKEY_BIN_DIR": str(REAL_BIN),
        "OFFKEY_QUALITY_DIR": str(ROOT / "great_expectations"),
    }
    command = [sys.executable, "-m", "airflow", "dags", "test", "tweets", "--conf", json.dumps(conf)]
    return subprocess.Popen(command, env=os.environ | settings | more, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def published(lake) -> dict[str, bytes]:
    """The version that is current, file by file."""
    folder = lake / "datasets/sample"
    version = folder / json.loads((folder / "current.json").read_text())["version"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted((version / "data").iterdir())}


@real
def test_the_real_programs_once_again_and_two_at_once(tmp_path):
    """A retry beside a try that still lives, as after a lost worker, is two runs over one lake at once."""
    alone, shared = tmp_path / "alone", tmp_path / "shared"
    for number in (1, 2):  # the second finds everything done
        said, _ = (run := begin(tmp_path / f"home-{number}", alone)).communicate(timeout=600)
        assert run.returncode == 0, said
    both = [begin(tmp_path / f"home-{number}", shared) for number in (3, 4)]
    said = [run.communicate(timeout=900)[0] for run in both]
    assert [run.returncode for run in both] == [0, 0], said
    assert published(shared) == published(alone) != {}


@pytest.mark.slow
def test_two_at_once_on_s3_and_all_of_it_can_be_read(road: Road, s3, tmp_path):
    """The server keeps a checksum beside each object: of two writers of one key it may keep the bytes of one, the checksum of the other."""
    bucket, keys = s3
    both = [begin(tmp_path / f"home-{number}", "s3://offkey/lake", **keys) for number in (1, 2)]
    said = [run.communicate(timeout=900)[0] for run in both]
    assert [run.returncode for run in both] == [0, 0], said
    shared = Road(road.programs, "s3://offkey/lake", bucket / "lake", **keys)
    shared.drive([ROOT / "examples/sample/justin-bieber.jsonl.gz"], nothing_to_clean=True)
    assert shared.parquet() == road.parquet()
