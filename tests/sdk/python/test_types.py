"""What Waypost sends is what each provider publishes: its own SDK's request types, unknown members refused."""

import json
import re
import warnings

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from google.genai import types as google
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from cases import select
from forbid import forbid


class GenerateContent(BaseModel):
    """The body of `generateContent`: the SDK has types for its members, none for the whole."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)
    contents: list[google.Content]
    system_instruction: google.Content | None = None
    tools: list[google.Tool] | None = None
    tool_config: google.ToolConfig | None = None
    generation_config: google.GenerationConfig | None = None
    safety_settings: list[google.SafetySetting] | None = None
    cached_content: str | None = None


OPENAI = {
    False: TypeAdapter(forbid(CompletionCreateParamsNonStreaming)),
    True: TypeAdapter(forbid(CompletionCreateParamsStreaming)),
}
ANTHROPIC = {
    False: TypeAdapter(forbid(MessageCreateParamsNonStreaming)),
    True: TypeAdapter(forbid(MessageCreateParamsStreaming)),
}
GOOGLE = TypeAdapter(GenerateContent)

# Claude up to 4.6 still takes these; the SDK published them until its second major version, for the newer refuse them.
SAMPLING = {"temperature": (int, float), "top_p": (int, float), "top_k": int}
OLDER = re.compile(r"claude-(3|opus-4-[0-6]|sonnet-4|haiku-4)")


def complaints(adapter, body):
    """Where a body is not what the types say; a value that an enumeration does not know is a complaint too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            adapter.validate_json(json.dumps(body))
    except ValidationError as error:
        return {(tuple(map(str, one["loc"])), one["type"]) for one in error.errors(include_url=False, include_input=False)}
    except UserWarning as warning:
        return {((str(warning),), "warning")}
    return set()


def sent_to(provider):
    return select(lambda case: case.provider == provider and case.request is not None)


@pytest.mark.parametrize("case", **sent_to("openai"))
def test_openai(case):
    """What a client says beyond the types is passed on as it is; Waypost itself adds nothing of the kind."""
    _, body = case.upstream
    adapter = OPENAI[bool(body.get("stream"))]
    assert complaints(adapter, body) - complaints(adapter, case.request) == set()


@pytest.mark.parametrize("case", **sent_to("anthropic"))
def test_anthropic(case):
    path, body = case.upstream
    assert path == "/v1/messages"
    legacy = {name: body.pop(name) for name in list(body) if name in SAMPLING}
    assert all(isinstance(value, SAMPLING[name]) for name, value in legacy.items())
    assert not legacy or OLDER.search(body["model"])
    assert complaints(ANTHROPIC[bool(body.get("stream"))], body) == set()


@pytest.mark.parametrize("case", **sent_to("google"))
def test_google(case):
    path, body = case.upstream
    verb = "streamGenerateContent?alt=sse" if case.streamed else "generateContent"
    assert path.startswith("/v1beta/models/") and path.endswith(f":{verb}")
    assert complaints(GOOGLE, body) == set()


HELLO = [{"role": "user", "content": "Hello."}]


@pytest.mark.parametrize(
    ("adapter", "good", "bad"),
    [
        (OPENAI[False], {"model": "m", "messages": HELLO}, {"model": "m", "messages": [{**HELLO[0], "colour": 1}]}),
        (ANTHROPIC[False], {"model": "m", "max_tokens": 1, "messages": HELLO}, {"model": "m", "messages": HELLO}),
        (GOOGLE, {"contents": [{"parts": [{"text": "a"}]}]}, {"contents": [{"parts": [{"txt": "a"}]}]}),
        (GOOGLE, {"contents": []}, {"contents": [], "safetySettings": [{"threshold": "NEVER"}]}),
    ],
    ids=["openai", "anthropic", "google", "google enumeration"],
)
def test_the_types_can_refuse(adapter, good, bad):
    assert complaints(adapter, good) == set()
    assert complaints(adapter, bad) != set()
