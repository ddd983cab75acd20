"""The requests that Anthropic's own SDK makes for Claude in the clouds."""

import json

import httpx2
from anthropic import APIStatusError, AnthropicBedrock, AnthropicVertex

# The SDK's method has no parameters for these; it sends them where it is told to.
BESIDE = ("anthropic_version", "anthropic_beta", "temperature", "top_p", "top_k")


def by_the_sdk(connect, model, streamed, body):
    """Path and body of the SDK's request for what `body` asks of a model."""
    seen = []

    def keep(request):
        seen.append((request.url.raw_path.decode(), json.loads(request.content)))
        return httpx2.Response(400, json={})

    asked = {name: value for name, value in body.items() if name not in (*BESIDE, "stream")}
    beside = {name: body[name] for name in BESIDE if name in body}
    with httpx2.Client(transport=httpx2.MockTransport(keep)) as http:
        try:
            connect(http).messages.create(model=model, stream=streamed, extra_body=beside, **asked)
        except APIStatusError:
            pass
    return seen[0]


def on_bedrock(http):
    return AnthropicBedrock(api_key="k", aws_region="us-east-1", http_client=http, max_retries=0)


def on_vertex(project, region):
    return lambda http: AnthropicVertex(
        project_id=project, region=region, access_token="t", http_client=http, max_retries=0
    )
