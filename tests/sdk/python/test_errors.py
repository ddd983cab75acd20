"""Every failure of a provider raises the SDK's matching exception, and the SDK sends exactly one request."""

import openai
import pytest

from cases import CASES, FORMATS, case as case_named, families, select
from test_chat import arguments

# What becomes of a provider's failure: our status, our code, the exception.
CLASSES = {
    "error-400-context": (400, "context_length_exceeded", openai.BadRequestError),
    "error-401": (502, "upstream_auth_error", openai.InternalServerError),
    "error-429-retry-after": (429, "rate_limit_exceeded", openai.RateLimitError),
    "error-500": (502, "upstream_error", openai.InternalServerError),
    "error-503": (503, "overloaded", openai.InternalServerError),
    "error-529": (503, "overloaded", openai.InternalServerError),
}


def fails_at_once(case):
    return case.request is not None and case.status >= 400


def of_class(case):
    """The class of a failure by the end of the case's name."""
    return next((name for name in CLASSES if case.name.endswith(name)), None)


@pytest.mark.parametrize("format", [format for format in FORMATS if format != "gemini on vertex"])
def test_every_class_is_there(format):
    """In one family of fixtures at least; Gemini fails alike wherever it is."""
    there = [{str(case).removeprefix(family) for case in CASES if fails_at_once(case)} for family in spoken(format)]
    wanted = {"error-400-context", "error-401", "error-429-retry-after", "error-500"}
    assert any(wanted <= names for names in there)


def spoken(format):
    """The families of fixtures that are of one format."""
    return [family for family in families("text-stream") if case_named(f"{family}text-stream").format == format]


@pytest.mark.parametrize("provider", ["openai", "anthropic", "google"])
def test_overload_is_there(provider):
    names = {case.name for case in CASES if case.provider == provider and fails_at_once(case)}
    assert names & {"error-503", "error-529"}


@pytest.mark.parametrize("case", **select(fails_at_once))
def test_one_request_and_the_right_exception(client, counter, case):
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(**arguments(case))
    error = caught.value
    assert counter.requests == 1
    assert error.response.headers["x-should-retry"] == "false"
    assert set(error.response.json()["error"]) == {"message", "type", "param", "code"}
    status, code, kind = CLASSES.get(of_class(case), (error.status_code, error.code, openai.APIStatusError))
    assert (error.status_code, error.code) == (status, code)
    assert isinstance(error, kind)


@pytest.mark.parametrize(
    "case", **select(lambda case: case.request is not None and case.status == 200 and case.expected and not case.succeeds)
)
def test_failure_within_an_answer(client, counter, case):
    """A failure behind a 200 is an exception too, at once or within the stream."""
    with pytest.raises(openai.APIError):
        answer = client.chat.completions.create(**arguments(case))
        for _ in answer:
            pass
    assert counter.requests == 1


def test_no_recorded_answer(client, counter):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(
            model="openai/gpt-5.6-terra", messages=[{"role": "user", "content": "Nobody ever asked this."}]
        )
    assert caught.value.code == "replay_miss"
    assert counter.requests == 1


def test_unknown_hint(client, counter):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model="openai/gpt-5.6-terra",
            messages=[{"role": "user", "content": "Hello."}],
            extra_headers={"x-waypost-tag": "a"},
        )
    assert caught.value.code == "unsupported_hint"
    assert counter.requests == 1
