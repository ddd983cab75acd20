"""What stands between the SDKs and their providers in a test: Waypost in replay mode, and a counter before it."""

import json
import os
import re
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

from cases import FIXTURES, ROOT

BINARY = Path(os.environ.get("WAYPOST_BINARY", ROOT / "target/release/waypost"))
# What would make a run depend on whose machine it is.
OWN = re.compile(r".*_API_KEY|(AWS|AZURE|GOOGLE)_.*")
CALL = re.compile(rb"POST /v1/[a-z/]+ HTTP/1.1\r\n")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Waypost:
    """The built binary, in replay mode where it is given fixtures. Its log is kept: one JSON object for each line."""

    def __init__(self, folder, fixtures=FIXTURES, *more, env=None):
        self.port = free_port()
        self.log = Path(folder) / f"waypost-{self.port}.log"
        plain = {name: value for name, value in os.environ.items() if not OWN.fullmatch(name)}
        answers = ["--replay", fixtures] if fixtures else []
        command = [BINARY, "--log-format", "json", "serve", *answers, *more]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*map(str, command), "--listen", f"127.0.0.1:{self.port}"],
                cwd=folder,
                env={**plain, "RUST_LOG": "info", **(env or {})},
                stderr=log,
            )
        self.wait_until_ready()

    def wait_until_ready(self):
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                    return
            except OSError:
                time.sleep(0.02)
        self.process.kill()
        raise RuntimeError(f"waypost does not serve:\n{self.log.read_text()}")

    def calls(self):
        """The lines that it wrote at the end of each call."""
        lines = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        fields = (line.get("fields", line) for line in lines)
        return [line for line in fields if "outcome" in line]

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Counter:
    """A TCP relay that counts the calls that pass it, whatever connection they use."""

    def __init__(self, port):
        self.target = port
        self.requests = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def base_url(self):
        return f"http://127.0.0.1:{self.port}/v1"

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            for source, sink, counted in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.relay, args=(source, sink, counted), daemon=True).start()

    def relay(self, source, sink, counted):
        tail = b""
        try:
            while data := source.recv(65536):
                if counted:
                    seen = tail + data
                    with self.lock:
                        self.requests += len(CALL.findall(seen))
                    # What may be the begin of a request line that is cut in two.
                    tail = seen[max(seen.rfind(b"\n") + 1, len(seen) - 64) :]
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()
