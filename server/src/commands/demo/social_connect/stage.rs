//! What the demo with a source needs: a server, a simulated agent, and a simulated Social Connect between it and the
//! visitor.

use std::{fs, net::SocketAddr, path::Path};

use anyhow::Result;
use parloir_client::Client;
use tokio::net::TcpListener;

use super::super::{
    stage::{self, ACCOUNT, binary},
    viewer::tell,
};
use crate::{
    commands::terminal,
    simulate::{
        Simulator,
        social_connect::{Contact, Line, Settings, SocialConnect, Speaker},
    },
};

/// The source's name: webhooks come to `/sources/social-connect`.
const SOURCE: &str = "social-connect";
const SECRET: &str = "demo-secret-that-signs-webhooks";
const TOKEN: &str = "demo-token-of-the-application";

/// A running server between a simulated agent and a simulated Social Connect.
pub(super) struct Stage {
    house: stage::Stage,
    /// Where the visitor writes, and where people answer.
    pub(super) desk: SocialConnect,
    pub(super) visitor: Contact,
}

impl Stage {
    pub(super) async fn set() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let settings = Settings::new(SECRET, TOKEN);
        let source = |folder: &Path| configuration(folder, address, &settings);
        let house = stage::Stage::set_with(source).await?;
        let desk = SocialConnect::start(settings, listener)?;
        desk.set_webhook_url(&format!("http://{}/sources/{SOURCE}", house.webhooks()));
        Ok(Self {
            house,
            desk,
            visitor: Contact::new("twitter", "4711"),
        })
    }

    pub(super) fn introduce(&self) -> Result<()> {
        self.house.introduce()?;
        tell(format_args!(
            "  the source  {} (a simulated Social Connect; it posts to /sources/{SOURCE})",
            self.desk.base_url()
        ))?;
        tell(format_args!(
            "\n> is what people do in Social Connect, < is an event that a subscriber receives,\n\
             = is what it comes to: what is read there, and who answers from then on."
        ))
    }

    /// What to try next.
    pub(super) fn invite(&self) -> Result<()> {
        let (parloir, server) = (binary(), self.house.server());
        tell(format_args!(
            "\nStill running. What you type here is what the visitor writes. Or type\n\n  \
             /human WORDS   one of the brand's people answers\n  \
             /tag           people set the tag: from the visitor's next message on, a human owns the conversation\n  \
             /untag         people remove it: with the visitor's next message, the agent answers again\n"
        ))?;
        tell(format_args!("In another terminal, try:\n"))?;
        tell(format_args!(
            "  follow every event      {parloir} tail {server} --from earliest"
        ))?;
        tell(format_args!(
            "  accounts and sources    {parloir} accounts {server}"
        ))?;
        tell(format_args!(
            "  the visitors it brought {parloir} accounts contacts {server} --account {ACCOUNT}"
        ))?;
        tell(format_args!("\nCtrl-C ends it."))
    }

    pub(super) fn client(&self) -> &Client {
        &self.house.client
    }

    pub(super) fn agent(&self) -> &Simulator {
        self.house.agent()
    }

    /// The tag that means that a human answers.
    pub(super) fn tag(&self) -> &str {
        &self.desk.platform().settings().tag
    }

    /// The thread as Social Connect has it.
    pub(super) fn lines(&self) -> Vec<Line> {
        self.desk.platform().lines(&self.visitor)
    }

    pub(super) async fn clear(self) {
        self.house.clear().await;
        self.desk.stop().await;
    }
}

/// Prints what the visitor reads of these lines.
pub(super) fn show_read(lines: &[Line]) -> Result<()> {
    for line in lines {
        let from = match line.from {
            Speaker::Visitor => continue,
            Speaker::Bot => "",
            Speaker::Human => " from a human",
        };
        let text = terminal::many_lines(&line.text).replace('\n', "\n      ");
        tell(format_args!("  = the visitor reads{from}: {text}"))?;
    }
    Ok(())
}

/// Writes what an operator would write, behind the account that it belongs to.
fn configuration(folder: &Path, address: SocketAddr, settings: &Settings) -> Result<String> {
    let (secret, token) = (folder.join("secret"), folder.join("token"));
    fs::write(&secret, SECRET)?;
    fs::write(&token, TOKEN)?;
    Ok(format!(
        r#"source = "{SOURCE}"

[[sources]]
name = "{SOURCE}"
[sources.system.social_connect]
account_id = "{account}"
base_url = "http://{address}"
client_id = "{client}"
client_secret = {{ file = "{secret}" }}
token = {{ file = "{token}" }}
tag = "{tag}"
record_brand_messages = true
application_name = "{client}"
"#,
        account = settings.account_id,
        client = settings.client_id,
        tag = settings.tag,
        secret = secret.display(),
        token = token.display(),
    ))
}
