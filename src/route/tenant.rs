//! Tenants: what a configuration lays down for one of them, and how that meets what its callers say.

use std::sync::Arc;

use crate::account::key::Limits;
use crate::account::{Budget, Money};

use super::policy::{Cap, CapMode, Strategy};

/// What holds for a tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// What it always gets, whatever its callers ask for.
    pub model: Option<String>,
    /// The pool that `auto` means for it.
    pub pool: Option<String>,
    /// The strategy unless its callers say otherwise.
    pub strategy: Option<Arc<Strategy>>,
    /// The most that one of its calls may cost.
    pub most: Option<Money>,
    /// What is done to keep within, unless its callers say otherwise.
    pub cap_mode: Option<CapMode>,
    /// Quality below which it gets nothing, in tenths of a point.
    pub min_quality: Option<u16>,
    /// Providers, models and families that it may use; none is all.
    pub allow: Vec<String>,
    /// Those that it may not.
    pub deny: Vec<String>,
    /// What all its calls may cost together.
    pub budget: Option<Budget>,
    /// How much it may do at once and in a minute.
    pub limits: Limits,
}

/// A target by all its names.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Who serves it.
    pub provider: &'a str,
    /// The model as it is sent.
    pub model: &'a str,
    /// Its id in the catalogue, where it has one.
    pub id: &'a str,
    /// Its family, where it has one.
    pub family: &'a str,
}

impl Named<'_> {
    /// Whether a name means it: a provider, `provider/model`, `provider:model`, a model or a family.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        let behind = name
            .strip_prefix(self.provider)
            .and_then(|rest| rest.strip_prefix(['/', ':']));
        behind.is_some_and(|rest| rest == self.model || rest == self.id)
            || [self.provider, self.model, self.id, self.family].contains(&name)
    }
}

impl Tenant {
    /// Whether it may use a target.
    #[must_use]
    pub fn may(&self, target: Named<'_>) -> bool {
        let on = |list: &[String]| list.iter().any(|name| target.is(name));
        (self.allow.is_empty() || on(&self.allow)) && !on(&self.deny)
    }

    /// What a call asks for: the tenant's pin, then the caller's header, then the body.
    #[must_use]
    pub fn asked<'a>(&'a self, header: Option<&'a str>, body: &'a str) -> &'a str {
        let said = header.unwrap_or(body);
        match (&self.model, &self.pool) {
            (Some(pin), _) => pin,
            (None, Some(pool)) if said == "auto" => pool,
            (None, _) => said,
        }
    }
}

/// The cap of a call: the least of all that set one. A caller may lower a tenant's or a pool's, never raise it.
#[must_use]
pub fn cap(
    caller: (Option<Money>, Option<CapMode>),
    tenant: Option<&Tenant>,
    pool: Option<Money>,
) -> Option<Cap> {
    let most = [caller.0, tenant.and_then(|tenant| tenant.most), pool];
    let mode = caller.1.or_else(|| tenant?.cap_mode);
    Some(Cap {
        most: most.into_iter().flatten().min()?,
        mode: mode.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGET: Named<'_> = Named {
        provider: "openai",
        model: "gpt-9-2030",
        id: "gpt-9",
        family: "gpt-nine",
    };

    #[test]
    fn lists_go_by_every_name() {
        let table: [(&[&str], &[&str], bool); 10] = [
            (&[], &[], true),
            (&["openai"], &[], true),
            (&["anthropic"], &[], false),
            (&["openai/gpt-9"], &[], true),
            (&["openai:gpt-9-2030"], &[], true),
            (&["openai/gpt-8"], &[], false),
            (&["gpt-nine"], &["openai"], false),
            (&[], &["gpt-9"], false),
            (&[], &["azure/gpt-9"], true),
            (&["openaix/gpt-9"], &[], false),
        ];
        for (allow, deny, wanted) in table {
            let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let tenant = Tenant {
                allow: list(allow),
                deny: list(deny),
                ..Tenant::default()
            };
            assert_eq!(tenant.may(TARGET), wanted, "{allow:?} {deny:?}");
        }
    }

    #[test]
    fn pin_then_header_then_body() {
        let plain = Tenant::default();
        assert_eq!(plain.asked(None, "body"), "body");
        assert_eq!(plain.asked(Some("header"), "body"), "header");
        let pooled = Tenant {
            pool: Some("pool".to_owned()),
            ..Tenant::default()
        };
        assert_eq!(pooled.asked(None, "auto"), "pool");
        assert_eq!(pooled.asked(None, "fastest"), "fastest");
        assert_eq!(pooled.asked(Some("x"), "auto"), "x");
        let pinned = Tenant {
            model: Some("pin".to_owned()),
            ..pooled
        };
        assert_eq!(pinned.asked(Some("header"), "auto"), "pin");
    }

    #[test]
    fn the_least_cap_holds_and_the_caller_says_how() {
        let (low, high) = (Money::nano(5), Money::nano(9));
        let tenant = |most| Tenant {
            most,
            cap_mode: Some(CapMode::Reject),
            ..Tenant::default()
        };
        let of = |caller, tenant: &Tenant, pool| {
            cap(caller, Some(tenant), pool).map(|cap| (cap.most, cap.mode))
        };
        let (reject, cut) = (CapMode::Reject, CapMode::Cut);
        assert_eq!(of((None, None), &tenant(None), None), None);
        assert_eq!(
            of((Some(high), None), &tenant(Some(low)), None),
            Some((low, reject))
        );
        assert_eq!(
            of((Some(low), Some(cut)), &tenant(Some(high)), None),
            Some((low, cut))
        );
        assert_eq!(
            of((None, None), &tenant(Some(high)), Some(low)),
            Some((low, reject))
        );
        assert_eq!(
            cap((Some(low), None), None, None).unwrap().mode,
            CapMode::Clamp
        );
    }
}
