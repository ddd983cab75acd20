"""Embeddings and completions: what the OpenAI SDK reads of them, and what each provider is sent."""

import inspect

import openai
import pytest
from cohere.v2.client import V2Client
from google.genai import types as google
from openai.types import Completion, CreateEmbeddingResponse
from openai.types.completion_create_params import (
    CompletionCreateParamsNonStreaming,
    CompletionCreateParamsStreaming,
)
from openai.types.embedding_create_params import EmbeddingCreateParams
from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from cases import ALL, select
from forbid import forbid
from official.shapes import parameters
from test_chat import told
from test_types import complaints

EMBEDDINGS, COMPLETIONS = "/v1/embeddings", "/v1/completions"


def of(path, succeeds=True):
    return select(lambda case: case.path == path and case.succeeds is succeeds, ALL)


def post(client, case, kind, **more):
    """The request as it stands in the fixture: the SDK's methods would add members of their own."""
    return client.post(case.path.removeprefix("/v1"), body=case.request, cast_to=kind, **more)


@pytest.mark.parametrize("case", **of(EMBEDDINGS))
def test_embeddings(client, counter, case):
    answer = post(client, case, CreateEmbeddingResponse)
    assert told(answer.to_dict()) == told(case.expected)
    assert counter.requests == 1


@pytest.mark.parametrize("case", **of(EMBEDDINGS))
def test_vectors(client, case):
    """Numbers arrive as numbers, in the order of the texts, however they are asked for."""
    known = set(inspect.signature(client.embeddings.create).parameters)
    if "encoding_format" not in case.request:
        pytest.skip("the SDK would ask for base64, and the fixture does not")
    extra = {name: value for name, value in case.request.items() if name not in known}
    asked = {name: value for name, value in case.request.items() if name in known}
    answer = client.embeddings.create(**asked, extra_body=extra or None)
    texts = case.request["input"] if isinstance(case.request["input"], list) else [case.request["input"]]
    assert [one.index for one in answer.data] == list(range(len(texts)))


@pytest.mark.parametrize("case", **select(lambda case: case.name == "embed-base64", ALL))
def test_numbers_come_out_of_the_base64_that_the_sdk_asks_for_unasked(client, case):
    assert case.request["encoding_format"] == "base64", "the SDK's own default must find the recorded exchange"
    known = set(inspect.signature(client.embeddings.create).parameters) - {"encoding_format"}
    extra = {name: value for name, value in case.request.items() if name not in known | {"encoding_format"}}
    asked = {name: value for name, value in case.request.items() if name in known}
    answer = client.embeddings.create(**asked, extra_body=extra or None)
    assert [one.embedding for one in answer.data] == [[0.25, -0.5, 0.125]]


@pytest.mark.parametrize("case", **select(lambda case: case.path == COMPLETIONS and case.succeeds, ALL))
def test_completions(client, counter, case):
    if case.streamed:
        with post(client, case, Completion, stream=True, stream_cls=openai.Stream[Completion]) as stream:
            assert [told(chunk.to_dict()) for chunk in stream] == [told(chunk) for chunk in case.expected]
    else:
        assert told(post(client, case, Completion).to_dict()) == told(case.expected)
    assert counter.requests == 1


@pytest.mark.parametrize("case", **select(lambda case: case.path != "/v1/chat/completions" and not case.succeeds, ALL))
def test_failures(client, counter, case):
    kind = CreateEmbeddingResponse if case.path == EMBEDDINGS else Completion
    with pytest.raises(openai.APIError) as caught:
        if case.streamed:
            for _ in post(client, case, kind, stream=True, stream_cls=openai.Stream[kind]):
                pass
        else:
            post(client, case, kind)
    if case.status != 200:
        assert caught.value.status_code == case.status
        assert caught.value.response.headers["x-should-retry"] == "false"
    assert counter.requests == 1


class EmbedContent(BaseModel):
    """One request of `batchEmbedContents`: the SDK has types for its members, none for the whole."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)
    model: str
    content: google.Content
    task_type: str | None = None
    title: str | None = None
    output_dimensionality: int | None = None


class BatchEmbedContents(BaseModel):
    model_config = ConfigDict(extra="forbid")
    requests: list[EmbedContent]


OPENAI = TypeAdapter(forbid(EmbeddingCreateParams))
GOOGLE = TypeAdapter(BatchEmbedContents)
COHERE = parameters(V2Client.embed)
WRITTEN = {
    False: TypeAdapter(forbid(CompletionCreateParamsNonStreaming)),
    True: TypeAdapter(forbid(CompletionCreateParamsStreaming)),
}


@pytest.mark.parametrize("case", **select(lambda case: case.path == EMBEDDINGS, ALL))
def test_embedding_types(case):
    path, body = case.upstream
    if path.endswith(":batchEmbedContents"):
        assert complaints(GOOGLE, body) == set()
        assert {request["model"] for request in body["requests"]} == {path.removeprefix("/v1beta/").split(":")[0]}
    elif path == "/v2/embed":
        assert complaints(COHERE, body) == set()
    else:
        # Servers of OpenAI's format have names of their own for some members.
        assert complaints(OPENAI, body) - complaints(OPENAI, case.request) <= {(("output_dimension",), "extra_forbidden")}


@pytest.mark.parametrize("case", **select(lambda case: case.path == COMPLETIONS, ALL))
def test_completion_types(case):
    _, body = case.upstream
    adapter = WRITTEN[bool(body.get("stream"))]
    assert complaints(adapter, body) - complaints(adapter, case.request) == set()


def test_the_types_can_refuse():
    assert complaints(OPENAI, {"model": "m", "input": "a"}) == set() != complaints(OPENAI, {"model": "m", "inputs": "a"})
    good = {"model": "m", "input_type": "search_query", "texts": ["a"], "embedding_types": ["float"]}
    assert complaints(COHERE, good) == set() != complaints(COHERE, {**good, "input_type": "anything"})
    content = {"parts": [{"text": "a"}]}
    assert complaints(GOOGLE, {"requests": [{"model": "m", "content": content}]}) == set()
    assert complaints(GOOGLE, {"requests": [{"model": "m", "content": content, "dims": 3}]}) != set()
