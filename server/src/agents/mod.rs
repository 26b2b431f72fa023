//! The platforms that agents live on: one folder each.
