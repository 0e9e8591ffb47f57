"""Clean results made many: multiply.py LAKE OUT N

Writes a lake of N clean rows from those of LAKE, without raw tweets: as often as needed, each time on later days, with other ids
and with the Latin letters of the texts moved on by one. So the copies of a text are near to nothing but to the copies beside it,
as often as in LAKE, and lengths stay what they are.
"""

import hashlib
import json
import string
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl

DAY = timedelta(days=1)
IDS_OF_A_DAY = 86_400_000 << 22
ROWS_PER_GROUP = 8_192


def moved(rows: pl.DataFrame, by: int, days: int) -> pl.DataFrame:
    """The rows by that many letters and days later."""
    letters = [case[at:] + case[:at] for case in (string.ascii_lowercase, string.ascii_uppercase) for at in [by % 26]]
    turn = {a: b for a, b in zip(string.ascii_letters, "".join(letters), strict=True) if a != b}

    def turned(text: pl.Expr) -> pl.Expr:
        return text.str.replace_many(turn) if turn else text

    def later(name: str) -> pl.Expr:
        return (pl.col(name).cast(pl.Int64) + days * IDS_OF_A_DAY).cast(pl.String)

    return rows.with_columns(
        turned(pl.col("text")),
        turned(pl.col("text_clean")),
        pl.col("tokens").list.eval(turned(pl.element())),
        *(later(name) for name in ("tweet_id", "edit_id", "conversation_id")),
        *(pl.col(name) + days * DAY for name in ("created_at", "first_seen", "last_seen", "counts_at")),
    )


def main(lake: str, out: str, count: int):
    pointers = [json.loads(path.read_text()) for path in sorted(Path(lake, "_meta/clean").rglob("*.json"))]
    days = [date.fromisoformat(pointer["partition"]) for pointer in pointers]
    span = (max(days) - min(days)).days + 1
    meta = Path(out, "_meta/clean")
    meta.mkdir(parents=True)
    Path(out, "_meta/lake.json").write_text(Path(lake, "_meta/lake.json").read_text())
    left, turn = count, 0
    while left:
        for pointer, day in zip(pointers, days, strict=True):
            rows = pl.read_parquet(f"{lake}/{pointer['path']}/tweets.parquet", n_rows=left)
            name = (day + turn * span * DAY).isoformat()
            fingerprint = hashlib.sha256(f"{pointer['fingerprint']} {turn} {rows.height}".encode()).hexdigest()
            file = Path(out, f"clean/dt={name}/{fingerprint}/tweets.parquet")
            file.parent.mkdir(parents=True)
            moved(rows, turn, turn * span).write_parquet(file, compression="zstd", compression_level=1, row_group_size=ROWS_PER_GROUP)
            with file.open("rb") as bytes:
                stat = {"size": file.stat().st_size, "sha256": hashlib.file_digest(bytes, "sha256").hexdigest(), "rows": rows.height}
            counts = dict.fromkeys(("records", "consumed", "unique", "read", "kept"), rows.height)
            told = pointer | counts | {"partition": name, "fingerprint": fingerprint, "path": str(file.parent.relative_to(out))}
            told |= {"files": {"tweets.parquet": stat}, "dropped": {}, "rejected": {}, "notices": {}, "unmatched": 0}
            (meta / f"dt={name}.json").write_text(json.dumps(told))
            left -= rows.height
        turn += 1


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
