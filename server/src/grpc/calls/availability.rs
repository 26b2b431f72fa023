//! `SetAvailability`.

use std::{ops::RangeInclusive, time::Duration};

use parloir_proto::v1::{self, set_availability_request::Scope};

use super::super::checks::Checks;
use crate::{
    conversations::{Availability, SetAvailability, commands::AvailabilityScope},
    domain::{Result, id::MAX_ID_BYTES},
    wire::time::timestamp,
};

/// Shorter could not be renewed in time; longer would outlive a publisher that crashed in the evening.
const TIME_TO_LIVE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

pub(in crate::grpc) fn command(request: v1::SetAvailabilityRequest) -> Result<SetAvailability> {
    let mut checks = Checks::default();
    let scope = scope(&mut checks, request.scope);
    let publisher = checks.id("publisher", &request.publisher);
    if request.availability.is_none() {
        checks.wrong("availability", "is missing");
        return checks.finish(|| None);
    }
    let said = request.availability.unwrap_or_default();
    let team = checks.line("availability.team", said.team, MAX_ID_BYTES);
    let time_to_live = checks.span(
        "availability.time_to_live",
        said.time_to_live.as_ref(),
        &TIME_TO_LIVE,
    );
    checks.finish(|| {
        Some(SetAvailability {
            scope: scope?,
            team: team?,
            publisher: publisher?,
            online: said.online,
            time_to_live: time_to_live?,
        })
    })
}

pub(in crate::grpc) fn response(availability: Availability) -> v1::SetAvailabilityResponse {
    v1::SetAvailabilityResponse {
        online: availability.online,
        expire_time: Some(timestamp(availability.expires_at)),
    }
}

fn scope(checks: &mut Checks, scope: Option<Scope>) -> Option<AvailabilityScope> {
    match scope {
        Some(Scope::Agent(name)) => checks.id("agent", &name).map(AvailabilityScope::Agent),
        Some(Scope::Account(name)) => checks.id("account", &name).map(AvailabilityScope::Account),
        None => {
            checks.wrong("scope", "is missing: set agent or account");
            None
        }
    }
}
