//! What a case's provider is, out of the built-in catalogue.

use std::sync::{Arc, LazyLock};

use waypost::catalog::{Catalog, Provider};
use waypost::chat::{Ask, Request};
use waypost::dialect::{Caps, Dialect, Quirks, Target};

static CATALOG: LazyLock<Result<Catalog, String>> =
    LazyLock::new(|| Catalog::builtin().map_err(|error| error.to_string()));

/// Where a request of a case goes.
pub(crate) struct Site {
    provider: Arc<Provider>,
    /// The wire format that the request is put in.
    pub(crate) dialect: &'static dyn Dialect,
    /// What the model can do.
    pub(crate) caps: Arc<Caps>,
    /// The model in the provider's own name for it.
    pub(crate) model: String,
}

impl Site {
    pub(crate) fn quirks(&self) -> &Quirks {
        &self.provider.quirks
    }

    /// The path of the base URL, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        let url = self.provider.base_url.as_str();
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let path = rest.find('/').and_then(|at| rest.get(at..));
        path.unwrap_or_default().trim_end_matches('/')
    }
}

/// A provider by its folder, and the model by the request's `model` member: forced by a prefix that names the
/// provider, else an id of its own.
pub(crate) fn site(folder: &str, request: &Request) -> Result<Site, String> {
    let model = request.model.as_str();
    let catalog = CATALOG.as_ref().map_err(Clone::clone)?;
    let provider = catalog.provider(folder);
    let provider = provider.ok_or_else(|| format!("'{folder}' is no provider"))?;
    let is_it = |prefix: &str| {
        let named = catalog.provider(prefix);
        named.is_some_and(|named| named.name == provider.name)
    };
    let forced = model
        .split_once(['/', ':'])
        .filter(|(prefix, _)| is_it(prefix));
    let own = forced.map_or(model, |(_, own)| own);
    if forced.is_none() && provider.model(own).is_none() {
        return Err(format!(
            "request.json: '{model}' is no model of '{folder}'; write '{folder}/{model}'"
        ));
    }
    let resolved = provider.resolve(own);
    let target = Target {
        model: own,
        quirks: &provider.quirks,
        caps: &resolved.caps,
    };
    let own_format = resolved.dialect;
    let dialect = match request.ask {
        Ask::Chat => own_format.handover(request, &target).or(Some(own_format)),
        Ask::Embeddings => own_format.embeddings(&target),
        Ask::Completion => own_format.completions(&target),
    };
    Ok(Site {
        provider: Arc::clone(provider),
        dialect: dialect.ok_or("the provider has no format for what is asked")?,
        caps: resolved.caps,
        model: own.to_owned(),
    })
}
