//! Named subscriptions, as administrators see and change them.

use parloir_proto::v1::{
    self, create_subscription_request::Start as From, move_subscription_request::To,
};

use super::{Door, objects::missing, pages::Page};
use crate::{
    domain::{Id, Position, Result, subscription::Parked},
    grpc::{checks::Checks, view::cursor},
    subscriptions::{Creation, MemberView, Place, Redrive, SubscriptionView},
    wire::{
        subscription::{filter, policy},
        time::{duration, timestamp},
    },
};

pub(super) async fn create(
    door: Door<'_>,
    message: v1::CreateSubscriptionRequest,
) -> Result<v1::CreateSubscriptionResponse> {
    let given = message
        .subscription
        .ok_or_else(|| missing("subscription"))?;
    let mut checks = Checks::default();
    let name = checks.subscription_name("subscription.name", &given.name);
    let choice = checks.choice(
        "subscription.filter",
        given.filter.as_ref().unwrap_or(&v1::EventFilter::default()),
    );
    let wanted = checks.policy("subscription.policy", given.policy.as_ref());
    let start = match message.start {
        None => Some(Ok(Place::Latest)),
        Some(From::AfterCursor(text)) => after(&mut checks, "after_cursor", &text, door.epoch),
        Some(From::AtTime(time)) => checks.place_at("at_time", &time).map(Ok),
        Some(From::Position(number)) => checks.place_named("position", number).map(Ok),
    };
    let (name, creation) = checks.finish(|| {
        let (choice, policy, start) = (Some(choice?), wanted?, start?);
        Some((
            name?,
            start.map(|start| Creation {
                choice,
                policy,
                start,
            }),
        ))
    })?;
    let subscriptions = door.subscriptions;
    let made = subscriptions.create(&door.identity, &name, creation?);
    Ok(v1::CreateSubscriptionResponse {
        subscription: Some(shown(made.await?, door.epoch)),
    })
}

pub(super) async fn get(
    door: Door<'_>,
    message: v1::GetSubscriptionRequest,
) -> Result<v1::GetSubscriptionResponse> {
    let name = named(&message.name)?;
    let found = door.subscriptions.get(&door.identity, &name);
    Ok(v1::GetSubscriptionResponse {
        subscription: Some(shown(found.await?, door.epoch)),
    })
}

pub(super) async fn list(
    door: Door<'_>,
    message: v1::ListSubscriptionsRequest,
) -> Result<v1::ListSubscriptionsResponse> {
    let query = v1::ListSubscriptionsRequest::default();
    let (size, token) = (message.page_size, message.page_token);
    let page = Page::asked(&door, "ListSubscriptions", &query, size, &token)?;
    let all = door.subscriptions.list(&door.identity).await?;
    let (records, next_page_token) = page.of(all, |record| record.key.name.to_string());
    let mut subscriptions = Vec::with_capacity(records.len());
    for record in records {
        subscriptions.push(shown(door.subscriptions.view(record).await?, door.epoch));
    }
    Ok(v1::ListSubscriptionsResponse {
        subscriptions,
        next_page_token,
    })
}

pub(super) async fn update(
    door: Door<'_>,
    message: v1::UpdateSubscriptionRequest,
) -> Result<v1::UpdateSubscriptionResponse> {
    let mut checks = Checks::default();
    let name = checks.subscription_name("name", &message.name);
    if message.policy.is_none() {
        checks.wrong(
            "policy",
            "is missing: give the whole policy, {} for the defaults",
        );
    }
    let wanted = checks.policy("policy", message.policy.as_ref());
    let (name, wanted) = checks.finish(|| Some((name?, wanted?)))?;
    let subscriptions = door.subscriptions;
    let changed = subscriptions.change_policy(&door.identity, &name, wanted, message.etag);
    Ok(v1::UpdateSubscriptionResponse {
        subscription: Some(shown(changed.await?, door.epoch)),
    })
}

pub(super) async fn delete(
    door: Door<'_>,
    message: v1::DeleteSubscriptionRequest,
) -> Result<v1::DeleteSubscriptionResponse> {
    let name = named(&message.name)?;
    let subscriptions = door.subscriptions;
    subscriptions
        .delete(&door.identity, &name, message.etag)
        .await?;
    Ok(v1::DeleteSubscriptionResponse {})
}

pub(super) async fn parked(
    door: Door<'_>,
    message: v1::ListParkedEventsRequest,
) -> Result<v1::ListParkedEventsResponse> {
    let name = named(&message.name)?;
    let query = v1::ListParkedEventsRequest {
        name: message.name,
        ..v1::ListParkedEventsRequest::default()
    };
    let (size, token) = (message.page_size, message.page_token);
    let page = Page::asked(&door, "ListParkedEvents", &query, size, &token)?;
    let after = page.after().and_then(|place| place.parse().ok());
    let after = Position(after.unwrap_or(0));
    let subscriptions = door.subscriptions;
    let found = subscriptions.parked(&door.identity, &name, after, page.size + 1);
    let mut found = found.await?;
    let has_more = found.len() > page.size;
    found.truncate(page.size);
    let last = found.last().filter(|_| has_more);
    Ok(v1::ListParkedEventsResponse {
        next_page_token: last
            .map_or_else(String::new, |last| page.next(&last.position.0.to_string())),
        events: found
            .into_iter()
            .map(|parked| parked_event(parked, door.epoch))
            .collect(),
    })
}

pub(super) async fn redrive(
    door: Door<'_>,
    message: v1::RedriveParkedEventsRequest,
) -> Result<v1::RedriveParkedEventsResponse> {
    let mut checks = Checks::default();
    let name = checks.subscription_name("name", &message.name);
    let account = checks.optional_id("account", &message.account);
    let conversation = checks.optional_id("conversation_id", &message.conversation_id);
    if message.account.is_empty() && !message.conversation_id.is_empty() {
        checks.wrong(
            "account",
            "is missing: a conversation's id is unique in its account only",
        );
    }
    if message.cursors.len() > 1000 {
        checks.wrong("cursors", "must be at most 1000");
    }
    let cursors: Vec<_> = message
        .cursors
        .iter()
        .take(1000)
        .enumerate()
        .filter_map(|(index, text)| checks.cursor(&format!("cursors[{index}]"), text, door.epoch))
        .collect();
    let name = checks.finish(|| name)?;
    let redrive = Redrive {
        account,
        conversation,
        positions: cursors.into_iter().collect::<Result<_>>()?,
        preview: message.preview,
    };
    let count = door.subscriptions.redrive(&door.identity, &name, redrive);
    Ok(v1::RedriveParkedEventsResponse {
        count: number(count.await?),
    })
}

pub(super) async fn move_to(
    door: Door<'_>,
    message: v1::MoveSubscriptionRequest,
) -> Result<v1::MoveSubscriptionResponse> {
    let mut checks = Checks::default();
    let name = checks.subscription_name("name", &message.name);
    let to = match message.to {
        None => {
            checks.wrong("to", "is missing: set after_cursor, at_time or position");
            None
        }
        Some(To::AfterCursor(text)) => after(&mut checks, "after_cursor", &text, door.epoch),
        Some(To::AtTime(time)) => checks.place_at("at_time", &time).map(Ok),
        Some(To::Position(number)) => checks.place_named("position", number).map(Ok),
    };
    let (name, to) = checks.finish(|| Some((name?, to?)))?;
    let moved = door.subscriptions.move_to(&door.identity, &name, to?);
    Ok(v1::MoveSubscriptionResponse {
        subscription: Some(shown(moved.await?, door.epoch)),
    })
}

fn named(name: &str) -> Result<Id> {
    let mut checks = Checks::default();
    let name = checks.subscription_name("name", name);
    checks.finish(|| name)
}

fn after(checks: &mut Checks, field: &str, text: &str, epoch: u64) -> Option<Result<Place>> {
    let position = checks.cursor(field, text, epoch)?;
    Some(position.map(Place::After))
}

fn shown(view: SubscriptionView, epoch: u64) -> v1::NamedSubscription {
    let record = &view.record;
    let counts = view.counts;
    v1::NamedSubscription {
        name: record.key.name.to_string(),
        filter: Some(filter(&record.choice)),
        policy: Some(policy(&record.policy)),
        etag: view.etag,
        create_time: Some(timestamp(record.created_at)),
        update_time: Some(timestamp(record.updated_at)),
        start_cursor: cursor(record.start, epoch),
        done_cursor: cursor(view.done_through, epoch),
        lag: Some(v1::SubscriptionLag {
            log_events: view.lag_events,
            oldest_undone_age: Some(duration(view.oldest_undone_age)),
            in_flight: number(counts.in_flight),
            waiting: number(counts.waiting),
            parked: number(counts.parked),
            held_back: number(counts.held_back),
        }),
        members: view.members.iter().map(member).collect(),
    }
}

fn member(member: &MemberView) -> v1::SubscriptionMember {
    v1::SubscriptionMember {
        member_id: member.id.to_string(),
        slots: number(member.slots),
        in_flight: number(member.in_flight),
        pulls: member.pulls,
        lease_expire_time: Some(timestamp(member.until)),
    }
}

fn parked_event(parked: Parked, epoch: u64) -> v1::ParkedEvent {
    let (account, conversation_id) = match parked.conversation {
        Some(key) => (key.account.to_string(), key.id.to_string()),
        None => (String::new(), String::new()),
    };
    v1::ParkedEvent {
        cursor: cursor(parked.position, epoch),
        account,
        conversation_id,
        attempts: parked.attempt,
        park_time: Some(timestamp(parked.at)),
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
