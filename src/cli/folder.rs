//! Where things are kept on this machine.

use std::path::PathBuf;

/// Where live statistics are kept: `$XDG_STATE_HOME/waypost`, else `~/.local/state/waypost`.
#[must_use]
pub fn state_folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = named("XDG_STATE_HOME").map(PathBuf::from);
    let base = base.filter(|path| path.is_absolute());
    let base = base.or_else(|| Some(PathBuf::from(named("HOME")?).join(".local/state")));
    base.map(|base| base.join("waypost"))
}
