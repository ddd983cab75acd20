//! The cost engine on the catalogue and on anything.
