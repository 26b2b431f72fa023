//! Settings are loaded, refused and explained as the reference says.

use std::{fmt::Write, fs, time::Duration};

use super::{
    ActionFallback, Loaded, Problems,
    problem::Problem,
    reference::{markdown, parts},
    unknown::Schema,
    *,
};

const DOCUMENT: &str = include_str!("../../../docs/configuration.md");

const AGENT: &str = r#"
    [[agents]]
    name = "bot"
    [agents.platform.zendesk]
    bot_id = "65f0c1a2b3d4e5f60718293a"
    base_url = "https://example.zendesk.com/ai-agents/api"
    api_key = { env = "BOT_KEY" }

    [[accounts]]
    name = "shop"
    agent = "bot"
"#;

fn load_text(text: &str, environment: &[(&str, &str)]) -> Result<Loaded, Problems> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("parloir.toml");
    fs::write(&path, text).expect("a writable folder");
    let variables = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(Some(&path), variables)
}

fn problems(text: &str, environment: &[(&str, &str)]) -> Vec<Problem> {
    load_text(text, environment)
        .expect_err("a wrong configuration")
        .0
}

#[track_caller]
fn assert_refused(text: &str, key: &str, words: &str) {
    let problems = problems(text, &[]);
    let found = problems
        .iter()
        .any(|problem| problem.key == key && problem.text.contains(words));
    assert!(
        found,
        "no problem with {key} that says {words:?} in {problems:#?}"
    );
}

#[test]
fn no_configuration_at_all_is_the_default_on_loopback() {
    let loaded = load(None, std::iter::empty()).expect("valid defaults");
    assert_eq!(loaded.config, Config::default());
    assert!(loaded.config.grpc.listen.ip().is_loopback());
    assert!(loaded.warnings.is_empty());
}

#[test]
fn an_unknown_key_names_the_file_and_the_nearest_one() {
    let problem = &problems("[grpc]\nlistne = \"127.0.0.1:1\"", &[])[0];
    assert_eq!(problem.key, "grpc.listne");
    assert!(problem.origin.ends_with("parloir.toml"), "{problem:?}");
    assert!(problem.text.contains("did you mean listen?"), "{problem:?}");
}

#[test]
fn unknown_keys_are_found_in_lists_tables_and_variables_alike() {
    assert_refused(
        &AGENT.replace("bot_id", "botid"),
        "agents[0].platform.zendesk.botid",
        "bot_id",
    );
    assert_refused(
        &AGENT.replace("[[accounts]]", "[[account]]"),
        "account",
        "accounts",
    );
    let problem = &problems("", &[("PARLOIR__GRPC__LISTNE", "x")])[0];
    assert_eq!(
        (problem.key.as_str(), problem.origin.as_str()),
        ("grpc.listne", "PARLOIR__GRPC__LISTNE")
    );
}

#[test]
fn each_wrong_value_of_a_system_is_told_with_its_whole_key() {
    let text = r#"
        [[sources]]
        name = "care"
        [sources.system.social_connect]
        account_id = 1417
        connect_timeout = "2"
        reserve_for_handovers = "many"
    "#;
    let told = problems(text, &[]);
    for (key, why) in [
        ("account_id", "expected a string"),
        (
            "connect_timeout",
            "is no duration: write a number with its unit, such as \"5s\"",
        ),
        ("reserve_for_handovers", "invalid type"),
    ] {
        let key = format!("sources[0].system.social_connect.{key}");
        let of_key: Vec<_> = told.iter().filter(|problem| problem.key == key).collect();
        assert_eq!(of_key.len(), 1, "{key}: {told:?}");
        assert!(of_key[0].text.contains(why), "{of_key:?}");
    }
}

#[test]
fn a_value_in_the_wrong_place_is_not_repeated() {
    for (text, key) in [
        (
            "[[agents]]\n[agents.platform.zendesk.webhook.url_token]\ntokens = \"sk-live-0123456789\"",
            "agents[0].platform.zendesk.webhook.url_token.tokens",
        ),
        (
            "[[sources]]\n[sources.system.messenger]\napp_secrets = \"sk-live-0123456789, expected \\\"x\"",
            "sources[0].system.messenger.app_secrets",
        ),
        (
            "[[agents]]\n[agents.platform.zendesk]\napi_key = 1234567890123456789012345678901234567",
            "",
        ),
        (
            "[[agents]]\n[agents.platform.zendesk.webhook.hmac]\nsecrets = 1234567890123",
            "agents[0].platform.zendesk.webhook.hmac.secrets",
        ),
    ] {
        let told = problems(text, &[]);
        let of_key: Vec<_> = told.iter().filter(|problem| problem.key == key).collect();
        assert_eq!(of_key.len(), 1, "{told:?}");
        assert!(of_key[0].text.contains("expected a"), "{of_key:?}");
        let told = format!("{told:?}");
        assert!(
            !told.contains("sk-live") && !told.contains("1234567890123"),
            "{told}"
        );
    }
}

#[test]
fn a_source_names_exactly_one_system_that_exists() {
    let named = |systems: &str| format!("[[sources]]\nname = \"care\"\n{systems}");
    for (systems, key, why) in [
        (
            "",
            "sources[0].system",
            "is missing: write one table of [sources.system.social_connect], ",
        ),
        (
            "[sources.system.messenger]\n[sources.system.whatsapp]",
            "sources[0].system",
            "names more than one",
        ),
        (
            "[sources.system.whatsap]",
            "sources[0].system.whatsap",
            "whatsapp",
        ),
    ] {
        let told = problems(&named(systems), &[]);
        let of_system: Vec<_> = told
            .iter()
            .filter(|problem| problem.key.contains(".system"))
            .collect();
        assert_eq!(of_system.len(), 1, "{told:?}");
        assert_eq!(of_system[0].key, key);
        assert!(of_system[0].text.contains(why), "{told:?}");
    }
}

#[test]
fn the_environment_overrides_the_file_also_inside_lists() {
    let environment = [
        ("PARLOIR__GRPC__MAX_STREAMS", "7"),
        ("PARLOIR__GRPC__REFLECTION", "false"),
        ("PARLOIR__AGENTS__0__SEND_TIMEOUT", "3s"),
        ("PARLOIR__AGENTS__0__PLATFORM__ZENDESK__BOT_ID", "123"),
        (
            "PARLOIR__AGENTS__0__PLATFORM__ZENDESK__WEBHOOK__HMAC__HEADER",
            "x-signature",
        ),
        (
            "PARLOIR__AGENTS__0__PLATFORM__ZENDESK__WEBHOOK__HMAC__SECRETS__0__ENV",
            "HOOK",
        ),
        ("PARLOIR__AGENTS__0__ACTIONS__0__NAME", "order"),
        ("PARLOIR__AGENTS__0__ACTIONS__0__FALLBACK", "error"),
        ("PARLOIR__AGENTS__0__ACTIONS__1__NAME", "stock"),
        ("PARLOIR_ENDPOINT", "is not a setting"),
    ];
    let text = format!(
        "[grpc]\nmax_streams = 5\n{}",
        AGENT.replace("api_key", "webhook = \"none\"\napi_key")
    );
    let Loaded {
        config, origins, ..
    } = load_text(&text, &environment).expect("valid");
    let agent = &config.agents[0];
    assert_eq!(
        (config.grpc.max_streams, config.grpc.reflection),
        (7, false)
    );
    assert_eq!(agent.send_timeout, Duration::from_secs(3));
    assert_eq!(agent.actions[0].fallback, Some(ActionFallback::Error));
    assert_eq!(agent.actions[1].name, "stock");
    let crate::agents::PlatformConfig::Zendesk(platform) = &agent.platform;
    assert_eq!(platform.bot_id, "123");
    assert!(
        matches!(&platform.webhook, verification::VerificationConfig::Hmac(hmac) if hmac.header == "x-signature")
    );
    assert_eq!(origins["grpc.max_streams"], "PARLOIR__GRPC__MAX_STREAMS");
    assert!(origins["agents[0].name"].ends_with("parloir.toml"));
}

#[test]
fn a_list_in_the_environment_leaves_no_number_out() {
    let problem = &problems("", &[("PARLOIR__ACCOUNTS__1__NAME", "shop")])[0];
    assert!(problem.text.contains("leave none out"), "{problem:?}");
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let text = r#"
        [grpc]
        listen = "127.0.0.1:1"
        max_connections = 0
        max_streams = "many"
        keep_alive_timeout = "soon"
        [logging]
        format = "xml"
        colour = true
        [[agents]]
        name = "bot"
        send_timeout = 5
        session_timeout = "0s"
        platform.zendesk.botid = "1"
    "#;
    let keys: Vec<String> = problems(text, &[])
        .into_iter()
        .map(|problem| problem.key)
        .collect();
    let expected = [
        "agents[0].platform.zendesk.botid",
        "logging.colour",
        "grpc.keep_alive_timeout",
        "grpc.max_streams",
        "logging.format",
        "agents[0].send_timeout",
        "grpc.max_connections",
        "agents[0].session_timeout",
        "agents[0].platform.zendesk.bot_id",
        "agents[0].platform.zendesk.base_url",
        "agents[0].platform.zendesk.api_key",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn what_is_missing_or_out_of_bounds_is_named_with_its_bounds() {
    assert_refused(
        "[stream]\nheartbeat = \"2m\"",
        "stream.heartbeat",
        "between 1s and 1m",
    );
    assert_refused(
        "[log]\ncommit_batch = 0",
        "log.commit_batch",
        "between 1 and 4096",
    );
    assert_refused(
        "[[agents]]\nname = \"bot\"",
        "agents[0].platform",
        "is missing: write one table of [agents.platform.zendesk]",
    );
    assert_refused(
        "[[agents]]\nname = \"bot\"\nplatform.zendesk.bot_id = \"1\"",
        "agents[0].platform.zendesk.api_key",
        "missing",
    );
    assert_refused(
        "[[accounts]]\nname = \"shop\"",
        "accounts[0].agent",
        "missing",
    );
    let too_long = AGENT.replace(
        "name = \"bot\"",
        "name = \"bot\"\naction_time_limit = \"9s\"",
    );
    assert_refused(&too_long, "agents[0].action_time_limit", "8900ms");
}

#[test]
fn a_log_filter_that_cannot_be_read_is_found_before_the_start() {
    assert_refused(
        "[logging]\nfilter = \"info,parloir=loud\"",
        "logging.filter",
        "level filter",
    );
}

#[test]
fn an_address_that_others_reach_needs_to_be_asked_for() {
    let outside = "[grpc]\nlisten = \"0.0.0.0:50051\"";
    let warned = |text: &str| {
        let loaded = load_text(text, &[]).expect("a good configuration");
        let first = loaded.warnings.first();
        first.map(|warning| warning.key.clone()).unwrap_or_default()
    };
    assert_eq!(warned(outside), "grpc.listen");
    let allowed = format!("{outside}\nallow_unauthenticated = true");
    assert_eq!(warned(&allowed), "grpc.allow_unauthenticated");
    let named = format!(
        "{outside}\n[[callers]]\nname = \"crm\"\nscopes = [\"converse\"]\nkeys = [{{ file = \"/k\" }}]"
    );
    // Whoever is asked shows a key, and without TLS everybody on the way reads it.
    assert_eq!(warned(&named), "grpc.tls.certificate");
}

#[test]
fn callers_and_tenants_are_named_once_with_scopes_that_exist_and_a_way_in() {
    let caller = |more: &str| format!("[[callers]]\nname = \"crm\"\n{more}\n");
    let good = caller("scopes = [\"converse\"]\ncertificates = [\"crm.example.com\"]");
    load_text(&good, &[]).expect("a good configuration");
    for (text, key, words) in [
        (
            caller("certificates = [\"a\"]"),
            "callers[0].scopes",
            "missing",
        ),
        (
            caller("scopes = [\"all\"]"),
            "callers[0].scopes[0]",
            "converse, subscribe",
        ),
        (caller("scopes = [\"admin\"]"), "callers[0].keys", "new-key"),
        (
            good.replace("crm.", "*."),
            "callers[0].certificates[0]",
            "wildcards",
        ),
        (
            good.replace("\"crm\"", "\"c r m\""),
            "callers[0].name",
            "a-z",
        ),
        (format!("{good}tenant = \"A\""), "callers[0].tenant", "a-z"),
        (good.clone() + &good, "callers[1].name", "two callers"),
        (
            good.clone() + &good,
            "callers[1].certificates[0]",
            "already",
        ),
        (
            "[[tenants]]\nname = \"a\"\n[[tenants]]\nname = \"a\"".into(),
            "tenants[1].name",
            "two tenants",
        ),
    ] {
        assert_refused(&text, key, words);
    }
}

#[test]
fn plain_http_is_for_loopback_only() {
    let at = |url: &str| AGENT.replace("https://example.zendesk.com/ai-agents/api", url);
    let key = "agents[0].platform.zendesk.base_url";
    assert_refused(&at("http://example.com"), key, "https");
    assert_refused(&at("http://127.0.0.1.example.com"), key, "https");
    assert_refused(&at("ftp://127.0.0.1"), key, "https");
    assert_refused(&at("https://me:pass@example.com"), key, "credentials");
    for url in [
        "http://127.0.0.1:8090",
        "http://[::1]:8090",
        "http://localhost:8090/api",
        "https://example.com",
    ] {
        load_text(&at(url), &[]).expect(url);
    }
}

#[test]
fn an_organizations_key_goes_with_its_id() {
    let with = |more: &str| AGENT.replace("    [[accounts]]", &format!("{more}\n[[accounts]]"));
    let key = "agents[0].platform.zendesk.organization_id";
    let lonely = with("organization_key = { env = \"ORG_KEY\" }");
    assert_refused(&lonely, key, "is missing");
    for bad in ["", "a b", "ä"] {
        assert_refused(
            &with(&format!("organization_id = \"{bad}\"")),
            key,
            "printable",
        );
    }
    let unset = "PARLOIR_TEST_VARIABLE_THAT_NOBODY_SETS";
    let both = with(&format!(
        "organization_id = \"org-1\"\norganization_key = {{ env = \"{unset}\" }}"
    ));
    let config = load_text(&both, &[]).expect("valid by itself").config;
    let found = check_secrets(&config).expect_err("keys that are not there");
    let named: Vec<_> = found.0.iter().map(|problem| problem.key.as_str()).collect();
    assert!(
        named.contains(&"agents[0].platform.zendesk.organization_key"),
        "{named:?}"
    );
}

#[test]
fn names_and_keys_are_used_once() {
    let twice = format!("{AGENT}{AGENT}");
    assert_refused(&twice, "agents[1].name", "two agents");
    assert_refused(
        &twice,
        "agents[1].platform.zendesk.api_key",
        "belongs to one agent",
    );
    assert_refused(&twice, "accounts[1].name", "two accounts");
    assert_refused(
        &AGENT.replace("agent = \"bot\"", "agent = \"bod\""),
        "accounts[0].agent",
        "configured: bot",
    );
    assert_refused(
        &AGENT.replace("\"bot\"", "\"Bot!\""),
        "agents[0].name",
        "a-z",
    );
}

#[test]
fn a_tenant_has_names_and_accounts_of_its_own() {
    let acme = AGENT
        .replace("bot\"", "acme.bot\"")
        .replace("BOT_KEY", "ACME_KEY");
    let both = format!("{AGENT}{acme}");
    // The same account name in each.
    let loaded = load_text(&both, &[]).map(|loaded| loaded.config.accounts.len());
    assert_eq!(loaded, Ok(2));
    let source = |name: &str| {
        format!(
            "[[sources]]\nname = \"{name}\"\n[sources.system.whatsapp]\napi_token = {{ env = \"A\" }}\n"
        )
    };
    let named = both.replacen(
        "agent = \"bot\"",
        "agent = \"bot\"\nsource = \"acme.wa\"",
        1,
    );
    assert_refused(
        &format!("{named}{}", source("acme.wa")),
        "accounts[0].source",
        "both must be of one tenant",
    );
    for bad in ["default.bot", "a.b.bot", ".bot", "acme."] {
        let text = AGENT.replace("\"bot\"", &format!("\"{bad}\""));
        assert_refused(&text, "agents[0].name", "a-z");
    }
    // What is wrong with one is told without the names of another.
    let same_key = both.replace("ACME_KEY", "BOT_KEY");
    let problems = problems(&same_key, &[]);
    let told = problems.iter().any(|problem| {
        problem.key == "agents[1].platform.zendesk.api_key"
            && problem.text.contains("of an agent of another tenant")
    });
    assert!(told, "{problems:#?}");
    let unknown = both.replace("agent = \"acme.bot\"", "agent = \"acme.bod\"");
    assert_refused(&unknown, "accounts[1].agent", "configured: acme.bot");
}

#[test]
fn accounts_that_share_an_agent_need_a_default_and_are_told_of_prefixes() {
    let shared = format!("{AGENT}[[accounts]]\nname = \"outlet\"\nagent = \"bot\"");
    assert_refused(&shared, "agents[0].default_account", "name one of them");
    let named = shared.replace(
        "name = \"bot\"",
        "name = \"bot\"\ndefault_account = \"outlet\"",
    );
    let loaded = load_text(&named, &[]).expect("valid");
    let warned: Vec<_> = loaded
        .warnings
        .iter()
        .map(|warning| warning.key.as_str())
        .collect();
    assert!(
        warned.contains(&"accounts[1].upstream_prefix"),
        "{warned:?}"
    );
    let foreign = named.replace(
        "default_account = \"outlet\"",
        "default_account = \"others\"",
    );
    assert_refused(
        &foreign,
        "agents[0].default_account",
        "not an account of this agent",
    );
}

#[test]
fn secrets_that_cannot_be_read_and_keys_that_are_the_same_are_found_at_the_start() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let key = |name: &str| format!("{{ file = \"{}\" }}", folder.path().join(name).display());
    let agent = |name: &str, file: &str| {
        AGENT
            .replace("\"bot\"", &format!("\"{name}\""))
            .replace("{ env = \"BOT_KEY\" }", &key(file))
            .replace("shop", name)
    };
    fs::write(folder.path().join("one"), "the-same-key").expect("a writable folder");
    fs::write(folder.path().join("two"), "the-same-key\n").expect("a writable folder");
    let text = format!(
        "{}{}{}",
        agent("a", "one"),
        agent("b", "two"),
        agent("c", "none")
    );
    let config = load_text(&text, &[]).expect("valid by itself").config;
    let found = check_secrets(&config).expect_err("two problems");
    assert!(
        found.0[0].text.contains("the API key of the agent a"),
        "{found}"
    );
    assert!(found.0[1].text.contains("cannot be read"), "{found}");
    assert!(!found.to_string().contains("the-same-key"), "{found}");
}

#[test]
fn every_key_of_a_written_configuration_is_in_the_reference_and_every_section_can_be_written() {
    let schemes = [
        ("url_token", "tokens = [{ env = \"A\" }]"),
        (
            "static_header",
            "header = \"x-secret\"\nsecrets = [{ env = \"A\" }]",
        ),
        (
            "hmac",
            "header = \"x-signature\"\ntimestamp_header = \"x-time\"\nsecrets = [{ file = \"a\" }]",
        ),
        ("zendesk_support", "secrets = [{ env = \"A\" }]"),
        ("standard_webhooks", "secrets = [{ env = \"A\" }]"),
    ];
    let systems = [
        (
            "social_connect",
            "account_id = \"1\"\nclient_secret = { env = \"A\" }\ntoken = { env = \"A\" }\n\
             profiles.twitter = \"1\"",
        ),
        (
            "messenger",
            "page_id = \"1\"\npage_token = { env = \"A\" }\napp_id = \"2\"\n\
             app_secrets = [{ env = \"A\" }]\nverify_tokens = [{ env = \"A\" }]",
        ),
        (
            "whatsapp",
            "phone_number_id = \"1\"\naccess_token = { env = \"A\" }\n\
             app_secrets = [{ env = \"A\" }]\nverify_tokens = [{ env = \"A\" }]",
        ),
        (
            "live_person",
            "account_id = \"1\"\nbots = [\"b\"]\npublic_keys = [{ file = \"a\" }]\n\
             default_skill = \"s\"\nskills.billing = \"b\"",
        ),
        (
            "help_scout",
            "app_id = \"1\"\napp_secret = { env = \"A\" }\nwebhook_secrets = [{ env = \"A\" }]\n\
             bot_user_id = 1",
        ),
    ];
    let mut text = String::from(
        "[[tenants]]\nname = \"acme\"\n[[callers]]\nname = \"crm\"\nscopes = [\"admin\"]\nkeys = [{ env = \"K\" }]\n\
         [[sinks]]\nname = \"crm\"\nurl = \"nats://broker\"\nstream = \"E\"\nsubject = \"e\"\n",
    );
    for (number, (scheme, settings)) in schemes.iter().enumerate() {
        let _ = write!(
            text,
            "[[agents]]\nname = \"bot{number}\"\n\
             [[agents.actions]]\nname = \"order\"\ntime_limit = \"1s\"\nfallback = \"empty\"\nresults.any_name = \"x\"\n\
             [agents.platform.zendesk]\nbot_id = \"1\"\nbase_url = \"https://example.com\"\n\
             api_key = {{ env = \"KEY{number}\" }}\n[agents.platform.zendesk.webhook.{scheme}]\n{settings}\n\
             [[accounts]]\nname = \"shop{number}\"\nagent = \"bot{number}\"\n"
        );
    }
    for (number, (system, settings)) in systems.iter().enumerate() {
        let _ = write!(
            text,
            "[[sources]]\nname = \"source{number}\"\nhandover_phrases.en = [\"human\"]\nhandover_text.en = \"Wait\"\n\
             [sources.system.{system}]\n{settings}\n\
             [[agents]]\nname = \"own{number}\"\n[agents.platform.zendesk]\nbot_id = \"1\"\n\
             base_url = \"https://example.com\"\napi_key = {{ env = \"OWN{number}\" }}\n\
             [[accounts]]\nname = \"desk{number}\"\nagent = \"own{number}\"\nsource = \"source{number}\"\n"
        );
    }
    let config = load_text(&text, &[]).expect("valid").config;
    let written = toml::Table::try_from(&config).expect("serialisable");
    let mut unknown = Problems::default();
    Schema::new().find_unknown(&written, &mut unknown);
    assert_eq!(unknown, Problems::default());

    let keys = toml::to_string(&config).expect("serialisable");
    for part in parts() {
        let section = part.at.replace("[]", "");
        assert!(
            keys.contains(&format!("[{section}")),
            "no {section} in\n{keys}"
        );
    }
    assert_eq!(
        load_text(&keys, &[])
            .expect("what was written is read")
            .config,
        config
    );
}

#[test]
fn the_documented_reference_is_that_of_the_code() {
    let expected = markdown();
    assert!(
        DOCUMENT.ends_with(&expected),
        "replace the tables by the output of: parloir check-config --reference"
    );
}

#[test]
fn the_documented_example_is_valid() {
    let (_, example) = DOCUMENT.split_once("```toml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    assert_eq!(
        load_text(example, &[]).expect("valid").config.agents.len(),
        1
    );
}

#[test]
fn a_brokers_url_holds_no_secret_and_what_it_held_is_not_repeated() {
    for text in [
        "nats.url = \"nats://parloir:hunter2@broker:4222\"",
        "nats.url = \"hunter2\"",
        "nats.url = \"nats://hunter2@one,nats://two\"",
        "nats.url = \"http://hunter2:4222\"",
        "nats.url = \"nats://one, nats://two\"",
        "nats.url = \"nats://\"",
    ] {
        let problems = problems(text, &[]);
        assert_eq!(problems.len(), 1, "{text}: {problems:#?}");
        assert_eq!(problems[0].key, "nats.url");
        assert!(!format!("{problems:?}").contains("hunter2"), "{text}");
    }
    for text in [
        "nats.url = \"nats://broker:4222\"",
        "nats.url = \"tls://one.example.com:4222,tls://two.example.com:4222\"",
        "nats.url = \"nats://[::1]:4222\"",
    ] {
        let loaded = load_text(text, &[]).expect(text);
        assert!(loaded.warnings.iter().any(|doubt| doubt.key == "nats.url"));
    }
}

#[test]
fn whoever_is_shown_to_a_broker_is_one() {
    let password = "nats.access.password = { file = \"p\" }\n";
    let token = "nats.access.token = { file = \"t\" }\n";
    assert_refused(password, "nats.access.user", "is missing");
    assert_refused(
        "nats.access.user = \"u\"",
        "nats.access.password",
        "is missing",
    );
    let both = format!("nats.access.user = \"u\"\n{password}{token}");
    assert_refused(&both, "nats.access", "more than one");
    let certificate = "nats.access.certificate = \"c\"";
    assert_refused(certificate, "nats.access.private_key", "is missing");
    assert_refused("nats.prefix = \"a.*\"", "nats.prefix", "subject");
}

#[test]
fn a_sink_names_itself_its_stream_and_its_subject() {
    let sink = |name: &str, stream: &str, subject: &str| {
        format!(
            "[[sinks]]\nname = \"{name}\"\nurl = \"nats://broker:4222\"\nstream = \"{stream}\"\nsubject = \"{subject}\"\n"
        )
    };
    let fine = sink("crm", "EVENTS", "parloir.{tenant}.{kind}");
    load_text(&fine, &[]).expect("fine");
    assert_refused("[[sinks]]\nname = \"crm\"", "sinks[0].stream", "is missing");
    assert_refused(&sink("a.b", "E", "s"), "sinks[0].name", "1 to 64");
    assert_refused(&sink("a", "E.F", "s"), "sinks[0].stream", "no dots");
    for subject in ["a.>", "a b", "a..b", "a.{account}"] {
        assert_refused(&sink("a", "E", subject), "sinks[0].subject", "{tenant}");
    }
    assert_refused(&format!("{fine}{fine}"), "sinks[1].name", "two sinks");
    let url = "[[sinks]]\nname = \"a\"\nurl = \"nats://u:hunter2@broker\"\nstream = \"E\"\nsubject = \"s\"\n";
    assert_refused(url, "sinks[0].url", "sinks[0].access");
}
