"""Evidence of the dataset gate: one version, its files, splits and columns. All but the rows of the sample is counted over
every row, in memory that grows by 17 bytes a row (and 9 for each row that has near copies)."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence import Evidence, Sample, batches, column, distinct, file_row, hashed, hashes, share, total, type_name, undecided
from location import BadInput

# Least and greatest value of a feature by its unit in schema.json.
RANGES = {"ratio": (0, 1), "sine": (-1, 1), "count": (0, math.inf)}
# The column whose equal values may not lie in two splits.
GROUPS = {"author": "author_id", "conversation": "conversation_id", "id": "tweet_id", "time": None}
ORDER = ["train", "validation", "test"]


def collect(lake, dataset, version):
    folder = f"datasets/{dataset}/{version}"
    manifest, schema = lake.json(f"{folder}/manifest.json"), lake.json(f"{folder}/schema.json")
    evidence = Evidence("dataset")
    if not undecided(lake, "dataset", [manifest["fingerprint"]]):
        return evidence
    evidence.subjects = {manifest["fingerprint"]: {"dataset": dataset, "version": version}}

    columns, files = schema["columns"], manifest["files"]
    read = hashed(lake, [(f"{folder}/{f['path']}", f["size"], f["sha256"]) for f in files])
    sample = Sample("dataset_rows", "split_of_file", manifest["kept"])
    opened = [(file, *file_row(lake, f"{folder}/{file['path']}", file, read, columns)) for file in files]
    tally = Tally(manifest["arguments"].get("split_by"), columns, sum(row.get("stored_rows", 0) for _, row, _ in opened))
    rows, frames = [], []
    for file, row, parquet in opened:
        rows.append(row | {"file": file["path"]})
        if parquet:
            strangers = 0
            for batch in batches(parquet, [*tally.names, *sample.columns()]):
                own, others = tally.add(batch, file["split"])
                strangers += others
                frames.append(sample.take(batch, own, file["split"]))
            rows[-1]["rows_of_other_splits"] = strangers
    tally.finish()

    evidence.add("dataset_files", rows, "file")
    evidence.add("dataset_version", [version_row(lake, dataset, manifest, tally) | {"version": version}], "version")
    evidence.add("dataset_splits", split_rows(manifest, tally), "split_of_manifest")
    evidence.add("dataset_columns", tally.column_rows(), "column")
    evidence.tables["dataset_rows"] = sample.frame(frames)
    return evidence


class Tally:
    """Counts over all rows of all files."""

    def __init__(self, split_by, columns, rows):
        self.by_time, self.group = split_by == "time", GROUPS.get(split_by, "author_id")
        self.columns = {c["name"]: c for c in columns}
        self.numbers = [c["name"] for c in columns if c["type"].startswith(("float", "int", "uint"))]
        self.required = [c["name"] for c in columns if not c["nullable"]]
        self.names = list(dict.fromkeys(
            ["source", "tweet_id", "split", "lang", "created_at", "near_copy_group", *filter(None, [self.group]), *self.numbers,
             *self.required]
        ))  # fmt: skip
        self.ids, self.groups = np.empty(rows, dtype=np.uint64), np.empty(rows, dtype=np.uint64)
        self.near = []
        self.languages, self.times, self.rows = {}, {}, 0
        self.faults = {name: {"nulls": 0, "nan": 0, "below": 0, "above": 0} for name in self.columns}

    def add(self, batch, split):
        """Counts a batch of a file of this split. Returns the hashes of its ids and how many rows name another split."""
        ids, here = hashes(column(batch, "tweet_id").cast("string")), slice(self.rows, self.rows + batch.num_rows)
        self.rows += batch.num_rows
        self.ids[here] = ids ^ hashes(column(batch, "source").cast("string"))
        self.groups[here] = self.in_split(self.keys(batch, self.group, ids), split)
        near = column(batch, "near_copy_group").drop_null().cast("string")
        self.near.append(self.in_split(hashes(near), split))
        for code, count in _counts(column(batch, "lang")):
            self.languages[code] = self.languages.get(code, 0) + count
        self.range(split, column(batch, "created_at"))
        for field, values in zip(batch.schema, batch.columns):
            self.judge(field.name, values)
        return ids, batch.num_rows - (pc.sum(pc.equal(column(batch, "split").cast("string"), split)).as_py() or 0)

    @staticmethod
    def in_split(groups, split):
        """Hashes of groups whose last two bits are the split's number."""
        return (groups & ~np.uint64(3)) | np.uint64(ORDER.index(split) if split in ORDER else 3)

    @staticmethod
    def keys(batch, name, ids):
        """Hashes of a group column; a row without a group is a group of its own."""
        if name is None or name not in batch.schema.names:
            return ids
        values = column(batch, name)
        return np.where(values.is_null().to_numpy(zero_copy_only=False), ids, hashes(values.cast("string")))

    def range(self, split, times):
        if pa.types.is_timestamp(times.type) and times.null_count < len(times):
            ends = pc.min_max(times.cast(pa.int64()))
            first, last = ends["min"].as_py(), ends["max"].as_py()
            old = self.times.get(split, (first, last))
            self.times[split] = (min(old[0], first), max(old[1], last))

    def judge(self, name, values):
        faults, about = self.faults.get(name), self.columns.get(name)
        if faults is None:
            return
        if not about["nullable"]:
            faults["nulls"] += values.null_count
        if name in self.numbers and type_name(values.type) == about["type"]:
            numbers = values.drop_null().cast(pa.float64(), safe=False).to_numpy()
            low, high = RANGES.get(about.get("unit"), (-math.inf, math.inf))
            finite = numbers[np.isfinite(numbers)]
            faults["nan"] += len(numbers) - len(finite)
            # Sines and ratios are computed in 32 bits: the last bit of 1 is not a fault.
            faults["below"] += int((finite < low - 1e-6).sum())
            faults["above"] += int((finite > high + 1e-6).sum())

    def finish(self):
        """From rows to what is known of the whole."""
        self.ids_repeated = self.rows - distinct(self.ids)
        pairs = distinct(self.groups)
        self.groups >>= np.uint64(2)
        self.groups_split = 0 if self.by_time else pairs - distinct(self.groups)
        near = np.concatenate(self.near) if self.near else np.empty(0, dtype=np.uint64)
        pairs = distinct(near)
        near >>= np.uint64(2)
        self.near_copies_split = pairs - distinct(near)
        # Still sorted: a group ends where the next number is another.
        ends = np.flatnonzero(np.append(self.groups[1:] != self.groups[:-1], True)) if self.rows else np.empty(0, dtype=int)
        sizes = np.diff(ends, prepend=-1)
        self.largest_group = int(sizes.max(initial=0))
        # The groups as if all were of one size: what the scatter of a share depends on.
        self.even_groups = self.rows**2 / float(np.dot(sizes, sizes)) if self.rows else 0
        order = [self.times[split] for split in ORDER if split in self.times]
        self.times_out_of_order = sum(a[1] > b[0] for a, b in zip(order, order[1:])) if self.by_time else 0

    def column_rows(self):
        return [
            {
                "column": name,
                "nulls_where_required": faults["nulls"],
                "not_a_number": faults["nan"],
                "below": faults["below"],
                "above": faults["above"],
            }
            for name, faults in self.faults.items()
        ]


def _counts(values):
    counted = pc.value_counts(values.cast("string").drop_null())
    return zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist())


def asked(arguments):
    """Asked shares by split, adding up to 1; empty where rows were cut by time or nobody said."""
    said = arguments.get("split")
    if arguments.get("cuts") or not said:
        return {}
    try:
        parts = [float(part) for part in (said.split(",") if isinstance(said, str) else said)]
    except (TypeError, ValueError) as error:
        raise BadInput("the manifest's arguments.split is no list of numbers") from error
    return {split: part / sum(parts) for split, part in zip(ORDER, parts)} if sum(parts) else {}


def split_rows(manifest, tally):
    shares, rows = asked(manifest["arguments"]), []
    for split in dict.fromkeys([*manifest["splits"], *shares]):
        there = manifest["splits"].get(split, {"rows": 0})["rows"]
        row = {"split_of_manifest": split, "split": split, "share_error": None}
        if split in shares and tally.rows:
            # A share that was asked to be 0 or 1 has no scatter: any row elsewhere is then far too many.
            scatter = math.sqrt(max(shares[split] * (1 - shares[split]), 1e-12) / tally.even_groups)
            row["share_error"] = (there / tally.rows - shares[split]) / scatter
        rows.append(row)
    return rows


def version_row(lake, dataset, manifest, tally):
    clean, dropped = manifest["clean"], total(manifest["dropped"])
    duplicates, largest = clean["dropped"].get("duplicate", 0), max(tally.languages.values(), default=0)
    return {
        "records": manifest["records"],
        "consumed_and_rejected": manifest["consumed"] + total(manifest["rejected"]),
        "consumed": manifest["consumed"],
        "clean_kept_and_dropped": clean["kept"] + total(clean["dropped"]),
        "unique": manifest["unique"],
        "consumed_less_duplicates": manifest["consumed"] - duplicates,
        "read": manifest["read"],
        "clean_kept": clean["kept"],
        "input_rows": sum(i["kept"] for i in manifest["inputs"]),
        "kept": manifest["kept"],
        "kept_and_dropped": manifest["kept"] + dropped,
        "split_rows": sum(split["rows"] for split in manifest["splits"].values()),
        "file_rows": tally.rows,
        "ids_repeated": tally.ids_repeated,
        "groups_split": tally.groups_split,
        "near_copies_split": tally.near_copies_split,
        "times_out_of_order": tally.times_out_of_order,
        "undetermined_share": share(tally.languages.get("und", 0), tally.rows),
        "largest_language_share": share(largest, tally.rows) if len(tally.languages) > 1 else None,
        "largest_group_share": None if tally.by_time else share(tally.largest_group, tally.rows),
        **drift(lake, dataset, manifest, tally),
    }


def drift(lake, dataset, manifest, tally):
    """How far this version is from the promoted one; nothing where there is none, or it is this one."""
    current = lake.json_or_none(f"datasets/{dataset}/current.json")
    if current is None or current["version"] == manifest["version"]:
        return {}
    before = lake.json_or_none(f"datasets/{dataset}/{current['version']}/manifest.json")
    if before is None or not before["kept"] or not tally.rows:
        return {}
    languages = before.get("languages") or {}
    row = {"size_ratio": manifest["kept"] / before["kept"]}
    if languages:
        codes = languages.keys() | tally.languages.keys()
        row["language_drift"] = 0.5 * sum(
            abs(languages.get(code, 0) / total(languages) - tally.languages.get(code, 0) / tally.rows) for code in codes
        )
    for column_, part, whole in (("kept_drift", _kept, "consumed"), ("music_drift", _music, "unique")):
        if manifest[whole] and before[whole]:
            row[column_] = part(manifest) / manifest[whole] - part(before) / before[whole]
    return row


def _kept(manifest):
    return manifest["kept"]


def _music(manifest):
    return manifest["clean"]["dropped"].get("music", 0)
