//! What is billed beside tokens: web searches that the provider tells are on the bill, and what it does not tell makes the
//! cost no exact one.

use serde_json::{Value, json};
use waypost::fixture::{Answer, Exchange};

use crate::support::get;
use crate::world::{ask, house, with};

/// An answer in the format of messages with a usage of its own.
fn claude(usage: &Value) -> Answer {
    let body = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6",
        "content": [{"type": "text", "text": "Rain."}], "stop_reason": "end_turn", "stop_sequence": null, "usage": usage});
    Answer::json(200, body.to_string())
}

/// An answer in OpenAI's format with a usage of its own.
fn chat(usage: &Value) -> Answer {
    let message = json!({"role": "assistant", "content": "Rain."});
    let body = json!({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "usage": usage,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}]});
    Answer::json(200, body.to_string())
}

/// What a call cost, in dollars, and whether that is exact; and the lines of its bill.
async fn cost(provider: &str, answer: Answer, model: &str, more: &Value) -> (f64, bool, Value) {
    let app = house(vec![Exchange::any(provider, answer)], None).await;
    let reply = ask(&app, &[], &with(model, more)).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let told = reply.json()["waypost"].clone();
    let receipt = get(app.addr(), told["receipt"].as_str().unwrap(), &[])
        .await
        .json();
    let cost = &told["cost"];
    (
        cost["actual_usd"].as_f64().unwrap(),
        cost["exact"].as_bool().unwrap(),
        receipt,
    )
}

fn near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-9, "{found} for {wanted}");
}

const CLAUDE: &str = "anthropic/claude-sonnet-4-6";

/// 1,000 and 100 tokens of a model that costs 3 and 15 dollars per million, and 10 dollars for a thousand searches.
#[tokio::test]
async fn searches_are_on_the_bill_where_their_number_is_told() {
    let search =
        json!({"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 5}]});
    let tokens = json!({"input_tokens": 1000, "output_tokens": 100});
    let mut searched = tokens.clone();
    searched["server_tool_use"] = json!({"web_search_requests": 3});
    let mut idle = tokens.clone();
    idle["server_tool_use"] = json!({"web_search_requests": 0});
    let (plain, exact, _) = cost("anthropic", claude(&tokens), CLAUDE, &json!({})).await;
    near(plain, 0.0045);
    assert!(exact);
    let (with_fees, exact, receipt) = cost("anthropic", claude(&searched), CLAUDE, &search).await;
    near(with_fees, 0.0045 + 0.03);
    assert!(exact, "the number is told");
    assert!(receipt.to_string().contains("web_search"), "{receipt}");
    let (none, exact, _) = cost("anthropic", claude(&idle), CLAUDE, &search).await;
    near(none, plain);
    assert!(exact, "that it did not search is told");
    let (unsaid, exact, _) = cost("anthropic", claude(&tokens), CLAUDE, &search).await;
    near(unsaid, plain);
    assert!(!exact, "nothing is told of searches");
    let code = json!({"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]});
    let (_, exact, _) = cost("anthropic", claude(&searched), CLAUDE, &code).await;
    assert!(!exact, "what else a provider runs is counted by nobody");
}

/// A model that is asked in the format of responses: searches are items of its answer; what it opens is not billed.
#[tokio::test]
async fn searches_are_counted_among_the_items_of_an_answer() {
    let call = |action: &str| json!({"id": "ws", "type": "web_search_call", "status": "completed", "action": {"type": action}});
    let text = json!({"type": "output_text", "annotations": [], "text": "Rain."});
    let message = json!({"id": "m", "type": "message", "status": "completed", "role": "assistant", "content": [text]});
    let usage = json!({"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100});
    let answer = |output: Value| {
        let body = json!({"id": "r", "object": "response", "created_at": 1, "status": "completed", "error": null,
            "incomplete_details": null, "model": "gpt-5.5-pro", "output": output, "usage": usage});
        Answer::json(200, body.to_string())
    };
    let ask = json!({"web_search_options": {}});
    let model = "openai/gpt-5.5-pro";
    let (bare, exact, _) = cost("openai", answer(json!([message])), model, &ask).await;
    assert!(exact, "that it did not search is seen");
    let output = json!([
        call("search"),
        call("open_page"),
        call("search"),
        call("find_in_page"),
        message
    ]);
    let (searched, exact, _) = cost("openai", answer(output), model, &ask).await;
    near(searched, bare + 0.02);
    assert!(exact);
}

/// Providers that say what a call cost are believed, whatever form they say it in.
#[tokio::test]
async fn a_providers_own_figure_is_the_cost() {
    let tokens = json!({"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17});
    let with_usage = |name: &str, value: Value| {
        let mut usage = tokens.clone();
        usage[name] = value;
        chat(&usage)
    };
    let ticks = with_usage("cost_in_usd_ticks", json!(1_497_500));
    let (money, exact, _) = cost("xai", ticks, "xai/grok-4.3", &json!({})).await;
    near(money, 0.000_149_750);
    assert!(exact);
    let parts = json!({"input_tokens_cost": 0.001, "request_cost": 0.005, "total_cost": 0.006});
    let (money, _, _) = cost(
        "perplexity",
        with_usage("cost", parts),
        "perplexity/sonar",
        &json!({}),
    )
    .await;
    near(money, 0.006);
    let (money, _, _) = cost(
        "openrouter",
        with_usage("cost", json!(0.0125)),
        "openrouter/openai/gpt-oss-120b",
        &json!({}),
    )
    .await;
    near(money, 0.0125);
}

/// Searches without a listed price are told as no exact cost, not as none.
#[tokio::test]
async fn searches_without_a_price_are_no_exact_cost() {
    let usage = json!({"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17, "num_sources_used": 4});
    let (_, exact, _) = cost(
        "mistral",
        chat(&usage),
        "mistral/mistral-small-2603",
        &json!({}),
    )
    .await;
    assert!(!exact);
}
