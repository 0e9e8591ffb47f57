"""The container runner: DockerOperator with the doors closed that it has no arguments for."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from airflow.providers.docker.exceptions import DockerContainerFailedException
from airflow.providers.docker.operators.docker import DockerOperator
from docker.errors import APIError
from docker.types import Mount
from runner import FILES, ROOT, SECRETS, SETTINGS, TAIL, Step, StepRefused, image, paths, user

HARDENING = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "read_only": True,
    "init": True,
    "pids_limit": 512,
    "tmpfs": {"/tmp": "rw,noexec,nosuid,nodev,size=256m,mode=1777"},
}
"""What the host config of every container gets on top. Only /tmp and a local lake can be written. A folder of the engine's host
named by `OFFKEY_SCRATCH` takes the place of the /tmp in memory: featurize over a lake in a bucket may need more."""


class Engine:
    """The engine's client, less what a container of ours may do, and with the exit code and the last lines kept."""

    def __init__(self, client):
        self.client = client
        self.exit_code: int | None = None
        self.lines: list[str] = []

    def __getattr__(self, name):
        return getattr(self.client, name)

    def create_host_config(self, **arguments):
        """The host config that DockerOperator asks for, hardened."""
        hardened = arguments | HARDENING
        if scratch := os.environ.get("OFFKEY_SCRATCH"):
            del hardened["tmpfs"]
            hardened["mounts"] = [*(hardened.get("mounts") or []), Mount(target="/tmp", source=scratch, type="bind")]
        return self.client.create_host_config(**hardened)

    def wait(self, container):
        """Waits for the container's end. What it said is asked for once more: on a busy engine the stream of a short life has gaps."""
        result = self.client.wait(container)
        self.exit_code = result["StatusCode"]
        with suppress(APIError):  # a logging driver that keeps nothing
            self.lines = self.client.logs(container, tail=TAIL).decode("utf-8", "backslashreplace").splitlines()
        return result


class Container(Step, DockerOperator):
    """A step as a container, made for the one run and removed after it."""

    template_fields = Step.template_fields
    template_ext = ()
    killed = False

    def __init__(self, *, program: str, **kwargs):
        super().__init__(
            program=program,
            image=image(program),
            user=user(),
            mem_limit=os.environ.get("OFFKEY_MEMORY", "2g"),
            network_mode=os.environ.get("OFFKEY_NETWORK"),
            auto_remove="force",
            mount_tmp_dir=False,
            force_pull=False,
            xcom_all=True,
            **kwargs,
        )

    @cached_property
    def cli(self) -> Engine:
        """The engine's client."""
        return Engine(self.hook.api_client)

    def execute(self, context):
        """Runs the program in a new container, its output going to the log line by line."""
        ti, params = context["ti"], self.asked(context)
        self.command = self.command_line(params)
        self.mounts = mounts(params["lake"], [path for name in FILES if name in self.options for path in paths(params.get(name))])
        self.environment = {name: os.environ[name] for name in SETTINGS if name in os.environ}
        self.environment["OFFKEY_RUN_ID"] = self.run_id(context)
        self._private_environment = secrets(self.program)
        self.labels = {
            "offkey.dag": ti.dag_id,
            "offkey.task": ti.task_id,
            "offkey.run": self.run_id(context),
            "offkey.try": str(ti.try_number),
        }
        self.log.info("%s %s", self.image, self.command)
        try:
            lines = super().execute(context)
        except DockerContainerFailedException as failure:
            lines = failure.logs
        except APIError as error:
            if self.killed:  # and so on_kill() removed the container under us
                return self.finish(143, [], context)
            if error.is_client_error():
                hint = "build the images, or name them in OFFKEY_IMAGE_PREFIX and _TAG; a path must be on the engine's host"
                raise StepRefused(f"the engine refused: {error.explanation}. hint: {hint}", 78) from error
            raise
        return self.finish(self.cli.exit_code, self.cli.lines or lines or [], context)

    def on_kill(self):
        """Stops and removes the container."""
        self.killed = True
        super().on_kill()


def secrets(program: str) -> dict[str, str]:
    """The worker's secrets that a program gets. Read when the task starts, so that they are in no DAG and no database."""
    return {name: os.environ[name] for name in (*SECRETS.get(program, ()), *SECRETS[None]) if name in os.environ}


def mounts(lake: str, inputs: list[str]) -> list[Mount]:
    """Bind mounts for a local lake and local inputs, at the same path inside as outside, so that a manifest's paths hold in both.

    Whoever may start a run names these paths, so they must lie in the folders of `OFFKEY_FOLDERS` (default: the project).
    """
    allowed = [Path(folder).resolve() for folder in os.environ.get("OFFKEY_FOLDERS", str(ROOT)).split(os.pathsep)]
    found = []
    for path in (lake, *inputs):
        if path.startswith("s3://"):
            continue
        source = Path(path).resolve()
        if not any(source.is_relative_to(folder) for folder in allowed):
            raise StepRefused(f"{source} may not be mounted. hint: put its folder into the worker's OFFKEY_FOLDERS", 78)
        if path == lake and not source.exists():
            make_lake(source)
        found.append(Mount(target=path, source=str(source), type="bind", read_only=path != lake))
    return found


def make_lake(folder: Path):
    """Makes a local lake's folder, for an engine mounts only what is there. Made by root, it is the containers' user's."""
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(folder, *map(int, user().split(":")))
