"""The whole road with the real programs, each started from a shell: every tweet is accounted for, the same input gives the
same bytes, a gate holds, and what strangers wrote arrives as it was and reaches no log."""

import html
import json
import shutil
import subprocess
import sys
from collections import Counter

import pyarrow.parquet as pq
import pytest
from conftest import SAMPLE
from lakes import CANARIES
from road import NAME, ROOT, Road


def total(counts: dict) -> int:
    return sum(counts.values())


def referee(*files) -> dict:
    """What count.py, which shares no line with the programs, counts in files."""
    done = subprocess.run([sys.executable, ROOT / "tests/python/count.py", *files], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def holds_from_stage_to_stage(road: Road):
    """The ledger, in the manifests and in the files themselves."""
    ingest, featurize = road.summaries["ingest"], road.summaries["featurize"]
    assert ingest["records"] == sum([ingest["consumed"], total(ingest["notices"]), total(ingest["rejected"]), ingest["unmatched"]])

    parts, results = Counter(), road.jsons("_meta/clean/**/*.json")
    for commit in road.jsons("_meta/raw/**/*.json"):
        partition = commit["path"].removeprefix("raw/").rpartition("/")[0].replace("dt=", "").replace("/hour=", "T")
        parts[partition] += commit["tweets"]
    assert parts == {result["partition"]: result["consumed"] for result in results}
    assert total(parts) == ingest["consumed"] and sum(result["unique"] for result in results) == ingest["unique"]
    for result in results:
        assert result["records"] == result["consumed"] + total(result["rejected"])
        assert result["consumed"] == result["kept"] + total(result["dropped"])
        assert result["unique"] == result["consumed"] - result["dropped"].get("duplicate", 0)
        kept, dropped = (road.folder / result["path"] / name for name in ("tweets.parquet", "dropped.parquet"))
        assert pq.read_metadata(kept).num_rows == result["kept"]
        reasons = pq.read_table(dropped, columns=["drop_reason"])["drop_reason"].to_pylist()
        stored = {reason: n for reason, n in result["dropped"].items() if n and reason != "deleted"}
        assert Counter(reasons) == stored  # what was deleted is counted, and kept nowhere

    manifest = json.loads((road.version / "manifest.json").read_text())
    for told in (featurize, manifest):
        assert told["read"] == sum(result["kept"] for result in results) == told["kept"] + total(told["dropped"])
        assert (told["consumed"], told["unique"]) == (ingest["consumed"], ingest["unique"])
    rows = {file["path"]: pq.read_metadata(road.version / file["path"]).num_rows for file in manifest["files"]}
    assert rows == {file["path"]: file["rows"] for file in manifest["files"]}
    assert total(rows) == manifest["kept"] == sum(split["rows"] for split in manifest["splits"].values())


def test_every_tweet_of_the_sample_is_accounted_for(road):
    told, counted = road.summaries["ingest"], referee(SAMPLE)
    assert (told["consumed"], told["unique"]) == (counted["consumed"], counted["unique"]) == (1976, 1848)
    assert total(told["rejected"]) == counted["bad"]
    holds_from_stage_to_stage(road)


def test_the_sample_shows_every_fate(road):
    fates = Counter()
    for result in road.jsons("_meta/clean/**/*.json"):
        fates.update(result["dropped"])
    fates.update(road.summaries["featurize"]["dropped"])
    assert {"duplicate", "deleted", "retweet", "edited", "music"} <= set(+fates)
    assert road.summaries["featurize"]["kept"] > 500


def test_what_a_run_leaves_behind(road):
    current = road.json(f"datasets/{NAME}/current.json")
    assert current["version"] == road.summaries["promote"]["version"] == current["fingerprint"][:12]
    for gate, results in (("raw", 7), ("clean", 7), ("dataset", 1)):
        verdicts = road.jsons(f"_meta/gates/{gate}/*.json")
        assert len(verdicts) == results and all(verdict["success"] for verdict in verdicts)
    assert {path.name for path in road.version.iterdir()} >= {"data", "manifest.json", "schema.json", "README.md"}
    assert all(path.suffix == ".parquet" for path in (road.version / "data").iterdir())
    report = road.folder / road.summaries["report"]["report"].removeprefix(f"{road.lake}/")
    assert "1,976" in report.read_text() and "1,848" in report.read_text()
    road.run("verify", "featurize", "verify", f"{road.lake}/datasets/{NAME}/{current['version']}", "--lake", road.lake)


def test_a_second_run_changes_nothing(road):
    before = road.files("raw/**/*", "clean/**/*", "datasets/**/*", "_meta/raw/**/*", "_meta/clean/**/*")
    again = Road(road.programs, road.lake)
    again.drive([SAMPLE], nothing_to_clean=True)
    assert road.files("raw/**/*", "clean/**/*", "datasets/**/*", "_meta/raw/**/*", "_meta/clean/**/*") == before
    assert again.summaries["ingest"]["consumed"] == 1976
    assert again.summaries["featurize"]["version"] == road.summaries["featurize"]["version"]


@pytest.mark.parametrize("threads", [1, 5])
def test_another_lake_and_any_number_of_threads_give_the_same_bytes(road, tmp_path, threads):
    other = Road(road.programs, tmp_path / "lake")
    other.drive([SAMPLE], gated=False, threads=threads)
    assert other.parquet() == road.parquet()


def test_s3_gives_the_same_bytes(road, s3):
    bucket, environment = s3
    remote = Road(road.programs, "s3://offkey/some/lake", bucket / "some/lake", **environment)
    remote.drive([SAMPLE])
    holds_from_stage_to_stage(remote)
    assert remote.parquet() == road.parquet()
    before = remote.parquet()
    remote.ingest([SAMPLE])
    assert remote.parquet() == before


def test_a_gate_holds(road, tmp_path):
    """Nothing goes on that has not passed, and the version that people read stays where it was."""
    lake = tmp_path / "lake"
    shutil.copytree(road.folder, lake)
    other = Road(road.programs, lake)
    current = lake / f"datasets/{NAME}/current.json"
    before = current.read_bytes()

    other.featurize("--gated", "--split-by", "id")
    assert other.summaries["featurize"]["version"] != road.summaries["featurize"]["version"]
    other.promote("--gated", code=65)  # not judged yet
    damaged = lake / f"datasets/{NAME}" / other.summaries["featurize"]["version"] / "data/train-00000-of-00001.parquet"
    rows = pq.read_table(damaged)
    pq.write_table(rows.slice(1), damaged)
    other.check("dataset", code=65)
    other.promote("--gated", code=65)
    assert current.read_bytes() == before

    for verdict in (lake / "_meta/gates/clean").iterdir():
        verdict.write_text(json.dumps(json.loads(verdict.read_text()) | {"success": False}))
    other.run("featurize", "featurize", "--lake", lake, "--name", "another", "--gated", code=65)
    assert not (lake / "datasets/another").exists()


def test_an_older_version_can_be_promoted_again(road, tmp_path):
    lake = tmp_path / "lake"
    shutil.copytree(road.folder, lake)
    other = Road(road.programs, lake)
    other.featurize("--split-by", "id")
    other.promote()
    assert other.version.name != road.version.name
    other.run("promote", "featurize", "promote", lake / "datasets" / NAME / road.version.name, "--gated")
    assert other.version.name == road.version.name


def test_hostile_words_arrive_as_they_are_and_reach_no_log(programs, tmp_path):
    """In X's wire form `<`, `>` and `&` are escaped once; nothing else of a text may change on its way."""
    author = {"id": "77", "username": "canary_notreal", "name": "{{ canary.name }}"}
    lines = [
        {
            "data": {
                "id": str(2_000_000_000_000_000_000 + number),
                "text": html.escape(text, quote=False),
                "author_id": "77",
                "created_at": "2025-12-14T00:00:00.000Z",
            },
            "includes": {"users": [author]},
        }
        for number, text in enumerate(CANARIES)
    ]
    file = tmp_path / "canaries.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    road = Road(programs, tmp_path / "lake", OFFKEY_LOG="debug")
    road.drive([file], gated=False)
    assert road.summaries["featurize"]["kept"] == len(CANARIES)
    found = pq.read_table(road.version / "data")
    assert sorted(found["text"].to_pylist()) == sorted(CANARIES)
    assert set(found["user_name"].to_pylist()) == {"{{ canary.name }}"}
    assert not [step for step, said in road.said.items() if "canary" in said.replace("canaries.jsonl", "")]
    assert not [key for key in road.folder.glob("_meta/**/*.json") if "canary" in key.read_text().replace("canaries.jsonl", "")]


def test_real_tweets_are_counted_as_the_referee_counts(programs, data, tmp_path):
    """File by file: both counts, and no record unaccounted for."""
    files = [*sorted(data.glob("*v[12].jsonl*")), *sorted((data / "files").iterdir())]
    assert len(files) > 8
    for number, file in enumerate(files):
        counted, road = referee(file), Road(programs, tmp_path / str(number))
        if counted["consumed"]:
            told = road.ingest([file])
            assert (told["consumed"], told["unique"]) == (counted["consumed"], counted["unique"]), file.name


def test_real_tweets_all_together(real):
    holds_from_stage_to_stage(real)
