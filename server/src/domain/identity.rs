//! Who calls, for which organisation, and what they may do.

use super::id::{Id, TENANT};

/// The longest tenant's name, in bytes: it begins the names of its agents and sources.
pub const MAX_TENANT_BYTES: usize = 32;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The organisation that the caller belongs to; it sees nothing of any other.
    pub tenant: Id,
    pub caller: Id,
    /// Which of the caller's credentials was shown: names it and is no secret.
    pub credential: Id,
    pub scopes: Scopes,
}

impl Identity {
    /// Everybody, where nobody is asked who they are: all scopes in the tenant `default`.
    pub fn anonymous() -> Self {
        let name = Id::trusted("anonymous");
        Self {
            tenant: Id::trusted(TENANT),
            caller: name.clone(),
            credential: name,
            scopes: Scopes::all(),
        }
    }
}

/// One thing that a caller may be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Commands, and reading conversations.
    Converse,
    /// Streams of events, and transcripts.
    Subscribe,
    /// Answers to what an agent asks, and availability.
    Respond,
    /// The tenant's agents, accounts, sources and callers.
    Admin,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::Converse, Self::Subscribe, Self::Respond, Self::Admin];

    /// As it stands in configuration and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Converse => "converse",
            Self::Subscribe => "subscribe",
            Self::Respond => "respond",
            Self::Admin => "admin",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What a caller may do.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Scopes(u8);

impl Scopes {
    pub fn none() -> Self {
        Self::default()
    }

    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    #[must_use]
    pub fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    pub fn allows(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL
            .into_iter()
            .filter(move |scope| self.allows(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        scopes.into_iter().fold(Self::none(), Self::with)
    }
}

impl std::fmt::Debug for Scopes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter().map(Scope::name)).finish()
    }
}

/// Whether this can be a tenant's name: 1 to 32 of a-z, 0-9, _ and -.
pub fn is_tenant_name(name: &str) -> bool {
    (1..=MAX_TENANT_BYTES).contains(&name.len()) && name.chars().all(is_name_char)
}

/// Whether this can be the name of an agent or a source: 1 to 64 of a-z, 0-9, _ and -; outside the tenant `default`
/// with the tenant's name and a dot before it.
pub fn is_object_name(name: &str) -> bool {
    let own = match name.split_once('.') {
        None => name,
        // What belongs to the tenant `default` has one name only, and that has no dot.
        Some((tenant, own)) if is_tenant_name(tenant) && tenant != TENANT => own,
        Some(_) => return false,
    };
    name.len() <= 64 && !own.is_empty() && own.chars().all(is_name_char)
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-'
}

/// The tenant that an agent or a source of this name belongs to: what stands before the dot, else `default`.
pub fn tenant_of(name: &str) -> &str {
    name.split_once('.').map_or(TENANT, |(tenant, _)| tenant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_named_and_kept_apart() {
        let scopes: Scopes = [Scope::Respond, Scope::Converse].into_iter().collect();
        assert!(scopes.allows(Scope::Converse) && scopes.allows(Scope::Respond));
        assert!(!scopes.allows(Scope::Subscribe) && !scopes.allows(Scope::Admin));
        assert_eq!(format!("{scopes:?}"), r#"{"converse", "respond"}"#);
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
            assert!(Scopes::all().allows(scope) && !Scopes::none().allows(scope));
        }
        assert_eq!(Scope::from_name("Admin"), None);
    }

    #[test]
    fn a_name_tells_its_tenant() {
        assert_eq!(tenant_of("support"), "default");
        assert_eq!(tenant_of("acme.support"), "acme");
    }

    #[test]
    fn an_object_has_one_dot_behind_its_tenant_or_none() {
        let longest = "a".repeat(64);
        let tenant = "t".repeat(32);
        for good in [
            "a",
            "acme.support",
            "a-b_1.c",
            &longest,
            &format!("{tenant}.x"),
        ] {
            assert!(is_object_name(good), "{good}");
        }
        let too_long = "a".repeat(65);
        let long_tenant = format!("{}.x", "t".repeat(33));
        let bad = [
            "",
            ".",
            "a.",
            ".a",
            "a.b.c",
            "A",
            "a b",
            "ä",
            "default.a",
            "a/b",
            &too_long,
            &long_tenant,
        ];
        for bad in bad {
            assert!(!is_object_name(bad), "{bad}");
        }
    }
}
