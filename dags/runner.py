"""One step of the road: a program of Offkey, run in a container, in a pod (`RUNNER=kubernetes`) or as a process of this
machine (`RUNNER=local`).

All runners give a program the same arguments, read its exit code by the same table and take the same thing from
its output: the summary, the last line that is a JSON object with a `stage`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path

import interval
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from airflow.sdk.observability import stats

ROOT = Path(__file__).resolve().parent.parent
"""The project."""

GRACE = 4.5
"""Seconds from SIGTERM to SIGKILL. Airflow kills the task itself after 5, and what lives on then has no one to end it."""

TAIL = 500
"""Lines of output kept in memory for the summary and the hint. All of them go to the task's log."""

NOTHING_TO_DO = 99

EXITS = {
    2: ("usage", "the DAG and the program disagree about a flag: compare `--help` with dags/tweets.py"),
    65: ("bad input", "the log names the input, or the expectation that failed; the Data Docs have the details"),
    66: ("missing input", "check `input` and `lake`; with containers, that the folder may be mounted (OFFKEY_FOLDERS)"),
    69: ("source unavailable", "tried again with growing pauses; see the source's status page if it stays"),
    70: ("a bug of ours", "nothing was committed; file an issue with this log and the run's manifest"),
    73: ("another run was first", "tried again with growing pauses: the other run's work is looked at then"),
    74: ("storage I/O", "tried again with growing pauses; check space, rights and the endpoint"),
    75: ("rate or spend limit", "raise `max_spend_usd`, or start the run again after the reset that the log names"),
    77: ("credentials", "set X_BEARER_TOKEN or the AWS_ variables of the worker; they may have expired"),
    78: ("configuration", "the log names the setting"),
    NOTHING_TO_DO: ("nothing to do", "no mend needed"),
    143: ("terminated", "stopped from outside; tried again"),
}
"""The programs' exit codes: what each means, and what a person can do about it."""

RETRYABLE = {69, 73, 74, 143}
"""Codes that may pass by themselves. A code that is not in the table (137: out of memory) is tried again as well."""

SECRETS = {
    "ingest": ("X_BEARER_TOKEN",),
    "clean": ("OFFKEY_PSEUDONYM_KEY",),
    None: ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
}
"""Variables with secrets, by the program that gets them; those under None go to all."""

FILES = ("input", "profile", "lexicon", "locations")
"""Parameters that name files to read: a container gets these, and nothing else of the machine, beside its lake."""

BEHAVIOUR = ("OFFKEY_THREADS", "OFFKEY_LOG", "OFFKEY_API_URL", "OFFKEY_JETSTREAM_URL")
"""Variables of the programs that are no parameters of a run: how a program works, and where its sources are."""

SETTINGS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "HTTPS_PROXY", "NO_PROXY", *BEHAVIOUR)
"""Variables of the worker that every container gets beside its secrets."""

COUNTS = ("records", "consumed", "unique", "read", "kept", "evaluated")
"""Numbers of a summary that become metrics."""


class StepFailed(AirflowException):
    """A program ended with an exit code that may pass: the task is tried again. `code` is the exit code."""

    def __init__(self, message: str, code: int):
        super().__init__(message)
        self.code = code


class StepRefused(AirflowFailException):
    """A program ended with an exit code that will not pass by itself. `code` is the exit code."""

    def __init__(self, message: str, code: int):
        super().__init__(message)
        self.code = code


class Step(BaseOperator):
    """What the runners share: the command line, the run id, and what an exit code and a summary come to.

    :param program: `ingest`, `clean`, `featurize`, or `quality` (Python with Great Expectations).
    :param words: positional arguments (templated).
    :param options: names of run parameters that become flags as they are; no template engine sees their values.
    :param flags: further flags (templated). An empty value leaves the flag out, a list repeats it.
    :param each: further flags of this map index.
    :param begin: is asked with the run's parameters before anything runs, and raises where nothing shall.
    :param take: the key of the summary that becomes the XCom; the whole summary without it.
    """

    template_fields: Sequence[str] = ("words", "flags")
    template_ext: Sequence[str] = ()

    def __init__(
        self,
        *,
        program: str,
        words: list[str],
        options: Iterable[str] = (),
        flags: dict | None = None,
        each: dict | None = None,
        begin: Callable[[dict], None] | None = None,
        take: str | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.program = program
        self.words = words
        self.options = list(options)
        self.flags = flags or {}
        self.each = each or {}
        self.begin = begin
        self.take = take

    def asked(self, context) -> dict:
        """The run's parameters, with its time in the names of its inputs."""
        params = dict(context["params"])
        if self.begin:  # not as Airflow's pre_execute: its page folds away what is said there
            self.begin(params)
        if "input" in self.options:
            params["input"] = [interval.filled(path, context.get("dag_run")) for path in params["input"] or []]
        return params

    def command_line(self, params) -> list[str]:
        """The words, then `--flag=value`; a value can hold anything, for no shell reads it."""
        flags = {name: params[name] for name in self.options} | self.flags | self.each
        return [*self.words, *(word for name, value in flags.items() for word in as_flag(name, value))]

    @property
    def batch(self) -> str:
        """What a mapped task is called in Airflow's pages: the first of its partitions, and how many more there are."""
        names = self.each.get("partition", [])
        return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

    def run_id(self, context) -> str:
        """The run's id; the batches of a mapped task add their index, for each writes a manifest of its own."""
        index = context["ti"].map_index
        return context["run_id"] if index is None or index < 0 else f"{context['run_id']}-{index}"

    def finish(self, code: int, lines: Iterable[str], context):
        """The task's result for a program that ended with `code` after printing `lines`."""
        lines = list(lines)
        if code == NOTHING_TO_DO:
            raise AirflowSkipException(f"{self.program}: nothing to do")
        if code != 0:
            meaning, mend = EXITS.get(code, ("not a code of ours", "see the end of the log; 137 is out of memory"))
            mend = next((hint for line in reversed(lines) if (hint := line.partition("hint: ")[2])), mend)
            failure = StepRefused if code in EXITS and code not in RETRYABLE else StepFailed
            raise failure(f"{self.program} ended with exit code {code} ({meaning}). hint: {mend}", code)
        summary = next((found for line in reversed(lines) if (found := as_summary(line))), None)
        if summary is None:
            raise StepRefused(f"{self.program} ended with exit code 0 but printed no summary. hint: {EXITS[70][1]}", 70)
        for name in COUNTS:
            if name in summary:
                stats.gauge(f"offkey.{self.task_id}.{name}", summary[name], tags={"dag_id": context["ti"].dag_id})
        for asset in self.outlets:
            context["outlet_events"][asset].extra = summary
        return summary[self.take] if self.take else summary


class Process(Step):
    """A step as a process of this machine, in a process group of its own."""

    process: subprocess.Popen | None = None

    def execute(self, context):
        """Runs the program, its output going to the log line by line."""
        command = [*local_command(self.program), *self.command_line(self.asked(context))]
        if self.program == "quality":
            command[1] = str(quality_folder() / command[1])
        self.log.info("%s", command)
        try:
            self.process = subprocess.Popen(
                command,
                env=local_environment(self.program) | {"OFFKEY_RUN_ID": self.run_id(context)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="backslashreplace",
                start_new_session=True,
            )
        except FileNotFoundError as error:
            raise StepRefused(f"{error}. hint: `make build`, or name the folder in OFFKEY_BIN_DIR", 78) from None
        lines: deque[str] = deque(maxlen=TAIL)
        try:
            for line in self.process.stdout:
                lines.append(line.rstrip())
                self.log.info("%s", lines[-1])
            code = self.process.wait()
        except BaseException:  # Ctrl-C and the task's timeout are no Exceptions, and the program must not outlive them
            self.on_kill()
            raise
        return self.finish(128 - code if code < 0 else code, lines, context)

    def on_kill(self):
        """Ends the program and its children: SIGTERM, then SIGKILL."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def step(task_id: str, program: str, *words: str, each=None, **arguments):
    """A task that runs `program`. With `each` (a list of further flags, made by a task before it) one task for each of them."""
    match os.environ.get("RUNNER", "docker"):  # the client of an engine or a cluster is imported only where it is needed
        case "local":
            operator = Process
        case "docker":
            from container import Container as operator
        case "kubernetes":
            from pod import Pod as operator
        case other:
            raise ValueError(f"RUNNER is {other!r}. hint: local, docker or kubernetes")
    arguments |= {"task_id": task_id, "program": program, "words": list(words)}
    if each is None:
        return operator(**arguments)
    return operator.partial(map_index_template="{{ task.batch }}", **arguments).expand(each=each)


def explain(context):
    """Failure callback: says in the task's log what happened, what it means and where to look."""
    ti, error, lake = context["ti"], context.get("exception"), context["params"]["lake"]
    batch = f" (batch {ti.map_index}: {ti.task.batch})" if ti.map_index >= 0 else ""
    ti.task.log.info("::endgroup::")  # Airflow's page folds away what comes after a task, and this is what one looks for
    ti.task.log.error(
        "%s%s of run %s failed at try %s.\n  what:  %s\n  log:   %s\n  pages: %s\n  again: clear the task; committed work is kept",
        ti.task_id,
        batch,
        context["run_id"],
        ti.try_number,
        error if isinstance(error, (StepFailed, StepRefused)) else repr(error),
        ti.log_url,
        f"{lake}/_meta/reports/{context['run_id']}/ (report.html, data_docs/index.html: as far as the run came)",
    )


DEFAULTS = {
    "owner": "offkey",
    "retries": int(os.environ.get("OFFKEY_RETRIES", "3")),
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=1),
    "on_failure_callback": explain,
    "trigger_rule": "none_failed",  # a skipped step had nothing to do
}
"""What every task is given."""


def image(program: str) -> str:
    """A program's image: a whole reference (by digest, say) from `OFFKEY_IMAGE_<PROGRAM>`, else prefix, program and tag."""
    prefix, tag = os.environ.get("OFFKEY_IMAGE_PREFIX", "offkey/"), os.environ.get("OFFKEY_IMAGE_TAG", "latest")
    return os.environ.get(f"OFFKEY_IMAGE_{program.upper()}", f"{prefix}{program}:{tag}")


def user() -> str:
    """Who a program is inside its container: no account of the image, or, to write into a folder of yours, yourself."""
    return os.environ.get("OFFKEY_CONTAINER_USER", "65532:65532")


def paths(value: str | list[str] | None) -> list[str]:
    """The paths in a parameter that names one, some or none."""
    return [value] if isinstance(value, str) and value else list(value or [])


def as_flag(name: str, value) -> list[str]:
    """`max_tweets`, 5 → `--max-tweets=5`; True → the flag alone; None, False, "" → no flag; a list → a flag for each item."""
    flag = "--" + name.replace("_", "-")
    if value is True:
        return [flag]
    values = value if isinstance(value, list) else [value]
    return [f"{flag}={item}" for item in values if item is not None and item is not False and item != ""]


def as_summary(line: str) -> dict | None:
    """The summary in a line of output, if it is one."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "stage" in value else None


def local_command(program: str) -> list[str]:
    """What starts a program on this machine."""
    if program == "quality":
        return [sys.executable]
    return [str(Path(os.environ.get("OFFKEY_BIN_DIR", ROOT / "target/release")) / program)]


def quality_folder() -> Path:
    """Where check.py and report.py stand on this machine."""
    return Path(os.environ.get("OFFKEY_QUALITY_DIR", ROOT / "great_expectations"))


def local_environment(program: str) -> dict[str, str]:
    """This process's environment, less Airflow's settings, the form's defaults and the secrets of other programs."""
    others = {name for owner, names in SECRETS.items() if owner not in (None, program) for name in names}
    ours = {*BEHAVIOUR, *SECRETS.get(program, ())}
    return {
        name: value
        for name, value in os.environ.items()
        if name in ours or (not name.startswith(("AIRFLOW", "_AIRFLOW", "OFFKEY_")) and name not in others)
    }
