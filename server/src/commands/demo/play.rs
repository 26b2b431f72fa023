//! The play: what a backend does with an agent, from the welcome to the human who takes over.

use anyhow::{Result, ensure};
use parloir_proto::v1::{
    Availability, Choice, DeliveryState, Owner, Parameter, SetAvailabilityRequest, event::Body,
    set_availability_request::Scope,
};
use tokio::time::Duration;

use super::{
    stage::{ACCOUNT, Stage},
    viewer::{Viewer, tell},
};

const CONVERSATION: &str = "visitor-1";

pub async fn play(stage: &Stage) -> Result<()> {
    let mut scene = Scene {
        stage,
        viewer: Viewer::new(&stage.client),
        said: 0,
    };
    scene.welcome().await?;
    scene.question_and_button().await?;
    scene.carousel().await?;
    scene.availability().await?;
    scene.human().await
}

struct Scene<'a> {
    stage: &'a Stage,
    viewer: Viewer,
    said: u32,
}

impl Scene<'_> {
    async fn welcome(&mut self) -> Result<()> {
        title("The visitor opens the chat")?;
        tell(format_args!(
            "  > StartConversation account={ACCOUNT} conversation_id={CONVERSATION}"
        ))?;
        self.stage
            .client
            .start(ACCOUNT, CONVERSATION, "start-1")
            .await?;
        self.agent_says("the welcome", "Welcome to the mug shop")
            .await
            .map(drop)
    }

    /// The agent asks a subscriber for data, and uses it in its next sentence.
    async fn question_and_button(&mut self) -> Result<()> {
        title("A question, a button, and an action that a subscriber answers with data")?;
        self.say("Hello, what can you do?").await?;
        let offer = self
            .agent_says("the offer", "I can look up your parcel")
            .await?;
        self.choose("Track my parcel", None, &offer).await?;
        let request_id = self
            .viewer
            .until("the action", |body, _| match body {
                Body::ActionRequested(action) if action.name == "fetch_order" => {
                    Some(action.request_id.clone())
                }
                _ => None,
            })
            .await?;
        tell(format_args!(
            "  > RespondToAgent order_status=\"on its way, arriving tomorrow\""
        ))?;
        let status = Parameter {
            key: "order_status".into(),
            value: "on its way, arriving tomorrow".into(),
            personal: false,
        };
        self.stage
            .client
            .answer_action(request_id, vec![status])
            .await?;
        self.agent_says(
            "the order",
            "Your order A-1009 is on its way, arriving tomorrow.",
        )
        .await
        .map(drop)
    }

    async fn carousel(&mut self) -> Result<()> {
        title("A carousel, and the button on its second card")?;
        self.say("Show me a mug").await?;
        let cards = self
            .viewer
            .until("the carousel", |body, delivered| match body {
                Body::AgentMessage(message) if message.cards.len() == 3 => {
                    Some(event_id(delivered))
                }
                _ => None,
            })
            .await?;
        self.choose("Choose", Some(1), &cards).await?;
        self.agent_says("the choice", "You chose the Red mug.")
            .await
            .map(drop)
    }

    async fn availability(&mut self) -> Result<()> {
        title("A team says that it is online, and the agent asks")?;
        tell(format_args!(
            "  > SetAvailability agent=shop team=billing online=true"
        ))?;
        let online = SetAvailabilityRequest {
            scope: Some(Scope::Agent("shop".into())),
            publisher: "demo".into(),
            availability: Some(Availability {
                team: "billing".into(),
                online: true,
                time_to_live: Some(Duration::from_mins(10).try_into()?),
            }),
        };
        self.stage.client.set_availability(online).await?;
        self.say("Is anyone there?").await?;
        self.agent_says("the open branch", "Yes, our billing team is here.")
            .await
            .map(drop)
    }

    /// From the acceptance on, the visitor's words are held for the human and the agent is silent.
    async fn human(&mut self) -> Result<()> {
        title("The agent hands over to a human")?;
        self.say("I want to talk to a human").await?;
        let request_id = self
            .viewer
            .until("the escalation", |body, _| match body {
                Body::EscalationRequested(escalation) => Some(escalation.request_id.clone()),
                _ => None,
            })
            .await?;
        tell(format_args!("  > RespondToAgent accepted=true"))?;
        self.stage
            .client
            .decide_escalation(request_id, true)
            .await?;
        self.viewer
            .until("the new owner", |body, _| match body {
                Body::OwnerChanged(changed) if changed.to() == Owner::Human => Some(()),
                _ => None,
            })
            .await?;
        let state = self.say("Are you a real person?").await?;
        ensure!(
            state == DeliveryState::Held,
            "the agent was asked although a human owns the conversation"
        );
        self.viewer
            .until("the message that is held", |body, _| match body {
                Body::VisitorMessage(message) if message.held => Some(()),
                _ => None,
            })
            .await
    }

    async fn say(&mut self, text: &str) -> Result<DeliveryState> {
        self.said += 1;
        tell(format_args!("  > SendMessage text={text:?}"))?;
        let message_id = format!("message-{}", self.said);
        let sent = self
            .stage
            .client
            .say(ACCOUNT, CONVERSATION, message_id, text)
            .await?;
        Ok(sent
            .delivery
            .map_or(DeliveryState::Unspecified, |delivery| delivery.state()))
    }

    async fn choose(&mut self, label: &str, card_index: Option<i32>, event_id: &str) -> Result<()> {
        self.said += 1;
        match card_index {
            Some(index) => tell(format_args!(
                "  > SendMessage choice={label:?} card_index={index}"
            ))?,
            None => tell(format_args!("  > SendMessage choice={label:?}"))?,
        }
        let choice = Choice {
            label: label.into(),
            card_index,
            event_id: event_id.into(),
        };
        let message_id = format!("message-{}", self.said);
        self.stage
            .client
            .choose(ACCOUNT, CONVERSATION, message_id, choice)
            .await?;
        Ok(())
    }

    /// Waits for a sentence of the agent's and answers its event's id.
    async fn agent_says(&mut self, what: &str, words: &str) -> Result<String> {
        self.viewer
            .until(what, |body, delivered| match body {
                Body::AgentMessage(message) if message.text.contains(words) => {
                    Some(event_id(delivered))
                }
                _ => None,
            })
            .await
    }
}

fn event_id(delivered: &parloir_proto::v1::DeliveredEvent) -> String {
    delivered
        .event
        .as_ref()
        .map(|event| event.event_id.clone())
        .unwrap_or_default()
}

fn title(text: &str) -> Result<()> {
    tell(format_args!("\n{text}"))
}
