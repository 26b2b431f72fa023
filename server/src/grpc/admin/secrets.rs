//! Secrets that follow one another.

use std::time::Duration;

use parloir_proto::v1::{self, rotate_secret_request::Owner};

use super::{Door, objects::missing, values};
use crate::{
    admin::{Kind, Rotation},
    domain::Result,
    grpc::checks::Checks,
};

/// A rotation that takes longer than a quarter is none.
const MAX_OVERLAP: Duration = Duration::from_hours(90 * 24);

pub(super) async fn rotate(
    door: Door<'_>,
    message: v1::RotateSecretRequest,
) -> Result<v1::RotateSecretResponse> {
    let mut checks = Checks::default();
    let overlap = match &message.overlap {
        None => Some(Duration::ZERO),
        given => checks.span("overlap", given.as_ref(), &(Duration::ZERO..=MAX_OVERLAP)),
    };
    let overlap = checks.finish(|| overlap)?;
    let (kind, name) = match message.owner.ok_or_else(|| missing("owner"))? {
        Owner::Agent(name) => (Kind::Agent, name),
        Owner::Source(name) => (Kind::Source, name),
    };
    let rotation = Rotation {
        kind,
        name,
        path: message.path,
        value: message.value.into(),
        overlap,
    };
    let secrets = door.admin.rotate(&door.identity, rotation).await?;
    Ok(v1::RotateSecretResponse {
        secrets: values::secrets(&secrets),
    })
}
