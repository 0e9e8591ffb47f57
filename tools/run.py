"""`make run`: compiles the programs, installs what Airflow and the gates need, and runs the DAG once, on this machine.

A person sees one line a step; everything that the steps print goes to .airflow/run.log. Needs nothing but Python.
A search or a stream without a token for X comes from the double of X instead, which this program starts and says so.
"""

import glob
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections import deque
from contextlib import contextmanager, nullcontext
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".airflow"
LOG = HOME / "run.log"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[\w+ *\] ")
TASK = re.compile(r"\[DAG TEST\] (starting|end) task(?:_id| task_id)=(\w+) map_index=(-?\d+)")


MADE_UP = "made up by the double of X in crates/x-server, for X_BEARER_TOKEN is not set"
"""Where tweets come from that nobody wrote."""
ASK_X = "To ask X itself, which charges for what it delivers: X_BEARER_TOKEN=… OFFKEY_MAX_SPEND_USD=5 make run SOURCE={source}"


class Failed(Exception):
    """A step ended badly; what it said is the message."""


def main() -> int:
    HOME.mkdir(exist_ok=True)
    LOG.write_bytes(b"")
    alone = without_x(os.environ)
    try:
        form, told = parameters(os.environ), {}
        if alone:
            say(f"The tweets of this run are {MADE_UP}.\n{ASK_X.format(source=os.environ['SOURCE'])}")
        seconds = {
            "build": timed("build", lambda: command([*make(), "build"], progress=compiled)),
            "Python": timed("Python", lambda: command([*make(), "venv"])),
            "Airflow": timed("Airflow", migrate),
        }
        if os.environ["RUNNER"] == "docker":
            seconds["images"] = timed("images", lambda: command([*make(), "images"]))
        with double() if alone else nullcontext():
            seconds["DAG"] = timed("DAG", lambda: told.update(dag(form)))
    except Failed as failure:
        print(f"{failure}\nlog: {LOG}", file=sys.stderr)
        return 1
    print(ending(told, seconds))
    if alone:
        print(f"All of its tweets are {MADE_UP}.")
    return 0


def without_x(given) -> bool:
    """Whether a run wants X and has no token for it."""
    return given["SOURCE"] in ("search", "stream") and not given.get("X_BEARER_TOKEN")


@contextmanager
def double():
    """A double of X on this machine for as long as a run lasts: of each of the last six days it has 4,000 tweets, and it streams
    another 200 a second."""
    with LOG.open("a") as log:
        process = subprocess.Popen(
            [Path(os.environ["OFFKEY_BIN_DIR"]) / "x-server", "--tweets", "24000", "--live", "20000", "--rate", "200"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            found = re.fullmatch(r"listening on (\S+)\n", process.stdout.readline())
            if not found:
                raise Failed("error: the double of X does not start")
            os.environ.update(OFFKEY_API_URL=found[1], X_BEARER_TOKEN="offkey-test-token")
            yield
        finally:
            process.terminate()
            process.wait()


def parameters(given) -> dict:
    """The DAG's parameters from what `make run` was called with. Places are made absolute, for no step shares our folder."""
    if given["RUNNER"] not in ("local", "docker"):
        raise Failed(f"error: RUNNER is local or docker, not {given['RUNNER']}\nhint: kubernetes is for an Airflow of yours, see README.md")
    inputs = [found for word in shlex.split(given["INPUT"]) for found in sorted(glob.glob(word)) or [word]]
    alone = without_x(given)
    if alone and given["RUNNER"] == "docker":
        raise Failed("error: there is no token for X, and its double cannot be reached from containers\nhint: set X_BEARER_TOKEN, or RUNNER=local")
    form = {
        "source": given["SOURCE"],
        "input": [absolute(path) for path in inputs] if given["SOURCE"] == "file" else [],
        "track": [phrase for phrase in given["TRACK"].split(",") if phrase],
        "for": given["FOR"] or ({"stream": "20s" if alone else "10m"}.get(given["SOURCE"], "")),
        "lake": absolute(given["LAKE"] or ("lake-double" if alone else "lake")),
        "name": given["NAME"],
        "languages": given["LANGUAGES"],
        "music_preset": given["MUSIC"],
    }
    for path in form["input"]:
        if not path.startswith("s3://") and not os.path.exists(path):
            raise Failed(f"error: {path} is not there\nhint: make run INPUT=FILE, or several: INPUT='A B'")
    return {name: value for name, value in form.items() if value}


def absolute(place: str) -> str:
    return place if place.startswith("s3://") else os.path.abspath(place)


def make() -> list[str]:
    return [os.environ.get("MAKE", "make"), "--no-print-directory", "-C", str(ROOT)]


def migrate():
    """Makes Airflow's database, if it is not there or of another version."""
    done, lock = HOME / "migrated", (ROOT / "requirements/run.txt").read_text()
    if not done.exists() or done.read_text() != lock:
        command([str(ROOT / ".venv/bin/airflow"), "db", "migrate"])
        done.write_text(lock)


def dag(form: dict) -> dict[str, dict]:
    """Runs the DAG to its end, with a line for each task. Returns the tasks' summaries."""
    summaries, begun, complaints, failures = {}, {}, [], []

    def watch(line: str):
        message = STAMP.sub("", line).strip()
        if found := TASK.search(line):
            event, task, index = found.groups()
            label = task if index == "-1" else f"{task} {int(index) + 1}"
            if event == "starting":
                begun[label] = time.monotonic()
                complaints.clear()
            else:
                say(f"  {label:<13} {time.monotonic() - begun[label]:5.1f} s  {counts(summaries.get(label, {}))}")
        elif message.startswith('{"stage"'):
            summaries[list(begun)[-1]] = json.JSONDecoder().raw_decode(message)[0]
        elif message.startswith(("error: ", "hint: ", "critical: ")):
            complaints.append(message.rpartition(" [")[0] or message)
        elif " failed at try " in message:
            failures.append("\n".join([f"{list(begun)[-1]} failed", *complaints]))
        elif message.startswith("what: ") and failures and not complaints:
            failures[-1] += "\n" + message.removeprefix("what: ").strip()

    words = ["dags", "test", "tweets", "--conf", json.dumps(form)]
    try:
        command([str(ROOT / ".venv/bin/airflow"), *words], watch=watch)
    except Failed as failure:
        raise Failed("\n".join(failures) or str(failure)) from None
    return summaries


def counts(summary: dict) -> str:
    """The headline of a stage's summary."""
    return "  ".join(f"{name} {summary[name]:,}" for name in ("consumed", "unique", "kept", "judged", "evaluated") if name in summary)


def environment() -> dict[str, str]:
    """This environment, with an Airflow of the project's own in it."""
    ours = {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "OFFKEY_RETRIES": "0",  # whoever sits before it tries again
    }
    if os.environ["RUNNER"] == "docker":
        folders = {os.path.dirname(path) for path in (absolute(os.environ["LAKE"] or "lake"), *shlex.split(os.environ["INPUT"]))}
        ours["OFFKEY_FOLDERS"] = os.pathsep.join([str(ROOT), *map(absolute, sorted(folders))])
        if os.geteuid() != 0:
            ours["OFFKEY_CONTAINER_USER"] = f"{os.getuid()}:{os.getgid()}"
        if urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in ("127.0.0.1", "::1", "localhost"):
            ours["OFFKEY_NETWORK"] = "host"  # a container has a loopback of its own
    return ours | {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}


def command(words: list[str], watch=None, progress=None):
    """Runs a command, its output going to the log and, line by line, to `watch`. Shows how far it is by `progress`."""
    last, shown, lines = deque(maxlen=30), time.monotonic(), 0
    with LOG.open("a") as log:
        log.write(f"$ {words}\n")
        process = subprocess.Popen(
            words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="backslashreplace"
        )
        for line in process.stdout:
            log.write(line)
            log.flush()
            last.append(line)
            lines += 1
            if watch:
                watch(line.rstrip())
            if progress and time.monotonic() - shown > 20:
                shown = time.monotonic()
                say(f"  {progress(line, lines)}")
        if process.wait() != 0:
            raise Failed(f"error: {words[0]} ended with exit code {process.returncode}\n{''.join(last)}")


def compiled(line: str, lines: int) -> str:
    return f"{lines} crates begun, now {' '.join(line.split()[1:2])}"


def timed(name: str, step) -> float:
    """Does a step and returns its seconds."""
    say(name)
    begun = time.monotonic()
    step()
    return time.monotonic() - begun


def say(line: str):
    print(line, flush=True)


def ending(told: dict[str, dict], seconds: dict[str, float]) -> str:
    """What a person wants to know at the end: two counts, where everything is, and what took how long."""
    lines, total, made = [""], sum(seconds.values()), told.get("featurize")
    if made:
        lines.append(f"{made['consumed']:,} tweets consumed, {made['unique']:,} of them unique; {made['kept']:,} in the dataset")
        folder = made["manifest"].removesuffix("/manifest.json")
        docs = [told[gate].get("docs") for gate in ("gate_dataset", "gate_clean", "gate_raw") if gate in told]
        places = {
            "dataset": f"{folder}/data",
            "manifest": made["manifest"],
            "Data Docs": next(filter(None, docs), "nothing was judged anew: see an earlier run"),
            "report": told.get("report", {}).get("report", ""),
        }
        lines += [f"  {name:<10} {place}" for name, place in places.items()]
    else:
        lines.append("nothing new to make a dataset from")
    lines.append(f"  {'log':<10} {LOG}")
    lines.append(f"{total:.0f} s: " + ", ".join(f"{name} {took:.0f} s ({took / total:.0%})" for name, took in seconds.items()))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
