"""As much of a Kubernetes API as one pod after another wants, on loopback. What a pod asks for is checked, and its program really runs."""

import json
import subprocess
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


def now() -> str:
    """The operator reads the log of a pod that has ended not long ago."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


class Cluster:
    """The pods that were asked for, as their JSON, and what became of them."""

    def __init__(self, programs: dict[str, list[str]], secrets: dict[str, str]):
        self.programs, self.secrets = programs, secrets
        """Image → what it starts; the keys of the Secret."""
        self.asked, self.pods, self.running = [], {}, {}
        self.lock = threading.Lock()

    def create(self, pod: dict) -> dict:
        """Starts a pod's program with its arguments and nothing but its variables."""
        (container,) = pod["spec"]["containers"]
        environment = {one["name"]: one.get("value") or self.key(one) for one in container["env"]}
        process = subprocess.Popen(
            [*self.programs[container["image"]], *container["args"]],
            env={name: value for name, value in environment.items() if value is not None},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        name = pod["metadata"]["name"]
        with self.lock:
            self.asked.append(pod)
            self.running[name] = [process, None]
            self.pods[name] = pod
        return self.seen(name)

    def key(self, variable: dict) -> str | None:
        """The value of a variable that is a key of the Secret; a key that is not there is left out, if it may be."""
        wanted = variable["valueFrom"]["secretKeyRef"]
        assert wanted["optional"] is True
        return self.secrets.get(wanted["key"])

    def output(self, name: str) -> list[str]:
        """What a pod's program has said, once it has ended."""
        with self.lock:
            process, said = self.running[name]
            if said is None:
                said, _ = process.communicate(timeout=60)
                self.running[name][1] = said
        return said.decode().splitlines()

    def seen(self, name: str) -> dict:
        """A pod with its state. The program is over by the time somebody looks again."""
        pod = self.pods[name]
        self.output(name)
        code = self.running[name][0].returncode
        ended = {"terminated": {"exitCode": code, "startedAt": now(), "finishedAt": now()}}
        status = {"name": "base", "image": "", "imageID": "", "ready": False, "restartCount": 0, "state": ended}
        return pod | {"status": {"phase": "Failed" if code else "Succeeded", "containerStatuses": [status]}}

    def selected(self, selector: str) -> list[dict]:
        """Pods that a label selector means: `a=b`, `a!=b`, `!a`."""

        def fits(labels: dict, term: str) -> bool:
            name, _, value = term.removeprefix("!").partition("=")
            if term.startswith("!"):
                return name not in labels
            return (labels.get(name.removesuffix("!")) == value) != name.endswith("!")

        return [
            self.seen(name)
            for name, pod in list(self.pods.items())
            if all(fits(pod["metadata"]["labels"], term) for term in selector.split(","))
        ]


def handler(cluster: Cluster):
    """The requests of the client."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answer(self, value, code=200):
            body = value.encode() if isinstance(value, str) else json.dumps(value).encode()
            self.send_response(code)
            self.send_header("Content-Type", "text/plain" if isinstance(value, str) else "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def body(self) -> dict:
            return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

        def do_POST(self):
            self.answer(cluster.create(self.body()), 201)

        def do_GET(self):
            url = urlsplit(self.path)
            asked, path = parse_qs(url.query), url.path.split("/")
            if path[-1] == "events":
                self.answer({"kind": "EventList", "apiVersion": "v1", "metadata": {}, "items": []})
            elif path[-1] == "pods":
                found = cluster.selected(asked["labelSelector"][0])
                self.answer({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": found})
            elif path[-1] == "log":
                stamp = f"{now()} " if asked.get("timestamps") == ["true"] else ""
                self.answer("".join(f"{stamp}{line}\n" for line in cluster.output(path[-2])))
            elif path[-1] in cluster.pods:
                self.answer(cluster.seen(path[-1]))
            else:
                self.answer({"kind": "Status", "code": 404}, 404)

        def do_PATCH(self):
            name = self.path.split("/")[-1]
            cluster.pods[name]["metadata"]["labels"] |= self.body()["metadata"]["labels"]
            self.answer(cluster.seen(name))

        def do_DELETE(self):
            found = cluster.seen(name := urlsplit(self.path).path.split("/")[-1])
            del cluster.pods[name]
            self.answer(found)

    return Handler


@contextmanager
def started(folder: Path, programs: dict[str, list[str]], secrets: dict[str, str]):
    """A cluster, and the variables that lead an Airflow to it."""
    cluster = Cluster(programs, secrets)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(cluster))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "tweets"}}],
        "clusters": [{"name": "test", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "test", "user": {}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(config))
    try:
        yield cluster, {"AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps({"conn_type": "kubernetes", "extra": {"kube_config_path": str(path)}})}
    finally:
        server.shutdown()
