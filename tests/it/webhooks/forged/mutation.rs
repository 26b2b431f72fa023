//! What a forger may change of a genuine webhook.

use super::sender::{Request, Sender};

/// Chance that a seed repeats.
pub struct Luck(u64);

impl Luck {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        usize::try_from(z % bound as u64).expect("below the bound")
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at + 1));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// One bit of the body.
    BodyBit,
    /// One byte more, or less.
    BodyLength,
    /// Another genuine webhook's body under this one's signature.
    OtherBody,
    /// One character of the proof: signature, secret or token.
    ProofCharacter,
    ProofCut,
    ProofEmpty,
    NoProof,
    /// The proof twice.
    TwoProofs,
    /// A wrong one, and the right one behind it.
    WrongProofFirst,
    WrongSecret,
    /// Signed rightly, long ago or far ahead.
    OldTime,
    NewTime,
    /// Another time than the one that was signed.
    OtherTime,
    NoTime,
    TwoTimes,
    OtherId,
    /// Signatures alone that fit nothing.
    SeveralWrong,
    /// Names of headers in other cases: the same webhook.
    HeaderCase,
    /// A right signature among others: the same webhook.
    SeveralWithRight,
}

use Mutation::{
    BodyBit, BodyLength, HeaderCase, NewTime, NoProof, NoTime, OldTime, OtherBody, OtherId,
    OtherTime, ProofCharacter, ProofCut, ProofEmpty, SeveralWithRight, SeveralWrong, TwoProofs,
    TwoTimes, WrongProofFirst, WrongSecret,
};

impl Mutation {
    /// One that `sender`'s scheme can tell.
    pub fn any(sender: Sender, luck: &mut Luck) -> Self {
        let mut can = vec![ProofCharacter, ProofCut, NoProof, WrongSecret];
        if sender.proves_by_header() {
            // In a path there is no empty segment: that is no such address.
            can.extend([ProofEmpty, TwoProofs, WrongProofFirst, HeaderCase]);
        }
        if sender.signs() {
            can.extend([BodyBit, BodyLength, OtherBody]);
        }
        if sender.time_header().is_some() {
            can.extend([OldTime, NewTime, OtherTime, NoTime, TwoTimes]);
        }
        if sender == Sender::Standard {
            can.extend([OtherId, SeveralWrong, SeveralWithRight]);
        }
        can[luck.below(can.len())]
    }

    /// The webhook is still the genuine one.
    pub fn is_harmless(self) -> bool {
        matches!(self, HeaderCase | SeveralWithRight)
    }

    pub fn applied(self, mut request: Request, sender: Sender, luck: &mut Luck) -> Request {
        let time = sender.time_header().unwrap_or_default();
        match self {
            BodyBit => {
                let at = luck.below(request.body.len());
                request.body[at] ^= 1 << luck.below(8);
            }
            BodyLength => {
                if luck.below(2) == 0 {
                    request.body.push(b'\n');
                } else {
                    request.body.pop();
                }
            }
            OtherBody => request.body = sender.request("F", "other", "forged other").body,
            ProofCharacter => request.change_proof(|proof| {
                let start = sender.prefix().len();
                // The last character of base64 holds bits that count for nothing and must be zero.
                let at = start + luck.below(proof.len() - start - 2);
                let mut bytes = proof.clone().into_bytes();
                bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
                *proof = String::from_utf8(bytes).expect("ASCII");
            }),
            ProofCut => request.change_proof(|proof| {
                let kept = proof.len() - 1 - luck.below(proof.len() - 1);
                proof.truncate(kept);
            }),
            ProofEmpty => request.change_proof(String::clear),
            NoProof => request.drop_proof(),
            TwoProofs => request.repeat(sender.proof_header()),
            WrongProofFirst => {
                let wrong = sender.made_with("not-the-secret-of-anybody", "F", "f", "forged");
                request.put_first(sender.proof_header(), &wrong.value(sender.proof_header()));
            }
            WrongSecret => {
                request = sender.made_with("not-the-secret-of-anybody", "F", "f", "forged");
            }
            OldTime => request = sender.signed_at(-100_000),
            NewTime => request = sender.signed_at(100_000),
            OtherTime => {
                let other: i64 = request.value(time).parse().expect("seconds");
                request.set(time, &(other + 1).to_string());
            }
            NoTime => request.remove(time),
            TwoTimes => request.repeat(time),
            OtherId => request.set("webhook-id", "msg_another"),
            SeveralWrong => {
                let wrong = sender.made_with("not-the-secret-of-anybody", "F", "f", "forged");
                let wrong = wrong.value("webhook-signature");
                request.set("webhook-signature", &format!("{wrong} v2,{wrong} {wrong}"));
            }
            SeveralWithRight => {
                let right = request.value("webhook-signature");
                request.set(
                    "webhook-signature",
                    &format!("v1,AAAA v1a,BBBB {right} v1,zz"),
                );
            }
            HeaderCase => request.shout(),
        }
        request
    }
}
