"""The columns of featurize, as a Polars user writes them in one script: featurize_polars.py LAKE OUT

It reads what clean kept and writes a file a split. It does less: no near copies, no edits, no sums over the rows of a tweet, no
tombstones, no ledger, no hashes of files, and all rows are in memory. Counts go to OUT/counts.json.
"""

import hashlib
import json
import math
import sys
from pathlib import Path

import polars as pl

LANGUAGES = "en es pt fr de it nl tr id tl ru ar hi th ja ko und".split()
LETTER, NUMBER = r"\p{Alphabetic}", r"[\p{Nd}\p{Nl}\p{No}]"
PUNCTUATION = (
    r"[!-/:-@\[-`{-~¡§«¶·»¿،؛؟\x{2010}-\x{2027}\x{2030}-\x{205e}\x{3001}-\x{3003}\x{3008}-\x{3011}\x{3014}-\x{301f}・"
    r"\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff20}\x{ff3b}-\x{ff40}\x{ff5b}-\x{ff65}]"
)
PICTOGRAPH = r"[\x{1f000}-\x{1faff}\x{2600}-\x{27bf}\x{2b05}-\x{2b55}\x{231a}-\x{23ff}\x{20e3}\x{fe0f}]"


def split_of(source: str, author: str | None, tweet: str) -> tuple[str, str]:
    kind, name = ("id", tweet) if author is None else ("author", author)
    group = hashlib.sha256(f"offkey/group/1\n{kind}\n{source}\n{name}\n".encode()).hexdigest()[:16]
    percent = int(group, 16) * 100 >> 64
    return group, "train" if percent < 80 else "validation" if percent < 90 else "test"


def features(rows: pl.DataFrame) -> pl.DataFrame:
    text, token = pl.col("text"), pl.element()
    is_word = token.str.contains(rf"^{LETTER}") & ~token.str.contains(r"://|^(?i:www\.)")
    created, day = pl.col("created_at"), 86_400_000_000
    hour, weekday = created.dt.hour() * (math.tau / 24), (created.dt.weekday() - 1) * (math.tau / 7)
    lang = pl.when(pl.col("lang").is_in(LANGUAGES)).then("lang").otherwise(pl.lit("other"))

    def share(part: str, whole: str) -> pl.Expr:
        return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole)).otherwise(0).cast(pl.Float32)

    counted = rows.with_columns(
        token_count=pl.col("tokens").list.len(),
        word_count=pl.col("tokens").list.eval(is_word).list.sum(),
        word_letters=pl.col("tokens").list.eval(pl.when(is_word).then(token.str.len_chars()).otherwise(0)).list.sum(),
        emoji_count=pl.col("tokens").list.eval(~is_word & token.str.contains(PICTOGRAPH)).list.sum(),
        char_count=text.str.len_chars(),
        letter_count=text.str.count_matches(LETTER),
        upper=text.str.count_matches(r"\p{Uppercase}"),
        digits=text.str.count_matches(NUMBER),
        punctuation=text.str.count_matches(PUNCTUATION),
        question_marks=text.str.count_matches("[?？؟]"),
        exclamation_marks=text.str.count_matches("[!！]"),
        **{f"{name}_count": pl.col(f"{name}s").list.len() for name in ("hashtag", "mention", "url", "cashtag")},
    )
    return counted.with_columns(
        upper_ratio=share("upper", "letter_count"),
        digit_ratio=share("digits", "char_count"),
        punct_ratio=share("punctuation", "char_count"),
        mean_word_length=share("word_letters", "word_count"),
        has_created_at=created.is_not_null(),
        hour_sin=hour.sin().cast(pl.Float32),
        hour_cos=hour.cos().cast(pl.Float32),
        weekday_sin=weekday.sin().cast(pl.Float32),
        weekday_cos=weekday.cos().cast(pl.Float32),
        account_age_days=((created - pl.col("user_created_at")).dt.total_microseconds().clip(0) / day).cast(pl.Float32),
        has_account_age=created.is_not_null() & pl.col("user_created_at").is_not_null(),
        has_author_counts=pl.all_horizontal(
            pl.col(f"{name}_count").is_not_null() for name in ("followers", "following", "listed", "statuses")
        ),
        **{
            f"log_{name}": pl.col(f"{name}_count").clip(0).log1p().cast(pl.Float32)
            for name in ("followers", "following", "listed", "statuses")
        },
        **{f"lang_{code}": lang == code for code in [*LANGUAGES, "other"]},
    ).drop("word_letters", "upper", "digits", "punctuation")


def main(lake: str, out: str):
    pointers = [json.loads(path.read_text()) for path in sorted(Path(lake, "_meta/clean").rglob("*.json"))]
    rows = pl.concat([pl.read_parquet(f"{lake}/{pointer['path']}/tweets.parquet") for pointer in pointers])
    rows = rows.unique(["source", "tweet_id"], keep="last", maintain_order=True)
    made = features(rows)
    places = [split_of(*names) for names in rows.select("source", "author_id", "tweet_id").iter_rows()]
    made = made.with_columns(group=pl.Series([group for group, _ in places]), split=pl.Series([split for _, split in places]))
    Path(out).mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation", "test"):
        made.filter(pl.col("split") == split).write_parquet(f"{out}/{split}.parquet", compression="zstd", compression_level=3)
    counts = {"consumed": sum(pointer["kept"] for pointer in pointers), "kept": made.height}
    Path(out, "counts.json").write_text(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
