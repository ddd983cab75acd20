"""Routing as a client of the SDK meets it, with calls that are really sent: strategies, caps, tenants, pools,
experiments, and the plain routing API beside them."""

import json
import time

import httpx
import openai
import pytest
from pydantic import BaseModel

from cases import select
from proxies import Waypost
from test_chat import arguments, told, wanted
from upstream import Upstream

STRATEGIES = ["lowest-cost", "balanced", "fastest", "max-reliability"]

ROUTING = """
[pools.pair]
models = ["anthropic/claude-sonnet-5-5", "openai/gpt-4.1-mini"]
[pools.fast]
models = ["openai/gpt-4.1-mini", "google/gemini-2.5-flash"]
strategy = "fastest"
[aliases]
ours = "pair"
[tenants.pinned]
model = "anthropic/claude-sonnet-5-5"
[tenants.listed]
allow = ["google", "openai/gpt-4.1-mini"]
deny = ["google/gemini-2.5-pro"]
strategy = "max-reliability"
[tenants.thrifty]
max_cost_usd = 0.000001
[tenants.pooled]
pool = "pair"
[experiments.half]
applies_to = ["openai/gpt-4o-mini"]
split = { "openai/gpt-4o-mini" = 50, "google/gemini-2.5-flash" = 50 }
sticky = "user"
[experiments.watch]
applies_to = ["openai/gpt-4o"]
shadow = "anthropic/claude-haiku-4-5"
"""

HELLO = [{"role": "user", "content": "Say hello."}]
PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": PNG}}]}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CAP, MODE = "x-waypost-max-cost-usd", "x-waypost-cost-cap-mode"


class City(BaseModel):
    city: str


@pytest.fixture(scope="module")
def upstream():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory, upstream):
    """Waypost before three providers that answer whatever they are asked."""
    folder = tmp_path_factory.mktemp("routed")
    bases = {"openai": "/v1", "anthropic": "", "google": ""}
    tables = (f'[providers.{name}]\napi_key = "k"\nbase_url = "{upstream.url(name, base)}"\n' for name, base in bases.items())
    (folder / "waypost.toml").write_text("".join(tables) + ROUTING)
    proxy = Waypost(folder, None, env={"XDG_STATE_HOME": str(folder)})
    yield proxy
    proxy.stop()


@pytest.fixture
def routed(live, upstream):
    upstream.asked.clear()
    upstream.down.clear()
    upstream.pause = 0.0
    with openai.OpenAI(base_url=f"http://127.0.0.1:{live.port}/v1", api_key="k") as client:
        yield client


@pytest.fixture
def http(live, routed):
    with httpx.Client(base_url=f"http://127.0.0.1:{live.port}") as client:
        yield client


def create(client, model, messages=HELLO, headers=None, **more):
    """An answer and its head."""
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=messages, extra_headers=headers or {}, **more
    )
    return raw.parse(), raw.headers


@pytest.mark.parametrize("strategy", STRATEGIES)
class TestEveryStrategy:
    """What is asked for works under each of them, whichever provider it goes to."""

    def test_text(self, routed, upstream, strategy):
        answer, headers = create(routed, strategy)
        assert answer.choices[0].message.content == "Hi there"
        assert headers["x-waypost-strategy"] == strategy
        assert headers["x-waypost-route-reason"] == "strategy"
        (asked,) = upstream.asked
        assert (headers["x-waypost-provider"], headers["x-waypost-model"]) == (asked.provider, asked.model)
        assert answer.usage.cost > 0

    def test_a_stream(self, routed, strategy):
        with routed.chat.completions.create(model=strategy, messages=HELLO, stream=True) as stream:
            text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        assert text == "Hi there"

    def test_tools(self, routed, upstream, strategy):
        answer, _ = create(routed, strategy, tools=[TOOL], tool_choice="required")
        (call,) = answer.choices[0].message.tool_calls
        assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Oslo"})
        assert upstream.asked[0].tool == "get_weather"
        messages = [*HELLO, answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "4"}]
        answer, _ = create(routed, strategy, messages)
        assert answer.choices[0].message.content == "Hi there"

    def test_streamed_tools(self, routed, strategy):
        with routed.chat.completions.stream(model=strategy, messages=HELLO, tools=[TOOL]) as stream:
            stream.until_done()
            (call,) = stream.get_final_completion().choices[0].message.tool_calls
        assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Oslo"})

    def test_an_image(self, routed, upstream, strategy):
        answer, _ = create(routed, strategy, PICTURE)
        assert answer.choices[0].message.content == "Hi there"
        assert upstream.asked[0].images == 1

    def test_a_schema(self, routed, upstream, strategy):
        answer = routed.chat.completions.parse(model=strategy, messages=HELLO, response_format=City)
        assert answer.choices[0].message.parsed == City(city="Oslo")
        assert upstream.asked[0].wants_json

    @pytest.mark.parametrize("down", ["openai", "anthropic", "google"])
    def test_one_that_fails_is_followed_by_the_next(self, routed, upstream, strategy, down):
        """Before the same strategy twice: whoever is first, another answers."""
        upstream.down = {down}
        for _ in range(2):
            _, headers = create(routed, strategy, tools=[TOOL])
            assert headers["x-waypost-provider"] != down


# Of models that have no efforts to choose among: what is sent is what was recorded.
ASKS = ["text", "text-stream", "tool-call", "tool-call-stream", "parallel-tools-stream", "image-in", "json-schema"]
PLAIN = {"openai": ("gpt-4o", "gpt-4.1"), "anthropic": ("claude-haiku-4",), "cohere": ("command-a-03", "command-r")}


def is_plain(case):
    if not case.succeeds or case.name not in ASKS:
        return False
    provider, _, model = case.request["model"].partition("/")
    return provider == case.provider and model.startswith(PLAIN.get(provider, ("-",)))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Waypost in replay mode. Small models may be taken for being cheap or fast."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "waypost.toml").write_text("[routing]\nmin_quality = 0\n")
    proxy = Waypost(folder)
    with openai.OpenAI(base_url=f"http://127.0.0.1:{proxy.port}/v1", api_key="k") as client:
        yield client
    proxy.stop()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("case", **select(is_plain))
def test_recorded_answers_are_those_of_every_strategy(recorded, case, strategy):
    """The strategy may choose that one endpoint alone, and asks it what a forced route asks."""
    asked = arguments(case)
    only = {"x-waypost-only": asked["model"], **(asked["extra_headers"] or {})}
    answer = recorded.chat.completions.create(**{**asked, "model": strategy, "extra_headers": only})
    if case.streamed:
        assert [told(chunk.to_dict()) for chunk in answer] == [wanted(chunk) for chunk in case.expected]
    else:
        assert answer.waypost["strategy"] == strategy
        assert told(answer.to_dict()) == wanted(case.expected)


def test_all_kinds_are_among_the_recorded():
    kinds = {case.name for case in select(is_plain)["argvalues"]}
    assert {"text", "image-in", "json-schema"} <= kinds and any("tool" in kind for kind in kinds)


class TestCaps:
    def test_clamp(self, routed, upstream):
        answer, headers = create(routed, "openai/gpt-4.1", headers={CAP: "0.005"})
        assert 16 < upstream.asked[0].body["max_completion_tokens"] < 700
        assert answer.usage.cost <= float(headers["x-waypost-cost-max-usd"]) <= 0.005
        assert float(headers["x-waypost-cost-estimated-usd"]) <= 0.005

    def test_reject(self, routed, upstream):
        asked = {"headers": {CAP: "0.005", MODE: "reject"}}
        with pytest.raises(openai.APIStatusError) as caught:
            create(routed, "openai/gpt-4.1", max_completion_tokens=20_000, **asked)
        assert (caught.value.status_code, caught.value.code) == (402, "max_cost_unreachable")
        assert upstream.asked == []
        create(routed, "openai/gpt-4.1", max_completion_tokens=100, **asked)
        assert upstream.asked[0].body["max_completion_tokens"] == 100

    def test_cut(self, routed, upstream, monkeypatch):
        monkeypatch.setattr("upstream.WORDS", ["word " * 20] * 200)
        upstream.pause = 0.002
        raw = routed.chat.completions.create(
            model="openai/gpt-4.1-mini", messages=HELLO, stream=True,
            extra_headers={CAP: "0.003", MODE: "cut"}, stream_options={"include_usage": True},
        )  # fmt: skip
        chunks = list(raw)
        said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
        assert reasons[-1] == "length" and 0 < len(said) < 100 * 200
        assert "max_completion_tokens" not in upstream.asked[0].body
        assert 0 < chunks[-1].usage.cost <= 0.003

    @pytest.mark.parametrize("mode", ["clamp", "reject", "cut"])
    @pytest.mark.parametrize("strategy", STRATEGIES)
    def test_each_mode_under_each_strategy(self, routed, strategy, mode):
        answer, headers = create(routed, strategy, headers={CAP: "0.02", MODE: mode}, max_completion_tokens=300)
        assert answer.usage.cost <= float(headers["x-waypost-cost-max-usd"]) <= 0.02

    def test_what_nothing_fits_names_what_would(self, routed, upstream):
        with pytest.raises(openai.APIStatusError) as caught:
            create(routed, "auto", headers={CAP: "0.00000001"})
        assert (caught.value.status_code, caught.value.code) == (402, "max_cost_unreachable")
        bound = caught.value.message.split("worst case is $")[1].split()[0].rstrip(".,")
        assert upstream.asked == []
        create(routed, "auto", headers={CAP: bound})


class TestTenants:
    def test_a_pin_is_always_taken(self, routed, upstream):
        for model in ("auto", "openai/gpt-4.1-mini", "pair", "nonsense"):
            answer, _ = create(routed, model, headers={"x-waypost-tenant": "pinned"})
            assert (upstream.asked[-1].provider, upstream.asked[-1].model) == ("anthropic", "claude-sonnet-5-5")
            assert answer.waypost["tenant"] == "pinned"

    def test_a_list_holds_under_every_strategy(self, routed, upstream):
        listed = {"x-waypost-tenant": "listed"}
        for model in ("auto", *STRATEGIES):
            _, headers = create(routed, model, headers=listed)
            asked = upstream.asked[-1]
            assert asked.provider == "google" or asked.model == "gpt-4.1-mini"
            assert asked.model != "gemini-2.5-pro"
            assert headers["x-waypost-strategy"] == ("max-reliability" if model == "auto" else model)
        with pytest.raises(openai.NotFoundError) as caught:
            create(routed, "anthropic/claude-sonnet-5-5", headers=listed)
        assert caught.value.code == "model_not_found" and "listed" in caught.value.message

    def test_a_cap_a_pool_and_a_stranger(self, routed, upstream):
        with pytest.raises(openai.APIStatusError) as caught:
            create(routed, "auto", headers={"x-waypost-tenant": "thrifty"})
        assert caught.value.status_code == 402
        with pytest.raises(openai.BadRequestError) as caught:
            create(routed, "auto", headers={"x-waypost-tenant": "nobody"})
        assert caught.value.param == "x-waypost-tenant" and "pinned" in caught.value.message
        assert upstream.asked == []
        _, headers = create(routed, "auto", headers={"x-waypost-tenant": "pooled"})
        assert headers["x-waypost-route-reason"] == "pool"


class TestPools:
    @pytest.mark.parametrize("name", ["pair", "ours"])
    def test_in_order(self, routed, upstream, name):
        _, headers = create(routed, name)
        assert (headers["x-waypost-provider"], headers["x-waypost-route-reason"]) == ("anthropic", "pool")
        upstream.down = {"anthropic"}
        answer, headers = create(routed, name, tools=[TOOL])
        assert answer.choices[0].message.tool_calls[0].function.name == "get_weather"
        assert headers["x-waypost-fallback-from"].startswith("anthropic/claude-sonnet-5-5:")

    def test_by_strategy(self, routed, upstream):
        _, headers = create(routed, "fast")
        assert headers["x-waypost-strategy"] == "fastest"
        assert upstream.asked[0].model in ("gpt-4.1-mini", "gemini-2.5-flash")


class TestExperiments:
    def test_a_split_is_sticky(self, routed):
        arms = {}
        for _ in range(2):
            for user in map(str, range(24)):
                answer, headers = create(routed, "openai/gpt-4o-mini", user=user)
                assert answer.waypost["experiment"] == "half"
                assert answer.waypost["arm"] == f"{headers['x-waypost-provider']}/{headers['x-waypost-model']}"
                assert arms.setdefault(user, answer.waypost["arm"]) == answer.waypost["arm"]
        assert len(set(arms.values())) == 2

    def test_a_shadow_is_not_felt(self, routed, live, upstream):
        answer, headers = create(routed, "openai/gpt-4o")
        assert (headers["x-waypost-provider"], headers["x-waypost-attempts"]) == ("openai", "1")
        assert answer.choices[0].message.content == "Hi there" and "arm" not in answer.waypost
        end = time.monotonic() + 5
        copies = []
        while not copies and time.monotonic() < end:
            time.sleep(0.02)
            copies = [call for call in live.calls() if call.get("copy_of") == answer.waypost["request_id"]]
        assert [(call["provider"], call["outcome"]) for call in copies] == [("anthropic", "answered")]
        assert [ask.provider for ask in upstream.asked] == ["openai", "anthropic"]


def test_a_dry_run_sends_nothing(routed, upstream):
    for model in (*STRATEGIES, "pair", "openai/gpt-4.1"):
        raw = routed.chat.completions.with_raw_response.create(
            model=model, messages=HELLO, extra_headers={"x-waypost-dry-run": "true"}
        )
        assert raw.http_response.json()["attempts"]
    assert upstream.asked == []


def test_a_seed_draws_the_same_again(routed, upstream):
    """The plan of a dry run is what the call does."""
    seed = {"x-waypost-seed": "11"}
    raw = routed.chat.completions.with_raw_response.create(
        model="balanced", messages=HELLO, extra_headers={**seed, "x-waypost-dry-run": "true"}
    )
    plan = raw.http_response.json()
    _, headers = create(routed, "balanced", headers=seed)
    assert (headers["x-waypost-provider"], headers["x-waypost-model"]) == (plan["provider"], plan["model"])


@pytest.mark.parametrize("strategy", STRATEGIES)
class TestPlainApi:
    def test_route(self, http, upstream, strategy):
        answer = http.post("/api/route", json={"prompt": "Say hello.", "strategy": strategy, "max_cost": 0.02}).json()
        assert (answer["result"], answer["strategy"]) == ("Hi there", strategy)
        assert (answer["provider"], answer["model_used"]) == (upstream.asked[0].provider, upstream.asked[0].model)
        assert 0 < answer["actual_cost"] <= answer["max_cost"] <= 0.02
        receipt = http.get(answer["receipt"]).json()
        assert receipt["outcome"] == "answered"

    def test_stream(self, http, strategy):
        answer = http.post("/api/route/stream", json={"prompt": "Say hello.", "strategy": strategy})
        events = [event.split("\n", 1) for event in answer.text.strip().split("\n\n") if event.startswith("event")]
        names = [name.removeprefix("event: ") for name, _ in events]
        assert (names[0], set(names[1:-1]), names[-1]) == ("meta", {"delta"}, "done")
        told = [json.loads(data.removeprefix("data: ")) for _, data in events]
        assert "".join(data.get("text", "") for data in told[1:-1]) == "Hi there"
        assert told[-1]["actual_cost"] > 0

    def test_recommend(self, http, upstream, strategy):
        answer = http.post("/api/recommend", json={"prompt": "Say hello.", "strategy": strategy}).json()
        assert answer["result"] is None and answer["strategy"] == strategy and answer["plan"]["attempts"]
        assert upstream.asked == []

    def test_tools_pass(self, http, strategy):
        answer = http.post("/api/route", json={"prompt": "Warm?", "strategy": strategy, "params": {"tools": [TOOL]}})
        assert answer.json()["tool_calls"][0]["function"]["name"] == "get_weather"
