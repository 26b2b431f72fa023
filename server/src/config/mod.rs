//! Every setting, with its consequence.
