//! Faults, over real sockets.
