//! What is personal about a conversation, as bytes that can be sealed as a whole: the visitor and the parameters.

use parloir_proto::v1;
use prost::Message;

use super::{
    Nonsense,
    parameter::{parameters, read_parameters},
};
use crate::domain::{Parameter, Visitor};

pub fn visitor(visitor: &Visitor) -> v1::Visitor {
    v1::Visitor {
        visitor_id: visitor.visitor_id.clone(),
        display_name: visitor.display_name.clone(),
        language: visitor.language.clone(),
    }
}

pub fn read_visitor(visitor: v1::Visitor) -> Visitor {
    Visitor {
        visitor_id: visitor.visitor_id,
        display_name: visitor.display_name,
        language: visitor.language,
    }
}

/// An encoded `parloir.v1.Conversation` with these two fields only.
pub fn profile(visiting: Option<&Visitor>, known: &[Parameter]) -> Vec<u8> {
    let profile = v1::Conversation {
        visitor: visiting.map(visitor),
        parameters: parameters(known),
        ..v1::Conversation::default()
    };
    profile.encode_to_vec()
}

pub fn read_profile(bytes: &[u8]) -> Result<(Option<Visitor>, Vec<Parameter>), Nonsense> {
    let profile = v1::Conversation::decode(bytes).map_err(|_| Nonsense("conversation.profile"))?;
    Ok((
        profile.visitor.map(read_visitor),
        read_parameters(profile.parameters),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_comes_back_as_it_went() {
        let visiting = Visitor {
            visitor_id: "v-1".into(),
            display_name: "Zoë".into(),
            language: "fr-CA".into(),
        };
        let known = vec![Parameter {
            key: "tier".into(),
            value: "gold".into(),
            personal: true,
        }];
        let bytes = profile(Some(&visiting), &known);
        assert!(read_profile(&bytes) == Ok((Some(visiting), known)));
        assert!(read_profile(&profile(None, &[])) == Ok((None, vec![])));
        assert!(read_profile(&[0xff]).is_err());
    }
}
