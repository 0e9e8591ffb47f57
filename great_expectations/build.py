"""Writes the Great Expectations context (suites, validation definitions, checkpoints, great_expectations.yml).

    python great_expectations/build.py

Run it after a change to `thresholds.json`, `columns.json` or this file, and commit what it writes. Ids are made from
names, so that a changed bound is a one-line change in the diff.

There is a suite per table, and a table per kind of evidence: `raw_parts` has a row per committed part, `clean_rows` a row
per sampled tweet, and so on. `check.py` makes the tables and hands each to the checkpoint of the same name.
"""

import json
import uuid
from pathlib import Path

HERE = Path(__file__).parent
THRESHOLDS = json.loads((HERE / "thresholds.json").read_text())
COLUMNS = json.loads((HERE / "columns.json").read_text())

ISO_639_1 = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo "
    "es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg "
    "ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn "
    "no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta "
    "te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
).split()
LANGUAGES = sorted({*ISO_639_1, *THRESHOLDS["languages_beside_iso_639_1"]})
DROP_REASONS = ["duplicate", "deleted", "retweet", "edited", "language", "music"]
SPLITS = ["train", "validation", "test"]


def expect(kind, notes, severity="critical", **kwargs):
    """One expectation as GX stores it, its id still open."""
    return {"type": f"expect_{kind}", "kwargs": kwargs, "severity": severity, "meta": {}, "notes": notes}


def equal(a, b, notes):
    """Where both are null there is nothing to compare; where one is, something is missing."""
    return expect("column_pair_values_to_be_equal", notes, column_A=a, column_B=b, ignore_row_if="both_values_are_missing")


def at_least(a, b, notes):
    """a >= b. Where either is null the row is left out: for tables where null means that nobody said."""
    return expect(
        "column_pair_values_a_to_be_greater_than_b", notes,
        column_A=a, column_B=b, or_equal=True, ignore_row_if="either_value_is_missing",
    )  # fmt: skip


def none_of(column, notes):
    """A count of faults that must be zero, and must have been counted: it is null where the file cannot be read."""
    return [zero(column, notes), not_null(column, notes)]


def zero(column, notes):
    return expect("column_values_to_be_between", notes, column=column, min_value=0, max_value=0)


def not_null(column, notes):
    return expect("column_values_to_not_be_null", notes, column=column)


def in_set(column, values, notes):
    return expect("column_values_to_be_in_set", notes, column=column, value_set=values)


def language():
    """People declare languages that ISO 639-1 has no code for; that is worth a look, not the dataset."""
    return [
        expect("column_values_to_match_regex", "A language code", column="lang", regex="^[a-z]{2,3}$"),
        expect("column_values_to_be_in_set", "ISO 639-1, or und", "warning", column="lang", value_set=LANGUAGES),
    ]


def ends(bound):
    return {f"{end}_value": value for end, value in bound.items()}


def bounds(suite):
    """What `thresholds.json` says of a suite: an expectation per column and severity."""
    return [
        expect("column_values_to_be_between", bound["why"], severity, column=column, **ends(bound[severity]))
        for column, bound in THRESHOLDS["bounds"].get(suite, {}).items()
        for severity in ("critical", "warning")
        if severity in bound
    ]


def files(what):
    """A Parquet file is the one that was committed, and has the columns that were promised."""
    return [
        equal("size", "stored_size", f"{what}: committed with this size"),
        equal("sha256", "read_sha256", f"{what}: committed with this content (a sample of the files is hashed)"),
        equal("rows", "stored_rows", f"{what}: committed with this many rows"),
        *none_of("columns_missing", f"{what}: every column of the table is there"),
        *none_of("columns_unexpected", f"{what}: no column beside the table's"),
        *none_of("columns_retyped", f"{what}: every column has the table's type"),
        *none_of("columns_moved", f"{what}: the columns stand in the table's order"),
    ]


def suites():
    """Name of the suite → its expectations."""
    required = [c["name"] for c in COLUMNS if not c["nullable"] and not c["type"].startswith("list")]
    return {
        "raw_parts": [
            not_null("stored_size", "The part's file is there"),
            equal("size", "stored_size", "The part's file has the committed size"),
            equal("sha256", "read_sha256", "The part's file has the committed content (a sample of the parts is hashed)"),
            at_least("tweets", "unique", "Distinct ids are tweets"),
            at_least("tweets", "retweets", "Retweets are tweets"),
            equal("language_tweets", "tweets", "Every tweet is counted under one language code, the empty one too"),
            not_null("id_min", "A part has ids"),
            not_null("id_max", "A part has ids"),
            at_least("id_max", "id_min", "Ids are in order, by number"),
            at_least("time_last", "time_first", "Times are in order"),
            at_least("time_latest", "time_last", "No tweet is a day newer than the moment it was received"),
            at_least("time_first", "partition_start", "A tweet lies in the partition of its time"),
            at_least("partition_last", "time_last", "A tweet lies in the partition of its time"),
            *bounds("raw_parts"),
        ],
        "raw_partitions": bounds("raw_partitions"),
        "raw_runs": [
            equal("records", "accounted", "records = consumed + notices + rejected + unmatched"),
            equal("consumed", "committed", "consumed = tweets in the parts that the run wrote or found"),
            at_least("consumed", "unique", "unique tweets are consumed tweets"),
            zero("outputs_uncommitted", "Every part of the run has a commit"),
            *bounds("raw_runs"),
        ],
        "clean_partitions": [
            equal("records", "input_tweets", "records = tweets in the committed parts that were read"),
            equal("records", "consumed_and_rejected", "records = consumed + rejected"),
            equal("consumed", "kept_and_dropped", "consumed = kept + dropped"),
            equal("unique", "consumed_less_duplicates", "unique = consumed - dropped as duplicate"),
            equal("kept", "tweets_rows", "Rows in tweets.parquet = kept"),
            equal("dropped_and_stored", "dropped_rows", "Rows in dropped.parquet = dropped − deleted"),
            equal("kept", "language_tweets", "Every kept tweet is counted under one language"),
            *none_of("ids_repeated", "One row per tweet, counted over all rows"),
            *none_of("music_leaks", "Kept rows score below the music threshold, counted over all rows"),
            *none_of("music_false_drops", "Rows dropped as music score at or above the threshold, counted over all rows"),
            *bounds("clean_partitions"),
        ],
        "clean_files": files("A clean result"),
        "clean_rows": [
            *[not_null(column, "Never null") for column in required],
            expect("column_values_to_be_unique", "One row per tweet; all copies of a sampled id are in the sample", column="row_key"),
            in_set("source", ["x", "bluesky"], "Where a tweet comes from"),
            *language(),
            *bounds("clean_rows"),
        ],
        "clean_dropped": [
            not_null("tweet_id", "Never null"),
            not_null("drop_reason", "A dropped tweet has a reason"),
            in_set("drop_reason", DROP_REASONS, "The fates of a tweet"),
        ],
        "dataset_version": [
            equal("records", "consumed_and_rejected", "records = consumed + rejected"),
            equal("consumed", "clean_kept_and_dropped", "consumed = kept and dropped by clean"),
            equal("unique", "consumed_less_duplicates", "unique = consumed - dropped as duplicate"),
            equal("read", "clean_kept", "read = kept by clean"),
            equal("read", "input_rows", "read = rows of the clean results"),
            equal("read", "kept_and_dropped", "read = kept + dropped"),
            equal("kept", "split_rows", "Rows of the splits = kept"),
            equal("kept", "file_rows", "Rows of the files = kept"),
            zero("ids_repeated", "One row per tweet across all splits, counted over all rows"),
            zero("groups_split", "A group (author, conversation) lies in one split only, counted over all rows"),
            zero("near_copies_split", "Near copies lie in one split only, counted over all rows"),
            zero("times_out_of_order", "Splits by time follow each other; zero where the split is by group"),
            *bounds("dataset_version"),
        ],
        "dataset_files": [
            *files("A dataset file"),
            *none_of("rows_of_other_splits", "The split column names the split of the file"),
        ],
        "dataset_splits": [
            in_set("split", SPLITS, "Names that people and libraries know"),
            *bounds("dataset_splits"),
        ],
        "dataset_columns": [
            zero("nulls_where_required", "A column that is never null has no nulls, counted over all rows"),
            zero("not_a_number", "No NaN and no infinity, counted over all rows"),
            zero("below", "Nothing below the least value of the column's unit (ratio 0, sine -1, count 0), over all rows"),
            zero("above", "Nothing above the greatest value of the column's unit (ratio 1, sine 1), over all rows"),
        ],
        "dataset_rows": [
            not_null("tweet_id", "Never null"),
            not_null("text", "Never null"),
            *language(),
            in_set("split", SPLITS, "Names that people and libraries know"),
            *bounds("dataset_rows"),
        ],
    }  # fmt: skip


def described(expectation):
    """What Data Docs say of an expectation: the rule in a few words, then why, then how bad."""
    kwargs = expectation["kwargs"]
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if "value_set" in kwargs:
        values = kwargs["value_set"]
        rule = f"one of {', '.join(values)}" if len(values) < 8 else f"one of {len(values)} codes"
    elif "column_B" in kwargs:
        rule = f"{'at least' if 'or_equal' in kwargs else 'equals'} {kwargs['column_B']}"
    elif "regex" in kwargs:
        rule = f"matches {kwargs['regex']}"
    elif low is None and high is None:
        rule = "unique" if expectation["type"].endswith("unique") else "never null"
    elif low is None or high is None:
        rule = f"at most {high}" if low is None else f"at least {low}"
    else:
        rule = f"{low}" if low == high else f"{low} to {high}"
    subject = kwargs.get("column") or kwargs["column_A"]
    return f"{subject}: {rule}. {expectation['notes'].rstrip('.')}. ({expectation['severity']})"


def identifier(*names):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "offkey/" + "/".join(names)))


def documents():
    """Path below this folder → the text of the file."""
    built, assets = {}, {}
    for table, expectations in suites().items():
        for e in expectations:
            kwargs = e["kwargs"]
            columns = kwargs.get("column") or f"{kwargs['column_A']}~{kwargs['column_B']}"
            e["id"] = identifier(table, e["type"], columns, e["severity"])
            e["description"] = described(e)
        suite = {"name": table, "id": identifier(table), "meta": {}, "notes": None, "expectations": expectations}
        ids = {part: identifier(table, part) for part in ("asset", "batch", "validation", "checkpoint")}
        reference = {
            "data": {
                "datasource": {"id": identifier("lake"), "name": "lake"},
                "asset": {"id": ids["asset"], "name": table},
                "batch_definition": {"id": ids["batch"], "name": "whole"},
            },
            "id": ids["validation"],
            "name": table,
            "suite": {"id": suite["id"], "name": table},
        }
        checkpoint = {
            "name": table,
            "id": ids["checkpoint"],
            "validation_definitions": [{"id": ids["validation"], "name": table}],
            "actions": [],
            # Tweets are written by strangers: no value of theirs may reach a page.
            "result_format": {"result_format": "SUMMARY", "exclude_unexpected_values": True},
        }
        assets[table] = {
            "type": "dataframe",
            "id": ids["asset"],
            "batch_metadata": {},
            "batch_definitions": {"whole": {"id": ids["batch"], "partitioner": None}},
        }
        built[f"expectations/{table}.json"] = suite
        built[f"validation_definitions/{table}.json"] = reference
        built[f"checkpoints/{table}.json"] = checkpoint
    texts = {path: json.dumps(value, indent=2, sort_keys=True) + "\n" for path, value in built.items()}
    texts["great_expectations.yml"] = CONTEXT + json.dumps(context(assets), indent=2) + "\n"
    return texts


CONTEXT = """\
# Written by build.py. JSON is YAML, and is written the same every time.
# Results and Data Docs lie in OFFKEY_GATE_FOLDER, outside the repository; check.py sets it and copies them into the lake.
"""


def context(assets):
    """`great_expectations.yml`: where things are kept, and Data Docs that need no network (see `docs/`)."""

    def store(kind, folder):
        backend = {"class_name": "TupleFilesystemStoreBackend", "suppress_store_backend_id": True, "base_directory": folder}
        return {"class_name": kind, "store_backend": backend}

    def pages(source, renderer):
        view = {"module_name": "offline_docs", "class_name": "Page"}
        return {
            "class_name": "DefaultSiteSectionBuilder",
            "source_store_name": source,
            "renderer": {"class_name": renderer},
            "view": view,
        }

    return {
        "config_version": 4.0,
        "plugins_directory": "docs/",
        "stores": {
            "expectations_store": store("ExpectationsStore", "expectations/"),
            "validation_results_store": store("ValidationResultsStore", "${OFFKEY_GATE_FOLDER}/validations/"),
            "checkpoint_store": store("CheckpointStore", "checkpoints/"),
            "validation_definition_store": store("ValidationDefinitionStore", "validation_definitions/"),
        },
        "expectations_store_name": "expectations_store",
        "validation_results_store_name": "validation_results_store",
        "checkpoint_store_name": "checkpoint_store",
        "data_docs_sites": {
            "run": {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": "${OFFKEY_GATE_FOLDER}/data_docs/",
                },
                "site_index_builder": {
                    "class_name": "DefaultSiteIndexBuilder",
                    "view": {"module_name": "offline_docs", "class_name": "Index"},
                },
                "site_section_builders": {
                    "expectations": pages("expectations_store", "ExpectationSuitePageRenderer"),
                    "validations": pages("validation_results_store", "ValidationResultsPageRenderer"),
                    "profiling": "None",
                },
            }
        },
        "fluent_datasources": {"lake": {"type": "pandas", "id": identifier("lake"), "assets": assets}},
        "analytics_enabled": False,
        "progress_bars": {"globally": False},
        "data_context_id": identifier("context"),
    }


def main():
    for path, text in documents().items():
        target = HERE / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(text)


if __name__ == "__main__":
    main()
