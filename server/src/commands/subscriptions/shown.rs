//! How subscriptions are shown: for people a line each, or the whole; for programs one object a line.

use std::io::Write;

use anyhow::Result;
use parloir_proto::v1::{NamedSubscription, ParkedEvent, WhenParked};
use serde_json::{Value, json};

use crate::commands::tail::{duration, timestamp};

pub(super) struct Output<'a> {
    json: bool,
    out: &'a mut dyn Write,
}

impl<'a> Output<'a> {
    pub fn new(json: bool, out: &'a mut dyn Write) -> Self {
        Self { json, out }
    }

    /// Name and lag.
    pub fn line(&mut self, shown: &NamedSubscription) -> Result<()> {
        if self.json {
            return self.object(&object(shown));
        }
        let lag = shown.lag.unwrap_or_default();
        let age = lag.oldest_undone_age.map_or(0, |age| age.seconds);
        writeln!(
            self.out,
            "{}  {} members  behind by {} events, {age} s  in flight {}, waiting {}, parked {}, held back {}",
            shown.name,
            shown.members.len(),
            lag.log_events,
            lag.in_flight,
            lag.waiting,
            lag.parked,
            lag.held_back,
        )?;
        Ok(())
    }

    pub fn whole(&mut self, shown: &NamedSubscription) -> Result<()> {
        self.line(shown)?;
        if self.json {
            return Ok(());
        }
        let policy = shown.policy.unwrap_or_default();
        let deadline = policy.ack_deadline.map_or(0, |time| time.seconds);
        writeln!(
            self.out,
            "  policy: ack deadline {deadline} s, {} attempts, then the conversation is {}, window {}",
            policy.max_attempts,
            parking(policy.when_parked()),
            policy.window,
        )?;
        let filter = shown.filter.clone().unwrap_or_default();
        if !filter.accounts.is_empty() {
            writeln!(self.out, "  accounts: {}", filter.accounts.join(", "))?;
        }
        if !filter.conversation_ids.is_empty() {
            let ids = filter.conversation_ids.join(", ");
            writeln!(self.out, "  conversations: {ids}")?;
        }
        writeln!(self.out, "  done up to {}", shown.done_cursor)?;
        for member in &shown.members {
            writeln!(
                self.out,
                "  member {}: {} slots, {} in flight{}",
                member.member_id,
                member.slots,
                member.in_flight,
                if member.pulls { ", pulls" } else { "" },
            )?;
        }
        Ok(())
    }

    pub fn parked(&mut self, event: &ParkedEvent) -> Result<()> {
        let since = timestamp(event.park_time.as_ref());
        if self.json {
            return self.object(&json!({
                "cursor": event.cursor,
                "account": event.account,
                "conversation_id": event.conversation_id,
                "attempts": event.attempts,
                "park_time": since,
            }));
        }
        writeln!(
            self.out,
            "{}  {}/{}  after {} attempts",
            event.cursor, event.account, event.conversation_id, event.attempts,
        )?;
        Ok(())
    }

    pub fn count(&mut self, count: u32, preview: bool) -> Result<()> {
        if self.json {
            return self.object(&json!({ "count": count, "preview": preview }));
        }
        let what = if preview {
            "would be handed out again"
        } else {
            "are handed out again"
        };
        self.remark(&format!("{count} events {what}"))
    }

    pub fn remark(&mut self, remark: &str) -> Result<()> {
        if !self.json {
            writeln!(self.out, "{remark}")?;
        }
        Ok(())
    }

    fn object(&mut self, value: &Value) -> Result<()> {
        writeln!(self.out, "{value}")?;
        Ok(())
    }
}

fn object(shown: &NamedSubscription) -> Value {
    let lag = shown.lag.unwrap_or_default();
    let policy = shown.policy.unwrap_or_default();
    let filter = shown.filter.clone().unwrap_or_default();
    let members = shown.members.iter().map(|member| {
        json!({
            "member_id": member.member_id,
            "slots": member.slots,
            "in_flight": member.in_flight,
            "pulls": member.pulls,
            "lease_expire_time": timestamp(member.lease_expire_time.as_ref()),
        })
    });
    json!({
        "name": shown.name,
        "etag": shown.etag,
        "filter": {
            "accounts": filter.accounts,
            "conversation_ids": filter.conversation_ids,
            "kinds": filter.kinds().map(|kind| kind.as_str_name()).collect::<Vec<_>>(),
        },
        "policy": {
            "ack_deadline": duration(policy.ack_deadline.as_ref()),
            "max_attempts": policy.max_attempts,
            "when_parked": policy.when_parked().as_str_name(),
            "window": policy.window,
        },
        "create_time": timestamp(shown.create_time.as_ref()),
        "update_time": timestamp(shown.update_time.as_ref()),
        "start_cursor": shown.start_cursor,
        "done_cursor": shown.done_cursor,
        "lag": {
            "log_events": lag.log_events,
            "oldest_undone_age": duration(lag.oldest_undone_age.as_ref()),
            "in_flight": lag.in_flight,
            "waiting": lag.waiting,
            "parked": lag.parked,
            "held_back": lag.held_back,
        },
        "members": members.collect::<Vec<_>>(),
    })
}

fn parking(when: WhenParked) -> &'static str {
    match when {
        WhenParked::Block => "blocked",
        WhenParked::Release | WhenParked::Unspecified => "released",
    }
}
