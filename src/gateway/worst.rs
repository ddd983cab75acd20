//! What an attempt can cost at the very most where a budget has to be kept, and whether its stream can be cut.

use crate::account::{Money, Pace};
use crate::catalog::When;
use crate::catalog::cost::{Most, Tariff};
use crate::chat::Ask;

use super::course::{Course, Leg, Prompt};
use super::receive::Received;
use super::shared::Shared;

/// Tokens that a format adds to each text that is embedded.
const PER_TEXT: u64 = 8;

/// What an attempt can cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worst {
    /// At most; `None` where nothing bounds its answer.
    pub bound: Option<Money>,
    /// How its stream is metered, where it can be cut.
    pub pace: Option<Pace>,
}

impl Course {
    /// What an attempt can cost; nothing is known where its price is not, or may move, or where its provider runs tools
    /// whose cost has no bound.
    #[must_use]
    pub fn worst(&self, shared: &Shared, received: &Received, leg: &Leg, prompt: Prompt) -> Worst {
        if received.request.ask != Ask::Chat {
            let bound = flat(shared, received, leg);
            return Worst { bound, pace: None };
        }
        self.chat(shared, leg, prompt).unwrap_or_default()
    }

    fn chat(&self, shared: &Shared, leg: &Leg, prompt: Prompt) -> Option<Worst> {
        let pilot = &shared.pilot;
        let outlook = self.outlook.as_ref().filter(|outlook| !outlook.endless)?;
        let endpoint = pilot.board.endpoints.get(leg.endpoint?)?;
        if !outlook.quotes.site(endpoint.site)?.is_firm() {
            return None;
        }
        let policy = self.rules.policy(&self.lists);
        let scene = outlook.scene(pilot, &policy);
        let cuts = scene.cuts(scene.board.site(endpoint), &scene.level(endpoint));
        let pace = cuts.then(|| self.pace(pilot, &scene, leg, prompt));
        let pace = pace.flatten();
        let bound = leg.bound;
        Some(Worst { bound, pace })
    }
}

/// What embeddings and completions of a text cost at most: each byte of the request is a token at most.
fn flat(shared: &Shared, received: &Received, leg: &Leg) -> Option<Money> {
    let (provider, model) = (&leg.candidate.provider, &leg.candidate.model);
    let request = &received.request;
    let bytes = u64::try_from(request.body().len()).unwrap_or(u64::MAX);
    let embedding = provider.embedding(model);
    let (price, output) = match (request.ask, embedding) {
        (Ask::Embeddings, Some(embedding)) => (embedding.price.as_ref()?, 0),
        (Ask::Completion, _) => {
            let output = written(received, leg.candidate.caps.max_output)?;
            (provider.resolve(model).price?, output)
        }
        (Ask::Embeddings, None) | (Ask::Chat, _) => return None,
    };
    let tariff = Tariff::new(price, When::unix(shared.clock.unix()));
    let most = Most {
        input: bytes.saturating_mul(1 + PER_TEXT / 4),
        output,
        ..Most::default()
    };
    tariff.bound(&most).filter(|_| tariff.is_firm())
}

/// The most that completions of a text write: as much for each choice of each prompt.
fn written(received: &Received, model: Option<u64>) -> Option<u64> {
    let number = |name: &str| received.request.member(name)?.trim().parse::<u64>().ok();
    let each = number("max_tokens").or(model)?;
    let choices = number("n").max(number("best_of")).unwrap_or(1).max(1);
    let prompt = received.request.member("prompt").unwrap_or_default();
    // A list holds no more prompts than it has commas and one; tokens by number are one prompt, and counted as many.
    let prompts = match prompt.trim_ascii_start().as_bytes().first() {
        Some(b'[') => memchr::memchr_iter(b',', prompt.as_bytes()).count() + 1,
        Some(_) | None => 1,
    };
    let prompts = u64::try_from(prompts).ok()?;
    Some(each.saturating_mul(choices).saturating_mul(prompts))
}
