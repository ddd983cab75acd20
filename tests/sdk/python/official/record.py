"""What an answer says, whoever read it."""

import json
from dataclasses import dataclass, field


@dataclass
class Record:
    """The parts of an answer that every reader must agree on."""

    text: str = ""
    reasoning: str = ""
    tool_calls: list = field(default_factory=list)
    finish: str | None = None
    usage: dict | None = None
    error: dict | None = None

    def call(self, name, arguments):
        """Notes a call of the client's tools; arguments that are a JSON text are read, others kept as they are."""
        try:
            arguments = json.loads(arguments)
        except ValueError:
            pass
        self.tool_calls.append({"name": name, "arguments": arguments})

    def settle(self):
        """An answer that calls tools was finished for that, and one that calls none was not."""
        if self.finish in ("stop", "tool_calls"):
            self.finish = "tool_calls" if self.tool_calls else "stop"
        return self


def tokens(prompt, completion, cached=None, reasoning=None):
    """Usage; details that the provider does not tell are left out."""
    told = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "cached_tokens": cached,
        "reasoning_tokens": reasoning,
    }
    return {name: int(count) for name, count in told.items() if count is not None}
