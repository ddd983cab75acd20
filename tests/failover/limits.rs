//! What help stays within: the caller's deadline; and what is no word.

use std::time::Duration;

use crate::does::Does;
use crate::house::{House, PAIRS};

/// Help is begun after a second, where the wall takes six.
const LIMITS: &str = "[resilience]\nttft_timeout = \"1s\"\nstall_timeout = \"1s\"\n";

const SECOND: Duration = Duration::from_secs(1);

/// The caller's deadline is that of help, too, while nothing has been shown.
#[tokio::test(flavor = "multi_thread")]
async fn help_ends_at_the_deadline_of_the_call() {
    for fallback in ["second/w-503", "second/w-silent"] {
        let house = House::new(PAIRS[0], LIMITS).await;
        let hints = [
            ("x-waypost-fallback", fallback),
            ("x-waypost-timeout-ms", "3000"),
            ("x-waypost-retries", "0"),
        ];
        let told = house.ask("first/w-slow", &hints, true).await;
        assert!(
            told.took < 5 * SECOND,
            "{} {fallback}: {:?}, {}",
            told.what,
            told.took,
            told.reply.text()
        );
    }
}

/// A role, or what else comes before the first word, is no word.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_is_no_word() {
    for pair in PAIRS {
        let house = House::new(pair, LIMITS).await;
        let told = house.call(Does::SlowAfterRole, Does::Answers, true).await;
        assert!(told.is_complete(), "{}: {}", told.what, told.reply.text());
        assert!(told.took < 5 * SECOND, "{}: {:?}", told.what, told.took);
        assert_eq!(told.fallback.len(), 1, "{}", told.what);
    }
}
