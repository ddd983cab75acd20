//! `GET /v1/receipts/{id}`: what one call did and cost, for whoever made it.

use http::{HeaderMap, Response, StatusCode};

use crate::chat::{Code, Error};
use crate::net::Body;

use super::answer;
use super::receive::caller;
use super::shared::Shared;

/// The receipt of a call. The key that made it has to be shown.
#[must_use]
pub fn one(shared: &Shared, id: &str, headers: &HeaderMap) -> Response<Body> {
    let scope = match caller(shared, headers) {
        Ok(scope) => scope,
        Err(error) => return answer::refusal(&error),
    };
    let Some(receipt) = shared.receipts.find(id, scope, &shared.pilot) else {
        let message = format!(
            "There is no receipt '{id}' of a call of yours. The last calls are kept; ask with the key that made the call."
        );
        return answer::refusal(&Error::new(Code::UnknownUrl, message));
    };
    answer::json(StatusCode::OK, receipt.to_string().into_bytes())
}
