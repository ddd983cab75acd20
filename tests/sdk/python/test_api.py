"""The plain routing API as a client without an SDK uses it."""

import httpx
import pytest


@pytest.fixture
def http(waypost, key):
    with httpx.Client(base_url=f"http://127.0.0.1:{waypost.port}", headers={"authorization": f"Bearer {key}"}) as client:
        yield client


def test_recommend_sends_nothing(waypost, http):
    before = len(waypost.calls())
    answer = http.post("/api/recommend", json={"prompt": "Say hello.", "strategy": "lowest-cost", "max_cost": 0.01})
    told = answer.json()
    assert answer.status_code == 200, told
    assert told["result"] is None and told["plan"]["plan"]["candidates"]
    assert told["estimated_cost"] <= told["max_cost"] <= 0.01
    assert all(call["attempts"] == 0 for call in waypost.calls()[before:])


def test_wrong_values_are_named(http):
    for body, param in (({}, "prompt"), ({"prompt": "a", "max_cost": -1}, "max_cost"), ({"prompt": "a", "x": 1}, "x")):
        answer = http.post("/api/route", json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert http.get("/api/route").status_code == 405
