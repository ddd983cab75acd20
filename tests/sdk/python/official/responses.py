"""Answers of the Responses API as OpenAI's own SDK reads them; streams by its own accumulator."""

import openai

from official.record import Record, tokens

INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}


def read(url, model, streamed):
    """Asks for one answer and says what is in it."""
    client = openai.OpenAI(base_url=url, api_key="key", max_retries=0)
    try:
        if not streamed:
            return told(client.responses.create(model=model, input="Hello"))
        with client.responses.stream(model=model, input="Hello") as events:
            return told(events.get_final_response())
    except openai.APIStatusError as error:
        return Record(error={"status": error.status_code, "message": error.body["message"]})


def told(answer):
    if answer.status == "failed":
        return Record(error={"status": 200, "message": answer.error.message})
    record = Record(finish="stop", usage=usage(answer.usage))
    if answer.status == "incomplete":
        record.finish = INCOMPLETE[answer.incomplete_details.reason]
    for item in answer.output:
        if item.type == "message":
            record.text += "".join(part.text for part in item.content if part.type == "output_text")
        elif item.type == "reasoning":
            record.reasoning += "".join(part.text for part in item.summary)
            record.reasoning += "".join(part.text for part in item.content or [])
        elif item.type == "function_call":
            record.call(item.name, item.arguments)
        elif item.type == "custom_tool_call":
            record.call(item.name, item.input)
    return record.settle()


def usage(told):
    if told is None:
        return None
    cached, reasoning = told.input_tokens_details.cached_tokens, told.output_tokens_details.reasoning_tokens
    return tokens(told.input_tokens, told.output_tokens, cached, reasoning)
