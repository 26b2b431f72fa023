//! Who may call what, over real sockets: keys, certificates, scopes, limits.

mod certificates;
mod house;
mod https;
mod keys;
mod limits;
mod methods;
mod recorded;
mod start;
mod streams;
mod tls;
