//! The contract's numbered checks, as far as the adapter alone can show them, and the suite that every source runs.

mod calls;
mod fixture;
mod oauth;
mod ownership;
mod pages;
mod publishing;
mod sealed;
mod settings;
mod strangers;
mod system;
mod tokens;
mod webhooks;

mod by_handover {
    //! The suite with the vendor's handover.

    use super::system::FakeSocialConnect;

    crate::sources::conformance::source_conformance_suite!(FakeSocialConnect<true>);
}

mod by_tag {
    //! The suite with the contact tag.

    use super::system::FakeSocialConnect;

    crate::sources::conformance::source_conformance_suite!(FakeSocialConnect<false>);
}
