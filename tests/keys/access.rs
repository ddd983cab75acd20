//! Who is let in, to what, and what is told of it.

use serde_json::json;
use waypost::fixture::Exchange;

use crate::house::{CHAT, House, code, house, key, question, secret, whole};
use crate::support;

async fn open_house(keys: &str) -> House {
    let both = ["deepseek", "mistral"].map(|name| Exchange::any(name, whole(5)));
    house(both.to_vec(), keys).await
}

fn plain() -> serde_json::Value {
    question("deepseek/m", &json!({}))
}

#[tokio::test]
async fn whoever_shows_no_valid_key_is_refused_in_the_same_words() {
    let keys = key("good", "") + &key("late", "expires = \"2026-11-25T12:00:00Z\"");
    let house = open_house(&keys).await;
    assert_eq!(house.ask(&secret("good"), &plain()).await.status, 200);
    let unknown = house.ask("wp-nobody-has-this-one", &plain()).await;
    assert_eq!(
        (unknown.status, code(&unknown).as_str()),
        (401, "invalid_api_key")
    );
    assert_eq!(unknown.header("x-should-retry"), Some("false"));
    let odd = "\u{e9}".repeat(40);
    for wrong in [&secret("late"), &secret("goof"), &"x".repeat(40_000)] {
        let refused = house.ask(wrong, &plain()).await;
        assert_eq!((refused.status, refused.text()), (401, unknown.text()));
        assert!(!refused.text().contains(wrong.as_str()));
    }
    // What is no text is no key.
    assert_eq!(house.ask(&odd, &plain()).await.status, 401);
    let addr = house.app.addr();
    for headers in [
        &[][..],
        &[("authorization", "Basic Z29vZDpnb29k")],
        &[("authorization", "Bearer ")],
    ] {
        let refused = support::post(addr, CHAT, headers, &plain()).await;
        assert_eq!(refused.status, 401, "{headers:?}");
    }
    let path = format!("{CHAT}?key={}", secret("good"));
    assert_eq!(support::post(addr, &path, &[], &plain()).await.status, 401);
    let good = secret("good");
    let bearer = format!("Bearer {good}");
    let two = [("authorization", bearer.as_str()), ("x-api-key", "other")];
    let refused = support::post(addr, CHAT, &two, &plain()).await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (400, "ambiguous_credentials")
    );
    let plainly = support::post(addr, CHAT, &[("x-api-key", &good)], &plain()).await;
    assert_eq!(plainly.status, 200);
    for path in ["/v1/models", "/v1/models/deepseek/m"] {
        assert_eq!(support::get(addr, path, &[]).await.status, 401, "{path}");
    }
    assert_eq!(house.sent(), 2, "what is refused is not sent");
}

#[tokio::test]
async fn what_is_not_open_to_a_key_is_not_there_for_it() {
    let keys = key("narrow", "models = [\"deepseek\"]") + &key("wide", "");
    let house = open_house(&keys).await;
    let narrow = secret("narrow");
    let ids = async |key: &str| {
        let list = house.get(key, "/v1/models").await.json();
        let list = list["data"].as_array().unwrap().clone();
        let ids = list
            .iter()
            .map(|model| model["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let listed = ids(&narrow).await;
    assert!(listed.contains(&"deepseek/m".to_owned()), "{listed:?}");
    assert!(
        !listed.iter().any(|id| id.starts_with("mistral")),
        "{listed:?}"
    );
    assert!(ids(&secret("wide")).await.contains(&"mistral/n".to_owned()));
    assert_eq!(house.get(&narrow, "/v1/models/mistral/n").await.status, 404);

    assert_eq!(house.ask(&narrow, &plain()).await.status, 200);
    let forced = house.ask(&narrow, &question("mistral/n", &json!({}))).await;
    assert_eq!(
        (forced.status, code(&forced).as_str()),
        (404, "model_not_found")
    );
    // Nor by way of a fallback: the first fails, and the second is not tried.
    house.providers.set([
        Exchange::any("deepseek", waypost::fixture::Answer::json(500, "{}")),
        Exchange::any("mistral", whole(5)),
    ]);
    let spare = question("deepseek/m", &json!({"fallbacks": ["mistral/n"]}));
    let failed = house.ask(&narrow, &spare).await;
    assert_ne!(failed.status, 200, "{}", failed.text());
    assert_eq!(house.ask(&secret("wide"), &spare).await.status, 200);
    let seen = house.providers.seen();
    let asked = seen
        .iter()
        .filter(|seen| seen.provider == "mistral")
        .count();
    assert_eq!(asked, 1, "by the key that may");
}

#[tokio::test]
async fn strategies_and_tenants_are_those_of_the_key() {
    let keys = key("cheap", "strategies = [\"lowest-cost\"]")
        + &key("ours", "tenant = \"acme\"\ntags = [\"batch\", \"eu\"]")
        + "[tenants.acme]\n[tenants.zeta]\n";
    let house = open_house(&keys).await;
    let refused = house
        .ask(&secret("cheap"), &question("fastest", &json!({})))
        .await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (404, "model_not_found")
    );
    let named = json!({"waypost": {"strategy": "fastest"}});
    let refused = house.ask(&secret("cheap"), &question("auto", &named)).await;
    assert_eq!(refused.status, 404);

    let other = json!({"waypost": {"tenant": "zeta"}});
    let refused = house
        .ask(&secret("ours"), &question("deepseek/m", &other))
        .await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("zeta"));
    assert_eq!(house.ask(&secret("ours"), &plain()).await.status, 200);
    let folder = house.folder.clone();
    house.app.stop().await;
    let ledger = waypost::store::sqlite::open_to_read(&folder.join("waypost.db")).unwrap();
    let row = ledger.query_row("SELECT key, tenant, tags FROM calls", [], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    });
    let row: (String, String, String) = row.unwrap();
    assert_eq!(row, ("ours".into(), "acme".into(), "batch,eu".into()));
}

#[tokio::test]
async fn a_receipt_is_read_by_its_key_and_by_its_tenant() {
    let keys = key("one", "tenant = \"acme\"")
        + &key("same", "tenant = \"acme\"")
        + &key("other", "tenant = \"zeta\"")
        + &key("none", "")
        + "[tenants.acme]\n[tenants.zeta]\n";
    let mut house = open_house(&keys).await;
    let reply = house.ask(&secret("one"), &plain()).await;
    let path = format!("/v1/receipts/{}", reply.header("x-request-id").unwrap());
    for kept in ["in memory", "in the ledger"] {
        for (name, status) in [("one", 200), ("same", 200), ("other", 404), ("none", 404)] {
            let receipt = house.get(&secret(name), &path).await;
            assert_eq!(receipt.status, status, "{name}, {kept}: {}", receipt.text());
        }
        assert_eq!(house.get("no key", &path).await.status, 401);
        house = house.again(&keys).await;
    }
}

#[tokio::test]
async fn no_key_may_more_than_the_one_it_was_made_from() {
    let keys = key(
        "root",
        "models = [\"deepseek\"]\nbudget = { usd = 0.02, period = \"day\" }",
    ) + &key(
        "leaf",
        "from = \"root\"\nmodels = [\"deepseek\", \"mistral\"]",
    );
    let house = open_house(&keys).await;
    let leaf = secret("leaf");
    let forced = house.ask(&leaf, &question("mistral/n", &json!({}))).await;
    assert_eq!(forced.status, 404);
    // A thousand tokens are a cent, and both keys have two.
    let cent = question("deepseek/m", &json!({"max_tokens": 1_000}));
    house
        .providers
        .set([Exchange::any("deepseek", whole(1_000))]);
    assert_eq!(house.ask(&leaf, &cent).await.status, 200);
    assert_eq!(house.ask(&secret("root"), &cent).await.status, 200);
    let refused = house.ask(&leaf, &cent).await;
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (429, "insufficient_quota")
    );
    assert!(
        refused.text().contains("the key 'root'"),
        "{}",
        refused.text()
    );
}
