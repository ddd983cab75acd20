"""What Waypost sends is what each provider publishes: its own SDK's request types, unknown members refused."""

import json
import re
import urllib.parse
import warnings

import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming
from google.genai import types as google
from openai.types.chat.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from openai.types.responses.response_create_params import (
    ResponseCreateParamsNonStreaming,
    ResponseCreateParamsStreaming,
)
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from cases import CLAUDE, select
from forbid import forbid
from official import claude
from official.shapes import COHERE, converse_complaints


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


class GenerateContentOnVertex(GenerateContent):
    """Vertex takes labels for the bill beside it."""

    labels: dict[str, str] | None = None


OPENAI = {
    False: TypeAdapter(forbid(CompletionCreateParamsNonStreaming)),
    True: TypeAdapter(forbid(CompletionCreateParamsStreaming)),
}
ANTHROPIC = {
    False: TypeAdapter(forbid(MessageCreateParamsNonStreaming)),
    True: TypeAdapter(forbid(MessageCreateParamsStreaming)),
}
RESPONSES = {
    False: TypeAdapter(forbid(ResponseCreateParamsNonStreaming)),
    True: TypeAdapter(forbid(ResponseCreateParamsStreaming)),
}
GOOGLE = TypeAdapter(GenerateContent)
VERTEX = TypeAdapter(GenerateContentOnVertex)

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


def sent(name, *providers):
    """Cases whose request is sent in one format, by any provider or by some."""

    def fits(case):
        return case.request is not None and case.format == name and case.provider in (providers or (case.provider,))

    return select(fits)


@pytest.mark.parametrize("case", **select(lambda case: case.request is not None))
def test_every_request_is_of_one_format(case):
    """So that none is left out of the tests below."""
    assert case.format, case.upstream[0]


@pytest.mark.parametrize("case", **sent("openai", "openai", "azure"))
def test_openai(case):
    """What a client says beyond the types is passed on as it is; Waypost itself adds nothing of the kind."""
    _, body = case.upstream
    adapter = OPENAI[bool(body.get("stream"))]
    assert complaints(adapter, body) - complaints(adapter, case.request) == set()


@pytest.mark.parametrize("case", **sent("openai-responses"))
def test_responses(case):
    _, body = case.upstream
    assert complaints(RESPONSES[bool(body.get("stream"))], body) == set()


@pytest.mark.parametrize("case", **sent("anthropic"))
def test_anthropic(case):
    _, body = case.upstream
    assert complaints_of_messages(body) == set()


def complaints_of_messages(body):
    body = dict(body)
    legacy = {name: body.pop(name) for name in list(body) if name in SAMPLING}
    assert all(isinstance(value, SAMPLING[name]) for name, value in legacy.items())
    assert not legacy or OLDER.search(body["model"])
    return complaints(ANTHROPIC[bool(body.get("stream"))], body)


@pytest.mark.parametrize("case", **sent("anthropic-bedrock"))
def test_claude_on_bedrock(case):
    path, body = case.upstream
    found = CLAUDE["bedrock"].fullmatch(path)
    model, streamed = urllib.parse.unquote(found["model"]), bool(found["streamed"])
    assert streamed is case.streamed
    their_path, theirs = claude.by_the_sdk(claude.on_bedrock, model, streamed, body)
    assert (urllib.parse.unquote(their_path), theirs) == (urllib.parse.unquote(path), body)
    assert complaints_of_messages(as_plain_messages(body, model, streamed, "bedrock-2023-05-31")) == set()


@pytest.mark.parametrize("case", **sent("anthropic-vertex"))
def test_claude_on_vertex(case):
    path, body = case.upstream
    found = CLAUDE["vertex"].fullmatch(path)
    model, streamed = urllib.parse.unquote(found["model"]), bool(found["streamed"])
    assert streamed is case.streamed
    connect = claude.on_vertex(found["project"], found["region"])
    their_path, theirs = claude.by_the_sdk(connect, model, streamed, body)
    theirs["stream"] = theirs["stream"] or body.get("stream")
    assert (urllib.parse.unquote(their_path), theirs) == (urllib.parse.unquote(path), {"stream": None, **body})
    assert complaints_of_messages(as_plain_messages(body, model, streamed, "vertex-2023-10-16")) == set()


def as_plain_messages(body, model, streamed, version):
    """The request to Anthropic itself that is the same as one to a cloud."""
    assert body["anthropic_version"] == version
    assert all(isinstance(name, str) for name in body.get("anthropic_beta", []))
    own = ("anthropic_version", "anthropic_beta", "stream")
    return {"model": model, **{name: value for name, value in body.items() if name not in own}, "stream": streamed}


@pytest.mark.parametrize("case", **sent("gemini"))
def test_gemini(case):
    path, body = case.upstream
    assert path.endswith(verb(case))
    assert complaints(GOOGLE, body) == set()


@pytest.mark.parametrize("case", **sent("gemini on vertex"))
def test_gemini_on_vertex(case):
    path, body = case.upstream
    assert path.endswith(verb(case))
    assert complaints(VERTEX, body) == set()
    # Optional in Google's types, but Vertex refuses a content without it.
    assert {content.get("role") for content in body["contents"]} <= {"user", "model"}


def verb(case):
    return ":streamGenerateContent?alt=sse" if case.streamed else ":generateContent"


@pytest.mark.parametrize("case", **sent("bedrock"))
def test_converse(case):
    path, body = case.upstream
    assert path.endswith("-stream") is case.streamed
    assert converse_complaints(path, body) == ""


@pytest.mark.parametrize("case", **sent("cohere"))
def test_cohere(case):
    _, body = case.upstream
    assert complaints(COHERE[bool(body.get("stream"))], body) == set()


HELLO = [{"role": "user", "content": "Hello."}]


@pytest.mark.parametrize(
    ("adapter", "good", "bad"),
    [
        (OPENAI[False], {"model": "m", "messages": HELLO}, {"model": "m", "messages": [{**HELLO[0], "colour": 1}]}),
        (ANTHROPIC[False], {"model": "m", "max_tokens": 1, "messages": HELLO}, {"model": "m", "messages": HELLO}),
        (GOOGLE, {"contents": [{"parts": [{"text": "a"}]}]}, {"contents": [{"parts": [{"txt": "a"}]}]}),
        (GOOGLE, {"contents": []}, {"contents": [], "safetySettings": [{"threshold": "NEVER"}]}),
        (RESPONSES[False], {"model": "m", "input": HELLO}, {"model": "m", "input": [{**HELLO[0], "colour": 1}]}),
        (COHERE[False], {"model": "m", "messages": HELLO}, {"model": "m", "messages": [{**HELLO[0], "colour": 1}]}),
        (COHERE[True], {"model": "m", "messages": [], "stream": True}, {"model": "m", "messages": []}),
        (
            COHERE[False],
            {"model": "m", "messages": HELLO, "tool_choice": "NONE"},
            {"model": "m", "messages": HELLO, "tool_choice": "AUTO"},
        ),
    ],
    ids=[
        "openai",
        "anthropic",
        "google",
        "google enumeration",
        "responses",
        "cohere",
        "cohere stream",
        "cohere enumeration",
    ],
)
def test_the_types_can_refuse(adapter, good, bad):
    assert complaints(adapter, good) == set()
    assert complaints(adapter, bad) != set()


ASKED = {"role": "user", "content": [{"text": "Hello."}]}


def picture(data):
    return {"role": "user", "content": [{"image": {"format": "png", "source": {"bytes": data}}}]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/model/m%3A0/converse", {"messages": [{**ASKED, "colour": 1}]}),
        ("/model/m%3A0/converse", {"messages": [{**ASKED, "role": "tool"}], "inferenceConfig": {"maxTokens": "1"}}),
        ("/model/m%3A0/converse", {"messages": [picture("?")]}),
        ("/model/m:0/converse", {"messages": [ASKED]}),
    ],
    ids=["member", "type", "base64", "path"],
)
def test_converse_can_refuse(path, body):
    assert converse_complaints("/model/m%3A0/converse", {"messages": [picture("aGVsbG8=")]}) == ""
    assert converse_complaints(path, body) != ""


def test_claude_in_a_cloud_can_refuse():
    body = {"anthropic_version": "vertex-2023-10-16", "max_tokens": 1, "messages": HELLO, "stream": True}
    path, sent_by_them = claude.by_the_sdk(claude.on_vertex("p", "global"), "m", True, body)
    assert CLAUDE["vertex"].fullmatch(path) and sent_by_them == body
    path, sent_by_them = claude.by_the_sdk(claude.on_bedrock, "m", True, body)
    assert CLAUDE["bedrock"].fullmatch(path) and sent_by_them != body
