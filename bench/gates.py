"""What the gates and the report cost on a lake that is many times another: CPU seconds, wall time, peak memory. See README.md here.

    .venv/bin/python bench/gates.py LAKE NAME --times 10

A copy of the lake is made beside it and removed again. It has each commit and each clean pointer so many times, over the same files, and
each file of the current version of the dataset NAME with other ids; so it takes little more room than that many datasets. No tweet
is in it that is not in LAKE, and no stage could have made it: it is for this alone.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
from datetime import date, timedelta
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
from bench import ROOT, measure

GATES = ROOT / "great_expectations"


def jsons(lake: Path, pattern: str):
    return [(path, json.loads(path.read_text())) for path in sorted(lake.glob(pattern))]


def put(path: Path, value: dict):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def scaled(value, times: int):
    """Counts of a manifest, however deep; shares and texts stay."""
    if isinstance(value, dict):
        return {key: scaled(inner, times) for key, inner in value.items()}
    return value * times if isinstance(value, int) and not isinstance(value, bool) else value


def more_raw(lake: Path, times: int):
    """Each part is committed again and again; the run that wrote it has counted so many."""
    for path, commit in jsons(lake, "_meta/raw/**/*.json"):
        for number in range(1, times):
            part = f"{commit['part']}-{number}"
            again = lake / commit["path"].replace(commit["part"], part)
            os.link(lake / commit["path"], again)
            put(path.with_name(f"{part}.json"), commit | {"part": part, "path": str(again.relative_to(lake))})
    for path, run in jsons(lake, "_meta/runs/ingest/*.json"):
        partitions = {f"raw/{partition}" for partition in map(path_of, run["partitions"])}
        outputs = [str(file.relative_to(lake)) for folder in sorted(partitions) for file in sorted((lake / folder).iterdir())]
        put(path, scaled(run, times) | {"outputs": outputs})


def path_of(partition: str) -> str:
    day, _, hour = partition.partition("T")
    return f"dt={day}/hour={hour}" if hour else f"dt={day}"


def more_clean(lake: Path, times: int) -> list[dict]:
    """Each clean result is that of other days as well. Returns them all as the inputs of a dataset."""
    day, found = date(1990, 1, 1), [pointer for _, pointer in jsons(lake, "_meta/clean/**/*.json")]
    for pointer in list(found):
        for number in range(1, times):
            day += timedelta(days=1)
            fingerprint = hashlib.sha256(f"{pointer['fingerprint']} {number}".encode()).hexdigest()
            found.append(pointer | {"partition": str(day), "fingerprint": fingerprint})
            put(lake / f"_meta/clean/dt={day}.json", found[-1])
    return [{key: pointer[key] for key in ("partition", "fingerprint", "kept")} for pointer in found]


def more_dataset(lake: Path, name: str, times: int, inputs: list[dict]) -> str:
    """A version with the rows of the current one so many times, the ids of each time with a digit more. Returns its name."""
    current = lake / f"datasets/{name}/current.json"
    folder, made = current.with_name(json.loads(current.read_text())["version"]), current.with_name("0" * 12)
    current.unlink()
    manifest, files = json.loads((folder / "manifest.json").read_text()), []
    (made / "data").mkdir(parents=True)
    shutil.copy(folder / "schema.json", made)
    for file in manifest["files"]:
        for number in range(times):
            path = f"data/{file['split']}-{len(files):05}.parquet"
            with pq.ParquetFile(folder / file["path"]) as read, pq.ParquetWriter(made / path, read.schema_arrow, compression="zstd") as write:
                for group in range(read.num_row_groups):
                    rows = read.read_row_group(group)
                    at = rows.schema.get_field_index("tweet_id")
                    ids = pc.binary_join_element_wise(rows["tweet_id"].cast("string"), str(number), "")
                    write.write_table(rows.set_column(at, rows.schema.field(at), ids.cast(rows.schema.field(at).type)))
            with (made / path).open("rb") as data:
                digest = hashlib.file_digest(data, "sha256").hexdigest()
            files.append(file | {"path": path, "size": (made / path).stat().st_size, "sha256": digest})
    unscaled = {"files": files, "inputs": inputs, "version": made.name, "fingerprint": "0" * 64, "arguments": manifest["arguments"]}
    put(made / "manifest.json", scaled(manifest, times) | unscaled)
    return made.name


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", metavar="LAKE", type=Path)
    parser.add_argument("name", metavar="NAME")
    parser.add_argument("--times", type=int, default=10)
    given = parser.parse_args()

    folder = given.lake.resolve().with_name(f"{given.lake.name}-times-{given.times}")
    shutil.rmtree(folder, ignore_errors=True)
    lake = folder / "lake"
    shutil.copytree(given.lake, lake, copy_function=os.link, ignore=shutil.ignore_patterns("gates", "reports", "purged"))
    try:
        for path in [p for p in lake.rglob("*.json") if p.is_file()]:  # these are written anew, and not through the link
            text = path.read_bytes()
            path.unlink()
            path.write_bytes(text)
        more_raw(lake, given.times)
        which = ["--name", given.name, "--version", more_dataset(lake, given.name, given.times, more_clean(lake, given.times))]
        rows = json.loads((lake / f"datasets/{given.name}/{which[3]}/manifest.json").read_text())
        print(f"{rows['consumed']:,} tweets consumed, {rows['clean']['kept']:,} kept, {rows['kept']:,} rows in the dataset\n")
        print("| | CPU s | wall s | peak MB |\n|---|---|---|---|")
        for label, words in {
            "the gate of raw": ["check.py", "raw", lake],
            "the gate of clean": ["check.py", "clean", lake],
            "the gate of the dataset": ["check.py", "dataset", lake, *which],
            "the report": ["report.py", lake, *which],
        }.items():
            found = measure([sys.executable, str(GATES / words[0]), *map(str, words[1:]), "--run-id", "bench"], folder)
            print(f"| {label} | {found['cpu']:.1f} | {found['wall']:.1f} | {found['peak']:,.0f} |", flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
