//! What holds for sources in general.

mod sixth;

#[test]
fn a_source_takes_less_than_150_lines() {
    assert!(include_str!("sixth.rs").lines().count() < 150);
}
