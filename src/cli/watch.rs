//! Watches the files of a configuration: their times, lengths and places on the disk, once a second.
//!
//! A file that was just touched may be half written, so that a change counts once a second has passed without another.

use std::fs::metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::app::App;
use crate::config::{self, Config};

use super::descriptors;

/// How often files are looked at.
const EVERY: Duration = Duration::from_secs(1);

/// What tells one content of a file from another without reading it; nothing where there is no file.
type Stamp = Option<(Option<SystemTime>, u64, u64)>;

/// Files whose change is waited for.
#[derive(Debug)]
pub(super) struct Watch {
    files: Vec<PathBuf>,
    used: Vec<Stamp>,
    last: Vec<Stamp>,
}

impl Watch {
    /// Watches these files from now on.
    pub(super) fn new(files: Vec<PathBuf>) -> Self {
        let used = stamps(&files);
        Self {
            last: used.clone(),
            used,
            files,
        }
    }

    /// The same files from this moment on.
    pub(super) fn again(&self) -> Self {
        Self::new(self.files.clone())
    }

    /// The same where these are the files, else a watch of them.
    pub(super) fn of(self, files: Vec<PathBuf>) -> Self {
        if self.files == files {
            return self;
        }
        Self::new(files)
    }

    /// Waits for a change that has come to rest.
    pub(super) async fn change(&mut self) {
        loop {
            tokio::time::sleep(EVERY).await;
            let now = stamps(&self.files);
            let rests = now == self.last;
            self.last = now;
            if rests && self.last != self.used {
                self.used.clone_from(&self.last);
                return;
            }
        }
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    files.iter().map(|file| stamp(file)).collect()
}

fn stamp(file: &Path) -> Stamp {
    let facts = metadata(file).ok()?;
    #[cfg(unix)]
    let place = std::os::unix::fs::MetadataExt::ino(&facts);
    #[cfg(not(unix))]
    let place = 0;
    Some((facts.modified().ok(), facts.len(), place))
}

/// The files that a configuration is made of.
pub(super) fn files(config: &Config) -> Vec<PathBuf> {
    let all = config.file.iter().chain(config.tls.files());
    all.cloned().collect()
}

/// Reads the configuration anew and puts it in the place of the one that runs. What is wrong with it is told, and then
/// nothing changes. Gives back the files it is made of.
pub(super) async fn reload(app: &App, path: Option<PathBuf>) -> Option<Vec<PathBuf>> {
    #[expect(
        clippy::disallowed_methods,
        reason = "reading files and the catalogue takes a while, and calls are not to wait for it"
    )]
    let read =
        tokio::task::spawn_blocking(move || Config::load(path.as_deref(), &config::environment));
    let mut config = match read.await {
        Ok(Ok(config)) => config,
        Ok(Err(problem)) => return refused(app, &problem),
        Err(error) => return refused(app, &error),
    };
    let files = files(&config);
    config.notes.extend(descriptors::fit(&mut config.limits));
    match app.reload(config).await {
        Ok(notes) => {
            for note in notes {
                tracing::warn!(note = note.as_str(), "configuration");
            }
            let providers = app.providers().join(" ");
            tracing::info!(providers, "the configuration was reloaded");
            Some(files)
        }
        Err(error) => refused(app, &error),
    }
}

fn refused(app: &App, why: &dyn std::fmt::Display) -> Option<Vec<PathBuf>> {
    app.reload_refused();
    tracing::error!(%why, "the configuration was not reloaded; the one before stays");
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_change_counts_once_it_rests_and_a_file_may_come_and_go() {
        let file = std::env::temp_dir().join(format!("waypost-watch-{}", fastrand::u64(..)));
        let mut watch = Watch::new(vec![file.clone()]);
        let waited = tokio::time::timeout(EVERY * 5, watch.change()).await;
        assert!(waited.is_err(), "nothing has changed");
        for text in ["one", "three"] {
            std::fs::write(&file, text).unwrap();
            watch.change().await;
        }
        // Replaced by another of the same length at the same time, as deployments do.
        let time = metadata(&file).unwrap().modified().unwrap();
        let other = file.with_extension("new");
        std::fs::write(&other, "seven").unwrap();
        let opened = std::fs::File::options().write(true).open(&other).unwrap();
        opened.set_modified(time).unwrap();
        std::fs::rename(&other, &file).unwrap();
        watch.change().await;
        std::fs::remove_file(&file).unwrap();
        watch.change().await;
    }
}
