"""The dataset as its readers open it: pandas, polars, DuckDB, Hugging Face, Croissant, scikit-learn. Each sees what pyarrow sees."""

import json
import shutil
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from road import Road

SPLITS = ["train", "validation", "test"]


@pytest.fixture(params=["road", "real"], ids=["sample", "real tweets"])
def lake(request) -> Road:
    return request.getfixturevalue(request.param)


@pytest.fixture
def folder(lake) -> str:
    """The folder that a reader is given."""
    return str(lake.version / "data")


@pytest.fixture
def expected(folder) -> dict[str, dict]:
    """By id: the tokens, the time and the split."""
    rows = pq.read_table(folder, columns=["tweet_id", "tokens", "created_at", "split"]).to_pylist()
    assert len(rows) > 500 and any(len(row["tokens"]) > 3 for row in rows)
    assert all(isinstance(row["tweet_id"], str) for row in rows)
    assert max(len(row["tweet_id"]) for row in rows) > 17  # no float holds these
    return {row["tweet_id"]: row for row in rows}


def agrees(rows, expected):
    """Whether rows of (id, tokens, time, split) are the expected ones, as plain Python values."""
    rows = list(rows)
    assert len(rows) == len(expected)
    for tweet_id, tokens, created_at, split in rows:
        row = expected[tweet_id]
        assert list(tokens) == row["tokens"] and split == row["split"]
        assert created_at == row["created_at"] if created_at is not None else row["created_at"] is None


def test_pandas(folder, expected):
    import pandas as pd

    frame = pd.read_parquet(folder)
    assert str(frame["created_at"].dtype) == "datetime64[us, UTC]"
    times = [None if pd.isna(moment) else moment.to_pydatetime() for moment in frame["created_at"]]
    agrees(zip(frame["tweet_id"], frame["tokens"], times, frame["split"], strict=True), expected)
    train = pd.read_parquet(folder, filters=[("split", "==", "train")], columns=["tweet_id"])
    assert set(train["tweet_id"]) == {key for key, row in expected.items() if row["split"] == "train"}


def test_polars(folder, expected):
    import polars as pl

    frame = pl.read_parquet(f"{folder}/*.parquet")
    assert frame.schema["created_at"] == pl.Datetime("us", "UTC") and frame.schema["tokens"] == pl.List(pl.String)
    agrees(frame.select("tweet_id", "tokens", "created_at", "split").iter_rows(), expected)


def test_duckdb(folder, expected):
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(f"SELECT tweet_id, tokens, epoch_us(created_at), split FROM '{folder}/*.parquet'").fetchall()
        (kind,) = connection.execute(f"SELECT DISTINCT typeof(created_at) FROM '{folder}/*.parquet'").fetchone()
    assert kind == "TIMESTAMP WITH TIME ZONE"
    agrees(((*head, None if us is None else moment(us), split) for *head, us, split in found), expected)


def moment(microseconds: int) -> datetime:
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)


@pytest.mark.parametrize("card", [True, False], ids=["with the card", "without"])
def test_hugging_face(lake, expected, card, tmp_path):
    import datasets

    folder = lake.version
    if not card:
        folder = tmp_path / "uncarded"
        shutil.copytree(lake.version, folder, ignore=shutil.ignore_patterns("README.md"))
    found = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert set(found) == {row["split"] for row in expected.values()}
    for split, rows in found.items():
        assert set(rows["split"]) == {split}
    rows = datasets.concatenate_datasets(list(found.values()))
    assert rows.features["tweet_id"].dtype in ("string", "large_string")
    assert rows.features["created_at"].dtype == "timestamp[us, tz=UTC]"
    agrees(zip(rows["tweet_id"], rows["tokens"], rows["created_at"], rows["split"], strict=True), expected)


def test_croissant(lake, expected):
    """mlcroissant finds nothing to complain of and loads the splits; it takes seconds for a thousand rows, so not all real ones."""
    import mlcroissant
    import pandas as pd

    dataset = mlcroissant.Dataset(jsonld=str(lake.version / "croissant.json"))
    issues = dataset.metadata.ctx.issues
    assert not issues.errors and not issues.warnings, issues.report()
    assert [row["splits/name"] for row in dataset.records("splits")] == SPLITS
    schema = {column["name"] for column in json.loads((lake.version / "schema.json").read_text())["columns"]}
    for split in SPLITS if len(expected) < 2_000 else ["test"]:
        rows = [{name.removeprefix(f"{split}/"): value for name, value in row.items()} for row in dataset.records(split)]
        assert all(set(row) == schema for row in rows)
        found = [
            (
                row["tweet_id"].decode(),
                [token.decode() for token in row["tokens"]],
                None if pd.isna(row["created_at"]) else row["created_at"].to_pydatetime(),
                row["split"].decode(),
            )
            for row in rows
        ]
        agrees(found, {key: row for key, row in expected.items() if row["split"] == split})


def test_scikit_learn(folder):
    """A model learns from `train` which tweets are English and knows more of `test` than the commonest answer does."""
    import pandas as pd
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    frame = pd.read_parquet(folder, columns=["text_clean", "lang", "split"]).dropna()
    train, test = (frame[frame["split"] == split] for split in ("train", "test"))
    model = make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3)), LogisticRegression(max_iter=300))
    model.fit(train["text_clean"], train["lang"] == "en")
    english = test["lang"] == "en"
    assert model.score(test["text_clean"], english) > max(english.mean(), 1 - english.mean()) + 0.05
