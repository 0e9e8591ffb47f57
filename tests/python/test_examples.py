"""The examples do what they say, on the sample and on real tweets: the notebook runs, SQL counts what pandas counts, the SQLite file
holds what Parquet holds, and the Python of the README and of the card runs as it is printed."""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from road import NAME, ROOT, Road

EXAMPLES = ROOT / "examples"


@pytest.fixture(params=["road", "real"], ids=["sample", "real tweets"])
def lake(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """Hugging Face copies what it loads; not into this person's home."""
    import datasets

    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(folder))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", folder)


def python(*words):
    """Runs a script of the examples as a person would. Returns what it printed."""
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_notebook_runs_and_learns(lake, tmp_path, monkeypatch):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(EXAMPLES / "dataset.ipynb", as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [] and cell.execution_count is None, "strip the outputs: they may hold tweets"

    for name, value in {"OFFKEY_LAKE": lake.folder, "OFFKEY_NAME": NAME, "IPYTHONDIR": tmp_path, "OMP_NUM_THREADS": 1}.items():
        monkeypatch.setenv(name, str(value))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.get("name") == "stdout")
    manifest = json.loads((lake.version / "manifest.json").read_text())
    assert f"consumed {manifest['consumed']:,}, unique {manifest['unique']:,}" in printed
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert not [output.text for output in outputs if output.get("name") == "stderr"]

    told = json.loads(printed.splitlines()[-1])
    rows = pq.read_table(lake.version / "data", columns=["lang", "user_name"]).to_pylist()
    assert told["rows"] == len(rows) and told["english"] == sum(row["lang"] == "en" for row in rows)
    assert told["synthetic"] == any("(synthetic)" in (row["user_name"] or "") for row in rows) == ("NOTE" in printed)
    assert told["language"] > 0.8 > 0.2 > told["language_baseline"]
    assert told["synthetic"] or told["liked"] > 0.6  # in the sample, likes are thrown by dice


@pytest.fixture
def sql(lake):
    """A connection after examples/tweets.sql, and what its SELECTs showed."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"SET VARIABLE lake = '{lake.folder}'")
        shown = []
        for statement in connection.extract_statements((EXAMPLES / "tweets.sql").read_text()):
            connection.execute(statement)
            if statement.type == duckdb.StatementType.SELECT:
                shown.append(connection.fetchall())
        yield connection, shown


@pytest.fixture
def posts(lake) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tweets and the retweets of the lake's clean results, by pandas: not the query's way."""
    columns = ["source", "tweet_id", "author_id", "created_at", "counts_at", "last_seen", "user_location", "place_country"]
    columns += ["text_truncated", "raw_part", "raw_line", "like_count", "reply_count"]
    found = []
    for pointer in lake.jsons("_meta/clean/**/*.json"):
        folder = lake.folder / pointer["path"]
        found.append(pq.read_table(folder / "tweets.parquet", columns=columns, partitioning=None).to_pandas().assign(drop_reason="kept"))
        found.append(pq.read_table(folder / "dropped.parquet", columns=[*columns, "drop_reason"], partitioning=None).to_pandas())
    rows = pd.concat([part for part in found if len(part)], ignore_index=True)
    rows["posted"] = rows["created_at"].dt.tz_localize(None)
    rows["about_music"] = rows["drop_reason"] == "music"
    tweets = rows[rows["drop_reason"].isin(["kept", "language", "music"])]
    order = ["text_truncated", "counts_at", "last_seen", "raw_part", "raw_line"]
    tweets = tweets.sort_values(order, ascending=[True, False, False, True, True], na_position="last")
    return tweets.drop_duplicates(["source", "tweet_id"]), rows[rows["drop_reason"] == "retweet"].drop_duplicates(["source", "tweet_id"])


def agree(connection, query: str, expected: pd.DataFrame):
    """Whether a query finds what pandas found, in any order."""
    found = connection.execute(query).fetchdf()
    assert len(found) > 1
    expected = expected.reset_index()[found.columns.tolist()]
    for frame in (found, expected):
        frame[frame.columns[0]] = frame[frame.columns[0]].astype(object).where(frame[frame.columns[0]].notna(), None).map(str)
    found, expected = (frame.sort_values(frame.columns[:2].tolist(), ignore_index=True) for frame in (found, expected))
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_sql_counts_hours_days_and_weeks_as_pandas_does(posts, sql):
    tweets, retweets = posts
    kinds = {
        "tweets": tweets, "about_music": tweets[tweets["about_music"]], "other_language": tweets[tweets["drop_reason"] == "language"],
        "kept": tweets[tweets["drop_reason"] == "kept"], "retweets": retweets,
    }  # fmt: skip
    assert len(kinds["about_music"]) > 100 and len(retweets) > 200
    for view, (moment, period) in {"per_hour": ("hour", "h"), "per_day": ("day", "D"), "per_week": ("week", "W-SUN")}.items():
        counts = {kind: rows["posted"].dt.to_period(period).dt.start_time.value_counts() for kind, rows in kinds.items()}
        expected = pd.DataFrame(counts).fillna(0).rename_axis(moment)
        assert (expected["tweets"] == expected["about_music"] + expected["other_language"] + expected["kept"]).all()
        agree(sql[0], f"FROM {view} WHERE {moment} IS NOT NULL", expected)


def test_sql_counts_regions_as_pandas_does(posts, sql):
    tweets, _ = posts
    place = tweets["user_location"].str.replace(r"[\t\n\f\r ]+", " ", regex=True).str.strip().str.lower().replace("", None)
    tweets = tweets.assign(country=tweets["place_country"], location=place)
    for view, key in {"per_country": "country", "per_location": "location"}.items():
        groups = tweets.groupby(key, dropna=False)
        agree(
            sql[0],
            f"FROM {view}",
            groups.agg(tweets=("posted", "size"), about_music=("about_music", "sum"), authors=("author_id", "nunique")),
        )


def test_sql_measures_engagement_as_pandas_does(posts, sql):
    tweets, _ = posts
    likes = {"counted": ("like_count", "count"), "mean_likes": ("like_count", "mean"), "median_likes": ("like_count", "median")}
    days = tweets.groupby([tweets["posted"].dt.floor("D").rename("day"), "about_music"])
    known = {
        "likes": ("like_count", lambda counts: counts.sum(min_count=1)),
        "replies": ("reply_count", lambda counts: counts.sum(min_count=1)),
    }
    columns = "day, about_music, counted, likes, replies, mean_likes, median_likes"
    agree(sql[0], f"SELECT {columns} FROM engagement_per_day WHERE day IS NOT NULL", days.agg(**likes, **known))

    seconds = (tweets["counts_at"] - tweets["created_at"]).dt.total_seconds()
    names = ["1: under an hour", "2: under a day", "3: under a week", "4: older"]
    ages = pd.cut(seconds, [0, 3600, 86400, 7 * 86400, float("inf")], right=False, labels=names).astype(object).rename("age")
    agree(sql[0], "SELECT age, counted, mean_likes, median_likes FROM engagement_by_age", tweets.groupby(ages, dropna=False).agg(**likes))


def test_sql_shows_what_it_promises(sql):
    shown = sql[1]
    assert len(shown) == 7 and all(shown)


ATHENA = {
    "array<string>": pa.list_(pa.string()), "bigint": pa.int64(), "boolean": pa.bool_(), "double": pa.float64(),
    "float": pa.float32(), "string": pa.string(), "timestamp": pa.timestamp("us", "UTC"),
}  # fmt: skip


def test_athenas_tables_have_the_columns_of_the_files(road):
    """Names in their order, and types, by Athena's own rules of reading Parquet; large strings and lists are a matter of Arrow."""
    import sqlglot

    text = (EXAMPLES / "athena.sql").read_text()
    tweets, clean, query = sqlglot.parse(text, dialect="athena")
    assert isinstance(query, sqlglot.exp.Select)
    (pointer, *_) = road.jsons("_meta/clean/*.json")
    files = {"tweets": next((road.version / "data").iterdir()), "clean": road.folder / pointer["path"] / "dropped.parquet"}
    for table, (name, file) in zip((tweets, clean), files.items(), strict=True):
        assert isinstance(table, sqlglot.exp.Create) and table.this.this.name == name
        defined = {column.name: column.kind.sql("hive").lower() for column in table.find_all(sqlglot.exp.ColumnDef)}
        schema = pq.read_schema(file)
        assert [column for column in defined if column in schema.names] == schema.names
        for field in schema:
            assert ATHENA[defined[field.name]] == plain(field.type), field.name
        assert all(f"    `{column}` " in text for column in defined)  # quoted, for `group` is a word of SQL


def plain(kind: pa.DataType) -> pa.DataType:
    """The type that Athena knows: no large ones, no unsigned ones."""
    if pa.types.is_large_list(kind) or pa.types.is_list(kind):
        return pa.list_(plain(kind.value_type))
    return {pa.large_string(): pa.string(), pa.uint32(): pa.int64()}.get(kind, kind)


def test_athenas_links_name_what_the_pointers_name(lake, tmp_path, monkeypatch):
    import duckdb

    comment = (EXAMPLES / "athena.sql").read_text().partition("--     COPY (")[2].partition(";\n")[0]
    copy = "COPY (" + re.sub(r"(?m)^--", "", comment).partition(") TO ")[0] + ") TO " + comment.partition(") TO ")[2].partition("\n")[0]
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        connection.execute(f"SET VARIABLE lake = '{lake.folder}'")
        connection.execute(copy)
    folders = [f"{lake.folder}/{pointer['path']}" for pointer in lake.jsons("_meta/clean/**/*.json")]
    links = (tmp_path / "links.txt").read_text().splitlines()
    assert sorted(links) == sorted(f"{folder}/{file}" for folder in folders for file in ("tweets.parquet", "dropped.parquet"))


def test_sqlite_holds_what_parquet_holds(lake, tmp_path):
    file = tmp_path / "tweets.sqlite"
    printed = python(EXAMPLES / "to_sqlite.py", lake.folder, NAME, file)
    assert [path.name for path in tmp_path.iterdir()] == ["tweets.sqlite"]
    expected = {(row["source"], row["tweet_id"]): row for row in pq.read_table(lake.version / "data").to_pylist()}
    assert f"{len(expected):,} tweets of version {lake.version.name}" in printed
    with closing(sqlite3.connect(file)) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM tweets").fetchall()
        assert len(rows) == len(expected) > 500
        for row in rows:
            for name, value in expected[row["source"], row["tweet_id"]].items():
                if isinstance(value, list):
                    assert json.loads(row[name]) == value
                elif isinstance(value, datetime):
                    assert datetime.fromisoformat(row[name]) == value and row[name].endswith("Z") and len(row[name]) == 27
                else:
                    assert row[name] == value and isinstance(row[name], (int if isinstance(value, bool) else type(value)))
        counts = dict(database.execute("SELECT lang, count(*) FROM tweets WHERE split = 'train' GROUP BY lang").fetchall())
        assert counts == pd.Series([row["lang"] for row in expected.values() if row["split"] == "train"]).value_counts().to_dict()
        days = database.execute("SELECT date(created_at), count(*) FROM tweets GROUP BY 1").fetchall()
        assert len(days) > 5 and sum(n for _, n in days) == len(rows)  # SQLite reads the times as times
        tags = database.execute("SELECT value, count(*) FROM tweets, json_each(hashtags) GROUP BY value").fetchall()
        assert sum(n for _, n in tags) == sum(len(row["hashtags"]) for row in expected.values()) > 50
        roles = dict(database.execute("SELECT name, role FROM columns").fetchall())
        assert list(roles) == list(rows[0].keys()) and roles["like_count"] == "engagement"
        assert json.loads(*database.execute("SELECT json FROM manifest").fetchone())["version"] == lake.version.name
    assert f"{len(expected):,}" in python(EXAMPLES / "to_sqlite.py", lake.folder, NAME, file)  # again, over the old file


def test_hugging_face_brings_nothing_that_is_known_only_later(lake):
    printed = python(EXAMPLES / "hugging_face.py", lake.folder, NAME)
    splits = pd.Series(pq.read_table(lake.version / "data", columns=["split"])["split"].to_pylist()).value_counts()
    schema = json.loads((lake.version / "schema.json").read_text())["columns"]
    known = [column for column in schema if column["role"] in ("identity", "text", "feature")]
    assert len(known) < len(schema) - 10
    assert sorted(printed.splitlines()) == sorted(f"{split}: {rows:,} tweets, {len(known)} columns" for split, rows in splits.items())


def blocks(text: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", text, re.DOTALL)


def test_the_readmes_python_loads_as_printed(road, tmp_path, monkeypatch):
    (tmp_path / "lake").symlink_to(road.folder)
    monkeypatch.chdir(tmp_path)
    section = (ROOT / "README.md").read_text().partition("\n## Load it\n")[2].partition("\n## ")[0]
    found = blocks(section)
    assert len(found) >= 2
    namespace = {}
    for block in found:
        exec(compile(block, "README.md", "exec"), namespace)
    assert len(namespace["train"]) > len(namespace["test"]) > 0


def run_card(version, monkeypatch) -> dict:
    """What the Python of a version's card leaves behind, run in its folder."""
    monkeypatch.chdir(version)
    namespace = {}
    for block in blocks((version / "README.md").read_text()):
        exec(compile(block, "card", "exec"), namespace)
    return namespace


def test_the_cards_python_loads_as_printed(lake, monkeypatch):
    left = run_card(lake.version, monkeypatch)
    splits = pd.Series(pq.read_table(lake.version / "data", columns=["split"])["split"].to_pylist()).value_counts()
    assert len(left["train"]) == splits["train"]
    assert {split: rows.num_rows for split, rows in left["tweets"].items()} == splits.to_dict()
    assert len(next(iter(left["rows"]))) == left["train"].width


def test_the_card_tells_how_to_load_hashed_tokens(road, tmp_path, monkeypatch):
    shutil.copytree(road.folder, tmp_path / "lake", ignore=shutil.ignore_patterns("raw", "reports"))
    other = Road(road.programs, tmp_path / "lake")
    version = tmp_path / "lake/datasets" / NAME / other.featurize("--hash-bits", "18", "--tfidf", "--ngrams", "1,2")["version"]
    left = run_card(version, monkeypatch)
    assert left["X"].shape == left["weighted"].shape == (len(left["train"]), 2**18)
    again = left["HashingVectorizer"](analyzer=left["grams"], n_features=2**18).transform(left["train"]["tokens"])
    assert abs(again - left["X"]).max() < 1e-7
