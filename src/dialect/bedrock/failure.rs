//! What Bedrock's exceptions mean, by their names: on an answer's head, in its body, or as frames of a stream.

use crate::chat::Code;
use crate::chat::json::Members;

use super::super::codec::{Again, Failure, Fault, Headers};
use super::super::eventstream::Frame;
use super::super::params;
use super::super::signals;
use super::params::PARAMS;

/// Which status an exception goes by, its own where the name says no more: the service's model, and AWS's errors that
/// every service shares (docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html).
const STATUSES: [(&str, u16); 25] = [
    ("validationexception", 400),
    ("serializationexception", 400),
    ("accessdeniedexception", 403),
    ("unrecognizedclientexception", 401),
    ("expiredtokenexception", 401),
    ("expiredtoken", 401),
    ("invalidsignatureexception", 401),
    ("incompletesignature", 401),
    ("incompletesignatureexception", 401),
    ("invalidclienttokenid", 401),
    ("missingauthenticationtoken", 401),
    ("missingauthenticationtokenexception", 401),
    ("notauthorized", 403),
    ("optinrequired", 403),
    ("resourcenotfoundexception", 404),
    ("modeltimeoutexception", 408),
    ("conflictexception", 409),
    // A quota of the account or of the day: to be waited out like a rate.
    ("servicequotaexceededexception", 429),
    ("throttlingexception", 429),
    ("toomanyrequestsexception", 429),
    // The model is being loaded.
    ("modelnotreadyexception", 429),
    // A failure of the model, not of the request.
    ("modelerrorexception", 500),
    ("modelstreamerrorexception", 500),
    ("internalserverexception", 500),
    ("serviceunavailableexception", 503),
];

/// Messages that say the model is not to be had under this name, which come as a `ValidationException`.
const NO_MODEL: [&str; 4] = [
    "model identifier is invalid",
    "could not resolve the foundation model",
    "on-demand throughput isn",
    "on-demand throughput is not supported",
];

/// Members as they are named in messages, and the client's names for them.
const MEMBERS: [(&str, &str); 8] = [
    ("maxTokens", "max_tokens"),
    ("temperature", "temperature"),
    ("topP", "top_p"),
    ("stopSequences", "stop"),
    ("toolConfig", "tools"),
    ("toolChoice", "tool_choice"),
    ("messages", "messages"),
    ("textFormat", "response_format"),
];

/// An answer with a status other than 2xx.
pub(super) fn of_status(status: u16, headers: &dyn Headers, body: &[u8]) -> Failure {
    let text = std::str::from_utf8(body).unwrap_or_default();
    let members = Members::parse(text).ok();
    let member = |name: &str| members.as_ref().and_then(|members| members.text(name));
    let kind = headers
        .get("x-amzn-errortype")
        .map(std::borrow::Cow::Borrowed)
        .or_else(|| member("__type"));
    // Some exceptions spell it with a capital.
    let Some(words) = member("message").or_else(|| member("Message")) else {
        let message = signals::scrub(&signals::page_message(status, body));
        let status = kind.as_deref().and_then(known).unwrap_or(status);
        return signals::by_status(status, message, headers);
    };
    named(kind.as_deref().unwrap_or_default(), status, &words, headers)
}

/// An exception that ends a stream.
pub(super) fn of_frame(frame: &Frame<'_>) -> Failure {
    let none: [(&str, &str); 0] = [];
    let text = std::str::from_utf8(frame.payload).unwrap_or_default();
    let members = Members::parse(text).unwrap_or_default();
    let words = members
        .text("message")
        .or_else(|| members.text("Message"))
        .or_else(|| members.text("originalMessage"));
    let words = words.as_deref().unwrap_or(frame.words);
    let words = if words.is_empty() { frame.kind } else { words };
    named(frame.kind, 500, words, &none)
}

/// The status of an exception, by its name without namespace and address (`ns#Name:http://…`).
fn known(kind: &str) -> Option<u16> {
    let name = kind.split(':').next().unwrap_or_default();
    let name = name.rsplit('#').next().unwrap_or_default();
    let name = name.trim().to_ascii_lowercase();
    let found = STATUSES.iter().find(|(known, _)| *known == name)?;
    Some(found.1)
}

fn named(kind: &str, status: u16, words: &str, headers: &dyn Headers) -> Failure {
    let low = words.to_ascii_lowercase();
    let status = match known(kind).unwrap_or(status) {
        400 if NO_MODEL.iter().any(|sign| low.contains(sign)) => 404,
        // What carries no name (`{"message"}` alone) goes by its status; a failed dependency is the model's.
        424 => 500,
        status => status,
    };
    let mut failure = signals::by_status(status, signals::scrub(words), headers);
    if failure.code != Code::InvalidRequest {
        return failure;
    }
    if low.contains("content filtering policy") {
        failure.code = Code::ContentFilter;
        failure.fault = Fault::Policy;
    } else if low.contains("bound to a different conversation")
        || (low.contains("signature") && low.contains("thinking"))
    {
        // Reasoning that this model does not take back; another target gets the request without it.
        failure.fault = Fault::Provider;
        failure.again = Again::No;
    } else {
        failure.param = param(words);
    }
    failure
}

/// The member at fault: `Value at 'inferenceConfig.temperature' failed …`, or a model's own `temperature: …`.
fn param(words: &str) -> Option<String> {
    let quoted = words.split('\'').skip(1).step_by(2);
    let path = quoted.flat_map(|path| path.split('.'));
    let ours = path
        .filter_map(|step| MEMBERS.iter().find(|(theirs, _)| *theirs == step))
        .map(|(_, ours)| (*ours).to_owned());
    ours.last().or_else(|| {
        let (_, rest) = words.split_once("errors: ").unwrap_or(("", words));
        let (name, _) = rest.split_once(": ")?;
        params::find(&PARAMS, name).map(|row| row.member.to_owned())
    })
}
