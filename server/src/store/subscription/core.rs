//! What stands in one column as JSON: a subscription's choice, its slots and its members.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        EventKind, Id, Position, Timestamp,
        subscription::{Choice, Core, Member, SLOTS, Slot},
    },
    store::fault::Fault,
};

#[derive(Serialize, Deserialize)]
struct KeptChoice {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    conversations: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    kinds: Vec<i32>,
}

#[derive(Serialize, Deserialize)]
struct KeptCore {
    slots: Vec<KeptSlot>,
    members: BTreeMap<String, KeptMember>,
}

#[derive(Serialize, Deserialize)]
struct KeptSlot {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    token: u64,
    read: u64,
}

#[derive(Serialize, Deserialize)]
struct KeptMember {
    session: u64,
    pulls: bool,
    max_in_flight: u32,
    until: i64,
}

pub(super) fn write_choice(choice: &Choice) -> String {
    let names = |ids: &[Id]| ids.iter().map(ToString::to_string).collect();
    to_text(&KeptChoice {
        accounts: names(&choice.accounts),
        conversations: names(&choice.conversations),
        kinds: choice.kinds.iter().map(|kind| kind.number()).collect(),
    })
}

pub(super) fn read_choice(text: &str) -> Result<Choice, Fault> {
    let kept: KeptChoice =
        serde_json::from_str(text).map_err(|_| Fault::Nonsense("subscription.choice"))?;
    let ids = |names: Vec<String>| names.into_iter().map(Id::trusted).collect();
    Ok(Choice {
        accounts: ids(kept.accounts),
        conversations: ids(kept.conversations),
        kinds: kept.kinds.into_iter().map(EventKind::from_number).collect(),
    })
}

pub(super) fn write(core: &Core) -> String {
    let name = |id: &Option<Id>| id.as_ref().map(ToString::to_string);
    let slots = core.slots.iter().map(|slot| KeptSlot {
        holder: name(&slot.holder),
        next: name(&slot.next),
        token: slot.token,
        read: slot.read.0,
    });
    let members = core.members.iter().map(|(id, member)| {
        let kept = KeptMember {
            session: member.session,
            pulls: member.pulls,
            max_in_flight: member.max_in_flight,
            until: member.until.0,
        };
        (id.to_string(), kept)
    });
    to_text(&KeptCore {
        slots: slots.collect(),
        members: members.collect(),
    })
}

pub(super) fn read(text: &str) -> Result<Core, Fault> {
    let kept: KeptCore =
        serde_json::from_str(text).map_err(|_| Fault::Nonsense("subscription.core"))?;
    if kept.slots.len() != usize::from(SLOTS) {
        return Err(Fault::Nonsense("subscription.core"));
    }
    let slots = kept.slots.into_iter().map(|slot| Slot {
        holder: slot.holder.map(Id::trusted),
        next: slot.next.map(Id::trusted),
        token: slot.token,
        read: Position(slot.read),
    });
    let members = kept.members.into_iter().map(|(id, member)| {
        let member = Member {
            session: member.session,
            pulls: member.pulls,
            max_in_flight: member.max_in_flight,
            until: Timestamp(member.until),
        };
        (Id::trusted(id), member)
    });
    Ok(Core {
        slots: slots.collect(),
        members: members.collect(),
    })
}

fn to_text(kept: &impl Serialize) -> String {
    serde_json::to_string(kept).expect("numbers and texts are JSON")
}
