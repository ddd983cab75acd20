"""Waypost reads recorded traffic as the providers' own parsers do, however the bytes are cut."""

import random
from dataclasses import dataclass, replace

import openai
import pytest

from official import bedrock, cohere_v2, responses
from official.asked import ask
from official.recordings import WIRE, recordings
from official.replayer import CUTS, Replayer
from proxies import Waypost

# Folder of recordings, which is the name of the dialect too; its reader; how many recordings there are.
READERS = {"bedrock": (bedrock.read, 36), "cohere": (cohere_v2.read, 18), "openai-responses": (responses.read, 22)}

# What the provider's own parser refuses to read as it was recorded: what to mend for it, and why. Waypost gets the
# recording as it is.
MENDED = {
    "bedrock-vai-amazon-bedrock-json-with-tool-1-0-a8308": (
        b'"type": "text",',
        b"",
        "written by hand for a unit test: ContentBlock is a union, so that botocore refuses a second member",
    ),
}

# Where Waypost tells a failure by another status than the provider did, and why.
RESTATED = {
    "bedrock-pyd-model-name-suggestions-model-name-suggestion-bedrock-0": (
        404,
        "the provider says that there is no such model, for which OpenAI's clients know 404 only",
    ),
}

UNSET = pytest.param(None, None, marks=pytest.mark.skip(reason="WAYPOST_WIRE is not set: no recording is decoded"))


def recorded(predicate=lambda one: True):
    if not WIRE:
        return [UNSET]
    found = [(folder, one) for folder in READERS for one in recordings(folder) if predicate(one)]
    return [pytest.param(folder, one, id=f"{folder}/{one.name}") for folder, one in found]


@dataclass(frozen=True)
class Answer:
    """An answer as the replayer takes it."""

    status: int
    headers: dict
    body: bytes


@pytest.fixture(scope="module")
def replayer():
    replayer = Replayer()
    yield replayer
    replayer.stop()


@pytest.fixture(scope="module")
def asking(replayer, tmp_path_factory):
    """The official SDK before a Waypost whose providers are the replayer."""
    room = tmp_path_factory.mktemp("official")
    tables = (
        f'[providers.lab-{name}]\ndialect = "{name}"\nbase_url = "{replayer.url}"\napi_key = "k"\n' for name in READERS
    )
    (room / "waypost.toml").write_text("\n".join(tables))
    proxy = Waypost(room, None, "--config", room / "waypost.toml")
    with openai.OpenAI(base_url=f"http://127.0.0.1:{proxy.port}/v1", api_key="unused", max_retries=0) as client:
        yield client
    proxy.stop()


def officially(replayer, folder, recording):
    """What the provider's own parser reads."""
    old, new, _ = MENDED.get(recording.name, (b"", b"", ""))
    assert old in recording.body
    body = recording.body.replace(old, new) if old else recording.body
    number = replayer.add(Answer(recording.status, recording.headers, body))
    return READERS[folder][0](replayer.url, f"{number}.whole", recording.streamed)


@pytest.mark.skipif(not WIRE, reason="WAYPOST_WIRE is not set: no recording is decoded")
def test_the_recordings_are_there():
    assert {folder: len(recordings(folder)) for folder in READERS} == {name: n for name, (_, n) in READERS.items()}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(("folder", "recording"), recorded())
def test_reads_as_the_provider_does(replayer, asking, folder, recording, cut):
    expected = officially(replayer, folder, recording)
    number = replayer.add(recording)
    names = {call["name"] for call in expected.tool_calls}
    said = ask(asking, f"lab-{folder}/{number}.{cut}", recording.streamed, names)
    if expected.error:
        status, _ = RESTATED.get(recording.name, (expected.error["status"], ""))
        assert said.error["status"] == status
        assert expected.error["message"] in said.error["message"]
        return
    if recording.streamed and expected.usage is None:
        # A client that asked for usage gets zeros where the provider told none.
        expected = replace(expected, usage={"prompt_tokens": 0, "completion_tokens": 0})
    # What a provider does not tell, Waypost may say or leave out.
    said.usage = {name: count for name, count in (said.usage or {}).items() if name in expected.usage}
    assert said == expected


def is_binary(recording):
    return recording.streamed and "body_base64" in recording.raw["response"]


@pytest.mark.parametrize(("folder", "recording"), recorded(is_binary))
def test_a_flipped_bit_is_an_error(replayer, asking, folder, recording):
    """Wherever it is: never text, and never the end of a good answer."""
    whole = officially(replayer, folder, recording)
    names = {call["name"] for call in whole.tool_calls}
    dice = random.Random(recording.name)
    for at in [0, 9, *dice.sample(range(len(recording.body)), 6)]:
        body = bytearray(recording.body)
        body[at] ^= 1 << dice.randrange(8)
        number = replayer.add(Answer(recording.status, recording.headers, bytes(body)))
        said = ask(asking, f"lab-{folder}/{number}.random", True, names)
        assert said.error, f"byte {at}"
        assert whole.text.startswith(said.text)
        assert whole.reasoning.startswith(said.reasoning)
        assert said.finish is None
