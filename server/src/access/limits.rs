//! How much each caller, each tenant and each agent may ask of the server. Counted by atomics alone: a call holds no
//! lock, and looks nothing up, because its credential brings its meters along.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use super::{bucket::Bucket, own_limits::OwnLimits};
use crate::{
    config::{LimitsConfig, TenantConfig},
    domain::{Directory, Error, Id, Recipient, Result},
};

/// When to try again where nobody can know when a place gets free.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What one caller, or one tenant as a whole, may ask for. 0 is without that limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowance {
    pub calls_per_second: u32,
    /// So many calls may come at once before the rate counts; 0 is a second's worth.
    pub call_burst: u32,
    pub calls_in_flight: u32,
    pub streams: u32,
    /// Bytes of one request.
    pub message_bytes: u32,
}

/// The settings that an allowance was read from, as a refusal names them.
#[derive(Debug)]
struct Names {
    calls_per_second: &'static str,
    calls_in_flight: &'static str,
    streams: &'static str,
    message_bytes: &'static str,
}

const OF_CALLERS: Names = Names {
    calls_per_second: "limits.caller_calls_per_second",
    calls_in_flight: "limits.caller_calls_in_flight",
    streams: "limits.caller_streams",
    message_bytes: "limits.caller_message_bytes",
};

const OF_TENANTS: Names = Names {
    calls_per_second: "limits.tenant_calls_per_second",
    calls_in_flight: "limits.tenant_calls_in_flight",
    streams: "limits.tenant_streams",
    message_bytes: "limits.tenant_message_bytes",
};

type MetersByName = HashMap<(Id, Option<Id>), Arc<Meter>>;

/// All limits, and how far each is used up.
#[derive(Debug, Default)]
pub struct Limits {
    caller: Allowance,
    tenant: Allowance,
    tenants: HashMap<String, Allowance>,
    webhooks: (u32, u32),
    /// By tenant, and by caller within it; without a caller it is the tenant's own.
    meters: Mutex<MetersByName>,
    /// What is for nobody has one bucket: names come from outside.
    recipients: Mutex<HashMap<Option<Recipient>, Arc<Bucket>>>,
}

/// How far one allowance is used up.
#[derive(Debug)]
struct Meter {
    allowed: Allowance,
    names: &'static Names,
    calls: Arc<Bucket>,
    inside: Arc<Inside>,
}

/// What is under way. It outlives a change of the allowance, so that nothing is counted twice or forgotten.
#[derive(Debug, Default)]
struct Inside {
    calls: AtomicU32,
    streams: AtomicU32,
}

/// The meters that a call counts on. Callers without credentials have the tenant's alone: they are not one caller.
#[derive(Debug, Clone, Default)]
pub struct Meters(Vec<Arc<Meter>>);

/// A call under way; dropping it gives its place back.
#[derive(Debug, Default)]
pub struct InFlight(Vec<Arc<Meter>>);

/// An open stream; dropping it gives its place back.
#[derive(Debug, Default)]
pub struct OpenStream(Vec<Arc<Meter>>);

impl Limits {
    pub fn new(limits: &LimitsConfig, tenants: &[TenantConfig]) -> Self {
        let (caller, tenant) = defaults(limits);
        let tenants = tenants
            .iter()
            .map(|config| (config.name.clone(), of_tenant(config, tenant)));
        Self {
            caller,
            tenant,
            tenants: tenants.collect(),
            webhooks: (limits.webhooks_per_second, limits.webhook_burst),
            ..Self::default()
        }
    }

    /// The meters of one caller with its own limits, or, without one, of the tenant alone. The same ones each time, as
    /// long as the limits are.
    pub(super) fn meters(&self, tenant: &Id, caller: Option<(&Id, OwnLimits)>) -> Meters {
        let of_tenant = self.tenants.get(tenant.as_str()).copied();
        let of_tenant = self.meter(tenant, None, of_tenant.unwrap_or(self.tenant), &OF_TENANTS);
        let of_caller = caller.map(|(caller, own)| {
            let allowed = of_caller(own, self.caller);
            self.meter(tenant, Some(caller), allowed, &OF_CALLERS)
        });
        Meters(of_caller.into_iter().chain([of_tenant]).collect())
    }

    fn meter(
        &self,
        tenant: &Id,
        caller: Option<&Id>,
        allowed: Allowance,
        names: &'static Names,
    ) -> Arc<Meter> {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        let meter = meters.entry((tenant.clone(), caller.cloned()));
        let meter = meter.or_insert_with(|| Arc::new(Meter::new(allowed, names)));
        if meter.allowed != allowed {
            *meter = Arc::new(meter.with(allowed));
        }
        Arc::clone(meter)
    }

    /// Lets one webhook in, or tells when the next one may come. `to` is somebody who is known.
    pub fn webhook(&self, to: Option<Recipient>) -> std::result::Result<(), Duration> {
        let (rate, burst) = self.webhooks;
        if rate == 0 {
            return Ok(());
        }
        let mut recipients = self.recipients();
        let bucket = recipients.entry(to);
        let bucket = Arc::clone(bucket.or_insert_with(|| Arc::new(Bucket::new(rate, burst))));
        drop(recipients);
        bucket.take()
    }

    /// What counts agents and sources that are gone goes too.
    pub fn reconfigure(&self, directory: &Directory) {
        self.recipients().retain(|recipient, _| match recipient {
            Some(Recipient::Agent(name)) => directory.agent(name.as_str()).is_some(),
            Some(Recipient::Source(name)) => directory.source(name.as_str()).is_some(),
            None => true,
        });
    }

    fn recipients(&self) -> MutexGuard<'_, HashMap<Option<Recipient>, Arc<Bucket>>> {
        (self.recipients.lock()).unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meter {
    fn new(allowed: Allowance, names: &'static Names) -> Self {
        Self {
            allowed,
            names,
            calls: Arc::new(Bucket::new(allowed.calls_per_second, allowed.call_burst)),
            inside: Arc::default(),
        }
    }

    /// The same one with another allowance: what is under way goes on and is counted on.
    fn with(&self, allowed: Allowance) -> Self {
        let rate = |allowed: Allowance| (allowed.calls_per_second, allowed.call_burst);
        let mut new = Self {
            inside: Arc::clone(&self.inside),
            ..Self::new(allowed, self.names)
        };
        if rate(allowed) == rate(self.allowed) {
            new.calls = Arc::clone(&self.calls);
        }
        new
    }

    fn take_call(&self) -> Result<()> {
        self.calls.take().map_err(|retry_after| Error::Limited {
            setting: self.names.calls_per_second,
            limit: self.allowed.calls_per_second,
            retry_after,
        })
    }

    fn enter(counter: &AtomicU32, limit: u32, setting: &'static str) -> Result<()> {
        let before = counter.fetch_add(1, Ordering::Relaxed);
        if limit == 0 || before < limit {
            return Ok(());
        }
        counter.fetch_sub(1, Ordering::Relaxed);
        Err(Error::Limited {
            setting,
            limit,
            retry_after: RETRY_AFTER,
        })
    }
}

impl Meters {
    /// Counts a call that begins.
    pub fn call(&self) -> Result<InFlight> {
        self.rate()?;
        let mut inside = InFlight(Vec::with_capacity(self.0.len()));
        for meter in &self.0 {
            let (limit, setting) = (meter.allowed.calls_in_flight, meter.names.calls_in_flight);
            Meter::enter(&meter.inside.calls, limit, setting)?;
            inside.0.push(Arc::clone(meter));
        }
        Ok(inside)
    }

    /// Counts a stream that begins.
    pub fn stream(&self) -> Result<OpenStream> {
        self.rate()?;
        let mut inside = OpenStream(Vec::with_capacity(self.0.len()));
        for meter in &self.0 {
            let (limit, setting) = (meter.allowed.streams, meter.names.streams);
            Meter::enter(&meter.inside.streams, limit, setting)?;
            inside.0.push(Arc::clone(meter));
        }
        Ok(inside)
    }

    /// The most bytes that one request may have, and the setting that says so; absent where nothing does.
    pub fn message_bytes(&self) -> Option<(u32, &'static str)> {
        let each = self.0.iter();
        let limits = each.map(|meter| (meter.allowed.message_bytes, meter.names.message_bytes));
        limits.filter(|(bytes, _)| *bytes > 0).min()
    }

    fn rate(&self) -> Result<()> {
        self.0.iter().try_for_each(|meter| meter.take_call())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        for meter in &self.0 {
            meter.inside.calls.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        for meter in &self.0 {
            meter.inside.streams.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn defaults(limits: &LimitsConfig) -> (Allowance, Allowance) {
    let caller = Allowance {
        calls_per_second: limits.caller_calls_per_second,
        call_burst: limits.caller_call_burst,
        calls_in_flight: limits.caller_calls_in_flight,
        streams: limits.caller_streams,
        message_bytes: limits.caller_message_bytes,
    };
    let tenant = Allowance {
        calls_per_second: limits.tenant_calls_per_second,
        call_burst: limits.tenant_call_burst,
        calls_in_flight: limits.tenant_calls_in_flight,
        streams: limits.tenant_streams,
        message_bytes: limits.tenant_message_bytes,
    };
    (caller, tenant)
}

fn of_caller(own: OwnLimits, default: Allowance) -> Allowance {
    Allowance {
        calls_per_second: own.calls_per_second.unwrap_or(default.calls_per_second),
        call_burst: own.call_burst.unwrap_or(default.call_burst),
        calls_in_flight: own.calls_in_flight.unwrap_or(default.calls_in_flight),
        streams: own.streams.unwrap_or(default.streams),
        message_bytes: own.message_bytes.unwrap_or(default.message_bytes),
    }
}

fn of_tenant(own: &TenantConfig, default: Allowance) -> Allowance {
    Allowance {
        calls_per_second: own.calls_per_second.unwrap_or(default.calls_per_second),
        call_burst: own.call_burst.unwrap_or(default.call_burst),
        calls_in_flight: own.calls_in_flight.unwrap_or(default.calls_in_flight),
        streams: own.streams.unwrap_or(default.streams),
        message_bytes: own.message_bytes.unwrap_or(default.message_bytes),
    }
}
