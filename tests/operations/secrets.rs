//! Canaries: keys of ours and of callers, prompts and answers pass through every fault under the most talkative log,
//! and then are looked for wherever the proxy leaves anything.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use waypost::fixture::End;
use waypost::fixture::{Answer, Exchange, Play, Replay};

use crate::house::{CHAT, Proxy, lab, provider, stream, whole};
use crate::support;

const OURS: &str = "sk-canary-ours-4711-0123456789";
const CALLERS: &str = "sk-canary-caller-0815-abcdefgh";
const PROMPT: &str = "canaryprompt";
const ANSWER: &str = "canaryanswer";

/// What providers do, each with the canaries in it wherever a real one might repeat them.
fn faults() -> Vec<(&'static str, Play)> {
    let said = format!("no {OURS} and no Bearer {OURS} for {CALLERS}: {PROMPT}");
    let error = |status| {
        Answer::json(
            status,
            json!({"error": {"message": said, "code": "x"}}).to_string(),
        )
    };
    let mut faults: Vec<(&'static str, Play)> = vec![
        ("answered", whole(ANSWER).into()),
        ("silent close", Play::close()),
        ("reset", Play::reset()),
        ("garbage", Play::garbage(format!("{ANSWER} {OURS}\r\n\r\n"))),
        (
            "page",
            Answer::json(200, format!("<html>{ANSWER} {OURS}</html>")).into(),
        ),
        ("nothing", Answer::json(200, "").into()),
        (
            "no answer in it",
            Answer::json(200, json!({"said": ANSWER, "key": OURS}).to_string()).into(),
        ),
        (
            "an error in 200",
            Answer::json(200, json!({"error": {"message": said}}).to_string()).into(),
        ),
        (
            "a long refusal",
            Answer::json(500, said.repeat(5_000)).into(),
        ),
        ("cut off", whole(ANSWER).cut(0, End::Abort).into()),
        (
            "a redirect",
            error(302)
                .header("location", &format!("http://127.0.0.1:9/?key={OURS}"))
                .into(),
        ),
        (
            "limits",
            error(429)
                .header("retry-after", "0")
                .header("x-ratelimit-remaining-requests", OURS)
                .into(),
        ),
    ];
    for status in [400, 401, 403, 404, 413, 418, 500, 502, 503, 529] {
        faults.push(("refused", error(status).into()));
    }
    faults
}

/// Faults of streams.
fn streamed() -> Vec<(&'static str, Play)> {
    let words = stream(4, Duration::from_millis(1));
    let broken = format!("data: {{\"error\":{{\"message\":\"{OURS} {CALLERS}\"}}}}\n\n");
    let after = String::from_utf8_lossy(&words.body()).replacen("data: [DONE]\n\n", &broken, 1);
    vec![
        ("a stream", words.clone().into()),
        ("cut", words.clone().cut(2, End::Abort).into()),
        ("reset", words.cut(2, End::Reset).into()),
        ("an error at once", Answer::events(&broken).into()),
        (
            "an error after words",
            Answer::events(&after.replace("\"stop\"", "null")).into(),
        ),
        (
            "no event",
            Answer::events(&format!("data: {ANSWER} {OURS}\n\ndata: [DONE]\n\n")).into(),
        ),
        (
            "endless",
            Answer::events(&format!("data: {}", ANSWER.repeat(20_000))).into(),
        ),
    ]
}

/// Headers, path and body of a request.
type Asked = (Vec<(&'static str, &'static str)>, &'static str, String);

/// Requests that are refused before anything is sent.
fn refused() -> Vec<Asked> {
    let good = ask("lab/m");
    let twice = vec![("x-api-key", "sk-canary-other-0123456789")];
    vec![
        (vec![], CHAT, format!("{good}{PROMPT}")),
        (vec![], CHAT, good.replace("\"lab/m\"", "[]")),
        (vec![], CHAT, good.replace("lab/m", PROMPT)),
        (
            vec![],
            CHAT,
            good.replace("}]}", "}],\"max_tokens\":\"canaryprompt\"}"),
        ),
        (vec![], CHAT, good.replace("\"user\"", "\"canaryprompt\"")),
        (twice, CHAT, good.clone()),
        (
            vec![("x-waypost-strategy", "canaryprompt")],
            CHAT,
            good.clone(),
        ),
        (vec![("x-waypost-canaryprompt", "1")], CHAT, good.clone()),
        (
            vec![("traceparent", OURS), ("tracestate", PROMPT)],
            CHAT,
            good.clone(),
        ),
        (vec![("idempotency-key", PROMPT)], CHAT, good.clone()),
        (
            vec![],
            "/v1/chat/completions?api_key=sk-canary-caller-0815-abcdefgh",
            good.clone(),
        ),
        (vec![], "/v1/embeddings", good),
    ]
}

fn ask(model: &str) -> String {
    json!({
        "model": model,
        "messages": [
            {"role": "system", "content": format!("{PROMPT} of the system")},
            {"role": "user", "content": [{"type": "text", "text": format!("{PROMPT} of the user")}]}
        ],
        "tools": [{"type": "function", "function": {"name": "canaryprompt_tool", "parameters": {"type": "object"}}}],
        "user": format!("{PROMPT}-user")
    })
    .to_string()
}

/// Looks for the canaries in something that came of a call; keys never may be in it.
fn no_key(where_from: &str, text: &str) {
    for key in [OURS, CALLERS, "0123456789", "0815-abcdefgh"] {
        assert!(!text.contains(key), "a key is in {where_from}: {text}");
    }
}

/// Every file under a folder.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push(path);
        }
    }
    all
}

/// A caller, the answers it got, and what it checks of each.
struct Caller<'a> {
    proxy: &'a Proxy,
    replay: &'a Replay,
    ids: BTreeSet<String>,
}

impl Caller<'_> {
    async fn ask(&mut self, what: &str, (heads, path, body): (&[(&str, &str)], &str, &str)) {
        let bearer = format!("Bearer {CALLERS}");
        let heads = [heads, &[("authorization", bearer.as_str())]].concat();
        let reply = support::post_text(self.proxy.addr, path, &heads, body).await;
        no_key(what, &reply.text());
        no_key(what, &format!("{:?}", reply.headers));
        if reply.status != 200 {
            assert!(!reply.text().contains(ANSWER), "{what}: {}", reply.text());
        }
        let id = reply.header("x-request-id").unwrap();
        self.ids.insert(id.to_owned());
    }

    /// Everything that can go wrong, and a client that leaves.
    async fn suffer(&mut self) {
        let on = [("x-waypost-fallback", "lab/n")];
        for (what, play) in faults() {
            self.replay.set([Exchange::any("lab", play)]);
            self.ask(what, (&on, CHAT, &ask("lab/m"))).await;
        }
        let question = ask("lab/m").replace("}],\"tools\"", "}],\"stream\":true,\"tools\"");
        for (what, play) in streamed() {
            self.replay.set([Exchange::any("lab", play)]);
            self.ask(what, (&[], CHAT, &question)).await;
        }
        let slow = stream(50, Duration::from_millis(20));
        self.replay.set([Exchange::any("lab", slow)]);
        let mut gone = support::open(self.proxy.addr, CHAT, &[], &question).await;
        gone.next().await.unwrap().unwrap();
        drop(gone);
        self.replay.set([Exchange::any("lab", whole(ANSWER))]);
        for (heads, path, body) in refused() {
            self.ask(path, (&heads, path, &body)).await;
        }
    }

    /// Reads every receipt, and the figures.
    async fn look_back(&self) {
        let bearer = format!("Bearer {CALLERS}");
        let caller = [("authorization", bearer.as_str())];
        for id in &self.ids {
            let path = format!("/v1/receipts/{id}");
            let receipt = support::get(self.proxy.addr, &path, &caller).await.text();
            no_key("a receipt", &receipt);
            assert!(
                !receipt.contains(PROMPT) && !receipt.contains(ANSWER),
                "{receipt}"
            );
        }
        assert!(self.ids.len() > 35, "{}", self.ids.len());
        let page = self.proxy.get("/metrics").await.text();
        assert!(!page.contains("canary"), "{page}");
    }
}

/// Configurations with a key where it should not be.
async fn misconfigure(proxy: &Proxy) {
    let bad = [
        format!("[providers.lab]\napi_key = [\"{OURS}\"]\n"),
        format!("[providers.lab]\napi_key = \"{OURS}\n"),
        format!(
            "[providers.lab]\napi_key = \"{OURS}\u{7}\"\nbase_url = \"http://127.0.0.1:9\"\ndialect = \"openai\"\n"
        ),
        format!("[providers.lab]\nheaders = {{ \"x-key\" = 1 }}\napi_keys = \"{OURS}\"\n"),
    ];
    for (at, bad) in bad.iter().enumerate() {
        proxy.configure(bad);
        proxy.signal("-HUP");
        proxy.says_times("was not reloaded", at + 1).await;
    }
}

#[tokio::test]
async fn no_canary_is_left_anywhere() {
    let replay = provider(whole(ANSWER)).await;
    let good = lab(&replay.url("lab")).replace("sk-lab-0123456789", OURS);
    let mut proxy = Proxy::start_by("export RUST_LOG=trace;", &good).await;
    let mut caller = Caller {
        proxy: &proxy,
        replay: &replay,
        ids: BTreeSet::new(),
    };
    caller.suffer().await;
    caller.look_back().await;
    misconfigure(&proxy).await;
    proxy.signal("-TERM");
    assert!(proxy.ended().await.success());
    std::fs::remove_file(proxy.folder.join("waypost.toml")).unwrap();
    let mut looked = 0;
    for file in files(&proxy.folder) {
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().find(|line| line.contains("canary"));
        assert!(line.is_none(), "{}: {}", file.display(), line.unwrap());
        looked += 1;
    }
    assert!(
        looked >= 3,
        "the log, the ledger and the statistics: {looked}"
    );
}
