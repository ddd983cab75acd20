//! Plans: what fits, in which order, within which cap, and the same again from a record.
