//! Test 19 of the reliability bar: no connection leaves the allow list, whatever the configuration, a platform's answer
//! or a name's owner says.

mod fences;
mod rules;
