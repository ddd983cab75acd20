"""The OpenAI SDK reads every recorded answer as what it is: whole, streamed, parsed, in a tool loop, cancelled."""

import inspect
import json
import shutil
import time

import openai
import pytest
from openai.resources.chat.completions import Completions
from pydantic import BaseModel

from cases import FORMATS, ROOT, case, families, select
from proxies import Waypost

LOOPS = families("sdk-loop-1")
# Whose streams are billed whole, whoever still listens: `cancel_stops_billing` of the catalogue.
BILLS_ON = {
    file.stem
    for file in (ROOT / "src/catalog/providers").glob("*.toml")
    if "cancel_stops_billing = false" in file.read_text()
}
PARSED = families("sdk-parse-python")
KNOWN = set(inspect.signature(Completions.create).parameters)


def arguments(case):
    """A request as the SDK takes it: what it has no parameter for goes into `extra_body`."""
    request = dict(case.request)
    extra = {name: request.pop(name) for name in list(request) if name not in KNOWN}
    return {**request, "extra_body": extra or None, "extra_headers": case.headers or None}


def told(part):
    """An answer, or a chunk of one, without what differs from run to run; its price, which changes by the day, must be
    what the metadata says."""
    part = dict(part)
    part.pop("created", None)
    metadata = part.pop("waypost", None)
    if metadata and part.get("usage"):
        usage = dict(part["usage"])
        assert usage.pop("cost", None) == metadata.get("cost", {}).get("actual_usd")
        part["usage"] = usage
    if part.get("id", "").startswith("chatcmpl-"):
        part.pop("id")
    return part


def wanted(part):
    """A recorded expectation, without what differs from run to run: a provider's own price is told as ours."""
    return told({**part, "waypost": {"cost": {"actual_usd": (part.get("usage") or {}).get("cost")}}})


@pytest.mark.parametrize("case", **select(lambda case: case.succeeds and not case.streamed))
def test_create(client, counter, case):
    answer = client.chat.completions.create(**arguments(case))
    assert told(answer.to_dict()) == wanted(case.expected)
    assert counter.requests == 1


@pytest.mark.parametrize("case", **select(lambda case: case.succeeds and case.streamed))
def test_stream(client, counter, case):
    with client.chat.completions.create(**arguments(case)) as stream:
        chunks = [told(chunk.to_dict()) for chunk in stream]
    assert chunks == [wanted(chunk) for chunk in case.expected]
    assert counter.requests == 1


class Weather(BaseModel):
    city: str
    celsius: int


@pytest.mark.parametrize("family", PARSED)
def test_parse(client, family):
    wanted = case(f"{family}sdk-parse-python").request
    wanted = {name: value for name, value in wanted.items() if name != "stream"}
    answer = client.chat.completions.parse(**{**wanted, "response_format": Weather})
    assert answer.choices[0].message.parsed == Weather(city="Oslo", celsius=4)


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_its_loop(format):
    assert format in {case(f"{family}sdk-loop-1").format for family in LOOPS}


def test_azure_has_its_loop():
    assert any(family.startswith("azure/") for family in LOOPS)


@pytest.mark.parametrize("family", LOOPS)
def test_streamed_tool_loop(client, family):
    first, last = case(f"{family}sdk-loop-1").request, case(f"{family}sdk-loop-2")
    settings = {name: value for name, value in first.items() if name not in ("messages", "stream")}
    messages = list(first["messages"])
    turn = streamed_turn(client, messages, settings)
    assert turn.finish_reason == "tool_calls"
    (call,) = turn.message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    messages.append(said(turn.message))
    messages.append({"role": "tool", "tool_call_id": call.id, "content": last.request["messages"][-1]["content"]})
    turn = streamed_turn(client, messages, settings)
    assert turn.finish_reason == "stop"
    assert turn.message.content == last.text != ""


def said(message):
    """A turn as clients send it back: what they were given, without what their SDK made of it."""
    calls = [call.to_dict() for call in message.tool_calls]
    for call in calls:
        call["function"].pop("parsed_arguments", None)
        call.pop("index", None)
    return {"role": "assistant", "content": message.content, "tool_calls": calls}


def streamed_turn(client, messages, settings):
    with client.chat.completions.stream(messages=messages, **settings) as stream:
        stream.until_done()
        return stream.get_final_completion().choices[0]


@pytest.mark.parametrize("family", LOOPS)
def test_cancelled_stream(tmp_path, family):
    """The client leaves within the stream; the call ends at once, and the proxy serves on."""
    source = case(f"{family}sdk-loop-2")
    slowed = tmp_path / "fixtures" / source.provider / "slow"
    shutil.copytree(source.folder, slowed)
    (slowed / "chunks").write_text("".join(f"{len(event)} 300\n" for event in source.events))
    proxy = Waypost(tmp_path, tmp_path / "fixtures", "--recorded-pace")
    try:
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{proxy.port}/v1", api_key="unused")
        stream = client.chat.completions.create(**arguments(source))
        assert next(iter(stream)).choices[0].delta.role == "assistant"
        stream.close()
        # Where leaving does not end the bill, the rest is heard first, so that the cost is known.
        rest = 0.3 * len(source.events) if source.provider in BILLS_ON else 0.0
        assert outcome_within(proxy, rest + 2.0) == "client_gone"
        assert client.models.list().object == "list"
    finally:
        proxy.stop()


def outcome_within(proxy, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if calls := proxy.calls():
            return calls[0]["outcome"]
        time.sleep(0.05)
    return "none yet"
