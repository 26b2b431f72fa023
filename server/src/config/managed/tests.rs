//! What an administrator may set, and what is said of everything else.

use secrecy::ExposeSecret;

use super::*;
use crate::agents::PlatformConfig;

const GOOD: &str = r#"
    send_timeout = "2s"
    [platform.zendesk]
    bot_id = "b"
    base_url = "https://shop.zendesk.com/ai-agents/api"
    [platform.zendesk.webhook.static_header]
    header = "x-token"
"#;
const KEY: &str = "platform.zendesk.api_key";
const TOKENS: &str = "platform.zendesk.webhook.static_header.secrets";

fn read_with(settings: &str, secrets: &[(&str, &str)]) -> Result<AgentConfig, Problems> {
    let settings: Table = settings.parse().expect("TOML");
    let values: Vec<(String, SecretString)> = secrets
        .iter()
        .enumerate()
        .map(|(number, (_, value))| (format!("s-{number}"), SecretString::from(*value)))
        .collect();
    let secrets = secrets.iter().zip(&values);
    read_agent(&Given {
        listed: Listed::Agents,
        name: "support",
        settings: &settings,
        secrets: secrets
            .map(|((path, _), (id, value))| (*path, id.as_str(), value))
            .collect(),
        allow_private_addresses: false,
    })
}

fn problems(settings: &str, secrets: &[(&str, &str)]) -> Vec<String> {
    let problems = read_with(settings, secrets).expect_err("refused");
    problems.0.iter().map(ToString::to_string).collect()
}

#[test]
fn an_agent_is_read_with_the_secrets_beside_it() {
    let secrets = [(KEY, "k"), (TOKENS, "one"), (TOKENS, "two")];
    let agent = read_with(GOOD, &secrets).expect("good");
    assert_eq!(agent.name, "support");
    assert_eq!(agent.send_timeout, std::time::Duration::from_secs(2));
    let PlatformConfig::Zendesk(platform) = &agent.platform;
    let text =
        |secret: &crate::secret::Secret| secret.read().expect("held").expose_secret().to_owned();
    assert_eq!(text(&platform.api_key), "k");
    let (_, tokens, _) = platform.webhook.secrets();
    assert_eq!(tokens.iter().map(text).collect::<Vec<_>>(), ["one", "two"]);
}

#[test]
fn everything_that_is_wrong_is_said_with_its_path() {
    let wrong = GOOD
        .replace(
            "send_timeout = \"2s\"",
            "send_timeout = \"1ms\"\nsend_timeuot = \"2s\"",
        )
        .replace("bot_id = \"b\"", "bot_id = 7");
    let found = problems(&wrong, &[(TOKENS, "one")]);
    for expected in [
        "send_timeuot: is unknown; did you mean send_timeout?",
        "platform.zendesk.bot_id: ",
    ] {
        assert!(
            found.iter().any(|found| found.starts_with(expected)),
            "{found:?}"
        );
    }
    let found = problems(&GOOD.replace("\"2s\"", "\"1ms\""), &[(TOKENS, "one")]);
    assert_eq!(
        found,
        [
            "send_timeout: must be between 10ms and 5m",
            "secrets[platform.zendesk.api_key]: is missing, and there is no default",
        ]
    );
}

#[test]
fn the_servers_files_environment_and_programs_cannot_be_named() {
    for reference in [
        "{ file = \"/etc/passwd\" }",
        "{ env = \"HOME\" }",
        "{ command = \"id\" }",
        "{ held = \"s-0\" }",
        "\"plain\"",
    ] {
        let settings = GOOD.replace("bot_id", &format!("api_key = {reference}\nbot_id"));
        let found = problems(&settings, &[(TOKENS, "one")]);
        let refused = "secrets[platform.zendesk.api_key]: is a secret: give its value";
        assert!(
            found.iter().any(|found| found.starts_with(refused)),
            "{reference}: {found:?}"
        );
        assert!(!found.concat().contains("passwd"), "{found:?}");
        let settings = format!("{GOOD}\nsecrets = [{reference}]");
        let found = problems(&settings, &[(KEY, "k")]);
        assert!(
            found.concat().contains("is a secret"),
            "{reference}: {found:?}"
        );
    }
}

#[test]
fn the_servers_network_cannot_be_reached() {
    let secrets = [(KEY, "k"), (TOKENS, "one")];
    let private = GOOD.replace("bot_id", "allow_private_addresses = true\nbot_id");
    let found = problems(&private, &secrets);
    assert!(
        found[0].starts_with("platform.zendesk.allow_private_addresses: cannot"),
        "{found:?}"
    );
    for place in [
        "http://127.0.0.1:9090",
        "http://localhost:9090",
        "https://localhost.",
        "https://a.localhost",
        "https://10.0.0.1/api",
        "https://[::1]/api",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest",
        "https://2130706433/",
    ] {
        let settings = GOOD.replace("https://shop.zendesk.com/ai-agents/api", place);
        let found = problems(&settings, &secrets);
        let refused = "platform.zendesk.base_url: leads to this machine";
        assert!(
            found.iter().any(|found| found.starts_with(refused)),
            "{place}: {found:?}"
        );
    }
}

#[test]
fn a_secret_has_a_place_or_is_refused_with_a_remedy() {
    let at = |path: &str| {
        let secrets = [(KEY, "k"), (TOKENS, "one"), (path, "lost")];
        problems(GOOD, &secrets).concat()
    };
    assert!(at("platform.zendesk.api_kye").contains("did you mean api_key?"));
    assert!(at("platform.zendesk.bot_id").contains("holds no secret"));
    assert!(at("platform.zendesk.webhook.hmac.secrets").contains("there is no table hmac"));
}

#[test]
fn a_secret_that_is_too_short_is_refused() {
    let settings = GOOD
        .replace("static_header", "url_token")
        .replace("header = \"x-token\"", "");
    let path = "platform.zendesk.webhook.url_token.tokens";
    let found = problems(&settings, &[(KEY, "k"), (path, "short")]);
    assert_eq!(
        found,
        [
            "secrets[platform.zendesk.webhook.url_token.tokens[0]]: is too short: 22 characters at least"
        ]
    );
}

#[test]
fn a_source_cannot_name_a_file_of_the_server() {
    let settings: Table = r#"
        [system.social_connect]
        account_id = "1"
        client_id = "c"
        token_file = "/etc/passwd"
    "#
    .parse()
    .expect("TOML");
    let secret = SecretString::from("s");
    let refused = read_source(&Given {
        listed: Listed::Sources,
        name: "care",
        settings: &settings,
        secrets: vec![("system.social_connect.client_secret", "s-0", &secret)],
        allow_private_addresses: true,
    });
    let found = refused.expect_err("refused").to_string();
    assert!(
        found.contains("system.social_connect.token_file: names a file of the server"),
        "{found}"
    );
    assert!(!found.contains("passwd"), "{found}");
}

/// Whatever paths are ever among the settings of an agent or a source.
#[test]
fn no_path_can_be_set() {
    let mut tried = 0;
    for part in crate::config::reference::parts() {
        let Some((list, at)) = part.at.split_once("[]") else {
            continue;
        };
        let listed = match list {
            "agents" => Listed::Agents,
            "sources" => Listed::Sources,
            _ => continue,
        };
        let paths = part.settings.iter().map(|(entry, _)| entry);
        for entry in paths.filter(|entry| entry.kind == Kind::Path) {
            let path = format!("{at}.{}", entry.name);
            let path = path.trim_start_matches('.');
            let mut value = Value::String("/etc/passwd".to_owned());
            for step in path.rsplit('.') {
                let (name, is_list) = step
                    .strip_suffix("[]")
                    .map_or((step, false), |name| (name, true));
                if is_list {
                    value = Value::Array(vec![value]);
                }
                value = Value::Table(Table::from_iter([(name.to_owned(), value)]));
            }
            let given = Given {
                listed,
                name: "care",
                settings: value.as_table().expect("a table"),
                secrets: Vec::new(),
                allow_private_addresses: true,
            };
            let found = read_given(&given).expect_err("refused").to_string();
            let expected = format!("{}: names a file", path.replace("[]", "[0]"));
            assert!(found.contains(&expected), "no {expected:?} in {found}");
            tried += 1;
        }
    }
    assert!(tried > 0, "token_file at least");
}
