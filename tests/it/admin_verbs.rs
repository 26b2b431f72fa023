//! `parloir admin` as it is typed: the real binary, a real server, and a simulated platform behind it.

mod access;
mod changes;
mod stage;
mod way;
