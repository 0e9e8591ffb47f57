"""Loads a dataset version into a SQLite file, for people who want a database that is one file.

    python examples/to_sqlite.py lake sample tweets.sqlite
    sqlite3 tweets.sqlite "SELECT lang, count(*) FROM tweets GROUP BY lang"

Three tables: `tweets` with a row for each tweet, `columns` with what each column means, and `manifest` with one row, the manifest
as JSON. SQLite knows neither lists nor times nor truth values: lists are JSON, times are ISO 8601 in UTC, truth is 0 or 1. Ids stay
text. Null stays null.
"""

import argparse
import json
import os
import sqlite3
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

BATCH = 10_000
KINDS = {"bool": "INTEGER", "int64": "INTEGER", "uint32": "INTEGER", "float32": "REAL", "float64": "REAL"}  # all else: TEXT
INDEXES = ["created_at", "author_id", "conversation_id", "lang", "split"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lake", type=Path, help="folder of the lake")
    parser.add_argument("name", help="name of the dataset; its current version is taken")
    parser.add_argument("output", type=Path, help="the file to write; replaced when it is whole")
    given = parser.parse_args()
    current = json.loads((given.lake / "datasets" / given.name / "current.json").read_text())
    rows = load(given.lake / "datasets" / given.name / current["version"], given.output)
    print(f"{given.output}: {rows:,} tweets of version {current['version']}")


def load(version: Path, output: Path) -> int:
    """Writes a version to a file; says how many tweets it holds."""
    unfinished = output.with_name(output.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    manifest, schema = (json.loads((version / name).read_text()) for name in ("manifest.json", "schema.json"))
    schema = schema["columns"]
    columns = ", ".join(f'"{c["name"]}" {KINDS.get(c["type"], "TEXT")}{"" if c["nullable"] else " NOT NULL"}' for c in schema)
    database = sqlite3.connect(unfinished)
    with database:
        database.execute(f"CREATE TABLE tweets ({columns}, PRIMARY KEY (source, tweet_id)) STRICT")
        marks = ", ".join("?" for _ in schema)
        for file in manifest["files"]:
            for batch in pq.ParquetFile(version / file["path"]).iter_batches(BATCH, columns=[c["name"] for c in schema]):
                rows = ([plain(value) for value in row.values()] for row in batch.to_pylist())
                database.executemany(f"INSERT INTO tweets VALUES ({marks})", rows)
        for column in INDEXES:
            database.execute(f"CREATE INDEX tweets_{column} ON tweets ({column})")
        database.execute("CREATE TABLE columns (name TEXT PRIMARY KEY, type TEXT, role TEXT, unit TEXT, doc TEXT) STRICT")
        meanings = ([c["name"], c["type"], c["role"], c.get("unit"), c["doc"]] for c in schema)
        database.executemany("INSERT INTO columns VALUES (?, ?, ?, ?, ?)", meanings)
        database.execute("CREATE TABLE manifest (json TEXT) STRICT")
        database.execute("INSERT INTO manifest VALUES (?)", [json.dumps(manifest)])
        (rows,) = database.execute("SELECT count(*) FROM tweets").fetchone()
    database.close()
    os.replace(unfinished, output)
    return rows


def plain(value):
    """A value as SQLite holds it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return value


if __name__ == "__main__":
    main()
