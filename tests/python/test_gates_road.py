"""The gates and the report beside the programs they judge: one table of columns, and what is left after a purge."""

import json
import shutil
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
from road import NAME, QUALITY, ROOT, Road


def test_the_columns_of_the_gates_are_those_of_the_programs(road: Road):
    said = subprocess.run([road.programs / "clean", "schema"], capture_output=True, text=True, check=True).stdout
    columns = json.loads((QUALITY / "columns.json").read_text())
    assert json.loads(said.splitlines()[-1])["columns"] == columns
    schema = json.loads((road.version / "schema.json").read_text())["columns"]
    assert [column["name"] for column in schema[: len(columns)]] == [column["name"] for column in columns]


def test_after_a_purge_the_gates_pass_and_no_report_knows_the_tweet(road: Road, tmp_path):
    """Of a tweet that stood in the report, of the words of one that was kept."""
    lake = tmp_path / "lake"
    shutil.copytree(road.folder, lake)
    other = Road(road.programs, lake)
    report = next(lake.glob("_meta/reports/*/report.html")).read_text()
    rows = pq.read_table(road.version / "data", columns=["tweet_id", "text"]).to_pylist()
    shown = next(row for row in rows if row["tweet_id"] in report)
    (tmp_path / "ids").write_text(shown["tweet_id"] + "\n")

    other.run("purge", "clean", "purge", "--lake", lake, "--ids", tmp_path / "ids")
    assert not [page for page in lake.glob("_meta/reports/**/*.html") if shown["tweet_id"] in page.read_text()]
    other.check("raw")
    other.clean("--gated")
    other.check("clean")
    other.featurize("--gated")
    other.check("dataset")
    other.promote("--gated")
    told = other.run("report", "report.py", lake, *other.which())
    again = (lake / told["report"].removeprefix(f"{lake}/")).read_text()
    assert other.version.name != road.version.name and f"Before is {road.version.name}" not in again
    assert shown["tweet_id"] not in again and "All gates passed" in again
    kept = pq.read_table(lake / f"datasets/{NAME}" / other.version.name / "data", columns=["tweet_id"])["tweet_id"].to_pylist()
    assert shown["tweet_id"] not in kept and len(kept) == len(rows) - 1


@pytest.mark.slow
def test_the_benchmark_of_the_gates_makes_a_lake_that_they_pass(road: Road):
    words = [sys.executable, ROOT / "bench/gates.py", road.folder, NAME, "--times", "3"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((road.version / "manifest.json").read_text())
    assert f"{3 * manifest['consumed']:,} tweets consumed" in done.stdout and done.stdout.count("\n| the ") == 4
