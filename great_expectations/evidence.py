"""What a gate looks at: tables with a row per thing that is judged, and which verdict each row speaks for.

The helpers that more than one gate needs stand here too. Nothing in this folder hands a tweet's text to Great
Expectations: frames hold the length of a string in its place, so that no page can show one.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from location import BadInput, each

HERE = Path(__file__).parent

# Strings that a frame shows as they are: codes and ids of ours, never what people write.
CODES = {"source", "tweet_id", "lang", "drop_reason", "split"}
# Rows decoded at once; texts of this many tweets fit into some ten megabytes.
BATCH = 16_384


@cache
def settings():
    return json.loads((HERE / "thresholds.json").read_text())


@cache
def clean_columns():
    """The columns of clean, in order: `{"name", "type", "nullable", "role", "unit"?, "doc"}`."""
    return json.loads((HERE / "columns.json").read_text())


@cache
def columns_of(suite):
    """The columns that a suite looks at, in the order of its expectations."""
    expectations = json.loads((HERE / "expectations" / f"{suite}.json").read_text())["expectations"]
    named = [e["kwargs"].get(key) for e in expectations for key in ("column", "column_A", "column_B")]
    return list(dict.fromkeys(column for column in named if column))


@dataclass
class Evidence:
    """What was found, before it is judged."""

    gate: str
    # Fingerprint → what its verdict is about: {"partition"} or {"dataset", "version"}.
    subjects: dict = field(default_factory=dict)
    # Suite → frame; its index holds the label of each row (a partition, a run, a file, a column).
    tables: dict = field(default_factory=dict)
    # Suite → label → fingerprints it speaks for; a suite or label that is not named speaks for all subjects.
    owners: dict = field(default_factory=dict)

    def add(self, suite, rows, label):
        """A table of dicts; columns that the suite wants and no row has are null, and fail there."""
        frame = pd.DataFrame.from_records(rows)
        self.tables[suite] = shaped(frame, suite, label)

    def speaks_for(self, suite, label):
        return self.owners.get(suite, {}).get(label, list(self.subjects))


def shaped(frame, suite, label):
    """The frame with the suite's columns, numbers and times as such, and `label` as its index."""
    frame = frame.reindex(columns=list(dict.fromkeys([label, *columns_of(suite)])))
    for column in frame:
        if column.startswith(("time_", "partition_")) or column == "created_at":
            frame[column] = pd.to_datetime(frame[column], utc=True, errors="coerce", format="ISO8601").dt.tz_localize(None)
    return frame.set_index(label)


def share(part, whole):
    """`part / whole`, or null where there is too little to have a share of."""
    return part / whole if whole >= settings()["sample"]["small"] else None


def total(counts):
    return sum((counts or {}).values())


def undecided(lake, gate, fingerprints):
    """Those of the fingerprints that no passing verdict stands for."""
    judged = lake.keys(f"_meta/gates/{gate}/", ".json")
    known = [f for f in fingerprints if f"_meta/gates/{gate}/{f}.json" in judged]
    passed = {f for f, verdict in zip(known, lake.jsons(f"_meta/gates/{gate}/{f}.json" for f in known)) if verdict.get("success")}
    return [f for f in fingerprints if f not in passed]


def hashed(lake, files):
    """SHA-256 of a sample of `(key, sha256)`: by the order of the committed hashes, which is no order of anything else, as
    many as the budget of bytes allows, at least one. Key → hash as it is; `None` where the file is missing."""
    budget, chosen = settings()["sample"]["hashed_bytes"], []
    for key, size, _ in sorted(files, key=lambda file: file[2]):
        if chosen and size > budget:
            break
        chosen.append(key)
        budget -= size
    return dict(zip(chosen, each(lambda key: lake.sha256(key) if lake.size(key) is not None else None, chosen)))


def file_row(lake, key, committed, read, expected):
    """One row of a table of Parquet files, and the open file (`None` if it cannot be read)."""
    row = {
        "size": committed["size"],
        "stored_size": lake.size(key),
        "sha256": committed["sha256"] if key in read else None,
        "read_sha256": read.get(key),
        "rows": committed["rows"],
    }
    if row["stored_size"] is None:
        return row, None
    try:
        parquet = pq.ParquetFile(lake.open(key), pre_buffer=lake.remote)
    except (pa.ArrowInvalid, OSError):
        return row, None
    row["stored_rows"] = parquet.metadata.num_rows
    row |= compare(parquet.schema_arrow, expected)
    return row, parquet


def type_name(kind):
    """The name of an Arrow type in the table of columns; 32- and 64-bit offsets of strings and lists are the same to a reader."""
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "string"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list<{type_name(kind.value_type)}>"
    if kind == pa.timestamp("us", "UTC"):
        return "timestamp[us, UTC]"
    return {"float": "float32", "double": "float64"}.get(str(kind), str(kind))


def compare(schema, expected):
    """How a file's schema differs from the expected columns, as counts."""
    there = {field.name: type_name(field.type) for field in schema}
    wanted = {column["name"]: column["type"] for column in expected}
    shared = [name for name in there if name in wanted]
    return {
        "columns_missing": len(wanted.keys() - there.keys()),
        "columns_unexpected": len(schema.names) - len(shared),
        "columns_retyped": sum(there[name] != wanted[name] for name in shared),
        "columns_moved": sum(a != b for a, b in zip(shared, [name for name in wanted if name in there])),
    }


def batches(parquet, columns):
    """Record batches of those of the columns that the file has. Bytes that cannot be decoded are bad input."""
    there = set(parquet.schema_arrow.names)
    try:
        yield from parquet.iter_batches(batch_size=BATCH, columns=[c for c in columns if c in there], use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadInput("a Parquet file cannot be decoded", "run the stage that wrote it again") from error


def hashes(values):
    """A fixed 64-bit hash of each string; null has one too."""
    return pd.util.hash_array(values.to_numpy(zero_copy_only=False).astype(object), categorize=False)


def distinct(values):
    """How many distinct numbers there are. Sorts in place: a copy of ten million is what the memory is short of."""
    values.sort()
    return int(np.count_nonzero(values[1:] != values[:-1])) + bool(len(values))


def column(batch, name):
    """A column of a batch; null throughout where the file lacks it."""
    return batch.column(name) if name in batch.schema.names else pa.nulls(batch.num_rows)


class Sample:
    """Rows whose id hashes below a bound: the same rows wherever and in whatever order they are read, and either all
    copies of an id or none."""

    def __init__(self, suite, label, rows):
        self.suite, self.label = suite, label
        limit = settings()["sample"]["rows"]
        self.bound = None if rows <= limit else np.uint64(limit / rows * 2**64)

    def columns(self):
        return ["source", "tweet_id", "text", *columns_of(self.suite)]

    def take(self, batch, ids, label):
        """The sampled rows of a batch as a frame; `ids` are the hashes of its ids."""
        if self.bound is not None:
            batch = batch.filter(pa.array(ids < self.bound))
        frame = {}
        for field_, values in zip(batch.schema, batch.columns):
            if type_name(field_.type) == "string" and field_.name not in CODES:
                values = pc.utf8_length(values)
            elif pa.types.is_timestamp(field_.type):
                values = values.cast(pa.timestamp("us", field_.type.tz)).cast(pa.string())
            frame[field_.name] = values.to_pandas()
        frame = pd.DataFrame(frame, index=range(batch.num_rows))
        frame[self.label] = label
        if "text" in frame:
            frame["text_length"] = frame["text"]
        if "row_key" in columns_of(self.suite):
            frame["row_key"] = label + " " + frame["source"].astype(str) + " " + frame["tweet_id"].astype(str)
        return frame

    def frame(self, frames):
        frames = [frame for frame in frames if len(frame)]
        whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({self.label: []})
        return shaped(whole, self.suite, self.label)


def instant(text):
    return datetime.fromisoformat(text) if text else None
