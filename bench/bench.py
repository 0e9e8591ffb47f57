"""What each stage costs, on many tweets: CPU seconds, wall time, peak memory, tweets per CPU second. See README.md here.

Standard library only, and small: the kernel's peak of a child begins with what its parent held.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
STAGES = ["ingest", "clean", "featurize"]
PEERS = {"c_polars": "Polars", "d_duckdb": "DuckDB"}
# What the peers read. `clean` reads raw parts, which are zstd.
INPUTS = {"": "plain", ".zst": "zstd"}


def measure(words: list[str], folder: Path) -> dict:
    """Runs a program to its end. CPU and memory are the kernel's own count for it and for the children it waited for."""
    begun = time.monotonic()
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}  # the peers' folder is not ours to write to
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=folder, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{words[0]} ended with exit code {process.returncode}:\n{(folder / 'stderr').read_text()[-2000:]}")
    return {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.monotonic() - begun, "peak": usage.ru_maxrss / 1024}


def amplified(given, count: int, folder: Path) -> Path:
    """The input: `count` tweets, made once and kept."""
    made = folder / f"{'real' if given.data else 'sample'}-{count}.jsonl"
    if made.exists():
        return made
    part = made.with_suffix(".part")
    print(f"writing {made.name}", flush=True)
    if given.data:
        base = folder / "base.jsonl"
        unpack = "import sys, zstandard as z; z.ZstdDecompressor().copy_stream(open(sys.argv[1], 'rb'), open(sys.argv[2], 'wb'))"
        subprocess.run([sys.executable, "-c", unpack, given.data, base], check=True)
        words = [sys.executable, f"{given.peers}/amplify.py", base, part, count]
    else:
        words = [sys.executable, HERE / "amplify.py", part, count]
    subprocess.run(list(map(str, words)), check=True, stdout=subprocess.DEVNULL)
    return part.rename(made)


def ours(tweets: Path, folder: Path) -> dict[str, dict]:
    """The three stages over a new lake, one after the other. Retweets stay rows of their own, as the peers have them."""
    lake, found = folder / "lake", {}
    shutil.rmtree(lake, ignore_errors=True)
    flags = {"ingest": ["--source", "file", "--input", str(tweets)], "clean": ["--retweets", "keep"], "featurize": ["--name", "bench"]}
    for stage in STAGES:
        found[stage] = measure([program(stage), "--lake", str(lake), *flags[stage]], folder)
        found[stage] |= told(folder)
    return found


def program(stage: str) -> str:
    return f"{os.environ['OFFKEY_BIN_DIR']}/{stage}"


def told(folder: Path) -> dict:
    """The counts of the summary that a program left."""
    summary = json.loads((folder / "stdout").read_text().splitlines()[-1])
    return {name: summary[count] for name, count in (("tweets", "consumed"), ("unique", "unique"), ("kept", "kept"))}


def alone(given, rows: int, folder: Path) -> dict[str, dict]:
    """Featurize over this many clean rows, made of those of the last lake; of the fewest rows the same columns by a script too."""
    lake, found = folder / f"rows-{rows}", {}
    shutil.rmtree(lake, ignore_errors=True)
    subprocess.run([sys.executable, HERE / "multiply.py", folder / "lake", lake, str(rows)], check=True)
    for _ in range(given.repeat if rows == given.rows[0] else 1):
        for near, flags in (("with near copies", []), ("without", ["--near-copies", "none"])):
            run = measure([program("featurize"), "--lake", str(lake), "--name", "bench", *flags], folder)
            found.setdefault(f"featurize, {near}", []).append(run | told(folder))
            shutil.rmtree(lake / "datasets")
            if rows == given.rows[0]:
                words = [str(HERE / "featurize_polars.py"), str(lake), str(folder / "columns"), *flags[1:]]
                run = measure([sys.executable, *words], folder)
                counts = json.loads((folder / "columns/counts.json").read_text())
                found.setdefault(f"Polars in Python, {near}", []).append(run | {"tweets": rows, "kept": counts["kept"]})
    shutil.rmtree(lake)
    return {name: middle([{key: run[key] for key in ("cpu", "wall", "peak", "tweets", "kept")} for run in runs]) for name, runs in found.items()}


def packed(tweets: Path) -> Path:
    """The input as zstd, as raw parts are: level 1, made once and kept."""
    made = tweets.with_name(tweets.name + ".zst")
    if not made.exists():
        pack = "import sys, zstandard as z; z.ZstdCompressor(level=1).copy_stream(open(sys.argv[1], 'rb'), open(sys.argv[2], 'wb'))"
        subprocess.run([sys.executable, "-c", pack, tweets, part := made.with_suffix(".part")], check=True)
        part.rename(made)
    return made


def warm(file: Path):
    """Into the page cache."""
    with file.open("rb") as opened:
        while opened.read(1 << 24):
            pass


def peer(name: str, given, tweets: Path, folder: Path) -> dict:
    """One script of the peers' folder over the same tweets."""
    out = folder / name
    words = [sys.executable, f"{given.peers}/{name}.py", str(tweets), str(out), "--lang", given.peer_language]
    found = measure(words, folder)
    counts = json.loads(Path(f"{out}.counts.json").read_text())
    return found | {"tweets": counts["consumed"], "unique": counts["unique"], "kept": counts["kept"]}


def middle(runs: list[dict]) -> dict:
    """The median of each figure."""
    return {name: median(run[name] for run in runs) for name in runs[0]}


def row(name: str, run: dict) -> str:
    speed = run["tweets"] / run["cpu"]
    return f"| {name} | {speed:,.0f} | {run['cpu']:.1f} | {run['wall']:.1f} | {run['peak']:,.0f} | {run['kept']:,.0f} |"


def together(runs: dict[str, dict]) -> dict:
    """Our stages as one: the costs added, the greatest peak."""
    parts = [runs[stage] for stage in STAGES]
    whole = {name: sum(part[name] for part in parts) for name in ("cpu", "wall")}
    return whole | {"peak": max(part["peak"] for part in parts), "tweets": parts[0]["tweets"], "kept": parts[-1]["kept"]}


def grown(runs: dict[int, dict[str, dict]]) -> list[str]:
    """Featurize by itself, in Markdown: what it costs by rows, and what a further row does."""
    lines = ["", "| clean rows | | rows per CPU second | CPU s | wall s | peak MB | bytes a further row |", "|---|---|---|---|---|---|---|"]
    fewest = min(runs)
    for rows, found in runs.items():
        for name, run in found.items():
            more = (run["peak"] - runs[fewest][name]["peak"]) * 2**20 / (rows - fewest) if rows > fewest else None
            cells = [f"{rows / run['cpu']:,.0f}", f"{run['cpu']:.1f}", f"{run['wall']:.1f}", f"{run['peak']:,.0f}"]
            lines.append(f"| {rows:,} | {name} | {' | '.join(cells)} | {'' if more is None else f'{more:,.0f}'} |")
    return lines


def table(given, runs: dict[str, list[dict]], twice: dict[str, dict] | None, by_rows: dict[int, dict], size: int) -> str:
    """The figures in Markdown."""
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    cpu = next((line.split(": ")[1] for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine().strip())
    found = {name: middle(measured) for name, measured in runs.items()}
    lines = [
        f"{given.tweets:,} tweets, {size / 1e9:.2f} GB, amplified from {'real tweets' if given.data else 'the bundled sample'}; "
        f"medians of {given.repeat}; {os.cpu_count()} cores ({cpu.strip()}); {datetime.now(UTC):%Y-%m-%d}; commit {commit.stdout.strip()}",
        "",
        "| | tweets per CPU second | CPU s | wall s | peak MB | kept |",
        "|---|---|---|---|---|---|",
        *(row(stage, found[stage]) for stage in STAGES),
        row("the three together", together(found)),
        *(
            row(f"{label}, the job of clean, from {form}, language by {given.peer_language}", found[name + suffix])
            for name, label in PEERS.items()
            for suffix, form in INPUTS.items()
            if name + suffix in found
        ),
    ]
    if twice:
        lines += ["", f"| peak MB | {given.tweets:,} | {2 * given.tweets:,} | bytes a further tweet |", "|---|---|---|---|"]
        for stage in STAGES:
            once, double = found[stage]["peak"], twice[stage]["peak"]
            lines.append(f"| {stage} | {once:,.0f} | {double:,.0f} | {(double - once) * 2**20 / given.tweets:,.0f} |")
    if by_rows:
        lines += grown(by_rows)
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tweets", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--data", help="real tweets (v1.1, one a line, zstd) to amplify with the peers' amplify.py")
    parser.add_argument("--peers", help="folder of amplify.py, c_polars.py and d_duckdb.py")
    parser.add_argument("--peer-language", default="pycld2", help="their language detector; none: they do not look for it")
    parser.add_argument("--rows", type=lambda text: sorted(map(int, filter(None, text.split(",")))), default=[], help="clean rows for featurize alone")
    parser.add_argument("--no-growth", action="store_true", help="leave out the run on twice as many")
    given = parser.parse_args()
    if bool(given.data) != bool(given.peers):
        parser.error("--data and --peers go together: the peers read v1.1 only, and their amplify.py makes it")

    folder = Path(os.environ["CARGO_TARGET_DIR"]).resolve() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    tweets, runs = amplified(given, given.tweets, folder), defaultdict(list)
    for number in range(given.repeat):
        warm(tweets)
        found = ours(tweets, folder)
        for suffix, file in zip(INPUTS, (tweets, packed(tweets))) if given.peers else ():
            warm(file)
            found |= {name + suffix: peer(name, given, file, folder) for name in PEERS}
        counted = {name: (run["tweets"], run["unique"]) for name, run in found.items()}
        if len(set(counted.values())) != 1:
            sys.exit(f"they do not count the same tweets and unique tweets, so their times cannot be compared: {counted}")
        for name, run in found.items():
            runs[name].append(run)
        print(f"{number + 1}: " + ", ".join(f"{name} {run['cpu']:.1f} CPU s, {run['peak']:.0f} MB" for name, run in found.items()), flush=True)
    by_rows = {rows: alone(given, rows, folder) for rows in given.rows}
    twice = None if given.no_growth else ours(amplified(given, 2 * given.tweets, folder), folder)
    shutil.rmtree(folder / "lake")
    said = table(given, runs, twice, by_rows, tweets.stat().st_size)
    results = HERE / "results" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.md"
    results.parent.mkdir(exist_ok=True)
    results.write_text(said)
    print(f"\n{said}\n{results}")


if __name__ == "__main__":
    main()
