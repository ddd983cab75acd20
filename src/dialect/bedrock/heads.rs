//! What Converse has in its body and `InvokeModel` in its head: the guardrail, the tier, the latency, the metadata.

use crate::chat::json::{Members, compact};
use crate::chat::{Error, Request};

use super::super::codec::{Encoded, Mode};

/// Adds the headers that a request asks for.
///
/// # Errors
/// Where a value cannot stand in a header, or a tier is not known under strict mode.
pub(super) fn write(request: &Request, mode: Mode, encoded: &mut Encoded) -> Result<(), Error> {
    guardrail(request, encoded)?;
    let latency = object(request, "performanceConfig")?;
    if let Some(latency) = latency.as_ref().and_then(|config| config.text("latency")) {
        let name = "x-amzn-bedrock-performanceconfig-latency";
        push(name, &latency, "performanceConfig.latency", encoded)?;
    }
    if object(request, "requestMetadata")?.is_some() {
        let mut json = Vec::new();
        compact(
            request.member("requestMetadata").unwrap_or_default(),
            &mut json,
        );
        let json = String::from_utf8(json).unwrap_or_default();
        push(
            "x-amzn-bedrock-request-metadata",
            &json,
            "requestMetadata",
            encoded,
        )?;
    }
    match request.text("service_tier")?.as_deref() {
        None | Some("auto") => {}
        Some(tier @ ("default" | "flex" | "priority" | "reserved")) => {
            push("x-amzn-bedrock-service-tier", tier, "service_tier", encoded)?;
        }
        Some(_) => encoded
            .report
            .drop(mode, "service_tier", "has no such tier here.")?,
    }
    Ok(())
}

fn guardrail(request: &Request, encoded: &mut Encoded) -> Result<(), Error> {
    let Some(config) = object(request, "guardrailConfig")? else {
        return Ok(());
    };
    let headers = [
        ("guardrailIdentifier", "x-amzn-bedrock-guardrailidentifier"),
        ("guardrailVersion", "x-amzn-bedrock-guardrailversion"),
        ("trace", "x-amzn-bedrock-trace"),
    ];
    for (name, header) in headers {
        if let Some(value) = config.text(name) {
            // The trace is spelt in capitals here.
            let value = if name == "trace" {
                value.to_ascii_uppercase()
            } else {
                value.into_owned()
            };
            push(header, &value, &format!("guardrailConfig.{name}"), encoded)?;
        }
    }
    Ok(())
}

fn object<'r>(request: &'r Request, name: &'static str) -> Result<Option<Members<'r>>, Error> {
    let raw = request.member(name);
    let members = raw.map(Members::parse).transpose();
    members.map_err(|_| Error::value(name, "It must be an object."))
}

fn push(
    header: &'static str,
    value: &str,
    param: &str,
    encoded: &mut Encoded,
) -> Result<(), Error> {
    if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        let message = format!("'{param}' must be printable ASCII: it is sent in a header.");
        return Err(Error::value(param, message));
    }
    encoded.headers.push((header, value.to_owned()));
    Ok(())
}
