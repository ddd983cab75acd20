//! Who may call: the keys of the configuration and of the store, each with all that it is bound to.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::account::key::{Hash, Limits, Telling, Unpriced};
use crate::account::{Budget, Key, Rate, Rights};
use crate::chat::{Code, Error};
use crate::route::hint::{Hints, Metadata};
use crate::route::tenant::{Named, Tenant};
use crate::store::counters::{Due, Gated};

/// How long a chain of keys that were made from each other may be.
const LONGEST_CHAIN: usize = 8;

/// The purse of all calls.
const ALL: &str = "all";

/// Compared with where no key is found, so that it takes as long.
const NOBODY: Hash = Hash::new([0; 32]);

/// Whether a key is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Whoever reaches the address may call.
    Open,
    /// Whoever shows a key of ours.
    Keyed,
}

/// Who holds a key.
#[derive(Debug)]
pub struct Holder {
    /// Its name.
    pub name: Arc<str>,
    /// What it may do, within all keys that it was made from.
    pub rights: Rights,
    /// What its calls are marked with in the ledger.
    pub tags: Option<Arc<str>>,
    hash: Hash,
    dues: Vec<Due>,
    gates: Vec<Gated>,
}

impl Holder {
    /// Whether it may use a target.
    #[must_use]
    pub fn may(&self, target: Named<'_>) -> bool {
        self.rights.may_use(|name| target.is(name))
    }

    /// Lays what the key is bound to over what its caller says.
    ///
    /// # Errors
    /// A tenant that the key may not call for, or a tag that its callers may not give.
    pub fn bind(&self, hints: &mut Hints) -> Result<(), Error> {
        match &hints.tenant {
            Some(named) if !self.rights.may_name(named) => {
                let message = format!(
                    "'x-waypost-tenant' names '{named}', for which this key may not call. Leave it out, or use a key of \
                     that tenant."
                );
                return Err(Error::value("x-waypost-tenant", message));
            }
            Some(_) => {}
            None => hints.tenant.clone_from(&self.rights.tenant),
        }
        let unknown = |tag: &&String| !self.rights.may_mark(tag);
        if let Some(tag) = hints.tags.iter().find(unknown) {
            let message = format!(
                "'x-waypost-tags' names '{tag}', with which callers of this key may not mark their calls. Leave it out."
            );
            return Err(Error::value("x-waypost-tags", message));
        }
        if self.rights.metadata == Telling::Off {
            hints.metadata = Some(Metadata::Off);
        }
        Ok(())
    }

    /// What it has to pass.
    #[must_use]
    pub fn gates(&self) -> &[Gated] {
        &self.gates
    }
}

/// What tenants and all calls together are bound to.
#[derive(Debug, Default)]
struct Bounds {
    dues: HashMap<Box<str>, Due>,
    gates: HashMap<Box<str>, Gated>,
    all: Option<Due>,
    unpriced: Unpriced,
}

/// All keys.
#[derive(Debug)]
pub struct Keyring {
    door: Door,
    own: Vec<Key>,
    bounds: Bounds,
    held: ArcSwap<HashMap<Hash, Arc<Holder>>>,
}

impl Keyring {
    /// The keys of a configuration; those of a store are added by [`Keyring::hold`].
    #[must_use]
    pub fn new(door: Door, own: Vec<Key>, tenants: &[Arc<Tenant>]) -> Self {
        let mut bounds = Bounds::default();
        for tenant in tenants {
            let (id, name) = (
                purse("tenant", &tenant.name),
                Box::from(tenant.name.as_str()),
            );
            if let Some(gate) = gate(&id, tenant.limits) {
                bounds.gates.insert(Box::clone(&name), gate);
            }
            if let Some(budget) = tenant.budget {
                bounds.dues.insert(name, Due { purse: id, budget });
            }
        }
        let ring = Self {
            door,
            own,
            bounds,
            held: ArcSwap::default(),
        };
        ring.hold(&[]);
        ring
    }

    /// The same with a budget of all calls together, and whether models without a price may pass in spite of budgets.
    #[must_use]
    pub fn together(mut self, budget: Option<Budget>, unpriced: Unpriced) -> Self {
        let purse = Arc::from(ALL);
        self.bounds.all = budget.map(|budget| Due { purse, budget });
        self.bounds.unpriced = unpriced;
        self
    }

    /// Takes the keys of the store in place of those it had. A key of the configuration goes before one of the same name
    /// or secret. Gives back the names of keys that cannot be used: what they were made from is gone.
    pub fn hold(&self, stored: &[Key]) -> Vec<String> {
        let mut all: Vec<&Key> = self.own.iter().collect();
        for key in stored {
            let same = |other: &&Key| other.name == key.name || other.hash == key.hash;
            if !all.iter().any(same) {
                all.push(key);
            }
        }
        let (mut held, mut lost) = (HashMap::with_capacity(all.len()), Vec::new());
        for key in &all {
            match holder(&all, key, LONGEST_CHAIN) {
                Some(holder) => drop(held.insert(key.hash, Arc::new(holder))),
                None => lost.push(key.name.clone()),
            }
        }
        self.held.store(Arc::new(held));
        lost
    }

    /// Whether a key is asked for.
    #[must_use]
    pub const fn door(&self) -> Door {
        self.door
    }

    /// The keys of the configuration.
    #[must_use]
    pub fn own(&self) -> &[Key] {
        &self.own
    }

    /// Every purse that any call is paid from.
    #[must_use]
    pub fn purses(&self) -> Vec<Due> {
        let held = self.held.load();
        let keys = held.values().flat_map(|holder| &holder.dues);
        let all = keys
            .chain(self.bounds.dues.values())
            .chain(&self.bounds.all);
        let mut all: Vec<Due> = all.cloned().collect();
        all.sort_by(|one, other| one.purse.cmp(&other.purse));
        all.dedup_by(|one, other| one.purse == other.purse);
        all
    }

    /// Who calls; nobody in particular where no key is asked for.
    ///
    /// # Errors
    /// A key that is not valid: the same words and the same work, whatever is wrong with it.
    pub fn caller(&self, credential: Option<&str>, now: u64) -> Result<Option<Arc<Holder>>, Error> {
        if self.door == Door::Open {
            return Ok(None);
        }
        let missing = || {
            let message = "No key was sent. Send one as 'Authorization: Bearer …'.";
            Error::new(Code::InvalidApiKey, message)
        };
        let shown = Hash::of(credential.ok_or_else(missing)?);
        let held = self.held.load();
        let found = held.get(&shown);
        let same = shown.is(found.map_or(&NOBODY, |holder| &holder.hash));
        let holds = found.is_some_and(|holder| holder.rights.holds(now));
        match found {
            Some(holder) if same & holds => Ok(Some(Arc::clone(holder))),
            Some(_) | None => {
                let message =
                    "The key that was sent is not valid: it is unknown, expired or revoked.";
                Err(Error::new(Code::InvalidApiKey, message))
            }
        }
    }

    /// Whether whoever calls has to show a key of ours.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        self.door == Door::Keyed
    }

    /// What a call has to be paid from; `None` where nobody set a budget.
    #[must_use]
    pub fn dues(&self, holder: Option<&Holder>, tenant: Option<&str>) -> Option<Arc<[Due]>> {
        let own = holder.map_or(&[][..], |holder| &holder.dues).iter();
        let tenants = tenant.and_then(|name| self.bounds.dues.get(name));
        let all: Vec<Due> = own
            .chain(tenants)
            .chain(&self.bounds.all)
            .cloned()
            .collect();
        (!all.is_empty()).then(|| all.into())
    }

    /// What a call for a tenant has to pass.
    #[must_use]
    pub fn gate(&self, tenant: &str) -> Option<&Gated> {
        self.bounds.gates.get(tenant)
    }

    /// What becomes of models without a price where a budget is to be kept.
    #[must_use]
    pub fn unpriced(&self, holder: Option<&Holder>) -> Unpriced {
        let own = holder.map_or(Unpriced::Refuse, |holder| holder.rights.unpriced);
        match (own, self.bounds.unpriced) {
            (Unpriced::Refuse, Unpriced::Refuse) => Unpriced::Refuse,
            (Unpriced::Allow, _) | (_, Unpriced::Allow) => Unpriced::Allow,
        }
    }
}

/// A key with all that the keys above it are bound to.
fn holder(all: &[&Key], key: &Key, chain: usize) -> Option<Holder> {
    let id = purse("key", &key.name);
    let own = key.rights.budget.map(|budget| Due {
        purse: Arc::clone(&id),
        budget,
    });
    let mut holder = Holder {
        name: key.name.as_str().into(),
        rights: key.rights.clone(),
        tags: None,
        hash: key.hash,
        dues: own.into_iter().collect(),
        gates: gate(&id, key.rights.limits).into_iter().collect(),
    };
    if let Some(maker) = &key.made_from {
        let maker = all.iter().find(|other| other.name == *maker)?;
        let maker = self::holder(all, maker, chain.checked_sub(1)?)?;
        holder.rights = key.rights.within(&maker.rights).ok()?;
        holder.dues.extend(maker.dues);
        holder.gates.extend(maker.gates);
    }
    let tags = holder.rights.tags.join(",");
    holder.tags = (!tags.is_empty()).then(|| tags.into());
    Some(holder)
}

fn purse(kind: &str, name: &str) -> Arc<str> {
    format!("{kind}:{name}").into()
}

fn gate(id: &Arc<str>, limits: Limits) -> Option<Gated> {
    let gated = Gated {
        gate: Arc::clone(id),
        requests: limits.rpm.and_then(Rate::per_minute),
        tokens: limits.tpm.and_then(Rate::per_minute),
        at_once: limits.concurrency,
    };
    (limits != Limits::default()).then_some(gated)
}

/// Whose a purse or a gate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A key's.
    Key(&'a str),
    /// A tenant's.
    Tenant(&'a str),
    /// That of all calls.
    All,
}

impl<'a> Owner<'a> {
    /// The owner of what has this id.
    #[must_use]
    pub fn of(id: &'a str) -> Self {
        match id.split_once(':') {
            Some(("key", name)) => Self::Key(name),
            Some((_, name)) => Self::Tenant(name),
            None => Self::All,
        }
    }
}

/// A purse or a gate in words: whose it is.
#[must_use]
pub fn whose(id: &str) -> String {
    match Owner::of(id) {
        Owner::Key(name) => format!("the key '{name}'"),
        Owner::Tenant(name) => format!("the tenant '{name}'"),
        Owner::All => "all calls".to_owned(),
    }
}

#[cfg(test)]
#[path = "keyring_tests.rs"]
mod tests;
