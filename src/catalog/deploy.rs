//! Models under names of the user's own: a cloud's deployments.

use regex_lite::Regex;

use super::form::{ModelForm, ProviderForm};

/// A deployment of a model that its provider is not known to sell: the name that was given for the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoModel(pub String);

impl ProviderForm {
    /// Sells these deployments (name and model) and nothing else. The first of a model also answers to the model's own
    /// ids; what is sent is the deployment's name always.
    ///
    /// # Errors
    /// The first model that is not known.
    pub fn deploy(&mut self, deployments: &[(&str, &str)]) -> Result<(), NoModel> {
        let mut deployed: Vec<ModelForm> = Vec::with_capacity(deployments.len());
        let mut taken: Vec<String> = deployments
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        for (name, model) in deployments {
            let found = self.models.iter().find(|known| is(known, model));
            let known = found.ok_or_else(|| NoModel((*model).to_owned()))?;
            let mut own = ModelForm {
                id: (*name).to_owned(),
                sent: Some((*name).to_owned()),
                ..known.clone()
            };
            if own.family.is_empty() {
                own.family.clone_from(&known.id);
            }
            let first = deployed.iter().all(|other| other.pattern != known.pattern)
                || known.pattern.is_none();
            own.aliases = std::iter::once(&known.id)
                .chain(&known.aliases)
                .filter(|alias| !taken.contains(alias))
                .cloned()
                .collect();
            own.pattern = own.pattern.filter(|_| first);
            taken.extend(own.aliases.iter().cloned());
            deployed.push(own);
        }
        self.retired
            .retain(|retired| deployed.iter().all(|own| own.id != retired.id));
        self.models = deployed;
        Ok(())
    }
}

/// Whether a name is one of a model's.
fn is(model: &ModelForm, name: &str) -> bool {
    let dated = || {
        let pattern = model.pattern.as_deref()?;
        Some(Regex::new(pattern).ok()?.is_match(name))
    };
    model.id == name
        || model.aliases.iter().any(|alias| alias == name)
        || dated().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::catalog::Catalog;

    use super::*;

    const CLOUD: &str = r#"
name = "cloud"
dialect = "openai"
base_url = "https://cloud.example.com"
[[models]]
id = "gpt-4.1"
aliases = ["four"]
pattern = '^gpt-4\.1-\d{4}$'
price = { input = 2, output = 8, trust = "high", source = "a list" }
[[models]]
id = "gpt-4o"
family = "omni"
"#;

    fn cloud(deployments: &[(&str, &str)]) -> Result<ProviderForm, NoModel> {
        let mut form: ProviderForm = toml::from_str(CLOUD).unwrap();
        form.deploy(deployments).map(|()| form)
    }

    #[test]
    fn a_deployment_is_its_model_under_its_own_name() {
        let form = cloud(&[
            ("prod", "gpt-4.1-2025"),
            ("test", "four"),
            ("four", "gpt-4o"),
        ])
        .unwrap();
        let catalog = Catalog::assemble(vec![form]).unwrap();
        let cloud = catalog.provider("cloud").unwrap();
        let sent = |asked: &str| {
            let model = cloud.resolve(asked).model?;
            Some(format!("{} {}", model.family, model.sent_as(asked)))
        };
        let sent = |asked: &str| sent(asked).unwrap_or_default();
        assert_eq!(sent("prod"), "gpt-4.1 prod");
        assert_eq!(sent("gpt-4.1"), "gpt-4.1 prod");
        assert_eq!(sent("gpt-4.1-2025"), "gpt-4.1 prod");
        assert_eq!(sent("test"), "gpt-4.1 test");
        assert_eq!(sent("four"), "omni four", "names of deployments come first");
        assert_eq!(sent("gpt-4o"), "omni four");
        assert_eq!(sent("other"), "");
        assert!(cloud.resolve("test").price.is_some());
        let serving = catalog.serving("gpt-4.1");
        assert_eq!(serving[0].1.sent_as("gpt-4.1"), "prod");
    }

    #[test]
    fn a_deployment_of_nothing_known_is_told() {
        let wrong = cloud(&[("a", "gpt-4o"), ("b", "gpt-9")]).unwrap_err();
        assert_eq!(wrong, NoModel("gpt-9".to_owned()));
    }
}
