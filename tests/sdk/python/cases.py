"""The project's fixtures, as the suites need them."""

import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FIXTURES = Path(os.environ.get("WAYPOST_FIXTURES", ROOT / "fixtures"))


def split_http(raw):
    """Start line, headers in lower case, body. Heads may end their lines either way."""
    gap = b"\r\n\r\n" if b"\r\n" in raw.split(b"\n\n", 1)[0] else b"\n\n"
    head, _, body = raw.partition(gap)
    start, *lines = head.decode().splitlines()
    pairs = (line.split(":", 1) for line in lines)
    return start, {name.strip().lower(): value.strip() for name, value in pairs}, body


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
    def events(self):
        """The provider's answer, cut behind each blank line."""
        _, _, body = split_http((self.folder / "response.http").read_bytes())
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
    def succeeds(self):
        """Whether the client gets an answer and no error, neither at once nor within the stream."""
        if self.request is None or self.status != 200 or not self.expected:
            return False
        parts = self.expected if isinstance(self.expected, list) else [self.expected]
        return all("error" not in part for part in parts)


CASES = sorted((Case(path.parent) for path in FIXTURES.glob("*/*/request.json")), key=str)


def select(predicate):
    """Cases for `pytest.mark.parametrize`, named after their folders."""
    return {"argvalues": [case for case in CASES if predicate(case)], "ids": str}


def case(name):
    """One case by `provider/name`."""
    return Case(FIXTURES / name)
