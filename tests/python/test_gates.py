"""The gates: a good lake passes; every single expectation has a seeded fault that makes it fail, by name.

The lakes are invented (`lakes.py`). Great Expectations is imported once, by the first test that needs it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

HERE = Path(__file__).resolve().parent
GATES = HERE.parents[1] / "great_expectations"
sys.path[:0] = [str(GATES), str(HERE)]

import build
import check
import clean_gate
import lakes
import location
from evidence import Sample, settings

DAY0, DAY1 = lakes.partition_name(0), lakes.partition_name(1)
COMMIT = f"_meta/raw/dt={DAY0}/part-0.json"
PART = f"raw/dt={DAY0}/part-0.jsonl.zst"
RUN = f"_meta/runs/ingest/{lakes.RUN}.json"
POINTER = f"_meta/clean/dt={DAY0}.json"
VERSION = "000000000001"
DATASET = f"datasets/{lakes.NAME}/{VERSION}"
MANIFEST = f"{DATASET}/manifest.json"
TRAIN = f"{DATASET}/data/train-00000-of-00001.parquet"


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A lake that passes, to be copied and broken; it has a promoted version before the one that is judged."""
    root = tmp_path_factory.mktemp("good") / "lake"
    lakes.good(root)
    pointers = [lakes.load(root, f"_meta/clean/dt={day}.json") for day in (DAY0, DAY1)]
    rows = [row for day in range(2) for row in lakes.fates(day, 120)[0]]
    lakes.promote(root, lakes.add_dataset(root, rows, pointers, version="000000000000"))
    return root


@pytest.fixture
def lake(good, tmp_path):
    return Path(shutil.copytree(good, tmp_path / "lake"))


def gate(name, root, *more, run_id=lakes.RUN):
    dataset = ["--name", lakes.NAME, "--version", VERSION] if name == "dataset" else []
    return check.check(check.arguments([name, str(root), "--run-id", run_id, *dataset, *more]))


def verdicts(root, name):
    return [json.loads(p.read_text()) for p in sorted(Path(root, "_meta/gates", name).glob("*.json"))]


# --- faults ------------------------------------------------------------------------------------------------------------


def edits(key, **changes):
    """A fault in a JSON file: each change is a value, or a function of the old one; `a__b` is b inside a."""

    def seed(root):
        value = lakes.load(root, key)
        for path, change in changes.items():
            *outer, last = path.split("__")
            inside = value
            for step in outer:
                inside = inside[int(step) if isinstance(inside, list) else step]
            inside[last] = change(inside[last]) if callable(change) else change
        lakes.put(root, key, value)

    return seed


def more(n):
    return n + 1


def tweets_parquet(root):
    return lakes.load(root, POINTER)["path"] + "/tweets.parquet"


def dropped_parquet(root):
    return lakes.load(root, POINTER)["path"] + "/dropped.parquet"


def rows(find, column, *values):
    """The first rows of a clean file get these values in one column; the pointer knows of the new bytes."""

    def seed(root):
        key = find(root)
        about = (POINTER, lambda pointer: pointer["files"][key.rsplit("/", 1)[1]])
        lakes.rewrite(root, key, lambda t: lakes.with_column(t, column, lambda old: [*values, *old[len(values) :]]), about)

    return seed


def dataset_rows(column, *values, file="train"):
    """The same for a file of the dataset."""

    def seed(root):
        key = f"{DATASET}/data/{file}-00000-of-00001.parquet"
        about = (MANIFEST, lambda m: next(f for f in m["files"] if f["split"] == file))
        lakes.rewrite(root, key, lambda t: lakes.with_column(t, column, lambda old: [*values, *old[len(values) :]]), about)

    return seed


def flip(find):
    """One bit of a file is another; its size is the same."""

    def seed(root):
        path = Path(root) / find(root)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    return seed


def reshape(find, about, change):
    """A Parquet file with other columns; what points to it knows of the new bytes."""

    def seed(root):
        lakes.rewrite(root, find(root), change, about)

    return seed


def unlink(find):
    return lambda root: (Path(root) / find(root)).unlink()


def together(*seeds):
    return lambda root: [seed(root) for seed in seeds]


def retype(table, name="is_reply"):
    at = table.schema.get_field_index(name)
    return table.set_column(at, pa.field(name, pa.int64()), pa.array([0] * table.num_rows, pa.int64()))


def shapes(find, about):
    return {
        "columns_missing": reshape(find, about, lambda t: t.drop_columns(["place_country"])),
        "columns_unexpected": reshape(find, about, lambda t: t.append_column("surprise", pa.array([1] * t.num_rows))),
        "columns_retyped": reshape(find, about, retype),
        "columns_moved": reshape(find, about, lambda t: t.select([*t.column_names[1:], t.column_names[0]])),
    }


def promoted(**changes):
    return edits(f"datasets/{lakes.NAME}/000000000000/manifest.json", **changes)


def one_author(root):
    """A crowd of rows by one author, in the author's own split."""
    lakes.rewrite(
        root, TRAIN, lambda t: lakes.with_column(t, "author_id", lambda old: ["1000"] * len(old)),
        (MANIFEST, lambda m: next(f for f in m["files"] if f["split"] == "train")),
    )  # fmt: skip


def one_language(root):
    lakes.rewrite(
        root, TRAIN, lambda t: lakes.with_column(t, "lang", lambda old: ["en"] * len(old)),
        (MANIFEST, lambda m: next(f for f in m["files"] if f["split"] == "train")),
    )  # fmt: skip
    for file in ("validation", "test"):
        lakes.rewrite(
            root, f"{DATASET}/data/{file}-00000-of-00001.parquet",
            lambda t: lakes.with_column(t, "lang", lambda old: ["es", *["en"] * (len(old) - 1)]),
            (MANIFEST, lambda m, file=file: next(f for f in m["files"] if f["split"] == file)),
        )  # fmt: skip


def no_language(root):
    lakes.rewrite(
        root, TRAIN, lambda t: lakes.with_column(t, "lang", lambda old: ["und"] * len(old)),
        (MANIFEST, lambda m: next(f for f in m["files"] if f["split"] == "train")),
    )  # fmt: skip


def tilted(root):
    """Shares four to six standard errors from the asked ones: asked is changed, the rows stay."""
    lakes.edit(root, MANIFEST, lambda m: m["arguments"].update(split="45,45,10"))


def by_time(root):
    lakes.edit(root, MANIFEST, lambda m: m["arguments"].update(split_by="time", split=None))


BETWEEN, NULL = "expect_column_values_to_be_between", "expect_column_values_to_not_be_null"
EQUAL, ORDER = "expect_column_pair_values_to_be_equal", "expect_column_pair_values_a_to_be_greater_than_b"
REGEX = "expect_column_values_to_match_regex"
IN_SET, UNIQUE = "expect_column_values_to_be_in_set", "expect_column_values_to_be_unique"
CLEAN_FILE = (POINTER, lambda pointer: pointer["files"]["tweets.parquet"])
DATASET_FILE = (MANIFEST, lambda m: next(f for f in m["files"] if f["split"] == "train"))
EMPTY = unlink(tweets_parquet)

FAULTS = {
    "raw_parts": {
        (NULL, "stored_size"): unlink(lambda root: PART),
        (EQUAL, "size, stored_size"): edits(COMMIT, size=more),
        (EQUAL, "sha256, read_sha256"): flip(lambda root: PART),
        (ORDER, "tweets, unique"): edits(COMMIT, unique=10**6),
        (ORDER, "tweets, retweets"): edits(COMMIT, retweets=10**6),
        (EQUAL, "language_tweets, tweets"): edits(COMMIT, languages={"en": 1}),
        (NULL, "id_min"): edits(COMMIT, ids__min=None),
        (NULL, "id_max"): edits(COMMIT, ids__max=None),
        (ORDER, "id_max, id_min"): edits(COMMIT, ids={"min": "10", "max": "9"}),
        (ORDER, "time_last, time_first"): edits(COMMIT, times__last="2026-11-16T00:00:00.000000Z", times__first="2026-11-16T00:00:01.000000Z"),
        (ORDER, "time_latest, time_last"): edits(COMMIT, received="2026-11-14T00:00:00.000000Z"),
        (ORDER, "time_first, partition_start"): edits(COMMIT, times__first="2026-11-15T23:59:59.999999Z"),
        (ORDER, "partition_last, time_last"): edits(COMMIT, times__last="2026-11-17T00:00:00.000000Z"),
        (BETWEEN, "time_first", "critical"): edits(COMMIT, times__first="2006-02-27T00:00:00.000000Z"),
    },
    "raw_partitions": {
        (BETWEEN, "duplicate_share", "critical"): edits(COMMIT, unique=1),
        (BETWEEN, "duplicate_share", "warning"): edits(COMMIT, unique=50),
        (BETWEEN, "without_language_share", "warning"): edits(COMMIT, languages=lambda old: {"": sum(old.values())}),
        (BETWEEN, "retweet_share", "warning"): lambda root: edits(COMMIT, retweets=lakes.load(root, COMMIT)["tweets"])(root),
    },
    "raw_runs": {
        (EQUAL, "records, accounted"): edits(RUN, records=more),
        (EQUAL, "consumed, committed"): edits(RUN, consumed=more, records=more),
        (ORDER, "consumed, unique"): edits(RUN, unique=10**6),
        (BETWEEN, "outputs_uncommitted", "critical"): unlink(lambda root: COMMIT.replace(DAY0, DAY1).replace("part-0", "part-1")),
        (BETWEEN, "reject_rate", "critical"): edits(RUN, rejected={"not_json": 101}, records=lambda n: n + 100),
        (BETWEEN, "reject_rate", "warning"): edits(RUN, rejected={"not_json": 7}, records=lambda n: n + 6),
        (BETWEEN, "retyped_rate", "warning"): edits(RUN, retyped={"lang": 50}),
    },
    "clean_partitions": {
        (EQUAL, "records, input_tweets"): edits(POINTER, inputs__0__tweets=more),
        (EQUAL, "records, consumed_and_rejected"): edits(POINTER, records=more),
        (EQUAL, "consumed, kept_and_dropped"): edits(POINTER, consumed=more),
        (EQUAL, "unique, consumed_less_duplicates"): edits(POINTER, unique=more),
        (EQUAL, "kept, tweets_rows"): edits(POINTER, kept=more),
        (EQUAL, "dropped_and_stored, dropped_rows"): edits(POINTER, dropped__music=more),
        (EQUAL, "kept, language_tweets"): edits(POINTER, languages__en=more),
        (BETWEEN, "ids_repeated", "critical"): rows(tweets_parquet, "tweet_id", "1", "1"),
        (NULL, "ids_repeated"): EMPTY,
        (BETWEEN, "music_leaks", "critical"): rows(tweets_parquet, "music_score", 3.0),
        (NULL, "music_leaks"): edits(POINTER, arguments={}),
        (BETWEEN, "music_false_drops", "critical"): rows(dropped_parquet, "music_score", 2.9),
        (NULL, "music_false_drops"): unlink(dropped_parquet),
        (BETWEEN, "rejected_rate", "critical"): edits(POINTER, rejected={"not_json": 9}),
        (BETWEEN, "rejected_rate", "warning"): edits(POINTER, rejected={"not_json": 1}),
        (BETWEEN, "kept_share", "warning"): edits(POINTER, kept=2),
        (BETWEEN, "music_share", "warning"): edits(POINTER, dropped__music=159),
        (BETWEEN, "undetermined_share", "warning"): edits(POINTER, languages={"und": 120}),
    },
    "clean_files": {
        (EQUAL, "size, stored_size"): edits(POINTER, **{"files__tweets.parquet__size": more}),
        (EQUAL, "sha256, read_sha256"): flip(tweets_parquet),
        (EQUAL, "rows, stored_rows"): edits(POINTER, **{"files__tweets.parquet__rows": more}),
        **{(NULL, c): EMPTY for c in ("columns_missing", "columns_unexpected", "columns_retyped", "columns_moved")},
        **{(BETWEEN, c, "critical"): seed for c, seed in shapes(tweets_parquet, CLEAN_FILE).items()},
    },
    "clean_rows": {
        **{
            (NULL, c["name"]): rows(tweets_parquet, c["name"], None)
            for c in lakes.COLUMNS
            if not c["nullable"] and not c["type"].startswith("list")
        },
        (UNIQUE, "row_key"): rows(tweets_parquet, "tweet_id", "7", "7"),
        (IN_SET, "source"): rows(tweets_parquet, "source", "mastodon"),
        (IN_SET, "lang", "warning"): rows(tweets_parquet, "lang", "ckb"),
        (REGEX, "lang"): rows(tweets_parquet, "lang", "english"),
        (BETWEEN, "text_length", "critical"): rows(tweets_parquet, "text", ""),
        (BETWEEN, "lang_confidence", "critical"): rows(tweets_parquet, "lang_confidence", 1.5),
        (BETWEEN, "created_at", "critical"): rows(tweets_parquet, "created_at", lakes.FIRST_DAY.replace(year=2006, month=1)),
        (BETWEEN, "lon", "critical"): rows(tweets_parquet, "lon", 181.0),
        (BETWEEN, "lat", "critical"): rows(tweets_parquet, "lat", -91.0),
        **{
            (BETWEEN, column, severity): rows(tweets_parquet, column, -1)
            for column, bound in settings()["bounds"]["clean_rows"].items()
            for severity in bound.keys() - {"why"}
            if column.endswith("_count")
        },
    },
    "clean_dropped": {
        (NULL, "tweet_id"): rows(dropped_parquet, "tweet_id", None),
        (NULL, "drop_reason"): rows(dropped_parquet, "drop_reason", None),
        (IN_SET, "drop_reason"): rows(dropped_parquet, "drop_reason", "boredom"),
    },
    "dataset_version": {
        (EQUAL, "records, consumed_and_rejected"): edits(MANIFEST, records=more),
        (EQUAL, "consumed, clean_kept_and_dropped"): edits(MANIFEST, consumed=more, records=more),
        (EQUAL, "unique, consumed_less_duplicates"): edits(MANIFEST, unique=more),
        (EQUAL, "read, clean_kept"): edits(MANIFEST, read=more),
        (EQUAL, "read, input_rows"): edits(MANIFEST, inputs__0__kept=more),
        (EQUAL, "read, kept_and_dropped"): edits(MANIFEST, dropped={"near_copy": 1}),
        (EQUAL, "kept, split_rows"): edits(MANIFEST, splits__test__rows=more),
        (EQUAL, "kept, file_rows"): edits(MANIFEST, kept=more),
        (BETWEEN, "ids_repeated", "critical"): together(dataset_rows("tweet_id", "5"), dataset_rows("tweet_id", "5", file="test")),
        (BETWEEN, "groups_split", "critical"): together(dataset_rows("author_id", "5"), dataset_rows("author_id", "5", file="test")),
        (BETWEEN, "near_copies_split", "critical"): together(
            dataset_rows("near_copy_group", "g"), dataset_rows("near_copy_group", "g", file="test")
        ),
        (BETWEEN, "times_out_of_order", "critical"): by_time,
        (BETWEEN, "undetermined_share", "warning"): no_language,
        (BETWEEN, "largest_language_share", "warning"): one_language,
        (BETWEEN, "largest_group_share", "warning"): one_author,
        (BETWEEN, "language_drift", "warning"): promoted(languages={"ja": 240}),
        (BETWEEN, "kept_drift", "warning"): promoted(consumed=10**4),
        (BETWEEN, "music_drift", "warning"): promoted(clean__dropped__music=300),
        (BETWEEN, "size_ratio", "warning"): promoted(kept=10),
    },
    "dataset_files": {
        (EQUAL, "size, stored_size"): edits(MANIFEST, files__0__size=more),
        (EQUAL, "sha256, read_sha256"): edits(MANIFEST, files__0__sha256="0" * 64),
        (EQUAL, "rows, stored_rows"): edits(MANIFEST, files__0__rows=more),
        **{(NULL, c): unlink(lambda root: TRAIN) for c in ("columns_missing", "columns_unexpected", "columns_retyped", "columns_moved", "rows_of_other_splits")},
        **{(BETWEEN, c, "critical"): seed for c, seed in shapes(lambda root: TRAIN, DATASET_FILE).items()},
        (BETWEEN, "rows_of_other_splits", "critical"): dataset_rows("split", "test"),
    },
    "dataset_splits": {
        (IN_SET, "split"): edits(MANIFEST, splits=lambda old: old | {"dev": {"rows": 0, "share": 0.0}}),
        (BETWEEN, "share_error", "critical"): edits(MANIFEST, arguments__split="10,10,80"),
        (BETWEEN, "share_error", "warning"): tilted,
    },
    "dataset_columns": {
        (BETWEEN, "nulls_where_required", "critical"): dataset_rows("upper_ratio", None),
        (BETWEEN, "not_a_number", "critical"): dataset_rows("upper_ratio", float("nan")),
        (BETWEEN, "below", "critical"): dataset_rows("hour_sin", -1.01),
        (BETWEEN, "above", "critical"): dataset_rows("upper_ratio", 1.01),
    },
    "dataset_rows": {
        (NULL, "tweet_id"): dataset_rows("tweet_id", None),
        (NULL, "text"): dataset_rows("text", None),
        (IN_SET, "lang", "warning"): dataset_rows("lang", "ckb"),
        (REGEX, "lang"): dataset_rows("lang", "english"),
        (IN_SET, "split"): dataset_rows("split", "dev"),
        (BETWEEN, "text_length", "critical"): dataset_rows("text", ""),
        (BETWEEN, "created_at", "critical"): dataset_rows("created_at", lakes.FIRST_DAY.replace(year=2006, month=1)),
    },
}  # fmt: skip


def identities(suite):
    """(expectation, column, severity) of every expectation of a suite."""
    for e in build.suites()[suite]:
        kwargs = e["kwargs"]
        yield e["type"], kwargs.get("column") or f"{kwargs['column_A']}, {kwargs['column_B']}", e["severity"]


def seeds():
    for suite, faults in FAULTS.items():
        for (expectation, column, *severity), seed in faults.items():
            severity = severity[0] if severity else "critical"
            yield pytest.param(suite, expectation, column, severity, seed, id=f"{suite}: {expectation} of {column}, {severity}")


def test_every_expectation_has_a_fault():
    for suite in build.suites():
        seeded = {(expectation, column, *(severity or ["critical"])) for expectation, column, *severity in FAULTS[suite]}
        assert seeded == set(identities(suite)), suite


@pytest.mark.parametrize(("suite", "expectation", "column", "severity", "seed"), list(seeds()))
def test_a_seeded_fault_is_named(lake, monkeypatch, suite, expectation, column, severity, seed):
    def collect(*arguments, collect=check.collect):
        evidence = collect(*arguments)
        evidence.tables = {suite: evidence.tables[suite]}
        return evidence

    # Only the suite in question is run, and no pages are built: there are many faults.
    monkeypatch.setattr(check, "collect", collect)
    monkeypatch.setattr(check, "pages", lambda context: None)
    seed(lake)
    name = suite.partition("_")[0]
    told = gate(name, lake)
    failed = {
        (f["expectation"], f["column"], f["severity"]) for v in verdicts(lake, name) for f in v["failed"] if f["suite"] == suite
    }
    assert (expectation, column, severity) in failed
    assert told["success"] == all(v["success"] for v in verdicts(lake, name))
    if severity == "critical":
        assert not told["success"]
    if suite not in ("raw_runs",) and name != "dataset":
        other = [v for v in verdicts(lake, name) if v["partition"] == DAY1]
        assert [v["failed"] for v in other] == [[]], "the fault of one partition is charged to another"


# --- what a gate promises ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["raw", "clean", "dataset"])
def test_a_good_lake_passes(lake, name):
    told = gate(name, lake)
    assert told["success"] and told["failed"] == [], told["failed"]
    assert told["evaluated"] == sum(len(e) for suite, e in build.suites().items() if suite.startswith(name))
    for verdict in verdicts(lake, name):
        assert verdict["success"] and verdict["failed"] == [] and verdict["run_id"] == lakes.RUN
        assert Path(verdict["docs"]).is_file()


def test_a_passing_verdict_is_not_asked_again(lake):
    assert gate("raw", lake)["judged"] == 2
    assert gate("raw", lake)["judged"] == 0
    lakes.edit(lake, COMMIT, lambda commit: commit.update(sha256="1" * 64))
    told = gate("raw", lake)
    assert told["judged"] == 1 and not told["success"], "new bytes are a new fingerprint"
    assert gate("raw", lake)["judged"] == 1, "a failing verdict is asked again"


def test_verdicts_lie_under_the_fingerprints_of_the_contract(lake):
    import hashlib

    for name in ("raw", "clean", "dataset"):
        gate(name, lake)
    commit = lakes.load(lake, COMMIT)
    raw = lakes.load(lake, f"_meta/gates/raw/{hashlib.sha256(commit['sha256'].encode()).hexdigest()}.json")
    clean = lakes.load(lake, f"_meta/gates/clean/{lakes.load(lake, POINTER)['fingerprint']}.json")
    dataset = lakes.load(lake, f"_meta/gates/dataset/{lakes.load(lake, MANIFEST)['fingerprint']}.json")
    assert (raw["partition"], clean["partition"]) == (DAY0, DAY0)
    assert (dataset["dataset"], dataset["version"]) == (lakes.NAME, VERSION)


def test_an_empty_lake_passes(tmp_path):
    lakes.put(tmp_path, "_meta/lake.json", {"lake": 1, "grain": "day"})
    for name in ("raw", "clean"):
        told = gate(name, tmp_path)
        assert told["success"] and told["judged"] == told["evaluated"] == 0


def test_an_empty_day_passes(tmp_path):
    lakes.put(tmp_path, "_meta/lake.json", {"lake": 1, "grain": "day"})
    pointer = lakes.add_clean(tmp_path, 0, [], [], [])
    lakes.add_dataset(tmp_path, [], [pointer])
    lakes.put(tmp_path, RUN, lakes.run_manifest([], rejected={}))
    for name in ("raw", "clean", "dataset"):
        told = gate(name, tmp_path)
        assert told["success"] and told["failed"] == [], told["failed"]
    assert [v["success"] for v in verdicts(tmp_path, "clean")] == [True]


def test_a_run_that_rejected_everything_fails_without_a_partition(tmp_path):
    lakes.put(tmp_path, "_meta/lake.json", {"lake": 1, "grain": "day"})
    manifest = lakes.run_manifest([], rejected={"not_json": 7}) | {"notices": {}, "unmatched": 0, "records": 7}
    lakes.put(tmp_path, RUN, manifest)
    assert not gate("raw", tmp_path)["success"]


def test_a_later_run_over_the_same_files_takes_the_place_of_an_earlier_one(lake):
    manifest = lakes.load(lake, RUN)
    lakes.put(lake, RUN, manifest | {"rejected": {"not_json": 101}, "records": manifest["records"] + 100})
    assert not gate("raw", lake)["success"]
    lakes.put(lake, "_meta/runs/ingest/run-2.json", manifest | {"run_id": "run-2", "ended": "2026-11-20T09:00:00.000000Z"})
    assert gate("raw", lake, run_id="run-2")["success"]


def test_the_sample_is_bounded_and_takes_all_copies_of_an_id_or_none(monkeypatch):
    monkeypatch.setitem(settings()["sample"], "rows", 100)
    ids = [str(n) for n in range(5000)] * 2
    batch = pa.record_batch({"source": ["x"] * 10_000, "tweet_id": ids, "text": ["t"] * 10_000})
    sample = Sample("dataset_rows", "part", 10_000)
    taken = sample.take(batch, clean_gate.hashes(batch.column("tweet_id")), "p")["tweet_id"]
    assert 50 < len(taken) < 200
    assert (taken.value_counts() == 2).all()


def test_strangers_words_never_reach_a_page(tmp_path):
    """Canaries in every string column, in a lake that fails wherever it can."""
    lakes.good(tmp_path, canaries=lakes.CANARIES)
    for column in ("lang", "source", "text", "username", "text_clean"):
        rows(tweets_parquet, column, *lakes.CANARIES, "", None)(tmp_path)
    rows(dropped_parquet, "drop_reason", *lakes.CANARIES)(tmp_path)
    for column in ("lang", "split", "text"):
        dataset_rows(column, *lakes.CANARIES)(tmp_path)
    for name in ("raw", "clean", "dataset"):
        gate(name, tmp_path)
    written = [p for p in (tmp_path / "_meta").rglob("*") if p.is_file() and ("reports" in p.parts or "gates" in p.parts)]
    assert len([p for p in written if p.suffix == ".html"]) > 20
    for path in written:
        text = path.read_bytes()
        for mark in (b"canary", b"<script", b"onerror", b"\x1b", b"rains fall", b"old bakery"):
            assert mark not in text, (path, mark)


def test_pages_need_no_network(lake):
    gate("dataset", lake)
    pages = list((lake / "_meta/reports").rglob("*.html"))
    assert pages
    for page in pages:
        text = page.read_text()
        assert "Content-Security-Policy" in text
        assert not re.findall(r"<(?:script|link|img|iframe)\b", text), page


def test_one_site_holds_the_pages_of_all_gates_of_a_run(lake):
    for name in ("raw", "clean", "dataset"):
        gate(name, lake)
    index = (lake / "_meta/reports/run-1/data_docs/index.html").read_text()
    for suite in build.suites():
        links = re.findall(rf'href="(validations/{suite}/[^"]+)"', index)
        assert len(links) == 1, suite
        assert (lake / "_meta/reports/run-1/data_docs" / links[0]).is_file()


def test_the_committed_context_is_what_build_makes():
    for path, text in build.documents().items():
        assert (GATES / path).read_text() == text, f"run python great_expectations/build.py: {path}"
    for folder in ("expectations", "checkpoints", "validation_definitions"):
        assert {p.stem for p in (GATES / folder).glob("*.json")} == set(build.suites())


def test_what_a_run_beside_this_one_has_passed_stays_as_it_is(lake, monkeypatch):
    """Two runs of one interval find the same results without a verdict; both judge them, and one of them says it."""
    judge = check.judge

    def meanwhile(evidence, folder):
        monkeypatch.setattr(check, "judge", judge)
        gate("raw", lake, run_id="other")
        return judge(evidence, folder)

    monkeypatch.setattr(check, "judge", meanwhile)
    assert gate("raw", lake)["judged"] == 2
    assert {verdict["run_id"] for verdict in verdicts(lake, "raw")} == {"other"}


def test_scipy_is_loaded_by_nobody_who_does_not_use_it(lake):
    code = "import check, sys; check.check(check.arguments(sys.argv[1:])); print('scipy.stats._stats_py' in sys.modules, sys.modules['scipy.stats'].norm.cdf(0))"
    done = subprocess.run([sys.executable, "-c", code, "raw", str(lake)], cwd=GATES, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "False 0.5", done.stderr


def test_a_gate_writes_nothing_into_the_repository(lake):
    before = {p: p.stat().st_mtime_ns for p in GATES.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    gate("raw", lake)
    assert before == {p: p.stat().st_mtime_ns for p in GATES.rglob("*") if p.is_file() and "__pycache__" not in p.parts}


# --- the command -------------------------------------------------------------------------------------------------------


def command(*arguments, **environment):
    return subprocess.run(
        [sys.executable, str(GATES / "check.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


def test_the_command_passes_and_fails(lake):
    done = command("clean", lake, OFFKEY_RUN_ID="scheduled__2026-11-20T08:00:00+00:00")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1 and told["success"] and told["judged"] == 2
    assert Path(told["docs"]).is_file()
    edits(POINTER, kept=more, fingerprint="f" * 64)(lake)
    failed = command("clean", lake, "--run-id", "run-2")
    assert failed.returncode == 65
    assert not json.loads(failed.stdout.splitlines()[-1])["success"]
    assert "critical: clean_partitions: expect_column_pair_values_to_be_equal of kept, tweets_rows" in failed.stderr
    assert "hint:" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["raw", "{nowhere}"], 66, "hint: run ingest first"),
        (["dataset", "{lake}", "--name", "tweets", "--version", "ffffffffffff"], 66, "manifest.json is not there"),
        (["dataset", "{lake}"], 2, "wants --name and --version"),
        (["dataset", "{lake}", "--name", "../x", "--version", "1"], 2, "--name"),
        (["raw", "{lake}", "--run-id", "../../x"], 2, "--run-id"),
        (["raw", "gopher://x"], 2, "hint: a folder, or s3://bucket/prefix"),
        (["tidy", "{lake}"], 2, "invalid choice"),
    ],
)
def test_exit_codes(lake, tmp_path, arguments, code, says):
    done = command(*[a.format(nowhere=tmp_path / "nowhere", lake=lake) for a in arguments])
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr


def test_a_damaged_commit_is_bad_input(lake):
    (lake / COMMIT).write_text('{"part":')
    done = command("raw", lake)
    assert done.returncode == 65 and f"{COMMIT} is not JSON" in done.stderr and "hint:" in done.stderr


def test_a_bucket_that_does_not_answer_is_a_storage_error():
    done = command(
        "raw",
        "s3://bucket/lake",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_ACCESS_KEY_ID="k",
        AWS_SECRET_ACCESS_KEY="secret-canary",
    )
    assert done.returncode == 74 and "hint: check the disk, or the endpoint" in done.stderr
    assert "secret-canary" not in done.stderr


def test_a_fault_of_ours_tells_no_text(lake, monkeypatch, capsys):
    def broken(*_):
        raise ValueError(lakes.CANARIES[2])

    monkeypatch.setattr(check, "collect", broken)
    assert check.main(["raw", str(lake)]) == 70
    assert "canary" not in capsys.readouterr().err


def test_a_write_is_whole_or_not_at_all(tmp_path, monkeypatch):
    lake = location.Lake(str(tmp_path))
    lake.write("a/b.json", b"old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(location.StorageError):
        lake.write("a/b.json", b"new")
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["b.json"]
    assert lake.read("a/b.json") == b"old"


def test_bytes_for_a_bucket_are_written_as_they_are(tmp_path):
    """Arrow's streams compress whatever is named .zst unless told not to: a raw part would be another."""
    lake = location.Lake(str(tmp_path))
    lake.remote = True  # the branch for buckets, on a folder
    lake.write("part.jsonl.zst", b"as it is")
    assert (tmp_path / "part.jsonl.zst").read_bytes() == b"as it is"


def test_half_a_key_is_a_credentials_error(tmp_path):
    done = command("raw", "s3://bucket/lake", AWS_ACCESS_KEY_ID="k", AWS_SECRET_ACCESS_KEY="")
    assert done.returncode == 77 and "hint: set AWS_ACCESS_KEY_ID" in done.stderr


@pytest.mark.slow
def test_two_thousand_partitions(tmp_path):
    lakes.good(tmp_path, days=2000, tweets=4, dataset=False)
    assert gate("raw", tmp_path)["judged"] == 2000
    assert gate("clean", tmp_path)["judged"] == 2000
    assert all(v["success"] for v in verdicts(tmp_path, "clean"))
    assert pq.read_metadata(tmp_path / tweets_parquet(tmp_path)).num_rows == 4
