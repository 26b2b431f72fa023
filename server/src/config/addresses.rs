//! Lists of addresses as they are written in the configuration: addresses, networks, and the published addresses of a
//! platform by name.

use super::problem::Problems;
use crate::domain::{AllowList, Network, Networks};

/// Where the platforms say that their webhooks come from. Zendesk's are those of its article on allow lists for AI
/// agents; it may change them.
const PRESETS: &[(&str, &[&str])] = &[
    (
        "preset:zendesk-eu",
        &[
            "34.140.214.64",
            "34.140.222.34",
            "35.233.19.208",
            "34.79.189.15",
            "34.78.252.6",
            "34.34.185.160",
        ],
    ),
    (
        "preset:zendesk-us",
        &[
            "35.197.70.75",
            "35.233.151.233",
            "34.145.96.207",
            "35.230.1.204",
            "34.168.87.73",
        ],
    ),
];

/// Who may send, by `allowed_addresses`: everybody if nothing is listed. What is no network, the check has reported;
/// here it allows nobody.
pub fn allow_list(listed: &[String]) -> AllowList {
    if listed.is_empty() {
        return AllowList::default();
    }
    AllowList::only(networks(listed))
}

/// All networks of a list.
pub fn networks(listed: &[String]) -> Networks {
    let read = listed.iter().filter_map(|text| read(text).ok());
    read.flatten().collect()
}

/// Reports what is no address. `at` is the list's key.
pub(super) fn check(listed: &[String], at: &str, problems: &mut Problems) {
    for (index, text) in listed.iter().enumerate() {
        if let Err(wrong) = read(text) {
            problems.add(format!("{at}[{index}]"), wrong);
        }
    }
}

fn read(text: &str) -> Result<Vec<Network>, String> {
    if !text.starts_with("preset:") {
        return Ok(vec![text.parse()?]);
    }
    let preset = PRESETS.iter().find(|(name, _)| *name == text);
    let Some((_, addresses)) = preset else {
        let known: Vec<_> = PRESETS.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "there is no {text}; there are {}",
            known.join(", ")
        ));
    };
    addresses.iter().map(|address| address.parse()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_holds_addresses_alone() {
        for (name, addresses) in PRESETS {
            let read = read(name).expect(name);
            assert_eq!(read.len(), addresses.len(), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_read_allows_nobody() {
        let admits = |listed: &[&str]| {
            let listed: Vec<_> = listed.iter().map(ToString::to_string).collect();
            allow_list(&listed).admits("35.197.70.75".parse().ok())
        };
        assert!(admits(&[]));
        assert!(admits(&["10.0.0.0/8", "preset:zendesk-us"]));
        assert!(!admits(&["preset:zendesk-eu"]));
        assert!(!admits(&["preset:zendesk-mars"]));
        assert!(!admits(&["everybody"]));
    }

    #[test]
    fn a_wrong_address_is_named_with_its_place() {
        let mut problems = Problems::default();
        let listed = ["10.0.0.1", "preset:mars", "10.0.0.1/8"].map(str::to_owned);
        check(&listed, "agents[0].allowed_addresses", &mut problems);
        let told: Vec<_> = problems.0.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(
            told[0].starts_with("agents[0].allowed_addresses[1]"),
            "{told:?}"
        );
    }
}
