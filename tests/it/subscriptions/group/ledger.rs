//! What members saw and said, and the rules that it is judged by.

use std::{
    collections::{BTreeSet, HashMap},
    fmt::{self, Display, Formatter},
    sync::{Arc, Mutex, MutexGuard},
};

use tokio::sync::watch;

/// One event: which conversation's, and its number in it, from 1.
pub type Told = (String, u32);

/// What is known of one event.
#[derive(Debug, Clone, Copy, Default)]
struct Fact {
    seen: u32,
    /// Its acknowledgement has left at least once.
    said: bool,
    /// Members that died with it in their hands, and were not told that their acknowledgement counts.
    died_with: u32,
    /// A process printed it, which tells of nothing else.
    printed: bool,
    /// An acknowledgement of it counts, as its member heard; a process printed it; or whoever died had said that it is
    /// done, and may have been heard.
    handled: bool,
}

#[derive(Debug, Default)]
struct Facts {
    /// By conversation, in the order of its events.
    of: HashMap<String, Vec<Fact>>,
    /// Seen before what came before it was known to be done: a process may have done that, and is heard later.
    ahead: Vec<(String, u32, u32)>,
    broken: Vec<String>,
    stale: u32,
    deaths: u32,
}

/// Shared by all members.
pub struct Ledger {
    facts: Mutex<Facts>,
    /// How many events were handled.
    handled: watch::Sender<usize>,
}

/// One life of a member: the order it sees, and what it has in its hands. Dropped with something in them, it died.
pub struct Life {
    pub name: String,
    ledger: Arc<Ledger>,
    last: HashMap<String, u32>,
    hands: BTreeSet<Told>,
}

/// What it came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub events: usize,
    pub duplicates: u32,
    pub deaths: u32,
    pub stale: u32,
    pub lost: Vec<Told>,
    pub out_of_order: Vec<String>,
    /// Came twice although nobody died with it.
    pub unexplained: Vec<Told>,
}

impl Ledger {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            facts: Mutex::default(),
            handled: watch::Sender::new(0),
        })
    }

    pub fn life(self: &Arc<Self>, name: String) -> Life {
        Life {
            name,
            ledger: Arc::clone(self),
            last: HashMap::new(),
            hands: BTreeSet::new(),
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().expect("nobody panics with it")
    }

    fn handled(&self, it: &Told) {
        let is_new = !std::mem::replace(&mut self.facts().of(it).handled, true);
        self.handled.send_if_modified(|handled| {
            *handled += usize::from(is_new);
            is_new
        });
    }

    pub async fn until_handled(&self, count: usize) {
        let mut handled = self.handled.subscribe();
        let reached = handled.wait_for(|handled| *handled >= count).await;
        reached.expect("the ledger is there");
    }

    pub fn died(&self) {
        self.facts().deaths += 1;
    }

    /// The rules, once all is over: each conversation was told so many events.
    pub fn judge(&self, conversations: usize, told: u32) -> Verdict {
        let facts = self.facts();
        let mut verdict = Verdict {
            events: conversations * told as usize,
            duplicates: 0,
            deaths: facts.deaths,
            stale: facts.stale,
            lost: Vec::new(),
            out_of_order: facts.broken.clone(),
            unexplained: Vec::new(),
        };
        for number in 0..conversations {
            let name = format!("C-{number}");
            let known = facts.of.get(&name).map_or(&[][..], Vec::as_slice);
            for number in 1..=told {
                let fact = known.get(number as usize - 1).copied();
                let fact = fact.unwrap_or_default();
                if !fact.handled {
                    verdict.lost.push((name.clone(), number));
                }
                verdict.duplicates += fact.seen.saturating_sub(1);
                if fact.seen > 1 + fact.died_with {
                    verdict.unexplained.push((name.clone(), number));
                }
            }
        }
        for (conversation, earlier, later) in &facts.ahead {
            if !facts.of[conversation][*earlier as usize - 1].printed {
                let broken = format!("{conversation}: {later} came before {earlier} was done");
                verdict.out_of_order.push(broken);
            }
        }
        verdict
    }
}

impl Facts {
    fn of(&mut self, (conversation, number): &Told) -> &mut Fact {
        let known = self.of.entry(conversation.clone()).or_default();
        let at = *number as usize - 1;
        if known.len() <= at {
            known.resize(at + 1, Fact::default());
        }
        &mut known[at]
    }
}

impl Life {
    /// It was handed this event.
    pub fn sees(&mut self, it: &Told) {
        let mut facts = self.ledger.facts();
        facts.of(it).seen += 1;
        let (conversation, number) = it;
        let before = self.last.insert(conversation.clone(), *number);
        if before.is_some_and(|before| before >= *number) {
            let broken = format!("{}: {it:?} after {before:?}", self.name);
            facts.broken.push(broken);
        }
        // What came before it is done, or is in the same hands.
        for earlier in 1..*number {
            let told = (conversation.clone(), earlier);
            if !facts.of(&told).said && !self.hands.contains(&told) {
                facts.ahead.push((told.0, earlier, *number));
            }
        }
        drop(facts);
        self.hands.insert(it.clone());
    }

    pub fn has(&self) -> usize {
        self.hands.len()
    }

    /// It is about to say that this is done.
    pub fn says(&mut self, it: &Told) {
        self.ledger.facts().of(it).said = true;
    }

    /// It was told what its acknowledgement came to.
    pub fn hears(&mut self, it: &Told, counts: bool) {
        self.hands.remove(it);
        if counts {
            self.ledger.handled(it);
        } else {
            self.ledger.facts().stale += 1;
        }
    }

    /// A process has printed it, and will say that it is done: that is heard of when it prints the next one.
    pub fn prints(&mut self, it: &Told) {
        for before in std::mem::take(&mut self.hands) {
            self.hears(&before, true);
        }
        self.sees(it);
        {
            let mut facts = self.ledger.facts();
            let fact = facts.of(it);
            (fact.printed, fact.said) = (true, true);
        }
        self.ledger.handled(it);
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        for it in std::mem::take(&mut self.hands) {
            let said = {
                let mut facts = self.ledger.facts();
                let fact = facts.of(&it);
                fact.died_with += 1;
                fact.said
            };
            // It may have counted, and then nobody sees it again. If it did not, the server still has it.
            if said {
                self.ledger.handled(&it);
            }
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills, {} events, {} duplicates of events in hand at a kill, {} other duplicates, {} lost, {} out of \
             order, {} stale acknowledgements",
            self.deaths,
            self.events,
            self.duplicates,
            self.unexplained.len(),
            self.lost.len(),
            self.out_of_order.len(),
            self.stale
        )
    }
}
