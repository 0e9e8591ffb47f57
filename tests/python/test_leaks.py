"""Splits do not leak: leaks.py, which shares no code with featurize, finds nothing that stands in two of them; and it can find."""

import gzip
import io
import json
import shutil
from pathlib import Path

import leaks
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import SAMPLE
from road import NAME, Road


def lines(file: Path) -> list[bytes]:
    if file.suffix == ".gz":
        return gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    import zstandard

    with file.open("rb") as source:
        return io.BytesIO(zstandard.ZstdDecompressor().stream_reader(source).read()).readlines()


@pytest.fixture(params=["sample", "real tweets"])
def file(request) -> Path:
    """A file of tweets."""
    return SAMPLE if request.param == "sample" else request.getfixturevalue("data") / "tweets_v1.jsonl.zst"


@pytest.fixture(params=["road", "real"], ids=["sample", "real tweets"])
def lake(request, tmp_path) -> Road:
    """A copy of a lake, to make other versions in."""
    made = request.getfixturevalue(request.param)
    shutil.copytree(made.folder, tmp_path / "lake", ignore=shutil.ignore_patterns("raw", "reports"))
    return Road(made.programs, tmp_path / "lake")


def made(road: Road, *words) -> Path:
    return road.folder / "datasets" / NAME / road.featurize(*words)["version"]


@pytest.mark.parametrize("words", [
    [], ["--split-by", "conversation"], ["--split-by", "id", "--split", "50,50"],
], ids=["author", "conversation", "id"])  # fmt: skip
def test_nothing_stands_in_two_splits(lake, words):
    version = made(lake, *words)
    assert len({row["split"] for row in leaks.rows_of(version)}) > 1
    found = leaks.leaks(version)
    assert {"family", "near_copy"} <= set(found) and not any(found.values()), found


def test_time_is_cut_clean(road, tmp_path):
    shutil.copytree(road.folder, tmp_path / "lake", ignore=shutil.ignore_patterns("raw", "reports"))
    version = made(Road(road.programs, tmp_path / "lake"), "--split-by", "time", "--cuts", "2026-11-12,2026-11-13")
    found = leaks.leaks(version)
    assert "time" in found and not any(found.values()), found


def test_a_half_more_tweets_move_no_row(programs, file, tmp_path):
    """Three lines of five, then the others too, into one lake; split in each way that has a group."""
    road, all_of_them = Road(programs, tmp_path / "lake"), lines(file)
    (tmp_path / "some.jsonl").write_bytes(b"".join(line for number, line in enumerate(all_of_them) if number % 5 < 3))
    (tmp_path / "more.jsonl").write_bytes(b"".join(line for number, line in enumerate(all_of_them) if number % 5 > 2))
    ways, consumed, cuts = {"author": [], "conversation": [], "id": [], "time": []}, [], []
    for step in ("some", "more"):
        consumed.append(road.ingest([tmp_path / f"{step}.jsonl"])["consumed"])
        road.clean()
        for way, grown in ways.items():
            grown.append(made(road, "--split-by", way, *(["--cuts", cuts[0]] if way == "time" else [])))
            times = sorted(row["created_at"] for row in leaks.rows_of(grown[-1]) if row["created_at"])
            cuts.append(times[len(times) // 2].strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert consumed[1] > 0.5 * consumed[0]
    for way, grown in ways.items():
        few, many = ({row["tweet_id"] for row in leaks.rows_of(version)} for version in grown)
        assert len(few & many) > 300 and len(many - few) > 100
        assert leaks.moved(*grown) == [], way


def test_retweets_that_are_kept_go_with_their_originals(road, tmp_path):
    shutil.copytree(road.folder, tmp_path / "lake", ignore=shutil.ignore_patterns("reports"))
    other = Road(road.programs, tmp_path / "lake")
    other.clean("--retweets", "keep")
    found = leaks.leaks(made(other))
    assert not any(found.values()), found


TEXT = "Nobody has seen him at the old harbour since last Tuesday night"
PLANTED = {  # in a row of train, in a row of test
    "author": ({"author_id": "77"}, {"author_id": "77"}),
    "conversation": ({"conversation_id": "77"}, {"conversation_id": "77"}),
    "tweet": ({"tweet_id": "77"}, {"tweet_id": "77"}),
    "version": ({"tweet_id": "77"}, {"edit_id": "77"}),
    "retweet": ({"username": "somebody", "text": TEXT}, {"text": f"RT @Somebody: {TEXT[:40]}…"}),
    "near_copy": ({"text_clean": TEXT}, {"text_clean": TEXT.replace("Tuesday", "ＴＵＥＳＤＡＹ") + "!"}),
    "time": ({}, {}),  # it was not split by time
}


@pytest.mark.parametrize("plant", PLANTED)
def test_a_planted_leak_is_found(road, plant, tmp_path, monkeypatch, capsys):
    kind = {"tweet": "family", "version": "family", "retweet": "family"}.get(plant, plant)
    version = tmp_path / "version"
    shutil.copytree(road.version, version)
    if kind in ("conversation", "time"):
        manifest = json.loads((version / "manifest.json").read_text())
        manifest["arguments"]["split_by"] = kind
        (version / "manifest.json").write_text(json.dumps(manifest))
    pair = []
    for split, values in zip(("train", "test"), PLANTED[plant], strict=True):
        file = version / f"data/{split}-00000-of-00001.parquet"
        rows = pq.read_table(file)
        first, *others = rows.to_pylist()
        pq.write_table(pa.Table.from_pylist([first | values, *others], schema=rows.schema), file)
        pair.append((first | values)["tweet_id"])
    found = leaks.leaks(version)[kind]
    assert pair in found or (kind == "time" and found)
    monkeypatch.setattr("sys.argv", ["leaks.py", str(version)])
    assert leaks.main() == 1
    assert json.loads(capsys.readouterr().out)[kind]["leaks"] == len(found)


def test_a_moved_row_is_found(road, tmp_path, monkeypatch, capsys):
    version = tmp_path / "version"
    shutil.copytree(road.version, version)
    train, test = (version / f"data/{split}-00000-of-00001.parquet" for split in ("train", "test"))
    first, *rest = pq.read_table(train).to_pylist()
    rows = pq.read_table(test)
    pq.write_table(pa.Table.from_pylist(rest, schema=rows.schema), train)
    pq.write_table(pa.Table.from_pylist([first | {"split": "test"}, *rows.to_pylist()], schema=rows.schema), test)
    manifest = json.loads((version / "manifest.json").read_text())
    for file in manifest["files"]:
        file["rows"] += {"train": -1, "test": 1}.get(file["split"], 0)
    (version / "manifest.json").write_text(json.dumps(manifest))
    assert leaks.moved(road.version, version) == [[first["tweet_id"]]]
    monkeypatch.setattr("sys.argv", ["leaks.py", str(version), "--grown-from", str(road.version)])
    assert leaks.main() == 1
    assert json.loads(capsys.readouterr().out)["moved"] == {"leaks": 1, "examples": [[first["tweet_id"]]]}
