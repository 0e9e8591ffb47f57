"""What tests of the real programs share: the programs, an S3 server, and lakes that the whole road was driven over.

The environment is read here, before `airflow_home` clears it:
  OFFKEY_BIN_DIR    folder of ingest, clean and featurize
  OFFKEY_S3_SERVER  the program s3s-fs
  OFFKEY_DATA       folder of real tweets, which cannot be part of the project
Without one of them, the tests that want it are skipped and say so.
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from road import Road

PROGRAMS, SERVER, DATA = (os.environ.get(name) for name in ("OFFKEY_BIN_DIR", "OFFKEY_S3_SERVER", "OFFKEY_DATA"))
SAMPLE = Path(__file__).parents[2] / "examples/sample/justin-bieber.jsonl.gz"
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # `airflow standalone` starts `airflow` by its name


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes a minute or so; run by `make test-long`")


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the real programs."""
    if not PROGRAMS or not all((Path(PROGRAMS) / name).exists() for name in ("ingest", "clean", "featurize")):
        pytest.skip("NO PROGRAMS: `make build`, and name their folder in OFFKEY_BIN_DIR")
    return Path(PROGRAMS).resolve()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real tweets."""
    if not DATA:
        pytest.skip("NO REAL TWEETS: name their folder in OFFKEY_DATA")
    return Path(DATA)


@pytest.fixture(scope="session")
def road(programs, tmp_path_factory) -> Road:
    """The sample, through every stage and every gate, published. Tests leave this lake as it is."""
    made = Road(programs, tmp_path_factory.mktemp("road") / "lake")
    made.drive([SAMPLE])
    return made


@pytest.fixture(scope="session")
def real(programs, data, tmp_path_factory) -> Road:
    """The real tweets of all forms together, without the gates."""
    made = Road(programs, tmp_path_factory.mktemp("real") / "lake")
    made.drive([data / name for name in ("tweets_v1.jsonl.zst", "pages_v2.jsonl.zst", "stream_v2.jsonl")], gated=False)
    return made


@pytest.fixture
def s3(tmp_path):
    """An S3 server on loopback for one test: (the folder of its bucket `offkey`, the environment that leads to it)."""
    if not SERVER or not Path(SERVER).exists():
        pytest.skip("NO S3 SERVER: name the program s3s-fs in OFFKEY_S3_SERVER")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bucket = tmp_path / "s3" / "offkey"
    bucket.mkdir(parents=True)
    keys = ["--access-key", "offkey", "--secret-key", "loopback"]
    server = subprocess.Popen(
        [SERVER, "--host", "127.0.0.1", "--port", str(port), *keys, str(bucket.parent)],
        env={**os.environ, "RUST_LOG": "error"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield bucket, {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "offkey",
            "AWS_SECRET_ACCESS_KEY": "loopback",
        }
    finally:
        server.terminate()
        server.wait()
