//! Exit codes, and what is said on stderr with them.

use std::io::{self, Write as _};

/// Exit codes as `sysexits.h` has them: the command line is wrong.
pub const BAD_USAGE: u8 = 64;
/// What was read is wrong.
pub const BAD_DATA: u8 = 65;
/// Something could not be opened or read.
pub const NO_INPUT: u8 = 66;
/// Something could not be listened on or read.
pub const UNAVAILABLE: u8 = 69;
/// The system refused something.
pub const OS_ERROR: u8 = 71;
/// Writing the result failed.
pub const IO_ERROR: u8 = 74;
/// The configuration is wrong.
pub const BAD_CONFIG: u8 = 78;

/// The exit code where the output cannot be written.
pub fn unwritten(error: &io::Error) -> u8 {
    match error.kind() {
        // The reader of a pipe has seen enough.
        io::ErrorKind::BrokenPipe => 0,
        _ => report(&format!("cannot write: {error}"), IO_ERROR),
    }
}

/// Says on stderr what went wrong; gives the code back.
pub fn report(message: &str, code: u8) -> u8 {
    let _ = writeln!(io::stderr(), "waypost: {message}");
    code
}
