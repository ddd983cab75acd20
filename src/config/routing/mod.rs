//! What a configuration says of routing: strategies, pools, aliases, tenants and experiments, each name checked
//! against all others.

mod build;
mod name;
mod tables;
#[cfg(test)]
mod tests;
mod trial;

pub(super) use build::build;
pub(super) use name::Ground;
pub(super) use tables::Tables;
