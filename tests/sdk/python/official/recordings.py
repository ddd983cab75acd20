"""Recorded exchanges with providers, found by `WAYPOST_WIRE`."""

import base64
import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

WIRE = os.environ.get("WAYPOST_WIRE")


@dataclass(frozen=True)
class Recording:
    """One exchange: what the provider was asked and what it answered."""

    file: Path

    def __str__(self):
        return self.name

    @property
    def name(self):
        return self.file.stem

    @cached_property
    def raw(self):
        return json.loads(self.file.read_bytes())

    @property
    def streamed(self):
        return self.raw["stream"] is True

    @property
    def status(self):
        return self.raw["response"]["status"]

    @property
    def headers(self):
        return self.raw["response"]["headers"]

    @cached_property
    def body(self):
        """The bytes of the answer."""
        answer = self.raw["response"]
        if "body_base64" in answer:
            return base64.b64decode(answer["body_base64"])
        return answer["body"].encode()


def recordings(folder):
    """The exchanges of one folder that have no record of their own; none where there are no recordings."""
    if not WIRE:
        return []
    files = sorted(Path(WIRE, folder).glob("*.json"))
    plain = (file for file in files if not file.name.endswith(".expect.json"))
    return [Recording(file) for file in plain if not file.with_suffix(".expect.json").exists()]
