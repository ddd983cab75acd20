"""Strategies, pools, caps and dry runs as a client of the SDK meets them."""

import openai
import pytest

from proxies import Waypost

STRATEGIES = ["auto", "lowest-cost", "balanced", "fastest", "max-reliability"]

CONFIG = """
[providers.openai]
api_key = "k"
[providers.anthropic]
api_key = "k"
[pools.pair]
models = ["anthropic/claude-sonnet-5-5", "openai/gpt-5.6-terra"]
"""

HELLO = [{"role": "user", "content": "Say hello."}]
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
ASKS = {
    "text": {},
    "tools": {"tools": [TOOL]},
    "image": {"messages": [{"role": "user", "content": [IMAGE]}]},
    "schema": {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "strict": True, "schema": SCHEMA}}},
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = tmp_path_factory.mktemp("routing")
    (folder / "waypost.toml").write_text(CONFIG)
    proxy = Waypost(folder)
    yield proxy
    proxy.stop()


@pytest.fixture
def routed(house):
    with openai.OpenAI(base_url=f"http://127.0.0.1:{house.port}/v1", api_key="k") as client:
        yield client


def plan(client, model, headers=None, **more):
    """The plan of a call; nothing is sent."""
    raw = client.chat.completions.with_raw_response.create(
        **{"model": model, "messages": HELLO, **more},
        extra_headers={"x-waypost-dry-run": "true", **(headers or {})},
    )
    return raw.http_response.json()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("ask", ASKS)
def test_everything_is_planned_under_every_strategy(routed, strategy, ask):
    found = plan(routed, strategy, **ASKS[ask])
    assert found["object"] == "waypost.plan" and found["attempts"]
    assert found["strategy"] == ("balanced" if strategy == "auto" else strategy)


def test_a_header_names_the_strategy(routed):
    assert plan(routed, "auto", {"x-waypost-strategy": "fastest"})["strategy"] == "fastest"


def test_a_pool_is_a_model(routed):
    found = plan(routed, "pair")
    assert (found["route"], found["provider"], found["model"]) == ("pool", "anthropic", "claude-sonnet-5-5")
    assert "pair" in {model.id for model in routed.models.list()}


def test_a_cap_that_nothing_fits_is_402(routed):
    with pytest.raises(openai.APIStatusError) as caught:
        routed.chat.completions.create(
            model="auto", messages=HELLO, extra_headers={"x-waypost-max-cost-usd": "0.000000001"}
        )
    assert (caught.value.status_code, caught.value.code) == (402, "max_cost_unreachable")
