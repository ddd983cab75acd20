//! Claude on Vertex AI: Anthropic's Messages API in Google's envelope. Vertex' own models speak `gemini`.

mod dialect;
mod params;

pub use dialect::AnthropicVertex;
