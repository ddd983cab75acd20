"""The project's fixtures, as the suites need them."""

import json
import os
import re
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = Path(os.environ.get("WAYPOST_FIXTURES", ROOT / "fixtures"))

CHAT = "/v1/chat/completions"

# Each wire format by the paths that its requests are sent to.
CLAUDE = {
    "bedrock": re.compile(r"/model/(?P<model>[^/]+)/invoke(?P<streamed>-with-response-stream)?"),
    "vertex": re.compile(
        r"/v1/projects/(?P<project>[^/]+)/locations/(?P<region>[^/]+)/publishers/anthropic/models/"
        r"(?P<model>[^/]+):(?:rawPredict|(?P<streamed>streamRawPredict))"
    ),
}
FORMATS = {
    "openai": re.compile(r"/([a-z0-9/.-]+/)?chat/completions(\?api-version=.*)?"),
    "openai-responses": re.compile(r"/([a-z0-9/.-]+/)?responses(\?api-version=.*)?"),
    "anthropic": re.compile(r"/v1/messages"),
    "gemini": re.compile(r"/v1beta/models/[^/]+"),
    "gemini on vertex": re.compile(r"/v1/projects/[^/]+/locations/[^/]+/publishers/google/models/[^/]+"),
    "bedrock": re.compile(r"/model/[^/]+/converse(-stream)?"),
    "anthropic-bedrock": CLAUDE["bedrock"],
    "anthropic-vertex": CLAUDE["vertex"],
    "cohere": re.compile(r"/v2/chat"),
}


def split_http(raw):
    """Start line, headers in lower case, body. Heads may end their lines either way."""
    gap = b"\r\n\r\n" if b"\r\n" in raw.split(b"\n\n", 1)[0] else b"\n\n"
    head, _, body = raw.partition(gap)
    start, *lines = head.decode().splitlines()
    pairs = (line.split(":", 1) for line in lines)
    return start, {name.strip().lower(): value.strip() for name, value in pairs}, body


def frames(body):
    """The frames of an event stream: each begins with its length."""
    found = []
    while body:
        (size,) = struct.unpack_from(">I", body)
        found.append(body[:size])
        body = body[size:]
    return found


@dataclass(frozen=True)
class Case:
    """One folder of fixtures."""

    folder: Path

    def __str__(self):
        return f"{self.folder.parent.name}/{self.folder.name}"

    @property
    def provider(self):
        return self.folder.parent.name

    @property
    def name(self):
        return self.folder.name

    @cached_property
    def path(self):
        """Where the client sends it."""
        file = self.folder / "path"
        return file.read_text().strip() if file.exists() else CHAT

    @cached_property
    def request(self):
        """What the client sends; None where it is no JSON object."""
        try:
            body = json.loads((self.folder / "request.json").read_bytes())
        except (ValueError, FileNotFoundError):
            return None
        return body if isinstance(body, dict) else None

    @cached_property
    def headers(self):
        """Headers of the client's beside the usual ones."""
        file = self.folder / "headers"
        lines = file.read_text().splitlines() if file.exists() else []
        pairs = (line.split(":", 1) for line in lines if line.strip())
        return {name.strip(): value.strip() for name, value in pairs}

    @property
    def streamed(self):
        return bool(self.request.get("stream"))

    @cached_property
    def upstream(self):
        """What Waypost must send: path and JSON body."""
        start, _, body = split_http((self.folder / "upstream.http").read_bytes())
        return start.split()[1], json.loads(body)

    @cached_property
    def format(self):
        """The wire format that the request is sent in; None where it is of none or of more than one."""
        fitting = [name for name, pattern in FORMATS.items() if pattern.fullmatch(self.upstream[0])]
        return fitting[0] if len(fitting) == 1 else None

    @cached_property
    def events(self):
        """The provider's answer, cut behind each blank line, or behind each frame of a binary stream."""
        _, headers, body = split_http((self.folder / "response.http").read_bytes())
        if headers.get("content-type") == "application/vnd.amazon.eventstream":
            return frames(body)
        return [piece for piece in re.split(rb"(?<=\n\n)|(?<=\n\r\n)", body) if piece]

    @cached_property
    def status(self):
        """What the client gets."""
        file = self.folder / "expected.status"
        return int(file.read_text()) if file.exists() else 200

    @cached_property
    def expected(self):
        """What the client gets: a list of chunks, or one object; None where it is not written down."""
        stream = self.folder / "expected.sse"
        if stream.exists():
            events = [line[6:] for line in stream.read_text().splitlines() if line.startswith("data: ")]
            return [json.loads(event) for event in events if event != "[DONE]"]
        whole = self.folder / "expected.json"
        return json.loads(whole.read_bytes()) if whole.exists() else None

    @property
    def text(self):
        """What the streamed answer says."""
        deltas = (choice["delta"] for chunk in self.expected for choice in chunk["choices"])
        return "".join(delta.get("content") or "" for delta in deltas)

    @property
    def succeeds(self):
        """Whether the client gets an answer and no error, neither at once nor within the stream."""
        if self.request is None or self.status != 200 or not self.expected:
            return False
        parts = self.expected if isinstance(self.expected, list) else [self.expected]
        return all("error" not in part for part in parts)


ALL = sorted((Case(path.parent) for path in FIXTURES.glob("*/*/request.json")), key=str)
CASES = [case for case in ALL if case.path == CHAT]


def select(predicate, cases=CASES):
    """Cases for `pytest.mark.parametrize`, named after their folders."""
    return {"argvalues": [case for case in cases if predicate(case)], "ids": str}


def case(name):
    """One case by `provider/name`."""
    return Case(FIXTURES / name)


def families(name):
    """What stands before `name` in the fixtures that are called so: `anthropic/`, `bedrock/claude-`."""
    return sorted(str(case).removesuffix(name) for case in CASES if case.name.endswith(name))
