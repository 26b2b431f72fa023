//! Answers of the platforms and systems that we call, byte by byte, over a real socket.
//!
//! The first byte of an input says what is asked. The rest are the answers, with `~` on a line of its own between one and
//! the next; the last one is given again to whoever asks further.

mod fake;

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use parloir::{
    agents::{
        PlatformConfig,
        zendesk::{Day, Export, UserData},
    },
    config::Config,
    domain::{
        HumanMessage, HumanMessageKind, Id, Outbound, OutboundContent, Parameter, Sent, Timestamp,
        ports::Source,
        source::{Author, Handover, Item},
    },
};

use self::fake::Fake;
use crate::{
    stage::{self, NOW, SECRET, Standing},
    webhook,
};

/// What is said, and a value that is personal: no answer to what held them may bring them into what is told of it.
const WORDS: &str = "words of a visitor";
const PERSONAL: &str = "ana@example.org";

/// Bytes of what is told of a refusal.
const MOST_DETAIL: usize = 1024;

pub fn zendesk(input: &[u8]) {
    let Some((which, answers)) = input.split_first() else {
        return;
    };
    let stage = Stage::get();
    stage.fake.answers(answers);
    let PlatformConfig::Zendesk(platform) = &stage.config.agents[0].platform;
    stage.fake.block_on(async {
        match which % 6 {
            0 => {
                if let Ok(data) = UserData::new(platform) {
                    let told = data.delete(&["c-1".to_owned()]).await;
                    let told = told.map_err(|error| format!("{error} {error:?}"));
                    tells_no_secret(told.err().as_deref().unwrap_or_default());
                }
            }
            1 => export(platform).await,
            which => {
                let agent = parloir::agents::build(&stage.config.agents[0], Arc::new(Standing));
                let outbound = Outbound {
                    upstream_id: "c-1".to_owned(),
                    content: content(which),
                };
                let sent = agent.expect("a valid agent").send(&outbound).await;
                let said: &[&str] = match which {
                    2 => &[PERSONAL],
                    3 | 4 => &[WORDS, PERSONAL],
                    _ => &[WORDS],
                };
                is_sound(&sent, said);
            }
        }
    });
}

pub fn social_connect(input: &[u8]) {
    ask("social-connect", input);
}

pub fn messenger(input: &[u8]) {
    ask("messenger", input);
}

pub fn whatsapp(input: &[u8]) {
    ask("whatsapp", input);
}

pub fn help_scout(input: &[u8]) {
    ask("help-scout", input);
}

/// Of the day, and the files that it names.
async fn export(platform: &parloir::agents::zendesk::ZendeskConfig) {
    let day = Day::parse("2026-11-19", Timestamp(NOW * 1_000_000)).expect("a day");
    let export = Export::new(platform).expect("a valid export");
    let export = export.with_retry_pause(std::time::Duration::ZERO);
    let files = match export.files(&day, None).await {
        Ok(files) => files,
        Err(error) => return tells_no_secret(&format!("{error:#}")),
    };
    for file in files.iter().take(3) {
        let name = file.name();
        let is_plain =
            !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
        assert!(is_plain, "a file is named {name:?}");
    }
}

/// One question to a source that was made anew: it may remember a refusal for long.
fn ask(name: &str, input: &[u8]) {
    let Some((which, answers)) = input.split_first() else {
        return;
    };
    let stage = Stage::get();
    stage.fake.answers(answers);
    let config = stage
        .config
        .sources
        .iter()
        .find(|source| source.name.starts_with(name));
    let config = config.expect("a source of that name");
    let address = &stage.addresses[name];
    stage.fake.block_on(async {
        let source = parloir::sources::build(
            config,
            parloir::sources::Means::without_keys(Arc::new(Standing)),
        )
        .expect("a valid source");
        let item = Item::text(Author::Agent, WORDS);
        let since = Timestamp((NOW - 60) * 1_000_000);
        match which % 6 {
            // As the lane does, which knows what was sent.
            0 => {
                let sent = source.deliver(address, &item).await;
                is_sound(&sent.without(&item.words()), &[WORDS]);
            }
            1 => is_sound(&source.escalate(address, &handover()).await, &[]),
            2 => is_sound(&source.resume(address, "note").await, &[]),
            3 => drop(source.read_owner(address).await),
            4 => drop(source.read_back(address, &item, since).await),
            _ => look(source.as_ref(), since).await,
        }
    });
}

async fn look(source: &dyn Source, since: Timestamp) {
    if let Ok(events) = source.look(since).await {
        events.iter().for_each(webhook::is_sound);
    }
}

/// What is said of how it ended can be shown to a caller: it repeats nothing of what was `said`.
fn is_sound(sent: &Sent, said: &[&str]) {
    if let Sent::Refused { detail, .. } = sent {
        tells_no_secret(detail);
        for words in said {
            assert!(!detail.contains(words), "told: {detail:?}");
        }
        assert!(
            detail.len() <= MOST_DETAIL,
            "{} bytes of detail",
            detail.len()
        );
        assert!(
            !detail.contains(char::is_control),
            "control characters in {detail:?}"
        );
    }
}

fn tells_no_secret(told: &str) {
    assert!(!told.contains(SECRET), "told: {told:?}");
}

fn handover() -> Handover {
    Handover {
        conversation_id: Id::trusted("c-1"),
        target: "tier-2".to_owned(),
        text: None,
        note: "note".to_owned(),
    }
}

fn content(which: u8) -> OutboundContent {
    let parameters = vec![Parameter {
        key: "mail".to_owned(),
        value: PERSONAL.to_owned(),
        personal: true,
    }];
    let text = WORDS.to_owned();
    match which {
        2 => OutboundContent::Start { parameters },
        3 => OutboundContent::Message {
            text,
            card_index: Some(1),
            parameters,
        },
        4 => OutboundContent::Ticket { text, parameters },
        _ => OutboundContent::Human(HumanMessage {
            message_id: "h-1".to_owned(),
            kind: HumanMessageKind::Text,
            text,
            name: "Lee".to_owned(),
            avatar_url: String::new(),
            queue_position: None,
            waiting_time: None,
            from_source: false,
            raw: String::new(),
        }),
    }
}

/// Where all answers come from, and what is configured to ask there.
#[derive(Debug)]
struct Stage {
    fake: Fake,
    config: Config,
    /// Of a visitor, by the system's name.
    addresses: HashMap<&'static str, String>,
}

impl Stage {
    fn get() -> &'static Self {
        static STAGE: OnceLock<Stage> = OnceLock::new();
        STAGE.get_or_init(|| {
            let fake = Fake::start();
            let config = stage::configuration(&fake.url());
            let addresses = webhook::addresses();
            Self {
                fake,
                config,
                addresses,
            }
        })
    }
}
