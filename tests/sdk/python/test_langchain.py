"""LangChain runs a streamed tool loop on each dialect."""

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI

from cases import case
from test_chat import LOOPS

KINDS = {"system": SystemMessage, "user": HumanMessage}


@pytest.mark.parametrize("family", LOOPS)
def test_streamed_tool_loop(counter, key, family):
    first, last = case(f"{family}sdk-loop-1").request, case(f"{family}sdk-loop-2")
    model = ChatOpenAI(
        model=first["model"],
        max_tokens=first["max_completion_tokens"],
        base_url=counter.base_url,
        api_key=key,
        stream_usage=True,
    ).bind_tools(first["tools"], tool_choice=first["tool_choice"])
    messages = [KINDS[message["role"]](message["content"]) for message in first["messages"]]
    turn = gathered(model.stream(messages))
    (call,) = turn.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Oslo"})
    messages += [turn, ToolMessage(last.request["messages"][-1]["content"], tool_call_id=call["id"])]
    answer = gathered(model.stream(messages))
    assert answer.content == last.text != ""
    assert answer.usage_metadata["output_tokens"] > 0
    assert counter.requests == 2


def gathered(chunks):
    total = None
    for chunk in chunks:
        total = chunk if total is None else total + chunk
    return total
