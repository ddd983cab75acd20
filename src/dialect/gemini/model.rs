//! What a model's id says of its generation. The catalogue's [`Caps`](crate::dialect::Caps) stand over it.
//!
//! An id that matches no pattern has no generation: nothing is held back from it and nothing is added.

/// The size of a model within its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Pro,
    Flash,
    Lite,
    Other,
}

/// A model id, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    /// Major and minor, where the id tells.
    version: Option<(u32, u32)>,
    pub(super) size: Size,
    /// An id such as `gemini-flash-latest`, which always means the newest.
    latest: bool,
    /// An open-weights model, which has no place for system instructions.
    pub(super) gemma: bool,
}

impl Model {
    pub(super) fn read(id: &str) -> Self {
        let id = id.strip_prefix("models/").unwrap_or(id);
        let rest = id.strip_prefix("gemini-");
        let version = rest.and_then(version);
        Self {
            version,
            size: size(id),
            latest: version.is_none() && rest.is_some_and(|rest| rest.ends_with("-latest")),
            gemma: id.starts_with("gemma-"),
        }
    }

    /// The third generation and later: signed calls, call ids, levels of thinking, resolution per part.
    pub(super) fn is_third(self) -> bool {
        self.latest || self.version.is_some_and(|(major, _)| major >= 3)
    }

    /// Known to be of the second generation or before: no JSON mode beside functions.
    pub(super) fn is_before_third(self) -> bool {
        self.version.is_some_and(|(major, _)| major < 3)
    }

    /// Takes schemas only as the subset of `OpenAPI`, not as JSON schema.
    pub(super) fn has_old_schemas(self) -> bool {
        self.version.is_some_and(|version| version < (2, 5))
    }

    /// Thinks by a budget of tokens.
    pub(super) fn thinks_by_budget(self) -> bool {
        self.version == Some((2, 5))
    }

    /// Does not think.
    pub(super) fn cannot_think(self) -> bool {
        self.has_old_schemas()
    }

    /// Takes the level `minimal`: small models of 3.0 to 3.6.
    pub(super) fn has_minimal_level(self) -> bool {
        let small = matches!(self.size, Size::Flash | Size::Lite);
        small
            && self
                .version
                .is_some_and(|version| ((3, 0)..(3, 7)).contains(&version))
    }

    /// Ignores temperature, `top_p` and `top_k`: 3.5 lite, 3.6 and everything later.
    pub(super) fn ignores_sampling(self) -> bool {
        self.version.is_some_and(|version| {
            version >= (3, 6) || (version == (3, 5) && self.size == Size::Lite)
        })
    }
}

fn version(rest: &str) -> Option<(u32, u32)> {
    let number = rest.split('-').next()?;
    let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn size(id: &str) -> Size {
    if id.contains("-lite") {
        Size::Lite
    } else if id.contains("flash") {
        Size::Flash
    } else if id.contains("-pro") {
        Size::Pro
    } else {
        Size::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_read_from_ids() {
        // id, third, old schemas, budget, minimal, ignores sampling
        let table = [
            ("gemini-1.5-flash", false, true, false, false, false),
            ("gemini-2.0-flash-exp", false, true, false, false, false),
            ("gemini-2.5-flash-lite", false, false, true, false, false),
            (
                "models/gemini-3-flash-preview",
                true,
                false,
                false,
                true,
                false,
            ),
            ("gemini-3.1-pro-preview", true, false, false, false, false),
            ("gemini-3.5-flash-lite", true, false, false, true, true),
            ("gemini-3.8-flash", true, false, false, false, true),
            ("gemini-flash-latest", true, false, false, false, false),
            ("gemini-4-argon", true, false, false, false, true),
            ("some-tuned-model", false, false, false, false, false),
        ];
        for (id, third, old, budget, minimal, ignores) in table {
            let model = Model::read(id);
            let read = (
                model.is_third(),
                model.has_old_schemas(),
                model.thinks_by_budget(),
                model.has_minimal_level(),
                model.ignores_sampling(),
            );
            assert_eq!(read, (third, old, budget, minimal, ignores), "{id}");
        }
        assert!(Model::read("gemma-4-31b-it").gemma);
    }
}
