//! Parameters in words, personal values left out.

use parloir_proto::v1::Parameter;

pub(super) fn with(parameters: &[Parameter]) -> String {
    match parameters {
        [] => String::new(),
        parameters => format!(" with {}", pairs(parameters)),
    }
}

pub(super) fn pairs(parameters: &[Parameter]) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|p| pair(&p.key, &p.value, p.personal))
        .collect();
    pairs.join(", ")
}

pub(super) fn pair(key: &str, value: &str, personal: bool) -> String {
    let value = if personal { "(personal)" } else { value };
    format!("{key}={value}")
}
