"""Starts the test double of the X API and talks to it without any client library."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

REPOSITORY = Path(__file__).resolve().parents[2]
TOKEN = "offkey-test-token"


def program() -> Path | None:
    """The binary: X_SERVER, else the newest one that cargo has built."""
    if named := os.environ.get("X_SERVER"):
        return Path(named)
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    built = [target / profile / "x-server" for profile in ("release", "debug")]
    return max((path for path in built if path.exists()), key=lambda path: path.stat().st_mtime, default=None)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class Double:
    url: str
    process: subprocess.Popen = field(repr=False)

    @classmethod
    def start(cls, *arguments: str) -> "Double":
        process = subprocess.Popen([program(), "--port", "0", *arguments], stdout=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        return cls(line.split()[-1], process)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, method: str, path: str, body=None, token: str | None = TOKEN, **query) -> Answer:
        """One request. `query` names are written with dots: `tweet_fields` is `tweet.fields`."""
        names = {key.replace("_fields", ".fields"): value for key, value in query.items()}
        url = self.url + path + ("?" + urlencode(names) if names else "")
        data = None if body is None else json.dumps(body).encode()
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        request = Request(url, data=data, method=method, headers=headers)
        try:
            with urlopen(request, timeout=30) as response:
                return Answer(response.status, dict(response.headers), response.read())
        except HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def lines(self, path: str, count: int, **query) -> list[bytes]:
        """The first so many lines of a stream, keep-alives left out."""
        names = {key.replace("_fields", ".fields"): value for key, value in query.items()}
        request = Request(self.url + path + "?" + urlencode(names), headers={"Authorization": f"Bearer {TOKEN}"})
        found = []
        with urlopen(request, timeout=30) as response:
            while len(found) < count:
                line = response.readline()
                assert line.endswith(b"\r\n"), line
                if line.strip():
                    found.append(line)
        return found

    def faults(self, *faults: dict) -> None:
        assert self.ask("PUT", "/_control/faults", list(faults)).status == 200

    def matching(self, query: str, place: str = "search") -> set[str]:
        """Ids of the whole corpus that a query means, past and to come."""
        return set(self.ask("GET", "/_control/matching", query=query, place=place).json())

    def ledger(self) -> dict:
        return self.ask("GET", "/_control/ledger", ids="").json()

    def requests(self) -> list[dict]:
        return self.ask("GET", "/_control/requests").json()

    def now(self) -> str:
        return self.ask("GET", "/_control/clock").json()["now"]
