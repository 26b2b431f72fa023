//! `GetConversation`.

use parloir_proto::v1;

use super::super::{checks::Checks, view};
use crate::{
    conversations::commands::ConversationView,
    domain::{Id, Result},
};

/// The account and the conversation's id.
pub(in crate::grpc) fn query(request: &v1::GetConversationRequest) -> Result<(Id, Id)> {
    let mut checks = Checks::default();
    let account = checks.id("account", &request.account);
    let conversation_id = checks.id("conversation_id", &request.conversation_id);
    checks.finish(|| Some((account?, conversation_id?)))
}

pub(in crate::grpc) fn response(
    found: &ConversationView,
    shows_personal: bool,
    epoch: u64,
) -> v1::GetConversationResponse {
    let ConversationView {
        conversation,
        open_requests,
        last,
    } = found;
    let mut shown = view::conversation(conversation, open_requests, *last, epoch);
    if !shows_personal {
        view::hide_personal(&mut shown);
    }
    v1::GetConversationResponse {
        conversation: Some(shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Conversation, ConversationKey, Parameter, Position, Timestamp};

    #[test]
    fn a_personal_value_is_shown_to_those_only_who_may_converse() {
        let id = Id::trusted;
        let key = ConversationKey {
            tenant: id("default"),
            account: id("a"),
            id: id("c"),
        };
        let mut conversation = Conversation::new(key, id("bot"), "c".into(), Timestamp(1));
        let parameter = |key: &str, personal| Parameter {
            key: key.into(),
            value: "value".into(),
            personal,
        };
        conversation.parameters = vec![parameter("tier", false), parameter("email", true)];
        conversation.kept = vec![parameter("phone", true)];
        let found = ConversationView {
            conversation,
            open_requests: Vec::new(),
            last: Position(1),
        };
        let shown = |sees| {
            let answered = response(&found, sees, 1).conversation.expect("one");
            let each = answered.parameters.into_iter();
            each.map(|one| (one.key, one.value)).collect::<Vec<_>>()
        };
        let with = |email: &str, phone: &str| {
            [("tier", "value"), ("email", email), ("phone", phone)]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
        };
        assert_eq!(shown(true), with("value", "value"));
        assert_eq!(shown(false), with("", ""));
    }
}
