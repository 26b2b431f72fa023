//! The play: a private message in, the agent's answer, a handover by tag, a human's answer, and back.

use anyhow::{Context, Result, ensure};
use parloir_proto::v1::{
    DeliveredEvent, DeliveryState, Owner, VisitorMessage, delivery_changed::Subject, event::Body,
    visitor_message::Content,
};

use super::{
    super::{
        stage::ACCOUNT,
        viewer::{Viewer, tell},
    },
    stage::{Stage, show_read},
};
use crate::{
    commands::terminal,
    simulate::social_connect::{Call, Speaker},
};

const ASKED_OF_THE_HUMAN: &str = "Are you a real person?";

pub(super) async fn play(stage: &Stage) -> Result<()> {
    let mut scene = Scene {
        stage,
        viewer: Viewer::new(stage.client()),
        shown: 0,
        conversation: String::new(),
    };
    scene.private_message().await?;
    scene.numbered_choice().await?;
    scene.escalation().await?;
    scene.human().await?;
    scene.back_to_the_agent().await?;
    scene.account_for()
}

struct Scene<'a> {
    stage: &'a Stage,
    viewer: Viewer,
    /// Lines of the thread that have been shown.
    shown: usize,
    /// Made from a keyed hash of what the source calls the visitor.
    conversation: String,
}

impl Scene<'_> {
    async fn private_message(&mut self) -> Result<()> {
        title("A visitor writes a private message, and the agent answers")?;
        self.visitor_says("Hello, what can you do?").await?;
        let conversation = self
            .viewer
            .until("the visitor's message", |body, delivered| match body {
                Body::VisitorMessage(message) if !message.held => {
                    delivered.event.as_ref().map(|e| e.conversation_id.clone())
                }
                _ => None,
            })
            .await?;
        self.conversation = conversation;
        self.agent_answers("I can look up your parcel").await?;
        ensure!(
            self.last_read().contains("2. Show mugs"),
            "Social Connect has no buttons, so they should be numbered"
        );
        self.owned_by(Owner::Agent).await
    }

    async fn numbered_choice(&mut self) -> Result<()> {
        title("There are no buttons in Social Connect: the visitor answers with a number")?;
        self.visitor_says("2").await?;
        self.viewer
            .until("the second choice", |body, _| match body {
                Body::VisitorMessage(message) => Some(chosen(message) == Some("Show mugs")),
                _ => None,
            })
            .await
            .and_then(|is_second| {
                ensure!(is_second, "\"2\" did not become the second choice");
                tell("  = \"2\" became the choice [Show mugs]")
            })?;
        self.agent_shows_cards().await?;
        self.owned_by(Owner::Agent).await
    }

    /// The agent asks for a human; the source takes the escalation, by the tag.
    async fn escalation(&mut self) -> Result<()> {
        title("The agent hands over: the contact is tagged")?;
        self.visitor_says("I want to talk to a human").await?;
        self.owner_becomes(Owner::Human).await?;
        let tag = self.stage.tag();
        let tags = self.stage.desk.platform().tags(&self.stage.visitor);
        ensure!(tags == [tag], "the contact should be tagged {tag:?}");
        tell(format_args!(
            "  = people see the thread in their inbox, and its contact tagged {tags:?}"
        ))?;
        self.owned_by(Owner::Human).await
    }

    async fn human(&mut self) -> Result<()> {
        title("A human answers, and the agent is silent")?;
        self.visitor_says(ASKED_OF_THE_HUMAN).await?;
        let held = self
            .viewer
            .until("the message that is held", |body, _| match body {
                Body::VisitorMessage(message) => Some(message.held),
                _ => None,
            })
            .await?;
        ensure!(held, "the agent was asked although a human owns it");
        tell(format_args!(
            "  = people read: {ASKED_OF_THE_HUMAN} The agent does not hear of it."
        ))?;
        let words = "I am. Give me a moment.";
        tell(format_args!("  > a human: {words}"))?;
        self.stage.desk.human_says(&self.stage.visitor, words).await;
        self.viewer
            .until("the human's words", |body, _| match body {
                Body::HumanMessage(said) if said.from_source && said.text == words => Some(()),
                _ => None,
            })
            .await?;
        self.show_read()?;
        self.owned_by(Owner::Human).await
    }

    /// Nothing tells of the tag's removal: it is found with the visitor's next message, before the agent is asked.
    async fn back_to_the_agent(&mut self) -> Result<()> {
        title("The human removes the tag: with the next message the agent answers again")?;
        let tag = self.stage.tag();
        tell(format_args!("  > a human: removes the tag {tag:?}"))?;
        self.stage
            .desk
            .platform()
            .agent_untags(&self.stage.visitor, tag);
        self.visitor_says("Thank you! One more question").await?;
        self.owner_becomes(Owner::Agent).await?;
        self.agent_answers("I can look up your parcel").await?;
        self.owned_by(Owner::Agent).await
    }

    /// What a record of all of it says: nobody answered who should not, and no call was made for nothing.
    fn account_for(&self) -> Result<()> {
        let (desk, lines) = (&self.stage.desk, self.stage.lines());
        let spoke_over = |line: &&_| is_bots(line) && line.human_owns;
        ensure!(
            lines.iter().find(spoke_over).is_none(),
            "the agent spoke while a human owned the conversation"
        );
        let asked = self.stage.agent().requests();
        ensure!(
            asked
                .iter()
                .all(|one| one.text().as_deref() != Some(ASKED_OF_THE_HUMAN)),
            "the agent was asked what the human was asked"
        );
        let refused = desk
            .posted()
            .into_iter()
            .find(|one| one.status != Some(200));
        ensure!(refused.is_none(), "a webhook was not answered 200");
        let count = |call| desk.platform().count(call);
        let said = lines.iter().filter(|line| is_bots(line)).count();
        ensure!(
            count(Call::Publish) == said && count(Call::EditContact) == 1,
            "more was called at Social Connect than there was to say"
        );
        tell(format_args!(
            "\nCalls to Social Connect: {said} for {said} messages of the agent's, 1 to set the tag, {} to see whether it \
             is still set.",
            count(Call::ReadContact)
        ))
    }

    async fn visitor_says(&mut self, words: &str) -> Result<()> {
        tell(format_args!("  > the visitor: {words}"))?;
        self.stage
            .desk
            .visitor_says(&self.stage.visitor, words)
            .await;
        Ok(())
    }

    async fn agent_answers(&mut self, words: &str) -> Result<()> {
        let said = self
            .viewer
            .until("the agent's answer", |body, delivered| match body {
                Body::AgentMessage(message) if message.text.contains(words) => Some(id(delivered)),
                _ => None,
            })
            .await?;
        self.shown_there(&said).await
    }

    async fn agent_shows_cards(&mut self) -> Result<()> {
        let said = self
            .viewer
            .until("the mugs", |body, delivered| match body {
                Body::AgentMessage(message) if message.cards.len() == 3 => Some(id(delivered)),
                _ => None,
            })
            .await?;
        self.shown_there(&said).await
    }

    /// Waits until what an event holds is delivered to the source, and prints what the visitor reads.
    async fn shown_there(&mut self, event: &str) -> Result<()> {
        let state = self
            .viewer
            .until("the delivery to Social Connect", |body, _| match body {
                Body::DeliveryChanged(changed) => match &changed.subject {
                    Some(Subject::EventId(id)) if id == event => {
                        let state = changed.state();
                        (state != DeliveryState::Queued).then_some(state)
                    }
                    _ => None,
                },
                _ => None,
            })
            .await?;
        ensure!(
            state == DeliveryState::Delivered,
            "the agent's answer did not reach Social Connect"
        );
        self.show_read()
    }

    async fn owner_becomes(&mut self, owner: Owner) -> Result<()> {
        self.viewer
            .until("the new owner", |body, _| match body {
                Body::OwnerChanged(changed) if changed.to() == owner => Some(()),
                _ => None,
            })
            .await
    }

    /// Reads who owns the conversation, as any caller may.
    async fn owned_by(&self, owner: Owner) -> Result<()> {
        let client = self.stage.client();
        let known = client
            .conversation(ACCOUNT, &self.conversation)
            .await?
            .context("the visitor has no conversation")?;
        ensure!(
            known.owner() == owner,
            "{} should own the conversation, not {}",
            terminal::owner(owner),
            terminal::owner(known.owner())
        );
        tell(format_args!(
            "  = {} owns the conversation (epoch {}, {})",
            terminal::owner(owner),
            known.owner_epoch,
            terminal::evidence(known.owner_evidence())
        ))
    }

    fn show_read(&mut self) -> Result<()> {
        let lines = self.stage.lines();
        show_read(&lines[self.shown..])?;
        self.shown = lines.len();
        Ok(())
    }

    /// What the visitor read last.
    fn last_read(&self) -> String {
        let lines = self.stage.lines().into_iter();
        let read = lines.rev().find(|line| line.from != Speaker::Visitor);
        read.map(|line| line.text).unwrap_or_default()
    }
}

fn chosen(message: &VisitorMessage) -> Option<&str> {
    match &message.content {
        Some(Content::Choice(choice)) => Some(&choice.label),
        _ => None,
    }
}

fn is_bots(line: &crate::simulate::social_connect::Line) -> bool {
    line.from == Speaker::Bot
}

fn id(delivered: &DeliveredEvent) -> String {
    let event = delivered.event.as_ref();
    event
        .map(|event| event.event_id.clone())
        .unwrap_or_default()
}

fn title(text: &str) -> Result<()> {
    tell(format_args!("\n{text}"))
}
