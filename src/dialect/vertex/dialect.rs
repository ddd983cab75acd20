//! The seam: an envelope, and whose errors they are.

use crate::chat::json::Members;
use crate::chat::{Error, Request};

use super::super::anthropic::envelope::{Betas, Envelope, Host};
use super::super::anthropic::{Anthropic, request};
use super::super::codec::{
    Context, Decode, Dialect, Encoded, Failure, Headers, Reply, Shape, Target,
};
use super::super::gemini::Gemini;
use super::super::params::Row;
use super::super::place::segment;
use super::params::PARAMS;

/// Google's page "Use Claude models" and Anthropic's SDK for Vertex: the model in the path, the version in the body.
static ENVELOPE: Envelope = Envelope {
    params: &PARAMS,
    host: Host::Cloud("vertex-2023-10-16"),
    betas: Betas::Body,
    says_stream: true,
    path,
};

fn path(model: &str, shape: Shape) -> String {
    let mut path = "/publishers/anthropic/models/".to_owned();
    segment(model, &mut path);
    path.push_str(match shape {
        Shape::Stream => ":streamRawPredict",
        Shape::Whole => ":rawPredict",
    });
    path
}

/// Claude on Vertex AI.
#[derive(Clone, Copy, Debug)]
pub struct AnthropicVertex;

impl Dialect for AnthropicVertex {
    fn name(&self) -> &'static str {
        "anthropic-vertex"
    }

    fn params(&self) -> &'static [Row] {
        &PARAMS
    }

    fn encode(
        &self,
        request: &Request,
        target: &Target<'_>,
        context: &Context<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Encoded, Error> {
        request::encode(request, target, (&ENVELOPE, context), out)
    }

    fn decoder(&self, target: &Target<'_>, shape: Shape, reply: Reply) -> Box<dyn Decode> {
        Anthropic.decoder(target, shape, reply)
    }

    /// Quotas, credentials and unknown models are Google's to tell of, everything else is Anthropic's.
    fn failure(&self, status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let anthropics = Members::parse(text)
            .is_ok_and(|members| members.text("type").is_some_and(|kind| kind == "error"));
        if anthropics {
            Anthropic.failure(status, headers, body)
        } else {
            Gemini.failure(status, headers, body)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use crate::chat::Code;
    use crate::dialect::codec::{Again, Forgetful};
    use crate::dialect::{Caps, Mode, Quirks};

    use super::*;

    fn encoded(body: &Value) -> Result<(Encoded, Value), Error> {
        let request = Request::parse(body.to_string().into_bytes()).unwrap();
        let target = Target {
            model: "claude-sonnet-4-5@20250929",
            quirks: &Quirks::default(),
            caps: &Caps::default(),
        };
        let context = Context {
            mode: Mode::Emulate,
            recall: &Forgetful,
        };
        let mut out = Vec::new();
        let encoded = AnthropicVertex.encode(&request, &target, &context, &mut out)?;
        Ok((encoded, serde_json::from_slice(&out).unwrap()))
    }

    fn body(more: &Value) -> Value {
        let mut body =
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    }

    #[test]
    fn the_path_names_the_model_and_the_body_the_version() {
        let more = json!({"output_config": {}, "service_tier": "auto", "context_management": {"edits": []}});
        let (sent, body) = encoded(&body(&more)).unwrap();
        assert_eq!(
            sent.path,
            "/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict"
        );
        assert!(sent.headers.is_empty());
        assert_eq!(body["anthropic_version"], "vertex-2023-10-16");
        assert_eq!(
            body["anthropic_beta"],
            json!(["context-management-2025-06-27"])
        );
        assert!(body.get("model").is_none() && body.get("service_tier").is_none());
        let (sent, body) = encoded(&self::body(&json!({"stream": true}))).unwrap();
        assert!(sent.path.ends_with(":streamRawPredict") && body["stream"] == true);
    }

    /// E-27: effort and schema stay.
    #[test]
    fn output_config_is_kept() {
        let schema = json!({"type": "object", "properties": {}, "additionalProperties": false});
        let format = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": true}});
        let (_, body) = encoded(&body(&json!({"response_format": format}))).unwrap();
        assert_eq!(body["output_config"]["format"]["type"], "json_schema");
        assert!(body.get("output_format").is_none());
    }

    #[test]
    fn what_only_the_vendor_takes_is_refused() {
        for more in [
            json!({"mcp_servers": [{"type": "url", "url": "https://x", "name": "x"}]}),
            json!({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}]}]}),
        ] {
            assert!(encoded(&body(&more)).is_err(), "{more}");
        }
    }

    #[test]
    fn errors_are_googles_or_anthropics() {
        let read =
            |status, body: &str| AnthropicVertex.failure(status, &[("a", "b")], body.as_bytes());
        let quota = r#"[{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"7s"}]}}]"#;
        let quota = read(429, quota);
        assert_eq!(
            (quota.code, quota.again),
            (
                Code::RateLimitExceeded,
                Again::After(Duration::from_secs(7))
            )
        );
        let long = r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8 maximum"}}"#;
        assert_eq!(read(400, long).code, Code::ContextLengthExceeded);
        let missing = r#"{"error":{"code":404,"message":"Publisher Model `claude-x` was not found","status":"NOT_FOUND"}}"#;
        assert_eq!(read(404, missing).code, Code::ModelNotFound);
    }
}
