//! Tests of keeping a value fresh, on a clock that is wound by hand.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::*;

/// A source whose answers are counted, wait for leave and can be made to fail.
#[derive(Clone)]
struct Well {
    fetched: Arc<AtomicUsize>,
    broken: Arc<AtomicUsize>,
    leave: Arc<Semaphore>,
}

impl Well {
    fn new(leave: usize) -> Self {
        Self {
            fetched: Arc::default(),
            broken: Arc::default(),
            leave: Arc::new(Semaphore::new(leave)),
        }
    }

    fn fetched(&self) -> usize {
        self.fetched.load(Ordering::SeqCst)
    }

    fn break_it(&self, broken: usize) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    /// Values are numbered; the first ends at 1000, the second at 2000 and so on.
    fn refresher(&self) -> Refresher<usize> {
        let well = self.clone();
        Refresher::new(move || {
            let well = well.clone();
            Box::pin(async move {
                let value = well.fetched.fetch_add(1, Ordering::SeqCst) + 1;
                well.leave.acquire().await.unwrap().forget();
                if well.broken.load(Ordering::SeqCst) > 0 {
                    return Err(Unfetched("dry".into()));
                }
                let until = Some(value as u64 * 1000);
                Ok(Fresh { value, until })
            })
        })
    }
}

async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_thousand_callers_make_one_fetch() {
    let well = Well::new(0);
    let refresher = well.refresher();
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let refresher = refresher.clone();
            tokio::spawn(async move { refresher.value(0).await })
        })
        .collect();
    settle().await;
    assert_eq!(well.fetched(), 1);
    well.leave.add_permits(1000);
    for call in calls {
        assert_eq!(*call.await.unwrap().unwrap(), 1);
    }
    assert_eq!(well.fetched(), 1);
}

#[tokio::test]
async fn a_value_is_fetched_again_at_its_end() {
    let well = Well::new(1000);
    let refresher = well.refresher();
    assert_eq!(*refresher.value(0).await.unwrap(), 1);
    assert_eq!(*refresher.value(700).await.unwrap(), 1);
    assert_eq!(well.fetched(), 1);
    // Ten seconds before its end it is not used any more.
    assert!(refresher.ready(990).is_none());
    assert_eq!(*refresher.value(990).await.unwrap(), 2);
}

#[tokio::test]
async fn a_value_is_fetched_ahead_behind_the_callers_back() {
    let well = Well::new(1);
    let refresher = well.refresher();
    assert_eq!(*refresher.value(0).await.unwrap(), 1);
    // After four fifths of its life, though the fetch is stuck: nobody waits for it.
    for _ in 0..100 {
        assert_eq!(refresher.ready(801).as_deref(), Some(&1));
        settle().await;
    }
    assert_eq!(well.fetched(), 2);
    assert_eq!(*refresher.value(801).await.unwrap(), 1);
    well.leave.add_permits(1);
    settle().await;
    assert_eq!(refresher.ready(801).as_deref(), Some(&2));
    assert_eq!(well.fetched(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_old_value_serves_while_fetching_ahead_fails() {
    let well = Well::new(1000);
    let refresher = well.refresher();
    assert_eq!(*refresher.value(0).await.unwrap(), 1);
    well.break_it(1);
    for _ in 0..50 {
        assert_eq!(refresher.ready(850).as_deref(), Some(&1));
        settle().await;
    }
    assert_eq!(well.fetched(), 2, "a failure stands for a while");
    tokio::time::advance(LONG_PAUSE).await;
    well.break_it(0);
    assert_eq!(refresher.ready(880).as_deref(), Some(&1));
    settle().await;
    assert_eq!(refresher.ready(880).as_deref(), Some(&3));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_to_all_and_stands_for_a_while() {
    let well = Well::new(1000);
    well.break_it(1);
    let refresher = well.refresher();
    for _ in 0..100 {
        assert_eq!(refresher.value(0).await, Err(Unfetched("dry".into())));
    }
    assert_eq!(well.fetched(), 1);
    tokio::time::advance(PAUSE).await;
    assert!(refresher.value(5).await.is_err());
    assert_eq!(well.fetched(), 2);
    well.break_it(0);
    tokio::time::advance(PAUSE).await;
    assert_eq!(*refresher.value(10).await.unwrap(), 3);
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_no_fetch() {
    let well = Well::new(0);
    let refresher = well.refresher();
    let first = tokio::spawn({
        let refresher = refresher.clone();
        async move { refresher.value(0).await }
    });
    settle().await;
    first.abort();
    settle().await;
    let second = tokio::spawn({
        let refresher = refresher.clone();
        async move { refresher.value(0).await }
    });
    settle().await;
    well.leave.add_permits(1);
    assert_eq!(*second.await.unwrap().unwrap(), 1);
    assert_eq!(well.fetched(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_value_is_dropped_once_and_not_while_it_is_young() {
    let well = Well::new(1000);
    let refresher = well.refresher();
    let first = refresher.value(0).await.unwrap();
    assert!(!refresher.discard(&first), "it was fetched just now");
    assert_eq!(*refresher.value(0).await.unwrap(), 1);
    tokio::time::advance(SETTLED).await;
    assert!(refresher.discard(&first));
    let second = refresher.value(30).await.unwrap();
    assert_eq!(*second, 2);
    // Others who had the first refused do not drop the second.
    assert!(refresher.discard(&first));
    assert_eq!(refresher.ready(30).as_deref(), Some(&2));
    assert_eq!(well.fetched(), 2);
}

#[tokio::test]
async fn a_value_without_an_end_stays() {
    let refresher = Refresher::new(|| {
        Box::pin(async {
            Ok(Fresh {
                value: 7,
                until: None,
            })
        })
    });
    assert_eq!(*refresher.value(0).await.unwrap(), 7);
    assert_eq!(refresher.ready(u64::MAX).as_deref(), Some(&7));
}

#[tokio::test]
async fn a_fetch_that_panics_is_not_waited_for() {
    let count = Arc::new(AtomicUsize::new(0));
    let refresher = Refresher::<u8>::new(move || {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        Box::pin(async move {
            assert!(!first, "the first fetch breaks");
            Ok(Fresh {
                value: 9,
                until: None,
            })
        })
    });
    assert_eq!(refresher.value(0).await, Err(gone()));
    assert_eq!(*refresher.value(0).await.unwrap(), 9);
}
