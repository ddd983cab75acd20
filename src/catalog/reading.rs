//! How a model reads a prompt beside its text: what is put round it, what becomes of schemas and pictures.
//!
//! The figures are rounded from what providers counted for prompts that we know. They are for estimates; bounds take more
//! than any of them.

use super::sight::Sight;

/// How a model reads a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Pictures.
    pub sight: Sight,
    /// Tokens round a prompt: its beginning, and a system text of the template's own.
    pub all: u16,
    /// Tokens round each message and call.
    pub each: u16,
    /// Tokens that any tool brings: how to call. A format without tools brings a quarter of them.
    pub tools: u16,
    /// Tokens round each tool.
    pub tool: u16,
    /// Tokens of a schema for a hundred of its JSON: some templates write it out shorter.
    pub schema: u16,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            sight: Sight::Unknown,
            all: 3,
            each: 4,
            tools: 60,
            tool: 10,
            schema: 100,
        }
    }
}

impl Reading {
    /// For a model by its id, wherever it runs.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let bare = id.rsplit_once('/').map_or(id, |(_, bare)| bare);
        let has = |part: &str| bare.contains(part);
        let usual = Self {
            sight: Sight::of(id),
            ..Self::default()
        };
        match bare {
            // Tools bring a system text of some 500 tokens since version 4.5, and of 340 before (Anthropic, "Tool use").
            _ if has("claude") => Self {
                all: 5,
                tools: 450,
                tool: 30,
                ..usual
            },
            _ if has("gemini") => Self {
                all: 0,
                each: 1,
                tools: 0,
                schema: 50,
                ..usual
            },
            // The harmony template: a system message of its own, and tools as TypeScript.
            _ if has("gpt-oss") => Self {
                all: 65,
                tools: 30,
                schema: 50,
                ..usual
            },
            _ if has("gpt-") || has("o3") || has("o4-mini") => Self {
                tools: 12,
                tool: 8,
                schema: 30,
                ..usual
            },
            _ if has("grok-4") => Self { all: 680, ..usual },
            _ if has("llama-3") || has("Llama-3") => Self {
                all: 30,
                tools: 200,
                ..usual
            },
            _ => usual,
        }
    }
}
