"""One step: the command line, the exit codes, the summary and the end of a program, for both runners."""

import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from airflow_home import BIN, CALLS, HOME, REAL_BIN, calls, install_fakes

from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

ExecutorSafeguard.test_mode = True  # these tests call execute() themselves

import container
import runner
from docker.errors import APIError

HOSTILE = ['it\'s "x" $(id) `id` {{ 1+1 }} {% raw %} ; rm -rf * \\ é 🎵', "-rf", "--help", "a=b"]


def context(**params):
    """As much of a task's context as a step reads."""
    ti = SimpleNamespace(map_index=-1, dag_id="tweets", task_id="ingest", try_number=1)
    return {"params": {"source": "file", "lake": "/lake", "input": [], **params}, "ti": ti, "run_id": "manual__2026-11-20T11:00:00+00:00"}


@pytest.fixture(autouse=True)
def fakes(monkeypatch):
    """Fresh stand-ins, told nothing yet."""
    install_fakes()
    CALLS.unlink(missing_ok=True)
    return monkeypatch


def process(**arguments):
    return runner.Process(**{"task_id": "ingest", "program": "ingest", "words": []} | arguments)


def test_flags():
    assert runner.as_flag("max_tweets", 5) == ["--max-tweets=5"]
    assert runner.as_flag("max_spend_usd", 0) == ["--max-spend-usd=0"]
    assert runner.as_flag("gated", True) == ["--gated"]
    assert runner.as_flag("track", ["a b", ""]) == ["--track=a b"]
    assert [runner.as_flag("x", value) for value in (None, "", [], False)] == [[], [], [], []]


def test_arguments_come_through_unharmed():
    result = process(options=["track"]).execute(context(track=HOSTILE))
    assert result == {"stage": "ingest", "consumed": 3, "unique": 2}
    assert calls()[0]["words"] == [f"--track={text}" for text in HOSTILE]


def test_environment_of_a_local_process(fakes):
    fakes.setenv("OFFKEY_MUSIC_PRESET", "recall")
    fakes.setenv("OFFKEY_THREADS", "1")
    fakes.setenv("X_BEARER_TOKEN", "canary")
    fakes.setenv("AWS_SECRET_ACCESS_KEY", "canary")
    fakes.setenv("OFFKEY_PSEUDONYM_KEY", "canary")
    process().execute(context())
    process(program="clean").execute(context())
    ingest, clean = (call["environment"] for call in calls())
    assert ingest["OFFKEY_RUN_ID"] == "manual__2026-11-20T11:00:00+00:00"
    assert ingest["OFFKEY_THREADS"] == "1"
    assert ingest["X_BEARER_TOKEN"] == "canary" and "X_BEARER_TOKEN" not in clean
    assert clean["OFFKEY_PSEUDONYM_KEY"] == "canary" and "OFFKEY_PSEUDONYM_KEY" not in ingest
    assert ingest["AWS_SECRET_ACCESS_KEY"] == clean["AWS_SECRET_ACCESS_KEY"] == "canary"
    assert not [name for name in ingest if name.startswith("AIRFLOW") or name == "OFFKEY_MUSIC_PRESET"]


def test_batches_have_run_ids_of_their_own():
    mapped = context()
    mapped["ti"].map_index = 3
    process(each={"partition": ["2026-11-20", "unknown"]}).execute(mapped)
    assert calls()[0]["words"] == ["--partition=2026-11-20", "--partition=unknown"]
    assert calls()[0]["environment"]["OFFKEY_RUN_ID"] == "manual__2026-11-20T11:00:00+00:00-3"


@pytest.mark.parametrize("code", [2, 65, 66, 70, 75, 77, 78])
def test_permanent_codes_fail_at_once(fakes, code):
    fakes.setenv("FAKE_EXITS", f'{{"ingest": {code}}}')
    with pytest.raises(AirflowFailException) as raised:
        process().execute(context())
    assert raised.value.code == code
    assert str(raised.value) == f"ingest ended with exit code {code} ({runner.EXITS[code][0]}). hint: tell ingest to pass"


@pytest.mark.parametrize("code", [69, 73, 74, 143, 137, 101])
def test_other_codes_are_tried_again(fakes, code):
    fakes.setenv("FAKE_EXITS", f'{{"ingest": {code}}}')
    with pytest.raises(runner.StepFailed) as raised:
        process().execute(context())
    assert raised.value.code == code and not isinstance(raised.value, AirflowFailException)


def test_nothing_to_do_skips(fakes):
    fakes.setenv("FAKE_EXITS", '{"ingest": 99}')
    with pytest.raises(AirflowSkipException):
        process().execute(context())


def test_the_table_says_what_to_do():
    assert set(runner.EXITS) == {2, 65, 66, 69, 70, 73, 74, 75, 77, 78, 99, 143}
    step = process()
    with pytest.raises(runner.StepRefused, match="hint: set X_BEARER_TOKEN"):
        step.finish(77, ["no hint of the program's own"], context())


@pytest.mark.skipif(REAL_BIN is None, reason="OFFKEY_BIN_DIR is not set: the table is not compared with the programs' own")
def test_the_table_is_the_programs_own():
    text = subprocess.run([f"{REAL_BIN}/ingest", "--help"], capture_output=True, text=True, check=True).stdout
    assert [code for code in runner.EXITS if str(code) not in text.split()] == []


def test_no_summary_is_a_failure():
    with pytest.raises(runner.StepRefused, match="printed no summary"):
        process().finish(0, ['{"level": "INFO"}', "{", "[1]", ""], context())


def test_the_summary_may_be_followed_by_a_log_line():
    assert process().finish(0, ['{"stage": "ingest"}', '{"level": "INFO"}'], context()) == {"stage": "ingest"}
    assert process(take="batches").finish(0, ['{"stage": "plan", "batches": [["unknown"]]}'], context()) == [["unknown"]]


def test_a_missing_program_says_what_to_do(fakes):
    fakes.setenv("OFFKEY_BIN_DIR", str(HOME / "nowhere"))
    with pytest.raises(runner.StepRefused, match=r"nowhere/ingest.*make build.*OFFKEY_BIN_DIR"):
        process().execute(context())


def script(text: str):
    """Makes `ingest` a Python program of these lines."""
    (BIN / "ingest").write_text(f"#!{sys.executable} -IS\n{text}")


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def run_and_kill(step, pids):
    """Starts the step, kills it as Airflow does once the program has written its pid, and gives what it raised."""
    raised = []

    def run():
        try:
            step.execute(context())
        except Exception as error:  # noqa: BLE001
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 30
    while not (pids.exists() and pids.read_text().endswith("\n")) and time.monotonic() < deadline:
        time.sleep(0.01)
    step.on_kill()
    thread.join(30)
    assert not thread.is_alive()
    return raised[0]


def test_kill_reaches_the_program_and_its_children(tmp_path):
    pids = tmp_path / "pids"
    script(
        "import os, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}\\n')\n"
        "time.sleep(60)\n"
    )
    error = run_and_kill(process(), pids)
    assert error.code == 143 and isinstance(error, runner.StepFailed)
    assert not any(alive(int(pid)) for pid in pids.read_text().split())


def test_a_program_deaf_to_sigterm_is_killed(tmp_path, fakes):
    fakes.setattr(runner, "GRACE", 0.2)
    pids = tmp_path / "pids"
    script(
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}}\\n')\n"
        "time.sleep(60)\n"
    )
    assert run_and_kill(process(), pids).code == 128 + signal.SIGKILL


def test_ctrl_c_and_the_timeout_end_the_program(tmp_path, fakes):
    pids = tmp_path / "pids"
    script(f"import os, time\nopen({str(pids)!r}, 'w').write(f'{{os.getpid()}}\\n')\nprint('up', flush=True)\ntime.sleep(60)\n")

    class Log:
        def info(self, message, *arguments):
            if arguments == ("up",):
                raise KeyboardInterrupt

    fakes.setattr(runner.Process, "log", Log())
    with pytest.raises(KeyboardInterrupt):
        process().execute(context())
    assert not alive(int(pids.read_text()))


class FakeEngine:
    """A docker client that keeps what it is asked for."""

    def __init__(self, code=0, lines=(b'{"level": "INFO"}\n', b'{"stage": "ingest", "consumed": 1}\n', b"late log line")):
        self.code, self.lines, self.asked = code, lines, {}

    def images(self, name):
        return [name]

    def create_host_config(self, **arguments):
        return arguments

    def create_container(self, **arguments):
        self.asked = arguments
        return {"Id": "c1"}

    def attach(self, **_):
        return iter(self.lines)

    def start(self, _):
        pass

    def wait(self, _):
        return {"StatusCode": self.code}

    def logs(self, _, tail):
        return b"".join(self.lines[-tail:])

    def remove_container(self, _, force):
        self.removed = force


def contained(monkeypatch, engine, params, **arguments):
    """Runs a container step against a fake engine."""
    monkeypatch.setattr(container.DockerOperator, "hook", SimpleNamespace(api_client=engine, client_created=True))
    step = container.Container(**{"task_id": "ingest", "program": "ingest", "words": []} | arguments)
    return step.execute(context(**params))


def test_container_is_closed_in(fakes, tmp_path):
    fakes.setenv("OFFKEY_FOLDERS", str(tmp_path))
    fakes.setenv("X_BEARER_TOKEN", "canary")
    fakes.setenv("AWS_ENDPOINT_URL", "http://s3:9000")
    engine, lake, file = FakeEngine(), str(tmp_path / "lake"), str(tmp_path / "in.jsonl")
    summary = contained(fakes, engine, {"lake": lake, "input": [file], "track": HOSTILE}, options=["track", "input"])
    assert summary == {"stage": "ingest", "consumed": 1}
    assert os.path.isdir(lake) and (os.geteuid() != 0 or os.stat(lake).st_uid == 65532)
    assert engine.removed is True
    asked, host = engine.asked, engine.asked["host_config"]
    assert asked["image"] == "offkey/ingest:latest" and asked["user"] == "65532:65532"
    assert asked["command"] == [*(f"--track={text}" for text in HOSTILE), f"--input={file}"]
    assert asked["environment"] == {
        "AWS_ENDPOINT_URL": "http://s3:9000",
        "OFFKEY_RUN_ID": "manual__2026-11-20T11:00:00+00:00",
        "X_BEARER_TOKEN": "canary",
    }
    assert asked["labels"]["offkey.task"] == "ingest"
    assert host["cap_drop"] == ["ALL"] and host["security_opt"] == ["no-new-privileges"] and host["read_only"] is True
    assert host["init"] is True and host["pids_limit"] == 512 and host["mem_limit"] == "2g" and list(host["tmpfs"]) == ["/tmp"]
    assert not host["privileged"] and not host["cap_add"] and host["auto_remove"] is False
    assert [(mount["Target"], mount["ReadOnly"]) for mount in host["mounts"]] == [(lake, False), (file, True)]


def test_a_folder_takes_the_place_of_tmp_in_memory(fakes):
    fakes.setenv("OFFKEY_SCRATCH", "/srv/scratch")
    engine = FakeEngine()
    contained(fakes, engine, {"lake": "s3://b/l"})
    host = engine.asked["host_config"]
    assert "tmpfs" not in host
    assert [(mount["Source"], mount["Target"], mount["ReadOnly"]) for mount in host["mounts"]] == [("/srv/scratch", "/tmp", False)]


def test_what_the_stream_has_lost_is_asked_for(fakes):
    engine = FakeEngine()
    engine.attach = lambda **_: iter(())
    assert contained(fakes, engine, {"lake": "s3://b/l"}) == {"stage": "ingest", "consumed": 1}


def test_files_of_the_filter_are_mounted_as_well(fakes, tmp_path):
    fakes.setenv("OFFKEY_FOLDERS", str(tmp_path))
    engine, lake, profile = FakeEngine(), str(tmp_path / "lake"), str(tmp_path / "profile.tsv")
    contained(fakes, engine, {"lake": lake, "profile": profile, "lexicon": None}, program="clean", options=["profile", "lexicon"])
    mounts = engine.asked["host_config"]["mounts"]
    assert [(mount["Target"], mount["ReadOnly"]) for mount in mounts] == [(lake, False), (profile, True)]


def test_other_programs_do_not_get_the_token(fakes):
    fakes.setenv("X_BEARER_TOKEN", "canary")
    engine = FakeEngine()
    contained(fakes, engine, {"lake": "s3://bucket/lake"}, program="quality", words=["check.py", "raw", "s3://bucket/lake"])
    assert "X_BEARER_TOKEN" not in engine.asked["environment"] and engine.asked["host_config"]["mounts"] == []


def test_folders_that_may_not_be_mounted(fakes, tmp_path):
    fakes.setenv("OFFKEY_FOLDERS", str(tmp_path / "lakes"))
    (tmp_path / "lakes").mkdir()
    (tmp_path / "lakes/link").symlink_to("/etc")
    for lake in ("/etc", str(tmp_path), str(tmp_path / "lakes/link"), str(tmp_path / "lakes-2")):
        with pytest.raises(runner.StepRefused, match="OFFKEY_FOLDERS"):
            contained(fakes, FakeEngine(), {"lake": lake})


@pytest.mark.parametrize(
    ("code", "raised"),
    [(65, runner.StepRefused), (69, runner.StepFailed), (137, runner.StepFailed), (99, AirflowSkipException)],
)
def test_exit_codes_of_a_container(fakes, code, raised):
    engine = FakeEngine(code, [b"error: x\n  hint: mend it\n"])
    with pytest.raises(raised) as caught:
        contained(fakes, engine, {"lake": "s3://b/l"})
    assert engine.removed is True
    if code != 99:
        assert caught.value.code == code and "hint: mend it" in str(caught.value)


def test_what_the_engine_refuses_fails_at_once(fakes):
    engine = FakeEngine()

    def refuse(**_):
        response = SimpleNamespace(status_code=404, reason="Not Found", url="http://engine")
        raise APIError("404", response=response, explanation="No such image: offkey/ingest:latest")

    engine.create_container = refuse
    with pytest.raises(runner.StepRefused, match="No such image: offkey/ingest:latest. hint: build the images"):
        contained(fakes, engine, {"lake": "s3://b/l"})


def test_image_by_tag_or_digest(fakes):
    fakes.setenv("OFFKEY_IMAGE_PREFIX", "registry.example/offkey-")
    fakes.setenv("OFFKEY_IMAGE_TAG", "1.2.3")
    fakes.setenv("OFFKEY_IMAGE_CLEAN", "registry.example/clean@sha256:" + "0" * 64)
    assert container.image("ingest") == "registry.example/offkey-ingest:1.2.3"
    assert container.image("clean").endswith("@sha256:" + "0" * 64)
