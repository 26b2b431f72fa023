//! The shape of the code, guarded by reading the sources: who may mention whom, and the rules of the house.

mod boundaries;
mod house;
pub mod source;
