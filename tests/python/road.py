"""The whole road from a shell, for tests: each program started as a person would start it."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUALITY = ROOT / "great_expectations"
NAME = "sample"


class Road:
    """A lake, and the programs over it. Keeps what they said: `said` by step, the summaries in `summaries`."""

    def __init__(self, programs: Path, lake, folder=None, **environment: str):
        self.programs, self.lake = programs, lake
        self.folder = Path(folder or lake)
        """Where the lake's files lie on this machine, also when it is reached as S3."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("OFFKEY_", "AWS_"))}
        self.environment = ours | environment
        self.summaries: dict[str, dict] = {}
        self.said: dict[str, str] = {}

    def run(self, step: str, *words, code: int = 0) -> dict:
        """Runs one step to the exit code that it must end with. Returns its summary."""
        program, *words = map(str, words)
        command = [sys.executable, str(QUALITY / program)] if program.endswith(".py") else [str(self.programs / program)]
        done = subprocess.run(
            [*command, *words], env=self.environment, capture_output=True, text=True, errors="surrogateescape", timeout=600, check=False
        )
        self.said[step] = done.stdout + done.stderr
        assert done.returncode == code, f"{step} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
        if code == 0:
            self.summaries[step] = json.loads(done.stdout.splitlines()[-1])
        return self.summaries.get(step, {})

    def ingest(self, inputs, *more) -> dict:
        return self.run("ingest", "ingest", "--source", "file", "--lake", self.lake, "--input", *inputs, *more)

    def clean(self, *more, code: int = 0) -> dict:
        return self.run("clean", "clean", "--lake", self.lake, *more, code=code)

    def featurize(self, *more) -> dict:
        return self.run("featurize", "featurize", "--lake", self.lake, "--name", NAME, *more)

    def check(self, gate: str, code: int = 0) -> dict:
        return self.run(f"gate_{gate}", "check.py", gate, self.lake, *(self.which() if gate == "dataset" else []), code=code)

    def promote(self, *more, code: int = 0) -> dict:
        version = self.summaries["featurize"]["version"]
        return self.run("promote", "featurize", "promote", f"{self.lake}/datasets/{NAME}/{version}", *more, code=code)

    def which(self) -> list[str]:
        return ["--name", NAME, "--version", self.summaries["featurize"]["version"]]

    def drive(self, inputs, gated: bool = True, threads: int | None = None, nothing_to_clean: bool = False):
        """From files to a published dataset. `nothing_to_clean`: an earlier run has left no partition stale."""
        self.ingest(inputs, *(["--threads", threads] if threads else []))
        self.go_on(gated, threads, nothing_to_clean)

    def go_on(self, gated: bool = True, threads: int | None = None, nothing_to_clean: bool = False):
        """From raw tweets to a published dataset."""
        more = ["--threads", threads] if threads else []
        gate = ["--gated"] if gated else []
        if gated:
            self.check("raw")
        self.clean(*gate, *more, code=99 if nothing_to_clean else 0)
        if gated:
            self.check("clean")
        self.featurize(*gate, *more)
        if gated:
            self.check("dataset")
        self.promote(*gate)
        if gated:
            self.run("report", "report.py", self.lake, *self.which())

    def json(self, key: str) -> dict:
        return json.loads((self.folder / key).read_text())

    def jsons(self, pattern: str) -> list[dict]:
        """Every JSON file of a pattern, in the order of the names."""
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob(pattern))]

    @property
    def version(self) -> Path:
        """The folder of the version that is current."""
        return self.folder / "datasets" / NAME / self.json(f"datasets/{NAME}/current.json")["version"]

    def files(self, *patterns: str) -> dict[str, str]:
        """SHA-256 of the files of some patterns."""
        found = [path for pattern in patterns for path in sorted(self.folder.glob(pattern)) if path.is_file()]
        return {str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    def parquet(self) -> dict[str, str]:
        """SHA-256 of everything that is data."""
        return self.files("raw/**/*", "clean/**/*", "datasets/**/*.parquet")
