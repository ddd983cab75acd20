"""A client that refuses unknown members takes every answer, once the metadata is off."""

import json

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import TypeAdapter, ValidationError

from cases import case, select
from forbid import forbid
from test_chat import PARSED, arguments

WHOLE = TypeAdapter(forbid(ChatCompletion))
CHUNK = TypeAdapter(forbid(ChatCompletionChunk))

# What is asked for by name and is beyond the types that the SDK has for it.
BEYOND = {
    "openai/responses-custom-tool-stream": "the types of chunks know calls of functions only, those of whole answers "
    "have custom tools too",
}


@pytest.fixture
def strict(counter, key):
    """The SDK's own strict mode checks values; unknown members are ours to refuse."""
    with openai.OpenAI(base_url=counter.base_url, api_key=key, _strict_response_validation=True) as client:
        yield client


def answered(streamed):
    """What Waypost translated and what OpenAI said; what others say in OpenAI's format is passed on as it is."""

    def fits(case):
        ours = case.provider == "openai" or case.format != "openai"
        return case.succeeds and ours and case.streamed is streamed

    return select(fits)


def without_metadata(case):
    return {**arguments(case), "extra_headers": {**case.headers, "x-waypost-metadata": "off"}}


def skip_if_beyond_types(case):
    """OpenAI's answers are passed on as they are: one that is beyond OpenAI's own types stays so."""
    if str(case) in BEYOND:
        pytest.skip(BEYOND[str(case)])
    if case.format != "openai":
        return
    adapter = CHUNK if case.streamed else WHOLE
    bodies = (event.partition(b"data: ")[2] for event in case.events) if case.streamed else case.events
    try:
        for body in bodies:
            if body.startswith(b"{"):
                adapter.validate_json(body)
    except ValidationError:
        pytest.skip("the provider itself says more than its types")


@pytest.mark.parametrize("case", **answered(streamed=False))
def test_whole(strict, case):
    skip_if_beyond_types(case)
    raw = strict.chat.completions.with_raw_response.create(**without_metadata(case))
    WHOLE.validate_json(raw.content)
    assert raw.parse().choices


@pytest.mark.parametrize("case", **answered(streamed=True))
def test_streamed(strict, case):
    skip_if_beyond_types(case)
    with strict.chat.completions.with_streaming_response.create(**without_metadata(case)) as raw:
        events = [line[6:] for line in raw.iter_lines() if line.startswith("data: ")]
    assert events.pop() == "[DONE]"
    for event in events:
        CHUNK.validate_json(event)
    assert len(list(strict.chat.completions.create(**without_metadata(case)))) == len(events)


@pytest.mark.parametrize("family", PARSED)
def test_metadata_is_what_is_refused(client, family):
    """With the metadata on the same client fails: this suite can."""
    raw = client.chat.completions.with_raw_response.create(**arguments(case(f"{family}sdk-parse-python")))
    assert json.loads(raw.content)["waypost"]["provider"] == family.split("/")[0]
    with pytest.raises(ValidationError) as caught:
        WHOLE.validate_json(raw.content)
    places = {error["loc"] for error in caught.value.errors()}
    ours = {("waypost",), ("usage", "cost")}
    # Cohere counts what it bills apart from what it reads, and that is passed on.
    assert places == (ours | {("usage", "billed_units")} if family.startswith("cohere/") else ours)
