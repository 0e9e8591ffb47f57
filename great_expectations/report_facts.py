"""Everything the run report says, as plain values, read from manifests, pointers, verdicts and a bounded part of the rows."""

import heapq
import json
from collections import Counter
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clean_gate import threshold
from dataset_gate import ORDER, asked
from evidence import HERE, batches, column, hashes, total
from location import Missing, each
from raw_gate import fingerprint as raw_fingerprint
from raw_gate import runs_of

# Rows whose hashtags and links are counted, tweets on each side of the review sample, lines of a list.
COUNTED_ROWS = 1_000_000
REVIEWED = 20
# Rows of one row group that are read in search of the review sample: many, as the same words are shown but once.
CANDIDATES = 400
LISTED = 12
REASONS = 5
BINS = 40


def collect(lake, dataset, version, run_id):
    folder = f"datasets/{dataset}/{version}"
    manifest = lake.json(f"{folder}/manifest.json")
    pointers = pointers_of(lake, manifest)
    runs = runs_of(lake, {i["partition"]: None for i in manifest["inputs"]}, run_id)
    gates = verdicts(lake, manifest, pointers, run_id)
    review, scores = look(lake, pointers)
    return {
        "manifest": manifest,
        "run_id": run_id,
        "asked": questions(manifest, pointers, runs),
        "funnel": funnel(manifest, runs),
        "ledger": ledger(manifest, runs),
        "fates": fates(manifest, runs),
        "music_terms": terms(pointers),
        "timeline": timeline(pointers),
        "undated": sum(p["consumed"] for p in pointers if p["partition"] == "unknown"),
        "moved_on": len(manifest["inputs"]) - len(pointers),
        "languages": ranked(manifest.get("languages") or {}, manifest["kept"]),
        **tags_and_links(lake, folder, manifest),
        "splits": splits(manifest),
        "gates": gates,
        "failures": failures(gates),
        "spent": spent(runs),
        "before": comparison(lake, dataset, manifest),
        "review": review,
        "scores": scores,
    }


def path_of(partition):
    """`2026-11-20T08` → `dt=2026-11-20/hour=08`."""
    day, _, hour = partition.partition("T")
    return f"dt={day}/hour={hour}" if hour else f"dt={day}"


def pointers_of(lake, manifest):
    """The clean results that this dataset was made from, as far as their partitions still point to them."""
    found = each(lake.json_or_none, [f"_meta/clean/{path_of(i['partition'])}.json" for i in manifest["inputs"]])
    return [p for p, i in zip(found, manifest["inputs"]) if p and p["fingerprint"] == i["fingerprint"]]


# --- what was asked ----------------------------------------------------------------------------------------------------


def questions(manifest, pointers, runs):
    """Each stage's arguments that say something, once: `(stage, name, values)`."""
    lines = [("dataset", "partitions", [str(len(manifest["inputs"]))])]
    interval = manifest.get("interval") or {}
    for end in ("since", "until"):
        if interval.get(end):
            lines.append(("dataset", end, [interval[end]]))
    stages = [
        ("ingest", [run.get("arguments") or {} for run in runs]),
        ("clean", [pointer["arguments"] for pointer in pointers]),
        ("featurize", [manifest["arguments"]]),
    ]
    for stage, arguments in stages:
        values = {}
        for said in arguments:
            for key, value in said.items():
                if key != "lake" and value not in (None, [], {}, "", False):
                    values.setdefault(key, {}).setdefault(_plain(value), None)
        lines += [(stage, key, list(said)[:LISTED]) for key, said in sorted(values.items())]
    return lines


def _plain(value):
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


# --- the counts --------------------------------------------------------------------------------------------------------


def whole(runs, key):
    values = [run.get(key, 0) for run in runs]
    return sum(total(value) if isinstance(value, dict) else value for value in values)


def fed_others(manifest, runs):
    """Whether the ingest runs and this dataset do not speak of the same tweets: a run may feed other partitions too."""
    return whole(runs, "consumed") != manifest["consumed"]


def funnel(manifest, runs):
    """Steps from everything read to the rows of the dataset: `{"name", "count", "share" of the first, "lost", "why"}`; why is
    `(reason, count)`, most first."""
    clean = manifest["clean"]
    duplicates = {"duplicate": clean["dropped"].get("duplicate", 0)}
    others = {reason: count for reason, count in clean["dropped"].items() if reason != "duplicate"}
    if runs and not fed_others(manifest, runs):
        lost = _sum(counts for run in runs for counts in (run.get("notices"), run.get("rejected"), {"unmatched": run.get("unmatched", 0)}))
        steps = [("records", whole(runs, "records"), {}), ("consumed", manifest["consumed"], lost)]
    else:
        steps = [("records", manifest["records"], {}), ("consumed", manifest["consumed"], manifest["rejected"])]
    steps += [
        ("unique", manifest["unique"], duplicates),
        ("kept", clean["kept"], others),
        ("dataset", manifest["kept"], manifest["dropped"]),
    ]
    first, previous, rows = max(steps[0][1], 1), steps[0][1], []
    for name, count, why in steps:
        rows.append({"name": name, "count": count, "share": count / first, "lost": previous - count, "why": most(why)})
        previous = count
    return rows


def most(counts):
    """What is not zero, most first; the least of many as one."""
    found = sorted(((name, count) for name, count in counts.items() if count), key=lambda item: (-item[1], item[0]))
    return found if len(found) <= REASONS else [*found[: REASONS - 1], ("others", sum(count for _, count in found[REASONS - 1 :]))]


def ledger(manifest, runs):
    """The equations of DESIGN.md with the numbers in them: `{"whole", "value", "parts": [(sign, name, value)], "holds"}`."""
    clean = manifest["clean"]
    duplicates = clean["dropped"].get("duplicate", 0)
    lines = []
    if runs:
        parts = [("", "consumed"), ("+", "notices"), ("+", "rejected"), ("+", "unmatched")]
        lines.append(("ingest", "records", whole(runs, "records"), [(sign, key, whole(runs, key)) for sign, key in parts]))
    lines += [
        ("clean", "records", manifest["records"], [("", "consumed", manifest["consumed"]), ("+", "rejected", total(manifest["rejected"]))]),
        ("clean", "consumed", manifest["consumed"], [("", "kept", clean["kept"]), ("+", "dropped", total(clean["dropped"]))]),
        ("clean", "unique", manifest["unique"], [("", "consumed", manifest["consumed"]), ("−", "duplicate", duplicates)]),
        ("featurize", "read", manifest["read"], [("", "kept", manifest["kept"]), ("+", "dropped", total(manifest["dropped"]))]),
        (
            "splits", "kept", manifest["kept"],
            [("+" if i else "", split, manifest["splits"][split]["rows"]) for i, split in enumerate(in_order(manifest["splits"]))],
        ),
    ]  # fmt: skip
    return [
        {
            "stage": stage, "whole": name, "value": value, "parts": parts,
            "holds": value == sum(-n if sign == "−" else n for sign, _, n in parts),
        }
        for stage, name, value, parts in lines
    ]  # fmt: skip


def fates(manifest, runs):
    """Where every tweet went that is not in the dataset, by stage and reason, most first."""
    stages = [
        ("ingest", "rejected", _sum(run.get("rejected") for run in runs)),
        ("ingest", "notice", _sum(run.get("notices") for run in runs)),
        ("clean", "rejected", manifest["rejected"]),
        ("clean", "dropped", manifest["clean"]["dropped"]),
        ("featurize", "dropped", manifest["dropped"]),
    ]
    lines = [
        {"stage": stage, "how": how, "reason": reason, "count": count}
        for stage, how, counts in stages
        for reason, count in sorted(counts.items())
        if count
    ]
    lines.sort(key=lambda line: -line["count"])
    return [line | {"bar": line["count"] / lines[0]["count"]} for line in lines]


def _sum(counts):
    added = Counter()
    for one in counts:
        added.update(one or {})
    return added


def ranked(counts, of, limit=LISTED):
    """The most frequent names: `{"name", "count", "share", "bar"}`, ties by name."""
    top = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:limit]
    most = top[0][1] if top else 1
    return [{"name": n, "count": c, "share": c / of if of else None, "bar": c / most} for n, c in top]


def terms(pointers):
    counts = _sum(p.get("music_terms") for p in pointers)
    return ranked(counts, sum(p["dropped"].get("music", 0) for p in pointers), 20)


def timeline(pointers):
    """A row per dated partition, in order: `{"partition", "kept", "music", "other"}`, adding up to consumed."""
    rows = []
    for p in sorted(pointers, key=lambda p: p["partition"]):
        if p["partition"] != "unknown":
            music = p["dropped"].get("music", 0)
            rows.append({"partition": p["partition"], "kept": p["kept"], "music": music, "other": total(p["dropped"]) - music})
    return rows


def in_order(splits):
    return sorted(splits, key=lambda split: (ORDER.index(split) if split in ORDER else len(ORDER), split))


def splits(manifest):
    wanted, rows = asked(manifest["arguments"]), []
    for split in in_order(manifest["splits"]):
        count = manifest["splits"][split]["rows"]
        rows.append(
            {
                "name": split,
                "count": count,
                "share": count / manifest["kept"] if manifest["kept"] else 0,
                "asked": wanted.get(split),
            }
        )
    return rows


def tags_and_links(lake, folder, manifest):
    """The most frequent hashtags and domains of links, in at most a million rows."""
    tags, domains, counted = Counter(), Counter(), 0
    for file in manifest["files"]:
        if counted >= COUNTED_ROWS:
            break
        with lake.open(f"{folder}/{file['path']}") as handle:
            for batch in batches(pq.ParquetFile(handle), ["hashtags", "urls"]):
                counted += batch.num_rows
                _tally(tags, pc.utf8_lower(_items(batch, "hashtags")))
                # Only the host: what follows it names pages and people.
                hosts = pc.extract_regex(_items(batch, "urls"), r"^https?://(?:[^/@]*@)?(?:www\.)?(?P<host>[^/?#:]+)")
                _tally(domains, pc.utf8_lower(pc.struct_field(hosts, "host")))
                if counted >= COUNTED_ROWS:
                    break
    return {"hashtags": ranked(tags, counted), "domains": ranked(domains, counted), "counted_rows": counted}


def _items(batch, name):
    values = column(batch, name)
    return pa.array([], pa.string()) if pa.types.is_null(values.type) else pc.list_flatten(values).cast("string")


def _tally(counter, values):
    counted = pc.value_counts(values.drop_null())
    for name, count in zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist()):
        counter[name] += count


# --- gates, cost, the version before ---------------------------------------------------------------------------------


def verdicts(lake, manifest, pointers, run_id):
    """Per gate: how many results were judged, how many passed, and what failed, worst first."""
    wanted = {
        "raw": [raw_fingerprint(pointer["inputs"]) for pointer in pointers],
        "clean": [i["fingerprint"] for i in manifest["inputs"]],
        "dataset": [manifest["fingerprint"]],
    }
    gates, rules = [], described()
    for gate, fingerprints in wanted.items():
        found = each(lake.json_or_none, [f"_meta/gates/{gate}/{f}.json" for f in fingerprints])
        judged = [verdict for verdict in found if verdict]
        failed = {}
        for verdict in judged:
            for f in verdict["failed"]:
                failed.setdefault((f["severity"], f.get("suite", gate), f["column"] or "", f["expectation"]), []).append(
                    verdict.get("partition") or verdict.get("version")
                )
        runs = sorted({verdict["run_id"] for verdict in judged})
        gates.append({
            "name": gate,
            "results": len(fingerprints),
            "judged": len(judged),
            "passed": sum(verdict["success"] for verdict in judged),
            "evaluated": sum(verdict["evaluated"] for verdict in judged),
            "failed": [
                {"severity": s, "suite": suite, "rule": rules.get((suite, e, c, s), f"{c}: {e}"), "where": where[:5], "count": len(where)}
                for (s, suite, c, e), where in sorted(failed.items())
            ],
            "docs": [
                (run, "data_docs/index.html" if run == run_id else f"../{quote(run)}/data_docs/index.html") for run in runs[-5:]
            ],
        })  # fmt: skip
    return gates


def described():
    """(suite, expectation, column, severity) → the rule in words, from the committed suites."""
    rules = {}
    for path in sorted((HERE / "expectations").glob("*.json")):
        for e in json.loads(path.read_text())["expectations"]:
            kwargs = e["kwargs"]
            named = kwargs.get("column") or f"{kwargs['column_A']}, {kwargs['column_B']}"
            rules[path.stem, e["type"], named, e["severity"]] = e["description"].rpartition(" (")[0]
    return rules


def failures(gates):
    """How the gates stand in all: critical and warning failures, and results that nobody judged."""
    severities = Counter(f["severity"] for gate in gates for f in gate["failed"])
    return {
        "critical": severities["critical"],
        "warning": severities["warning"],
        "unjudged": sum(gate["results"] - gate["judged"] for gate in gates),
    }


def spent(runs):
    """Cost and gaps as the ingest runs tell them: a bill for each run that has one, what they come to, and every gap. Nothing where
    no run says anything."""
    bills = [
        {"run": run["run_id"], "requests": run.get("requests", 0), **run["spend"], "again": (run.get("read_again") or {}).get("posts", 0)}
        for run in runs
        if run.get("spend")
    ]
    gaps = [gap | {"run": run["run_id"], "minutes": gap["seconds"] / 60} for run in runs for gap in run.get("gaps") or []]
    if not bills and not gaps:
        return None
    return {
        "bills": bills,
        "total": {key: sum(bill[key] for bill in bills) for key in ("posts", "users", "requests", "again", "usd")},
        "gaps": sorted(gaps, key=lambda gap: (gap["repaired"], gap["since"])),
        "open": sum(not gap["repaired"] for gap in gaps),
    }


def earlier(lake, dataset, version):
    """The version to compare with: the promoted one, or, if that is this one, the one that a run made last before it."""
    current = lake.json_or_none(f"datasets/{dataset}/current.json")
    if current and current["version"] != version:
        return current["version"]
    made = []
    for run in lake.jsons(lake.keys("_meta/runs/featurize/", ".json")):
        outputs = [o if isinstance(o, str) else o["path"] for o in run.get("outputs", [])]
        made += [(run.get("ended") or "", o.split("/")[2]) for o in outputs if o.startswith(f"datasets/{dataset}/")]
    ours = max((ended for ended, v in made if v == version), default=None)
    others = [(ended, v) for ended, v in made if v != version and (ours is None or ended < ours)]
    return max(others)[1] if others else None


def comparison(lake, dataset, manifest):
    version = earlier(lake, dataset, manifest["version"])
    before = version and lake.json_or_none(f"datasets/{dataset}/{version}/manifest.json")
    if not before:
        return None
    rows = [
        (name, count(before), count(manifest), "count")
        for name, count in (
            ("consumed", lambda m: m["consumed"]),
            ("unique", lambda m: m["unique"]),
            ("kept by clean", lambda m: m["clean"]["kept"]),
            ("rows", lambda m: m["kept"]),
        )
    ]
    rows += [
        (name, _share(part(before), before[of]), _share(part(manifest), manifest[of]), "share")
        for name, part, of in (
            ("duplicates of consumed", lambda m: m["clean"]["dropped"].get("duplicate", 0), "consumed"),
            ("music of unique", lambda m: m["clean"]["dropped"].get("music", 0), "unique"),
            ("rows of consumed", lambda m: m["kept"], "consumed"),
        )
    ]
    both = _sum([before.get("languages"), manifest.get("languages")])
    rows += [
        (f"language {code}", *(_share((m.get("languages") or {}).get(code, 0), m["kept"]) for m in (before, manifest)), "share")
        for code, _ in sorted(both.items(), key=lambda item: (-item[1], item[0]))[:5]
    ]
    return {"version": version, "rows": rows}


def _share(part, of):
    return part / of if of else None


# --- the review sample -------------------------------------------------------------------------------------------------


def look(lake, pointers):
    """The tweets next to the music threshold on either side, and how the scores lie around it."""
    limits = sorted({float(t) for t in map(threshold, pointers) if t is not None})
    sides = {"dropped": Nearest(smallest=True), "kept": Nearest(smallest=False)}
    counts = {"kept": np.zeros(BINS, dtype=int), "dropped": np.zeros(BINS, dtype=int)}
    # Twice the threshold on the right: what lies beyond is in the last bin.
    right = 2 * max(limits, default=3)
    edges = np.linspace(0, right, BINS + 1)
    for pointer in sorted(pointers, key=lambda p: p["partition"]):
        for side, file in (("kept", "tweets.parquet"), ("dropped", "dropped.parquet")):
            try:
                handle = lake.open(f"{pointer['path']}/{file}")
            except Missing:
                continue  # swept since; the gate is where that fails
            with handle:
                for scores in read_side(pq.ParquetFile(handle), side, sides[side]):
                    counts[side] += np.histogram(np.clip(scores, 0, right - 1e-6), edges)[0]
    review = {side: nearest.tweets() for side, nearest in sides.items()}
    return review, {"edges": edges.tolist(), "limits": limits, **{side: c.tolist() for side, c in counts.items()}}


def read_side(parquet, side, nearest):
    """Offers the tweets of a file to the sample, row group by row group; yields their scores."""
    for group in range(parquet.num_row_groups):
        names = [n for n in ("tweet_id", "music_score", "drop_reason") if n in parquet.schema_arrow.names]
        rows = parquet.read_row_group(group, columns=names)
        keep = np.ones(rows.num_rows, dtype=bool)
        if side == "dropped":
            keep = pc.equal(rows["drop_reason"].cast("string"), "music").fill_null(False).to_numpy()
        scores = rows["music_score"].cast("float64").to_numpy()
        keep &= ~np.isnan(scores)
        places = nearest.choose(scores, hashes(rows["tweet_id"].cast("string").combine_chunks()), keep)
        if places:
            shown = parquet.read_row_group(group, columns=["text", "music_terms", "lang", "created_at", "tweet_id"])
            for place, rank in places:
                nearest.add(rank, shown.slice(place, 1).to_pylist()[0] | {"score": float(scores[place])})
        yield scores[keep]


class Nearest:
    """The rows with the smallest (or the greatest) scores; ties by the hash of the id, so that no day comes first."""

    def __init__(self, smallest):
        self.sign, self.heap = (1 if smallest else -1), []

    def choose(self, scores, ids, keep):
        """`(row, rank)` of the rows of this lot that may be among the nearest, best first; a rank is smaller the nearer."""
        places = np.flatnonzero(keep)
        order = places[np.lexsort((ids[places], self.sign * scores[places]))][:CANDIDATES]
        ranks = [(int(place), (float(self.sign * scores[place]), int(ids[place]))) for place in order]
        worst = max(rank for rank, _ in self.heap) if len(self.heap) >= REVIEWED else None
        return [(place, rank) for place, rank in ranks if worst is None or rank < worst]

    def add(self, rank, row):
        # The same words twice teach a reviewer nothing: the nearer one stays.
        others = [pair for pair in self.heap if pair[1]["text"] != row["text"]]
        same = [pair for pair in self.heap if pair[1]["text"] == row["text"]]
        nearer = min([*same, (rank, row)], key=lambda pair: pair[0])
        self.heap = heapq.nsmallest(REVIEWED, [*others, nearer], key=lambda pair: pair[0])

    def tweets(self):
        return [
            {
                "id": row["tweet_id"],
                "text": row["text"] or "",
                "score": row["score"],
                "terms": row["music_terms"] or [],
                "lang": row["lang"],
                "when": row["created_at"].strftime("%Y-%m-%d %H:%M") if row["created_at"] else "undated",
            }
            for _, row in self.heap
        ]
