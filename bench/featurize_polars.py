"""The columns of featurize, as a Polars user writes them in one script: featurize_polars.py LAKE OUT [none]

It reads what clean kept and writes a file a split. Near copies are found by rensa, the quickest MinHash that PyPI has, over the same
shingles and by the same threshold; `none` leaves them out. It does less: similarities are estimates, and each row is compared only
with rows that have no earlier near copy; no split is kept from them; no edits, no sums over the rows of a tweet, no tombstones, no
ledger, no hashes of files, and all rows are in memory. Counts go to OUT/counts.json.
"""

import hashlib
import json
import math
import sys
from pathlib import Path

import polars as pl
from rensa import RMinHash, RMinHashDeduplicator

LANGUAGES = "en es pt fr de it nl tr id tl ru ar hi th ja ko und".split()
MASKED = "user_created_at user_location verified possibly_sensitive lang_platform place_name place_country".split()
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
        **{
            name: expression
            for of in ("followers", "following", "listed", "statuses")
            for name, expression in (
                (f"has_{of}", pl.col(f"{of}_count").is_not_null()),
                (f"log_{of}", pl.col(f"{of}_count").clip(0).log1p().cast(pl.Float32)),
            )
        },
        **{f"has_{name}": pl.col(name).is_not_null() for name in MASKED},
        has_coordinates=pl.col("lon").is_not_null(),
        **{f"lang_{code}": lang == code for code in [*LANGUAGES, "other"]},
    ).drop("word_letters", "upper", "digits", "punctuation")


def near_copies(rows: pl.DataFrame) -> pl.Series:
    """The id of the earliest of a row's near copies; null without."""
    asked = rows.with_row_index("row").filter(pl.col("text_key").is_not_null()).sort("created_at", "row", nulls_last=True)
    texts = asked.select(pl.col("text_clean").str.normalize("NFKC").str.to_lowercase()).to_series()
    shingles = ([text[at : at + 5] for at in range(max(len(text) - 4, 1))] for text in texts)
    hashes = RMinHash.from_token_sets(shingles, num_perm=100, seed=42)
    index = RMinHashDeduplicator(threshold=0.8, num_perm=100, use_lsh=True, num_bands=20)
    index.add_pairs((str(number), one) for number, one in enumerate(hashes))
    first = list(range(len(hashes)))

    def root(number: int) -> int:
        while first[number] != number:
            number = first[number] = first[first[number]]
        return number

    for number, copies in enumerate(index.get_duplicate_sets(hashes)):
        for copy in copies:
            one, other = root(number), root(int(copy))
            first[max(one, other)] = min(one, other)
    groups = asked.select("row", pl.Series("first", [root(number) for number in first], dtype=pl.UInt32))
    groups = groups.filter(pl.len().over("first") > 1)
    ids = groups.select("row", asked["tweet_id"].gather(groups["first"]).alias("near_copy_group"))
    return rows.with_row_index("row").select("row").join(ids, on="row", how="left", maintain_order="left")["near_copy_group"]


def main(lake: str, out: str, near: str = "rensa"):
    pointers = [json.loads(path.read_text()) for path in sorted(Path(lake, "_meta/clean").rglob("*.json"))]
    rows = pl.concat([pl.read_parquet(f"{lake}/{pointer['path']}/tweets.parquet") for pointer in pointers])
    rows = rows.unique(["source", "tweet_id"], keep="last", maintain_order=True)
    group = near_copies(rows) if near == "rensa" else pl.Series("near_copy_group", [None] * rows.height, dtype=pl.String)
    made = features(rows).with_columns(group)
    places = [split_of(*names) for names in rows.select("source", "author_id", "tweet_id").iter_rows()]
    made = made.with_columns(group=pl.Series([group for group, _ in places]), split=pl.Series([split for _, split in places]))
    Path(out).mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation", "test"):
        made.filter(pl.col("split") == split).write_parquet(f"{out}/{split}.parquet", compression="zstd", compression_level=3)
    counts = {"consumed": sum(pointer["kept"] for pointer in pointers), "kept": made.height, "copies": group.count(), "groups": group.n_unique() - 1}
    Path(out, "counts.json").write_text(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
