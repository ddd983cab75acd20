//! How often tokens are fetched, and who waits for them.

use std::time::{Duration, Instant};

use waypost::fixture::{Answer, Exchange};

use crate::world::{GOOGLE, World, ask, header, others, token, world};

/// A machine whose metadata server answers with this.
async fn machine(tokens: Answer) -> World {
    let replay = others(tokens).await;
    let host = replay.url("tokens").replace("http://", "");
    world(replay, GOOGLE, &[("GCE_METADATA_HOST", host)]).await
}

fn shown(world: &World) -> String {
    let last = world.at_lab().pop().unwrap();
    header(&last, "authorization").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_at_once_fetch_one_token() {
    let slow = token("ya29.one", 3600).paced(Duration::from_millis(300));
    let world = machine(slow).await;
    let addr = world.app.addr();
    let calls: Vec<_> = (0..1000).map(|_| tokio::spawn(ask(addr))).collect();
    for call in calls {
        let reply = call.await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    assert_eq!(world.at_tokens().len(), 1);
    let seen = world.at_lab();
    assert_eq!(seen.len(), 1000);
    assert!(
        seen.iter()
            .all(|seen| header(seen, "authorization") == "Bearer ya29.one")
    );
}

/// A token of 18 s is used for 8 s and fetched anew from the sixth on.
#[tokio::test]
async fn a_token_is_fetched_ahead_of_its_end_and_nobody_waits() {
    let world = machine(token("ya29.first", 18)).await;
    assert_eq!(world.ask().await.status, 200);
    let slow = token("ya29.second", 3600).paced(Duration::from_secs(2));
    world.replay.set([
        Exchange::any("tokens", slow),
        Exchange::any("lab", crate::world::whole()),
    ]);
    tokio::time::sleep(Duration::from_millis(6050)).await;
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(world.ask().await.status, 200);
        assert_eq!(shown(&world), "Bearer ya29.first");
    }
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(world.ask().await.status, 200);
    assert_eq!(shown(&world), "Bearer ya29.second");
    assert_eq!(world.at_tokens().len(), 2);
}

/// A token is not used in its last ten seconds, so that one of eleven is soon spent.
#[tokio::test]
async fn a_token_that_is_spent_is_fetched_anew() {
    let world = machine(token("ya29.short", 11)).await;
    assert_eq!(world.ask().await.status, 200);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(world.ask().await.status, 200);
    assert_eq!(world.at_tokens().len(), 2);
}

/// Who hangs up while a token is fetched takes it from nobody.
#[tokio::test]
async fn a_caller_that_goes_away_ends_no_fetch() {
    let slow = token("ya29.slow", 3600).paced(Duration::from_millis(800));
    let world = machine(slow).await;
    let addr = world.app.addr();
    let first = tokio::spawn(ask(addr));
    tokio::time::sleep(Duration::from_millis(300)).await;
    first.abort();
    let reply = world.ask().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(world.at_tokens().len(), 1);
}
