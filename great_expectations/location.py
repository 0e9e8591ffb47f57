"""A lake as the gates and the report see it: a local folder or `s3://bucket/prefix`, behind one small class.

Keys are relative to the lake's root and use `/`. Reading something that is not there gives `None` or raises
`Missing`; every other failure of the storage raises `StorageError`, so that callers exit 74 and are retried.
"""

import argparse
import hashlib
import json
import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from pyarrow import fs

# How many keys are read at once: enough to hide the latency of S3, few enough for two cores.
THREADS = 16


class Failure(Exception):
    """An end that a person can act on: an exit code of DESIGN.md's table, what is wrong, and the mend."""

    def __init__(self, code, message, hint=None):
        super().__init__(message)
        self.code, self.hint = code, hint


class BadInput(Failure):
    def __init__(self, message, hint=None):
        super().__init__(65, message, hint)


class Missing(Failure):
    def __init__(self, message, hint=None):
        super().__init__(66, message, hint)


class StorageError(Failure):
    def __init__(self, message, hint=None):
        super().__init__(74, message, hint)


@contextmanager
def storage(what):
    """Turns the errors of the file system into ours; `what` names the thing that was touched."""
    try:
        yield
    except FileNotFoundError as error:
        raise Missing(f"{what} is not there") from error
    except OSError as error:
        # Arrow's messages of S3 hold the answer of the server on several lines; the first tells enough.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise StorageError(f"{what}: {reason}", "check the disk, or the endpoint, region and keys in AWS_*") from error


def run_id(text):
    """A run id as Airflow and the binaries write it; anything else could leave the lake's folder."""
    if not re.fullmatch(r"[A-Za-z0-9_:+~-][A-Za-z0-9_.:+~-]{0,199}", text):
        raise ValueError("1 to 200 letters, digits or any of - _ . : + ~, not starting with a dot")
    return text


def name(text):
    """A dataset's name or version: one path segment."""
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", text):
        raise ValueError("1 to 100 letters, digits or any of - _ ., not starting with a dot")
    return text


def checked(parse):
    """`parse` as a type for argparse: its error becomes a message with the mend in it."""

    def argument(text):
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error

    return argument


class Lake:
    """Everything below one root."""

    def __init__(self, location):
        self.location = location.rstrip("/") or "/"
        self.remote = location.startswith("s3://")
        if self.remote:
            bucket, _, prefix = location.removeprefix("s3://").partition("/")
            if not bucket or ".." in prefix.split("/"):
                raise Failure(2, f"{location!r} is no lake", "s3://bucket or s3://bucket/prefix")
            self.fs, self.root = _s3(), f"{bucket}/{prefix}".rstrip("/")
        elif "://" in location:
            raise Failure(2, f"{location!r} is no lake", "a folder, or s3://bucket/prefix")
        else:
            self.fs, self.root = fs.LocalFileSystem(), os.path.abspath(location)

    def url(self, key):
        """What a person can open: the key below the lake's location."""
        return f"{self.location}/{key}"

    def path(self, key):
        return f"{self.root}/{key}"

    def keys(self, prefix, suffix=""):
        """All keys below `prefix` that end in `suffix`, with their sizes, in the order of their names."""
        selector = fs.FileSelector(self.path(prefix), recursive=True, allow_not_found=True)
        with storage(self.url(prefix)):
            found = self.fs.get_file_info(selector)
        below = len(self.root) + 1
        return {
            info.path[below:]: info.size
            for info in sorted(found, key=lambda info: info.path)
            if info.is_file and info.path.endswith(suffix)
        }

    def size(self, key):
        """Bytes of a key, or `None` where nothing is."""
        with storage(self.url(key)):
            info = self.fs.get_file_info(self.path(key))
        return info.size if info.is_file else None

    def exists(self):
        """Whether there is a lake at all, empty or not."""
        with storage(self.location):
            return self.size("_meta/lake.json") is not None or self.fs.get_file_info(self.root).type == fs.FileType.Directory

    def open(self, key):
        with storage(self.url(key)):
            return self.fs.open_input_file(self.path(key))

    def read(self, key):
        with self.open(key) as file, storage(self.url(key)):
            return file.read()

    def json(self, key):
        """The object of one JSON file."""
        try:
            value = json.loads(self.read(key))
        except ValueError as error:
            raise BadInput(f"{self.url(key)} is not JSON", "the file was cut or overwritten: run its stage again") from error
        if not isinstance(value, dict):
            raise BadInput(f"{self.url(key)} is not a JSON object")
        return value

    def json_or_none(self, key):
        try:
            return self.json(key)
        except Missing:
            return None

    def jsons(self, keys):
        """Many JSON files at once, in the order of `keys`."""
        return each(self.json, keys)

    def sha256(self, key):
        """SHA-256 of a whole file, in lower-case hex."""
        digest = hashlib.sha256()
        with self.open(key) as file, storage(self.url(key)):
            while block := file.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()

    def write(self, key, data):
        """Writes a whole file. A reader sees the old one or the new one, never a part of it."""
        with storage(self.url(key)):
            if self.remote:
                # Without `compression=None` Arrow would compress whatever is named .zst or .gz.
                with self.fs.open_output_stream(self.path(key), compression=None) as file:
                    file.write(data)
                return
            target = Path(self.path(key))
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".", suffix=".tmp", delete=False) as file:
                try:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                    os.chmod(file.name, 0o644)
                    os.replace(file.name, target)
                except OSError:
                    os.unlink(file.name)
                    raise


def each(function, items):
    """`function` of each item by a few threads, in the order of the items; the first error is raised."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(function, items))


def _s3():
    """S3 with what the AWS variables say; with keys from elsewhere (a role, a profile) when they say none."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    options = {
        "access_key": os.environ.get("AWS_ACCESS_KEY_ID"),
        "secret_key": os.environ.get("AWS_SECRET_ACCESS_KEY"),
        "session_token": os.environ.get("AWS_SESSION_TOKEN"),
        "region": os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1",
        "endpoint_override": endpoint.partition("://")[2].rstrip("/") if endpoint else None,
        "scheme": endpoint.partition("://")[0] if endpoint else None,
    }
    try:
        return fs.S3FileSystem(
            connect_timeout=5,
            request_timeout=60,
            allow_delayed_open=True,  # a small object is one PUT
            **{key: value for key, value in options.items() if value},
        )
    except ValueError as error:
        raise Failure(
            77, "one of the AWS keys is set without the other", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
