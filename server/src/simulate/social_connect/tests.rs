//! The simulated Social Connect by itself: what it promises to those who test against it.
