"""The run report: numbers that add up, strangers' words that stay words, one page without a network."""

import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
GATES = HERE.parents[1] / "great_expectations"
sys.path[:0] = [str(GATES), str(HERE)]

import check
import lakes
import location
import report
import report_facts
import report_plots

VERSION = "000000000001"


@pytest.fixture(scope="session")
def judged(tmp_path_factory):
    """A lake with canaries, all gates passed, and an earlier version promoted."""
    root = tmp_path_factory.mktemp("report") / "lake"
    lakes.good(root, days=3, canaries=lakes.CANARIES)
    pointers = [lakes.load(root, f"_meta/clean/dt={lakes.partition_name(day)}.json") for day in range(2)]
    rows = [row for day in range(2) for row in lakes.fates(day, 120)[0]]
    lakes.promote(root, lakes.add_dataset(root, rows, pointers, version="000000000000"))
    for gate in (["raw"], ["clean"], ["dataset", "--name", lakes.NAME, "--version", VERSION]):
        check.check(check.arguments([gate[0], str(root), "--run-id", lakes.RUN, *gate[1:]]))
    return root


@pytest.fixture
def lake(judged, tmp_path):
    return Path(shutil.copytree(judged, tmp_path / "lake"))


def written(root, run_id=lakes.RUN):
    told = report.report(report.arguments([str(root), "--name", lakes.NAME, "--version", VERSION, "--run-id", run_id]))
    return Path(told["report"]).read_text()


def facts(root):
    return report_facts.collect(location.Lake(str(root)), lakes.NAME, VERSION, lakes.RUN)


class Page(HTMLParser):
    """Every tag with its attributes, and the text of the page."""

    def __init__(self, source):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.texts)).replace(" ,", ",")


def test_the_two_counts_stand_first(lake):
    manifest = lakes.load(lake, f"datasets/{lakes.NAME}/{VERSION}/manifest.json")
    text = Page(written(lake)).text
    first = text.index(f"tweets consumed {manifest['consumed']:,}"), text.index(f"unique tweets {manifest['unique']:,}")
    assert first[0] < first[1] < text.index("From what was read")


def test_the_numbers_add_up(lake):
    found = facts(lake)
    steps = {step["name"]: step for step in found["funnel"]}
    assert list(steps) == ["records", "consumed", "unique", "kept", "dataset"]
    for before, after in zip(found["funnel"], found["funnel"][1:]):
        assert before["count"] - after["lost"] == after["count"] and after["lost"] >= 0
        assert sum(count for _, count in after["why"]) == after["lost"]
    assert all(line["holds"] for line in found["ledger"]) and len(found["ledger"]) == 6
    gone = sum(line["count"] for line in found["fates"])
    unmatched = 1
    assert steps["records"]["count"] - gone - unmatched == steps["dataset"]["count"]
    assert sum(day["kept"] + day["music"] + day["other"] for day in found["timeline"]) == steps["consumed"]["count"]
    assert sum(split["count"] for split in found["splits"]) == steps["dataset"]["count"]
    assert sum(line["count"] for line in found["languages"]) == steps["dataset"]["count"]


@pytest.mark.parametrize(
    ("partitions", "unit", "bars"),
    [
        (["2026-01-01"], "day", 1),
        (["2025-12-01", "2026-01-31"], "day", 2),
        (["2026-01-05", "2026-01-11", "2026-01-12", "2026-06-01"], "week", 3),
        (["2020-01-05", "2020-01-31", "2026-06-01"], "month", 2),
        (["2006-03-21", "2020-10-01", "2020-12-31"], "quarter", 2),
        (["1990-03-21", "2020-10-01", "2020-12-31"], "year", 2),
        (["2026-01-01T00", "2026-01-03T23"], "hour", 2),
        (["2026-01-01T00", "2026-01-30T00", "2026-01-30T23"], "day", 2),
    ],
)
def test_bars_are_as_long_as_keeps_them_few(partitions, unit, bars):
    rows = [{"partition": name, "kept": 3, "music": 2, "other": 1} for name in partitions]
    found, said = report_plots.lengthened(rows)
    assert (said, len(found)) == (unit, bars)
    assert sum(counts["kept"] for *_, counts in found) == 3 * len(rows)
    assert all(begin < end for begin, end, _ in found) and all(a[1] <= b[0] for a, b in zip(found, found[1:]))


def test_a_ledger_that_does_not_balance_is_said(lake):
    lakes.edit(lake, f"datasets/{lakes.NAME}/{VERSION}/manifest.json", lambda m: m.update(unique=m["unique"] + 1))
    assert "does not hold" in Page(written(lake)).text
    assert [line["whole"] for line in facts(lake)["ledger"] if not line["holds"]] == ["unique"]


def test_the_page_opens_without_a_network_and_runs_nothing(lake):
    page = Page(written(lake))
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "iframe", "link", "object", "embed", "form", "base", "video", "audio"}
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("href", "src", "xlink:href", "action"):
            target = attributes.get(name) or "#"
            assert target.startswith(("#", "data_docs/", "../")), (tag, target)
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'") and "script" not in policy
    assert "url(http" not in page.text and "@import" not in written(lake)


def test_canaries_show_as_text(lake):
    source = written(lake)
    text = Page(source).text
    for canary in lakes.CANARIES:
        assert re.sub(r"\s+", " ", report.visible(canary)) in text
    assert "canary-ansi" in text and "⟨U+001B⟩[31mcanary-ansi" in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", source)
    assert "{{ 7 * 191 }}" in text and "1337" not in text
    assert html.escape(lakes.CANARIES[0]) not in lakes.CANARIES[0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\nb"), ("a\tb", "a⟨U+0009⟩b"), ("a\r\nb", "a⟨U+000D⟩\nb"), ("\u202eabc", "⟨U+202E⟩abc"),
        ("\ud800", "⟨U+D800⟩"), ("👩\u200d💻 ❤\ufe0f", "👩\u200d💻 ❤\ufe0f"), ("مرحبا", "مرحبا"), ("\x9b31m", "⟨U+009B⟩31m"),
    ],
)  # fmt: skip
def test_control_characters_become_signs(text, shown):
    assert report.visible(text) == shown


def test_the_review_sample_lies_next_to_the_threshold(lake):
    review = facts(lake)["review"]
    dropped, kept = review["dropped"], review["kept"]
    assert len(dropped) == len(kept) == 20
    assert [t["score"] for t in dropped] == sorted(t["score"] for t in dropped) and dropped[0]["score"] == 3.0
    assert [t["score"] for t in kept] == sorted((t["score"] for t in kept), reverse=True) and kept[0]["score"] == 2.75
    assert len({t["text"] for t in dropped}) == 20, "the same words are shown once"


def test_failing_expectations_stand_first_and_warnings_after(lake):
    for verdict in (lake / "_meta/gates/clean").iterdir():
        failed = [
            {"expectation": "expect_column_values_to_be_between", "column": "music_share", "severity": "warning", "suite": "clean_partitions"},
            {"expectation": "expect_column_pair_values_to_be_equal", "column": "kept, tweets_rows", "severity": "critical", "suite": "clean_partitions"},
        ]  # fmt: skip
        value = json.loads(verdict.read_text())
        verdict.write_text(json.dumps(value | {"success": False, "failed": failed}))
    text = Page(written(lake)).text
    assert "1 critical expectation failed" in text
    assert text.index("kept: equals tweets_rows. Rows in tweets.parquet = kept") < text.index("music_share: at most 0.95")


def test_the_verdict_of_the_whole(lake):
    assert "All gates passed" in written(lake)
    next((lake / "_meta/gates/dataset").iterdir()).unlink()
    assert "1 result is not judged yet" in Page(written(lake)).text


def test_links_to_data_docs_are_relative_and_lead_somewhere(lake):
    for run_id in (lakes.RUN, "scheduled__2026-11-20T08:00:00+00:00"):
        links = {a["href"] for t, a in Page(written(lake, run_id)).tags if t == "a" and "data_docs" in a.get("href", "")}
        assert len(links) == 1
        assert (lake / "_meta/reports" / run_id / links.pop()).resolve().is_file()


def test_the_version_before_is_compared(lake):
    before = facts(lake)["before"]
    rows = {name: (old, new) for name, old, new, _ in before["rows"]}
    assert before["version"] == "000000000000"
    assert rows["rows"] == (240, 378)
    (lake / f"datasets/{lakes.NAME}/current.json").unlink()
    assert facts(lake)["before"] is None
    for ended, version in (("2026-11-19", "000000000000"), ("2026-11-20", VERSION)):
        manifest = {"run_id": ended, "ended": ended, "outputs": [f"datasets/{lakes.NAME}/{version}/manifest.json"]}
        lakes.put(lake, f"_meta/runs/featurize/{ended}.json", manifest)
    lakes.promote(lake, lakes.load(lake, f"datasets/{lakes.NAME}/{VERSION}/manifest.json"))
    assert facts(lake)["before"]["version"] == "000000000000", "the run before, once this version is the promoted one"


def test_cost_and_gaps_are_told_where_the_manifest_has_them(lake):
    assert "Cost and gaps" not in written(lake)
    times = {"since": "2026-11-20T08:00:00.000000Z", "until": "2026-11-20T08:04:30.000000Z", "seconds": 270}
    gaps = [
        times | {"repaired": True, "tweets": 12, "why": "the stream was down"},
        times | {"repaired": False, "tweets": 0, "why": "older than recent search goes back"},
    ]
    bill = {"posts": 1250, "users": 90, "usd": 6.5}
    more = {"spend": bill, "read_again": bill | {"posts": 40}, "requests": 7, "gaps": gaps}
    lakes.edit(lake, f"_meta/runs/ingest/{lakes.RUN}.json", lambda m: m.update(more))
    text = Page(written(lake)).text
    assert "US$ 6.50 spent, 1 gap not filled" in text
    assert "run-1 1,250 40 90 7 6.50" in text and "in all" not in text
    assert text.index("4.5 open : older than recent search goes back") < text.index("filled by search with 12 tweets")


def test_partitions_that_were_cleaned_again_are_left_out_and_said(lake):
    lakes.edit(lake, f"_meta/clean/dt={lakes.partition_name(0)}.json", lambda p: p.update(fingerprint="e" * 64))
    assert "1 of the partitions have been cleaned again" in Page(written(lake)).text
    assert len(facts(lake)["timeline"]) == 2


def test_same_lake_same_bytes(lake):
    assert written(lake) == written(lake)


def test_an_empty_dataset_has_a_report(tmp_path):
    lakes.put(tmp_path, "_meta/lake.json", {"lake": 1, "grain": "day"})
    lakes.add_dataset(tmp_path, [], [lakes.add_clean(tmp_path, 0, [], [], [])])
    text = Page(written(tmp_path)).text
    assert "tweets consumed 0" in text and "no rows" in text


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["{lake}", "--name", "tweets", "--version", "ffffffffffff"], 66, "is not there"),
        (["{lake}/nowhere", "--name", "tweets", "--version", VERSION], 66, "hint:"),
        (["{lake}", "--name", "tweets"], 2, "--version"),
        (["{lake}", "--name", "tweets", "--version", VERSION, "--run-id", "../x"], 2, "--run-id"),
    ],
)
def test_exit_codes(lake, arguments, code, says):
    done = subprocess.run(
        [sys.executable, str(GATES / "report.py"), *(a.format(lake=lake) for a in arguments)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (code, "") and says in done.stderr


def test_the_command_ends_with_its_summary(lake):
    command = [sys.executable, str(GATES / "report.py"), str(lake), "--name", lakes.NAME, "--version", VERSION, "--run-id", "r"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["stage"] == "report" and told["unique"] > 0 and Path(told["report"]).is_file()
    assert "canary" not in done.stderr + done.stdout
