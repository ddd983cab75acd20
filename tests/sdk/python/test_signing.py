"""What Waypost signs is what AWS's own signer would sign, of the very bytes that arrive."""

import re

import openai
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from official.replayer import Replayer
from proxies import Waypost
from test_official import Answer

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
SAID = b"""{"output": {"message": {"role": "assistant", "content": [{"text": "Hi."}]}}, "stopReason": "end_turn",
"usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}, "metrics": {"latencyMs": 1}}"""
# A colon is percent-encoded in the path, and once more in what is signed.
MODEL = "bedrock/0.whole:0"
SHOWN = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=([^,]+), Signature=(\w+)"
)


@pytest.fixture
def replayer():
    replayer = Replayer()
    yield replayer
    replayer.stop()


def asked(replayer, room, env):
    """The request that arrives when Waypost is asked with these variables set."""
    (room / "waypost.toml").write_text(f'[providers.bedrock]\nbase_url = "{replayer.url}"\nregion = "eu-west-3"\n')
    replayer.add(Answer(200, {"content-type": "application/json"}, SAID))
    proxy = Waypost(room, None, "--config", room / "waypost.toml", env=env)
    try:
        with openai.OpenAI(base_url=f"http://127.0.0.1:{proxy.port}/v1", api_key="unused", max_retries=0) as client:
            messages = [{"role": "user", "content": "Grüße, 世界"}]
            answer = client.chat.completions.create(model=MODEL, messages=messages)
    finally:
        proxy.stop()
    assert answer.choices[0].message.content == "Hi."
    return replayer.asked[-1]


@pytest.mark.parametrize("token", [None, "session/token+=="], ids=["lasting", "temporary"])
def test_signature(replayer, tmp_path, token):
    env = {**KEYS, **({"AWS_SESSION_TOKEN": token} if token else {})}
    path, headers, body = asked(replayer, tmp_path, env)
    headers = {name.lower(): value for name, value in headers.items()}
    key, _, region, service, signed, signature = SHOWN.fullmatch(headers["authorization"]).groups()
    assert (key, region, service) == (KEYS["AWS_ACCESS_KEY_ID"], "eu-west-3", "bedrock")
    assert {"host", "x-amz-date", *(["x-amz-security-token"] if token else [])} <= set(signed.split(";"))
    assert headers.get("x-amz-security-token") == token
    of_these = {name: headers[name] for name in signed.split(";")}
    request = AWSRequest("POST", f"{replayer.url}{path}", headers=of_these, data=body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(*KEYS.values(), token), service, region)
    canonical = signer.canonical_request(request)
    assert signer.signature(signer.string_to_sign(request, canonical), request) == signature


def test_a_key_is_shown_instead(replayer, tmp_path):
    _, headers, _ = asked(replayer, tmp_path, {**KEYS, "AWS_BEARER_TOKEN_BEDROCK": "the-key"})
    assert headers["authorization"] == "Bearer the-key"
