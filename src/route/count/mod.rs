//! How many tokens a prompt is: at most, by guess, and by count.
//!
//! | question | answered by | good for |
//! |---|---|---|
//! | at most | [`Load::bound`]: bytes | caps: never too small |
//! | by guess | [`Load::estimate`]: kinds of bytes | plans: at memory speed, with its error |
//! | by count | [`Load::count`]: OpenAI's vocabulary | plans, once it is loaded; long prompts by samples |

mod exact;
mod load;
mod picture;
mod script;
mod sum;

pub use exact::{Counter, LateCounter};
pub use load::{Beside, Load, Unbounded};
pub use script::Script;
pub use sum::{Bound, Counted, Estimate, How, WHOLE};
