//! The numbers under which a delivery's words stand in its row.

use crate::domain::{DeliveryKind, Direction, Subject};

pub(super) fn direction_number(direction: Direction) -> i32 {
    match direction {
        Direction::Agent => 0,
        Direction::Source => 1,
    }
}

pub(super) fn direction(number: i32) -> Option<Direction> {
    match number {
        0 => Some(Direction::Agent),
        1 => Some(Direction::Source),
        _ => None,
    }
}

pub(super) fn kind_number(kind: DeliveryKind) -> i32 {
    match kind {
        DeliveryKind::Start => 1,
        DeliveryKind::Message => 2,
        DeliveryKind::Parameters => 3,
        DeliveryKind::End => 4,
        DeliveryKind::Reply => 5,
        DeliveryKind::Human => 6,
        DeliveryKind::Escalate => 7,
        DeliveryKind::Resume => 8,
    }
}

pub(super) fn kind(number: i32) -> Option<DeliveryKind> {
    match number {
        1 => Some(DeliveryKind::Start),
        2 => Some(DeliveryKind::Message),
        3 => Some(DeliveryKind::Parameters),
        4 => Some(DeliveryKind::End),
        5 => Some(DeliveryKind::Reply),
        6 => Some(DeliveryKind::Human),
        7 => Some(DeliveryKind::Escalate),
        8 => Some(DeliveryKind::Resume),
        _ => None,
    }
}

pub(super) fn subject(number: i32) -> Option<fn(String) -> Subject> {
    match number {
        1 => Some(Subject::Message),
        2 => Some(Subject::Command),
        3 => Some(Subject::Request),
        4 => Some(Subject::Event),
        _ => None,
    }
}
