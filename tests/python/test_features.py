"""The columns that featurize adds, computed once more by pandas and numpy from the others, on the sample and on real tweets."""

import hashlib
import json
import shutil

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import scipy.sparse
from road import NAME, Road
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer


@pytest.fixture(params=["road", "real"], ids=["sample", "real tweets"])
def lake(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def rows(lake) -> pd.DataFrame:
    return pq.read_table(lake.version / "data").to_pandas()


def floats(values) -> np.ndarray:
    return np.asarray(values, dtype="float64")


def near(found: pd.Series, expected: pd.Series):
    """Equal to a 32-bit float's width, and null at the same places."""
    assert found.dtype == "float32" and found.isna().equals(expected.isna())
    np.testing.assert_allclose(floats(found.dropna()), floats(expected.dropna()), rtol=2e-7, atol=2e-7)


def test_counts_are_those_of_the_lists_and_the_text(rows):
    lists = {
        "token_count": "tokens",
        "hashtag_count": "hashtags",
        "mention_count": "mentions",
        "url_count": "urls",
        "cashtag_count": "cashtags",
    }
    for count, column in lists.items():
        assert rows[count].tolist() == rows[column].map(len).tolist(), count
    assert rows["char_count"].tolist() == rows["text"].map(len).tolist()
    for count, marks in {"question_marks": "?？؟", "exclamation_marks": "!！"}.items():
        assert rows[count].tolist() == rows["text"].map(lambda text, marks=marks: sum(text.count(mark) for mark in marks)).tolist(), count

    plain = rows[rows["text"].map(str.isascii)]  # where Python and Unicode agree on what a letter is
    assert len(plain) > 100
    letters, upper, digits = (plain["text"].map(lambda text, of=of: sum(map(of, text))) for of in (str.isalpha, str.isupper, str.isdigit))
    assert plain["letter_count"].tolist() == letters.tolist()
    near(plain["upper_ratio"], (upper / letters).fillna(0))
    near(plain["digit_ratio"], (digits / plain["char_count"]).fillna(0))


def test_times_turn_and_accounts_age(rows):
    created = rows["created_at"]
    assert rows["has_created_at"].equals(created.notna())
    for name, turn in {"hour": created.dt.hour / 24, "weekday": created.dt.day_of_week / 7}.items():
        near(rows[f"{name}_sin"], np.sin(2 * np.pi * turn))
        near(rows[f"{name}_cos"], np.cos(2 * np.pi * turn))
    age = (created - rows["user_created_at"]).dt.total_seconds() / 86400
    assert rows["has_account_age"].equals(age.notna()) and age.notna().sum() > 100
    near(rows["account_age_days"], age.clip(lower=0))


def test_the_authors_counts_are_logarithms(rows):
    counts = {name: rows[f"{name}_count"] for name in ("followers", "following", "listed", "statuses")}
    for name, count in counts.items():
        near(rows[f"log_{name}"], np.log1p(count.clip(lower=0)))
        assert rows[f"has_{name}"].equals(count.notna())


def test_of_the_languages_one_is_true(rows):
    columns = [column for column in rows if column.startswith("lang_") and rows[column].dtype == bool and column != "lang_confident"]
    named = {column.removeprefix("lang_") for column in columns} - {"other"}
    assert len(named) == 17 and (rows[columns].sum(axis=1) == 1).all()
    for language, flags in rows.groupby("lang")[columns].all().iterrows():
        assert flags[f"lang_{language if language in named else 'other'}"]


def test_nothing_is_nan_and_null_is_where_it_may_be(lake):
    table = pq.read_table(lake.version / "data")
    schema = {column["name"]: column for column in json.loads((lake.version / "schema.json").read_text())["columns"]}
    assert list(schema) == table.column_names
    snapshots = {name for name, column in schema.items() if column["role"] == "snapshot"}
    assert {"followers_count", "log_followers", "has_followers", "verified", "user_location"} <= snapshots
    masks = {masked: name for name, column in schema.items() for masked in column.get("mask_of", ())}
    for name, column in schema.items():
        assert column["nullable"] or table[name].null_count == 0, name
        if column["nullable"] and column["role"] in ("feature", "snapshot"):
            assert table[masks[name]].equals(pc.is_valid(table[name])), name
        if pa.types.is_floating(table[name].type):
            assert not pc.any(pc.is_nan(table[name])).as_py(), name


def test_the_split_is_a_hash_of_the_author(lake, rows):
    """The rule as the card tells it: a key, the kind, the source and the id, a line each."""
    shares = json.loads((lake.version / "manifest.json").read_text())["arguments"]["split"]
    train, validation, _ = map(int, shares.split(","))
    for source, tweet_id, author, group, split in rows[["source", "tweet_id", "author_id", "group", "split"]].itertuples(index=False):
        kind, name = ("id", tweet_id) if pd.isna(author) else ("author", author)
        number = int.from_bytes(hashlib.sha256(f"offkey/group/1\n{kind}\n{source}\n{name}\n".encode()).digest()[:8])
        assert group == f"{number:016x}"
        percent = number * 100 >> 64
        assert split == ("train" if percent < train else "validation" if percent < train + validation else "test")


@pytest.fixture(scope="module", params=["road", "real"], ids=["sample", "real tweets"])
def everything(request, tmp_path_factory) -> Road:
    """A copy of a lake that has kept music too: more than 10,000 real tweets."""
    made = request.getfixturevalue(request.param)
    folder = tmp_path_factory.mktemp("everything") / "lake"
    shutil.copytree(made.folder, folder, ignore=shutil.ignore_patterns("reports"))
    copy = Road(made.programs, folder)
    copy.clean("--music-threshold", "1000000")
    return copy


@pytest.mark.parametrize("ngrams", [(1, 1), (1, 2)], ids=["tokens", "pairs too"])
def test_hashed_tokens_are_those_of_scikit_learn(everything, ngrams):
    """Index by index and value by value: the columns, the matrices beside them, and the weights that were fitted on train."""
    words = ["--hash-bits", "18", "--tfidf", "--ngrams", f"{ngrams[0]},{ngrams[1]}"]
    version = everything.folder / "datasets" / NAME / everything.featurize(*words)["version"]
    manifest = json.loads((version / "manifest.json").read_text())
    assert manifest["kept"] > (10_000 if manifest["consumed"] > 10_000 else 1_000)
    hashing = HashingVectorizer(analyzer=grams(*ngrams), n_features=2**18)
    weights = None
    for split in ("train", "validation", "test"):
        files = [version / file["path"] for file in manifest["files"] if file["split"] == split]
        table = pa.concat_tables(pq.read_table(file, columns=["tokens", "hash_index", "hash_value", "tfidf_value"]) for file in files)
        expected = hashing.transform(table["tokens"].to_pylist())
        weights = weights or TfidfTransformer().fit(expected)
        for values, matrix, name in (("hash_value", expected, split), ("tfidf_value", weights.transform(expected), f"{split}-tfidf")):
            matrix.sort_indices()
            lists = table["hash_index"].combine_chunks()
            assert np.array_equal(np.diff(matrix.indptr), pc.list_value_length(lists).to_numpy(zero_copy_only=False))
            assert np.array_equal(matrix.indices, lists.flatten().to_numpy())
            column = table[values].combine_chunks().flatten().to_numpy()
            assert column.dtype == np.float32 and np.array_equal(matrix.data.astype(np.float32), column)

            stored = scipy.sparse.load_npz(version / "features" / f"{name}.npz")
            assert stored.shape == matrix.shape and stored.dtype == np.float32
            assert np.array_equal(stored.indptr, matrix.indptr) and np.array_equal(stored.indices, matrix.indices)
            assert np.array_equal(stored.data, column)
    np.testing.assert_allclose(np.load(version / "features/idf.npy"), weights.idf_, rtol=1e-15)


def grams(least: int, most: int):
    """Runs of tokens with a space between, as scikit-learn makes them."""
    return lambda tokens: [" ".join(tokens[at : at + n]) for n in range(least, most + 1) for at in range(len(tokens) - n + 1)]
