//! Fuzz targets: what the outside may send, thrown at the code that reads it. A target panics where a promise is broken;
//! `examples/fuzz.rs` looks for inputs that make it, `tests/replay.rs` tries those that are kept.

mod addresses;
mod answers;
mod configuration;
mod cursors;
mod events;
mod keys;
mod requests;
mod served;
mod shape;
mod stage;
mod webhook;

/// Code that reads what somebody else wrote.
#[derive(Debug)]
pub struct Target {
    /// Also that of its folders in `corpus/` and `found/`.
    pub name: &'static str,
    run: fn(&[u8]),
}

/// All of them, in the order of `tests/run fuzz`.
pub const TARGETS: &[Target] = &[
    Target {
        name: "zendesk_webhook",
        run: webhook::zendesk,
    },
    Target {
        name: "social_connect_webhook",
        run: webhook::social_connect,
    },
    Target {
        name: "messenger_webhook",
        run: webhook::messenger,
    },
    Target {
        name: "whatsapp_webhook",
        run: webhook::whatsapp,
    },
    Target {
        name: "live_person_webhook",
        run: webhook::live_person,
    },
    Target {
        name: "help_scout_webhook",
        run: webhook::help_scout,
    },
    Target {
        name: "cursors",
        run: cursors::run,
    },
    Target {
        name: "zendesk_answers",
        run: answers::zendesk,
    },
    Target {
        name: "social_connect_answers",
        run: answers::social_connect,
    },
    Target {
        name: "messenger_answers",
        run: answers::messenger,
    },
    Target {
        name: "whatsapp_answers",
        run: answers::whatsapp,
    },
    Target {
        name: "help_scout_answers",
        run: answers::help_scout,
    },
    Target {
        name: "requests",
        run: requests::raw,
    },
    Target {
        name: "shaped_requests",
        run: requests::shaped,
    },
    Target {
        name: "served_requests",
        run: served::raw,
    },
    Target {
        name: "shaped_served_requests",
        run: served::shaped,
    },
    Target {
        name: "events",
        run: events::run,
    },
    Target {
        name: "configuration",
        run: configuration::run,
    },
    Target {
        name: "api_keys",
        run: keys::api,
    },
    Target {
        name: "master_keys",
        run: keys::master,
    },
    Target {
        name: "client_addresses",
        run: addresses::run,
    },
];

impl Target {
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// Panics where a promise is broken.
    pub fn run(&self, input: &[u8]) {
        (self.run)(input);
    }
}

/// The paths of all methods of the contract.
pub fn methods() -> impl Iterator<Item = &'static str> {
    let methods = shape::contract().methods.iter();
    methods.map(|(path, _)| path.as_str())
}

/// Whether requests of the method at `path` get to the code that reads them.
pub fn is_read(path: &str) -> bool {
    requests::is_read(path) || served::is_read(path)
}
