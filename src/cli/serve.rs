//! `waypost serve`: from configuration to a running house, until a signal ends it.

use std::path::{Path, PathBuf};

use crate::app::{App, Plan, Play, Setting, StartError};
use crate::config::Config;
use crate::fixture::{Cassette, Pace};

use super::args::ServeArgs;
use super::descriptors;
use super::folder::state_folder;
use super::signals::{Asked, Signals};
use super::watch::{self, Watch};

/// Runs the proxy until it is told to stop.
///
/// # Errors
/// Why it could not start.
pub async fn run(args: ServeArgs, mut config: Config) -> Result<(), StartError> {
    let mut signals = Signals::listen()?;
    descriptors::raise();
    config.notes.extend(descriptors::fit(&mut config.limits));
    if let Some(listen) = args.listen {
        config.check_listen(listen).map_err(StartError::Config)?;
    }
    let play = match &args.replay {
        Some(folder) => Some(tape(folder, args.recorded_pace)?),
        None => None,
    };
    let plan = Plan {
        listen: args.listen.unwrap_or(config.listen),
        record: args.record,
        play,
        config,
    };
    for note in &plan.config.notes {
        tracing::warn!(note = note.as_str(), "configuration");
    }
    let setting = Setting {
        // Recordings teach nothing about providers.
        state: state_folder().filter(|_| plan.play.is_none()),
        ..Setting::default()
    };
    let files = watch::files(&plan.config);
    let app = App::start_with(plan, setting).await?;
    tracing::info!(listen = %app.addr(), providers = %app.providers().join(" "), "waypost serves");
    follow_changes(&app, args.config, files, &mut signals).await;
    wind_up(app, signals).await;
    Ok(())
}

/// The recordings of a folder.
fn tape(folder: &Path, recorded_pace: bool) -> Result<Play, StartError> {
    let cassettes =
        Cassette::read_tree(folder).map_err(|error| StartError::Fixture(error.to_string()))?;
    if cassettes.is_empty() {
        return Err(StartError::Fixture(format!(
            "there are no recordings in {}",
            folder.display()
        )));
    }
    let pace = if recorded_pace {
        Pace::Recorded
    } else {
        Pace::AtOnce
    };
    Ok(Play {
        exchanges: cassettes.into_iter().map(Into::into).collect(),
        pace,
    })
}

/// Takes on what the files of the configuration become, and reads them anew on SIGHUP, until the end is asked for.
async fn follow_changes(
    app: &App,
    path: Option<PathBuf>,
    files: Vec<PathBuf>,
    signals: &mut Signals,
) {
    let mut watch = Watch::new(files);
    loop {
        let asked = tokio::select! {
            () = watch.change() => Asked::Again,
            asked = signals.any() => asked,
        };
        if asked == Asked::End {
            return;
        }
        // What changes while it is read is a change after that.
        let again = watch.again();
        if let Some(files) = watch::reload(app, path.clone()).await {
            watch = again.of(files);
        }
    }
}

/// Waits for a signal of any kind, and then for the end of the house.
///
/// # Errors
/// Where the system gives no signals.
pub async fn wait_for_the_end(app: App) -> Result<(), StartError> {
    let mut signals = Signals::listen()?;
    // Without a file there is nothing to read anew: who closes the terminal ends what was shown in it.
    let _ = signals.any().await;
    wind_up(app, signals).await;
    Ok(())
}

/// Drains the house and lets a second signal hurry.
async fn wind_up(app: App, mut signals: Signals) {
    tracing::info!(
        "draining: no new calls are taken, open ones go on for a while; a second signal ends them"
    );
    // Whoever signals again wants it over, and a third time at any price.
    let (hurry, hurried) = tokio::sync::oneshot::channel();
    let again = async {
        signals.end().await;
        tracing::info!("hurrying: what is open is cut off");
        let _ = hurry.send(());
        signals.end().await;
    };
    tokio::select! {
        () = app.stop_unless(async { hurried.await.unwrap_or(()) }) => {}
        () = again => {}
    }
}
