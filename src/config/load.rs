//! From file and environment to a [`Config`].

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::Spanned;

use crate::account::Key;
use crate::catalog::form::ProviderForm;
use crate::catalog::{Catalog, load};
use crate::route::experiment::{Experiment, Trial};
use crate::route::names::Routing;

use super::active::{self, Active, On};
use super::address;
use super::expand::Env;
use super::faults::{self, Faulty};
use super::file::{File, ModelTable};
use super::given;
use super::keys::{self, Together};
use super::ledger::Ledger;
use super::metrics::Metrics;
use super::problem::{Flaw, Problem};
use super::routing::Ground;
use super::settings::{Auth, Limits, Metadata, Resilience, UnknownHints};
use super::state::{State, StateTable};
use super::telemetry::{Telemetry, TelemetryTable};
use super::tls::Tls;

/// The file that is read where none is named, if it is there.
pub const DEFAULT_FILE: &str = "waypost.toml";

/// The most models of one's own.
const MOST_MODELS: usize = 4_096;

/// No configuration is longer; something else was named by mistake.
const LONGEST_FILE: u64 = 4 << 20;

/// Everything that can be set, set.
#[derive(Debug)]
pub struct Config {
    /// The file it came from, if any.
    pub file: Option<PathBuf>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Who may call.
    pub auth: Auth,
    /// What to do with hints that are not known.
    pub unknown_hints: UnknownHints,
    /// How much answers tell.
    pub metadata: Metadata,
    /// Every provider and model, the user's own laid over ours.
    pub catalog: Catalog,
    /// The providers that are on, in the order of the file, else of the catalogue.
    pub active: Vec<Active>,
    /// Strategies, pools, aliases, tenants and experiments.
    pub routing: Routing,
    /// What to do when providers have a bad day.
    pub resilience: Resilience,
    /// Bounds on what clients may send and hold.
    pub limits: Limits,
    /// How calls are noted.
    pub ledger: Ledger,
    /// Where the figures are told.
    pub metrics: Metrics,
    /// What is said of TLS.
    pub tls: Tls,
    /// Where counters are shared with other nodes, if they are.
    pub state: Option<State>,
    /// Who may call with a key of ours, as the file has them.
    pub keys: Vec<Key>,
    /// What all callers may spend together.
    pub together: Together,
    /// What providers do wrong, where they are played.
    pub faults: Vec<Faulty>,
    /// Where traces are told, if they are.
    pub telemetry: Option<Telemetry>,
    /// What is not wrong, but may surprise.
    pub notes: Vec<String>,
}

/// The process's environment.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one reader of the environment"
)]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Config {
    /// Reads a file, or else `waypost.toml` if it is there, or else the environment alone.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn load(
        path: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Problem> {
        let default = Path::new(DEFAULT_FILE);
        let path = match path {
            Some(path) => path,
            None if default.is_file() => default,
            None => return Self::from_env(env),
        };
        let read = std::fs::metadata(path).and_then(|facts| {
            if facts.len() > LONGEST_FILE {
                return Err(std::io::Error::other("the file is longer than 4 MiB"));
            }
            std::fs::read_to_string(path)
        });
        let text = read.map_err(|error| Problem::with(path, format!("cannot be read: {error}")))?;
        Self::parse(&text, path, env)
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(
        text: &str,
        path: &Path,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Problem> {
        let config = File::parse(text, env).and_then(|file| build(file, env));
        let config = config.map_err(|flaw| flaw.place(path, text))?;
        Ok(Self {
            file: Some(path.to_owned()),
            ..config
        })
    }

    /// Without a file, every provider whose usual variable is set is on.
    ///
    /// # Errors
    /// A key that cannot be one.
    pub fn from_env(env: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        build(File::default(), env).map_err(|flaw| Problem::new(flaw.message))
    }

    /// The defaults, with nothing on: for tests and for the catalogue's own sake.
    ///
    /// # Errors
    /// Where our own catalogue is wrong, which tests rule out.
    pub fn bare() -> Result<Self, Problem> {
        Self::from_env(&|_| None)
    }

    /// Whether the address may be listened on with this `auth`; to be asked again where another address is given
    /// on the command line.
    ///
    /// # Errors
    /// Where strangers could spend the keys.
    pub fn check_listen(&self, listen: SocketAddr) -> Result<(), Problem> {
        open_to_strangers(listen, self.auth).map_err(Problem::new)
    }
}

fn open_to_strangers(listen: SocketAddr, auth: Auth) -> Result<(), String> {
    match auth {
        Auth::Loopback if !listen.ip().is_loopback() => Err(format!(
            "whoever reaches {listen} could spend your keys: listen on 127.0.0.1, or set auth = \"keys\" (callers bring a \
             key of yours), auth = \"none\" (anybody may call) or auth = \"passthrough\" (callers bring their own provider key)"
        )),
        Auth::Loopback | Auth::None | Auth::Keys | Auth::Passthrough => Ok(()),
    }
}

fn build(file: File, env: Env<'_>) -> Result<Config, Flaw> {
    let File {
        top,
        providers,
        models,
        routing,
        keys,
    } = file;
    top.tls.check()?;
    let state = top.state.map(StateTable::read).transpose()?;
    let auth = top.auth.as_ref().map_or(Ok(Auth::Loopback), auth)?;
    let listen = listen(top.listen.as_ref(), auth)?;
    let mut forms = load::builtin().map_err(|error| Flaw::anywhere(error.to_string()))?;
    let mut notes = Vec::new();
    let named = !providers.is_empty();
    let mut on: Vec<On> = Vec::new();
    for (name, table) in providers {
        let found = active::provider(&mut forms, &name, &table, auth, env)?;
        if on.iter().any(|known| known.name == found.name) {
            return Err(twice(&name, &found.name));
        }
        on.push(found);
    }
    if named && auth != Auth::Passthrough {
        notes.extend(left_out(&forms, &on, env));
    } else if !named {
        (on, notes) = usual(&mut forms, auth, env)?;
    }
    own_models(&mut forms, &models)?;
    let catalog = Catalog::assemble(forms).map_err(|error| Flaw::anywhere(error.to_string()))?;
    let names: Vec<String> = on.iter().map(|on| on.name.clone()).collect();
    let routing = super::routing::build(&routing, &catalog, &names, &mut notes)?;
    notes.extend(no_shadows(&routing, auth));
    let keys = keys::build(&keys, auth, Ground::of(&catalog, &names), &routing)?;
    let faults = faults::read(&top.faults, &catalog)?;
    Ok(Config {
        file: None,
        listen,
        auth,
        unknown_hints: top.unknown_hints,
        metadata: top.metadata,
        active: actives(on, &catalog),
        catalog,
        routing,
        resilience: top.resilience,
        limits: top.limits,
        ledger: top.ledger.read()?,
        metrics: top.metrics.read()?,
        tls: top.tls,
        state,
        keys,
        together: keys::together(top.budget),
        faults,
        telemetry: top.telemetry.map(TelemetryTable::read).transpose()?,
        notes,
    })
}

/// Lays the models of the file over ours.
fn own_models(forms: &mut [ProviderForm], models: &[ModelTable]) -> Result<(), Flaw> {
    if let Some(model) = models.get(MOST_MODELS) {
        let message = format!("more than {MOST_MODELS} [[models]] are not taken");
        return Err(Flaw::at(model.id.span(), message));
    }
    models
        .iter()
        .try_for_each(|model| active::model(forms, model))
}

fn actives(on: Vec<On>, catalog: &Catalog) -> Vec<Active> {
    let each = on.into_iter().filter_map(|on| {
        Some(Active {
            provider: Arc::clone(catalog.provider(&on.name)?),
            keys: on.keys,
            source: on.source,
            own_host: on.own_host,
        })
    });
    each.collect()
}

fn twice(name: &Spanned<String>, provider: &str) -> Flaw {
    let message = format!(
        "'{}' and '{provider}' are one provider; give it once",
        name.get_ref()
    );
    Flaw::at(name.span(), message)
}

/// What to tell where copies are configured that no key may be used for.
fn no_shadows(routing: &Routing, auth: Auth) -> Option<String> {
    let shadow = |one: &Experiment| matches!(one.trial, Trial::Shadow(_));
    let some = auth == Auth::Passthrough && routing.experiments.iter().any(shadow);
    let note = "with auth = \"passthrough\" no shadow copies are sent: a caller's key goes to no other provider";
    some.then(|| note.to_owned())
}

fn auth(word: &Spanned<String>) -> Result<Auth, Flaw> {
    match word.get_ref().as_str() {
        "none" => Ok(Auth::None),
        "passthrough" => Ok(Auth::Passthrough),
        "keys" => Ok(Auth::Keys),
        other => Err(Flaw::at(
            word.span(),
            format!("auth is \"keys\", \"none\" or \"passthrough\", not \"{other}\""),
        )),
    }
}

fn listen(text: Option<&Spanned<String>>, auth: Auth) -> Result<SocketAddr, Flaw> {
    let Some(text) = text else {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
    };
    let listen = address::listen(text.get_ref()).ok_or_else(|| {
        Flaw::at(
            text.span(),
            format!("'{}' is not an address like 127.0.0.1:8080", text.get_ref()),
        )
    })?;
    open_to_strangers(listen, auth).map_err(|message| Flaw::at(text.span(), message))?;
    Ok(listen)
}

/// What the environment turns on, and what it would if more were set.
fn usual(
    forms: &mut [ProviderForm],
    auth: Auth,
    env: Env<'_>,
) -> Result<(Vec<On>, Vec<String>), Flaw> {
    let (mut on, mut notes) = (Vec::new(), Vec::new());
    for form in forms {
        // Callers may bring the keys; any provider that takes one can be called.
        let brought = auth == Auth::Passthrough;
        let keys = if brought {
            Vec::new()
        } else {
            active::usual_keys(form, env).map_err(Flaw::anywhere)?
        };
        let callable = !keys.is_empty() || (brought && !form.env.is_empty());
        if !callable {
            notes.extend(ambient(form, env).filter(|_| !brought));
            continue;
        }
        form.keyed = true;
        given::usual(form, env).map_err(Flaw::anywhere)?;
        match form.address().missing.first() {
            None => on.push(On {
                name: form.name.clone(),
                keys,
                source: None,
                own_host: active::own_host(form),
            }),
            // Whoever brings keys to others need not hear of it.
            Some(missing) if !brought => notes.push(given::lacking(form, missing)),
            Some(_) => {}
        }
    }
    Ok((on, notes))
}

/// Credentials of a cloud lie about for many reasons, so that they alone turn nothing on. Whoever means them hears how.
fn ambient(form: &ProviderForm, env: Env<'_>) -> Option<String> {
    let signs = form.identity.as_ref()?.signs();
    let set = signs
        .iter()
        .find(|name| env(name).is_some_and(|value| !value.is_empty()))?;
    Some(format!(
        "{set} is set; to reach '{}' with it, name [providers.{}] in waypost.toml",
        form.name, form.name
    ))
}

/// A file that names providers turns on those alone; keys that lie about are pointed out.
fn left_out(forms: &[ProviderForm], on: &[On], env: Env<'_>) -> Vec<String> {
    let off = forms
        .iter()
        .filter(|form| on.iter().all(|on| on.name != form.name));
    let set = off.filter_map(|form| {
        let name = form
            .env
            .iter()
            .find(|name| env(name).is_some_and(|value| !value.is_empty()))?;
        Some(format!(
            "{name} is set, but [providers.{}] is not in the file, so it is off",
            form.name
        ))
    });
    set.collect()
}
