"""Opens a dataset's current version with Hugging Face `datasets`, ready for a tokenizer: what a model may know, and nothing else.

    python examples/hugging_face.py lake sample

Works without a network. Columns that are known only after a tweet was posted do not come along, so none of them can be used by mistake.
"""

import argparse
import json
from pathlib import Path

import datasets

KNOWN = {"identity", "text", "feature"}


def load(lake: Path, name: str) -> datasets.DatasetDict:
    """The splits of the current version, with the columns that were known when a tweet was posted."""
    current = json.loads((lake / "datasets" / name / "current.json").read_text())
    version = lake / "datasets" / name / current["version"]
    roles = {column["name"]: column["role"] for column in json.loads((version / "schema.json").read_text())["columns"]}
    splits = datasets.load_dataset(str(version))
    return splits.select_columns([column for column, role in roles.items() if role in KNOWN])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lake", type=Path, help="folder of the lake")
    parser.add_argument("name", help="name of the dataset")
    given = parser.parse_args()
    for split, rows in load(given.lake, given.name).items():
        print(f"{split}: {rows.num_rows:,} tweets, {len(rows.column_names)} columns")


if __name__ == "__main__":
    main()
