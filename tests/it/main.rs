//! What takes the whole: the shape of the code, and a running server seen from outside.

mod architecture;
mod journal;
