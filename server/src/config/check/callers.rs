//! Whether callers and tenants hold together, and who can reach the calls without being asked.

use crate::{
    config::{CallerConfig, Config, problem::Problems, section::Section},
    domain::{Scope, identity::is_tenant_name},
};

pub(super) fn check(config: &Config, problems: &mut Problems) {
    for (index, tenant) in config.tenants.iter().enumerate() {
        let at = format!("tenants[{index}]");
        tenant.check(&at, problems);
        check_tenant(&tenant.name, &format!("{at}.name"), problems);
        if tenant
            .retention_age
            .is_some_and(|age| age > config.log.retention_age)
        {
            problems.add(
                format!("{at}.retention_age"),
                "must be at most log.retention_age: older events are removed for everybody",
            );
        }
        let before = &config.tenants[..index];
        if before.iter().any(|other| other.name == tenant.name) {
            let text = format!("there are two tenants {}", tenant.name);
            problems.add(format!("{at}.name"), text);
        }
    }
    for (index, caller) in config.callers.iter().enumerate() {
        let at = format!("callers[{index}]");
        caller.check(&at, problems);
        check_caller(caller, &at, problems);
        check_repeats(&config.callers[..index], caller, &at, problems);
    }
}

/// Who can reach the calls although it is allowed.
pub(super) fn warnings(config: &Config, problems: &mut Problems) {
    let is_outside = !config.grpc.listen.ip().is_loopback();
    if config.grpc.allow_unauthenticated {
        problems.add(
            "grpc.allow_unauthenticated",
            "WHOEVER REACHES THE CALLS MAY DO EVERYTHING in the tenant default, because this is true: name [[callers]], \
             give each a key, and set it to false",
        );
    } else if is_outside && config.callers.is_empty() {
        problems.add(
            "grpc.listen",
            "other machines can reach callers' calls and no [[callers]] are named: the server starts only if callers \
             are stored in its database; `parloir new-key` makes a key",
        );
    }
    let shows_keys = config.callers.iter().any(|caller| !caller.keys.is_empty());
    if is_outside && shows_keys && config.grpc.tls.certificate.is_none() {
        problems.add(
            "grpc.tls.certificate",
            "is missing, so callers' keys travel in the clear: set [grpc.tls], or put a proxy that speaks TLS before it",
        );
    }
}

fn check_tenant(name: &str, at: &str, problems: &mut Problems) {
    if !name.is_empty() && !is_tenant_name(name) {
        problems.add(at, "must be 1 to 32 of a-z, 0-9, _ and -");
    }
}

fn check_caller(caller: &CallerConfig, at: &str, problems: &mut Problems) {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if caller.name.len() > 64 || !caller.name.chars().all(is_allowed) {
        problems.add(format!("{at}.name"), "must be 1 to 64 of a-z, 0-9, _ and -");
    }
    check_tenant(&caller.tenant, &format!("{at}.tenant"), problems);
    for (index, scope) in caller.scopes.iter().enumerate() {
        if Scope::from_name(scope).is_none() {
            let known = Scope::ALL.map(Scope::name).join(", ");
            problems.add(
                format!("{at}.scopes[{index}]"),
                format!("there is no scope {scope}; there are {known}"),
            );
        }
    }
    if caller.keys.is_empty() && caller.certificates.is_empty() {
        problems.add(
            format!("{at}.keys"),
            "neither keys nor certificates are named, so nobody can call as this caller: `parloir new-key` makes a key",
        );
    }
    for (index, name) in caller.certificates.iter().enumerate() {
        if name.is_empty() || name.contains('*') {
            problems.add(
                format!("{at}.certificates[{index}]"),
                "must be one whole SAN URI or DNS name: wildcards are not matched",
            );
        }
    }
}

fn check_repeats(
    before: &[CallerConfig],
    caller: &CallerConfig,
    at: &str,
    problems: &mut Problems,
) {
    for other in before {
        if (&other.tenant, &other.name) == (&caller.tenant, &caller.name) {
            let text = format!("there are two callers {} in {}", caller.name, caller.tenant);
            problems.add(format!("{at}.name"), text);
        }
        for (index, name) in caller.certificates.iter().enumerate() {
            if other.certificates.contains(name) {
                problems.add(
                    format!("{at}.certificates[{index}]"),
                    format!("{name} belongs to the caller {} already", other.name),
                );
            }
        }
        for (index, key) in caller.keys.iter().enumerate() {
            if other.keys.contains(key) {
                problems.add(
                    format!("{at}.keys[{index}]"),
                    format!("is the key of the caller {} already", other.name),
                );
            }
        }
    }
}
