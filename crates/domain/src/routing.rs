//! Routing: which agent gets a chat, and why.
//!
//! The rules look at candidates as they are at one moment and name one of them. Whoever calls them sees to it that nothing changes
//! until the chat is given.

use crate::inquiry::InquiryStatus;
use crate::user::UserStatus;

/// How an agent is found for a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutingMethod {
    /// The agent who got the fewest chats so far.
    AutoSelection,
    /// The agent with the fewest chats now.
    LoadBalancing,
    /// The agent who has not got one for the longest time.
    LoadRotation,
    /// Agents take chats out of the queue.
    ManualSelection,
    /// Another server names the agent.
    External,
}

/// What clients are told of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoutingConfig {
    /// Whether agents may look into a waiting chat.
    pub preview_room: bool,
    /// Whether the widget says that it waits for an agent.
    pub show_connecting: bool,
    /// Whether agents see the queue.
    pub show_queue: bool,
    /// Whether agents see who has how many chats.
    pub show_queue_link: bool,
    /// Whether agents may return a chat to the queue.
    pub return_queue: bool,
    /// Whether triggers may act.
    pub enable_trigger_action: bool,
    /// Whether chats are given to agents.
    pub auto_assign_agent: bool,
}

impl RoutingMethod {
    /// The name, which is the value of the setting.
    pub fn name(self) -> &'static str {
        match self {
            RoutingMethod::AutoSelection => "Auto_Selection",
            RoutingMethod::LoadBalancing => "Load_Balancing",
            RoutingMethod::LoadRotation => "Load_Rotation",
            RoutingMethod::ManualSelection => "Manual_Selection",
            RoutingMethod::External => "External",
        }
    }

    /// The method called `name`; `Auto_Selection` for anything else, as the setting's default is.
    pub fn from_name(name: &str) -> RoutingMethod {
        use RoutingMethod::{AutoSelection, External, LoadBalancing, LoadRotation, ManualSelection};
        let all = [AutoSelection, LoadBalancing, LoadRotation, ManualSelection, External];
        all.into_iter().find(|method| method.name() == name).unwrap_or(AutoSelection)
    }

    /// What clients are told of it.
    pub fn config(self) -> RoutingConfig {
        let is_manual = self == RoutingMethod::ManualSelection;
        RoutingConfig {
            preview_room: is_manual,
            show_connecting: is_manual,
            show_queue: is_manual,
            show_queue_link: self == RoutingMethod::AutoSelection,
            return_queue: is_manual,
            enable_trigger_action: !is_manual,
            auto_assign_agent: !is_manual,
        }
    }
}

/// How much an agent has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Not at all: being in service is enough.
    Any,
    /// Not offline.
    NotOffline,
    /// Neither offline nor away.
    NotIdle,
}

impl Presence {
    /// What the setting that lets idle agents count asks for.
    pub fn asked_for(enabled_when_idle: bool) -> Presence {
        if enabled_when_idle { Presence::Any } else { Presence::NotIdle }
    }
}

/// Whether an agent is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attendance {
    /// The presence.
    pub status: UserStatus,
    /// Whether the agent is in service: has the role, may log in and says so.
    pub is_in_service: bool,
    /// Whether it is a program.
    pub is_bot: bool,
}

impl Attendance {
    /// Whether the agent is there and in service. Programs are never offline, but may be away.
    pub fn is_available(self, presence: Presence) -> bool {
        self.is_in_service
            && match presence {
                Presence::Any => true,
                Presence::NotOffline => self.is_bot || self.status != UserStatus::Offline,
                Presence::NotIdle => self.status != UserStatus::Away && (self.is_bot || self.status != UserStatus::Offline),
            }
    }
}

/// An agent who might get a chat, as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The agent's id.
    pub id: String,
    /// The user name.
    pub username: String,
    /// Whether it is a program.
    pub is_bot: bool,
    /// The presence.
    pub status: UserStatus,
    /// Whether the agent is in service: has the role, may log in and says so.
    pub is_in_service: bool,
    /// How many chats were routed to the agent so far: of the department, or without any.
    pub count: i64,
    /// Who comes first among those with the same count; 0 where the chat has no department.
    pub order: i64,
    /// How many open chats the agent has that are not on hold.
    pub chats: i64,
    /// How many of them are in the department; all of them where the chat has none.
    pub chats_in_department: i64,
    /// How many the agent may have, by the agent's own limit.
    pub limit: Option<i64>,
    /// When a chat was last routed to the agent (milliseconds UTC).
    pub last_routed_at: Option<i64>,
}

impl Candidate {
    /// Whether the agent is there and in service. Programs are never offline, but may be away.
    pub fn is_available(&self, presence: Presence) -> bool {
        let Candidate { status, is_in_service, is_bot, .. } = *self;
        Attendance { status, is_in_service, is_bot }.is_available(presence)
    }

    /// Whether the agent may have one more chat. Programs have no limit.
    pub fn has_room(&self, limits: Limits) -> bool {
        let of_agent = positive(self.limit).or(positive(limits.of_everybody));
        let below = |chats: i64, limit: Option<i64>| limit.is_none_or(|limit| chats < limit);
        self.is_bot || below(self.chats_in_department, positive(limits.department)) && below(self.chats, of_agent)
    }
}

fn positive(limit: Option<i64>) -> Option<i64> {
    limit.filter(|limit| *limit > 0)
}

/// How many chats agents may have at a time. What is 0 or less limits nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// In the department of the chat.
    pub department: Option<i64>,
    /// At all, unless the agent has a limit of its own.
    pub of_everybody: Option<i64>,
}

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Gets the chat.
    Chosen,
    /// Could have got it, but somebody else came first.
    Behind,
    /// Has as many chats as may be.
    Full,
    /// Is not there or not in service.
    Unavailable,
    /// Is the one that the chat is to be taken from.
    PassedOver,
}

impl Verdict {
    /// The name in the record of a decision.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Chosen => "chosen",
            Verdict::Behind => "behind",
            Verdict::Full => "full",
            Verdict::Unavailable => "unavailable",
            Verdict::PassedOver => "passed-over",
        }
    }
}

/// What a routing method looks for.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// The method.
    pub method: RoutingMethod,
    /// How much the agent has to be there.
    pub presence: Presence,
    /// How many chats the agent may have.
    pub limits: Limits,
    /// The agent who must not get it.
    pub pass_over: Option<&'a str>,
}

/// Says what becomes of each of the candidates: one is chosen, if any can be.
pub fn choose(search: Search<'_>, candidates: &[Candidate]) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = candidates.iter().map(|candidate| suitability(search, candidate)).collect();
    let assigns = search.method.config().auto_assign_agent && search.method != RoutingMethod::External;
    let suitable = (0..candidates.len()).filter(|place| assigns && verdicts[*place] == Verdict::Behind);
    if let Some(first) = suitable.min_by(|left, right| compare(search.method, &candidates[*left], &candidates[*right])) {
        verdicts[first] = Verdict::Chosen;
    }
    verdicts
}

fn suitability(search: Search<'_>, candidate: &Candidate) -> Verdict {
    if search.pass_over == Some(candidate.id.as_str()) {
        Verdict::PassedOver
    } else if !candidate.is_available(search.presence) {
        Verdict::Unavailable
    } else if !candidate.has_room(search.limits) {
        Verdict::Full
    } else {
        Verdict::Behind
    }
}

fn compare(method: RoutingMethod, left: &Candidate, right: &Candidate) -> std::cmp::Ordering {
    let of_method = match method {
        RoutingMethod::LoadBalancing => {
            (left.chats_in_department, left.last_routed_at).cmp(&(right.chats_in_department, right.last_routed_at))
        }
        RoutingMethod::LoadRotation => left.last_routed_at.cmp(&right.last_routed_at),
        _ => (left.count, left.order).cmp(&(right.count, right.order)),
    };
    // Two agents never share a name, but a decision must not hang on that, nor on who is looked at first.
    of_method.then_with(|| left.username.cmp(&right.username)).then_with(|| left.id.cmp(&right.id))
}

/// How far the inquiry of a new chat is. `is_bot` is said of the agent that the chat is meant for, if it is meant for one.
///
/// A program takes its chat at once, whatever else waits. People get theirs from the queue, if there is one or if they help
/// themselves: also the one that a chat is meant for, who then finds it there.
pub fn initial_status(method: RoutingMethod, is_bot: Option<bool>, waiting_queue: bool) -> InquiryStatus {
    let is_given_at_once = is_bot == Some(true) || !waiting_queue && method.config().auto_assign_agent;
    if is_given_at_once { InquiryStatus::Ready } else { InquiryStatus::Queued }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use proptest::prelude::*;

    use super::*;
    use RoutingMethod::{AutoSelection, External, LoadBalancing, LoadRotation, ManualSelection};
    use UserStatus::{Away, Busy, Offline, Online};

    const METHODS: [RoutingMethod; 5] = [AutoSelection, LoadBalancing, LoadRotation, ManualSelection, External];

    /// An agent who is there and has nothing to do.
    fn candidate(name: &str) -> Candidate {
        Candidate {
            id: format!("id of {name}"),
            username: name.to_owned(),
            is_bot: false,
            status: Online,
            is_in_service: true,
            count: 0,
            order: 0,
            chats: 0,
            chats_in_department: 0,
            limit: None,
            last_routed_at: None,
        }
    }

    fn search(method: RoutingMethod) -> Search<'static> {
        Search { method, presence: Presence::Any, limits: Limits::default(), pass_over: None }
    }

    /// The name of the one who is chosen.
    fn chosen(search: Search<'_>, candidates: &[Candidate]) -> Option<String> {
        let verdicts = choose(search, candidates);
        let mut chosen = candidates.iter().zip(verdicts).filter(|(_, verdict)| *verdict == Verdict::Chosen);
        chosen.next().map(|(candidate, _)| candidate.username.clone())
    }

    #[test]
    fn methods_are_found_by_name_and_tell_what_they_do() {
        for (method, name) in
            METHODS.into_iter().zip(["Auto_Selection", "Load_Balancing", "Load_Rotation", "Manual_Selection", "External"])
        {
            assert_eq!((method.name(), RoutingMethod::from_name(name)), (name, method));
            let is_manual = method == ManualSelection;
            let expected = RoutingConfig {
                preview_room: is_manual,
                show_connecting: is_manual,
                show_queue: is_manual,
                show_queue_link: method == AutoSelection,
                return_queue: is_manual,
                enable_trigger_action: !is_manual,
                auto_assign_agent: !is_manual,
            };
            assert_eq!(method.config(), expected, "{name}");
        }
        assert_eq!(RoutingMethod::from_name("auto_selection"), AutoSelection);
    }

    #[test]
    fn presence_is_asked_for_in_three_ways() {
        use Presence::{Any, NotIdle, NotOffline};
        for (status, is_bot, not_offline, not_idle) in [
            (Online, false, true, true),
            (Busy, false, true, true),
            (Away, false, true, false),
            (Offline, false, false, false),
            (Online, true, true, true),
            (Busy, true, true, true),
            (Away, true, true, false),
            (Offline, true, true, true),
        ] {
            let agent = Candidate { status, is_bot, ..candidate("ana") };
            for (presence, expected) in [(Any, true), (NotOffline, not_offline), (NotIdle, not_idle)] {
                assert_eq!(agent.is_available(presence), expected, "{status:?} {is_bot} {presence:?}");
                let out_of_service = Candidate { is_in_service: false, ..agent.clone() };
                assert!(!out_of_service.is_available(presence), "{status:?} {is_bot} {presence:?}");
            }
        }
        assert_eq!((Presence::asked_for(true), Presence::asked_for(false)), (Any, NotIdle));
    }

    #[test]
    fn limits_of_the_department_and_of_the_agent_both_hold() {
        // The limits of the department, the agent and everybody; the chats in the department and in all.
        for (department, agent, everybody, chats_in_department, chats, expected) in [
            (Some(2), Some(4), None, 1, 3, true),
            (Some(2), Some(4), None, 2, 3, false),
            (Some(2), Some(4), None, 1, 4, false),
            (Some(2), Some(4), Some(3), 1, 3, true),
            (Some(2), None, Some(4), 1, 3, true),
            (Some(2), None, Some(4), 2, 3, false),
            (Some(2), None, Some(4), 1, 4, false),
            (Some(2), None, None, 1, 99, true),
            (Some(2), None, None, 2, 2, false),
            (None, Some(4), None, 3, 3, true),
            (None, Some(4), None, 4, 4, false),
            (None, Some(4), Some(2), 3, 3, true),
            (None, Some(2), Some(4), 3, 3, false),
            (None, None, Some(4), 3, 3, true),
            (None, None, Some(4), 4, 4, false),
            (None, None, None, 99, 99, true),
            (Some(0), Some(0), Some(0), 99, 99, true),
            (Some(-1), Some(-1), Some(4), 3, 3, true),
            (Some(-1), Some(-1), Some(4), 4, 4, false),
        ] {
            let agent = Candidate { limit: agent, chats, chats_in_department, ..candidate("ana") };
            let limits = Limits { department, of_everybody: everybody };
            assert_eq!(agent.has_room(limits), expected, "{limits:?} {agent:?}");
            assert!(Candidate { is_bot: true, ..agent }.has_room(limits), "a program has no limit: {limits:?}");
        }
    }

    #[test]
    fn each_method_has_an_order_of_its_own() {
        let counted = |name, count, order| Candidate { count, order, ..candidate(name) };
        let busy = |name, chats_in_department, last_routed_at| Candidate { chats_in_department, last_routed_at, ..candidate(name) };
        for (method, candidates, expected) in [
            // The smallest count; among equals the smallest order; then the name.
            (AutoSelection, [counted("ana", 5, 0), counted("ben", 4, 9), counted("eve", 6, 0)], Some("ben")),
            (AutoSelection, [counted("ana", 4, 2), counted("ben", 4, 1), counted("eve", 4, 3)], Some("ben")),
            (AutoSelection, [counted("eve", 4, 1), counted("ben", 4, 1), counted("ana", 4, 1)], Some("ana")),
            // How many chats somebody has now means nothing to it.
            (AutoSelection, [busy("ana", 9, Some(9)), busy("ben", 0, None), busy("eve", 1, None)], Some("ana")),
            // The fewest chats; among equals who was asked the longest time ago, or never; then the name.
            (LoadBalancing, [busy("ana", 2, None), busy("ben", 1, Some(9)), busy("eve", 2, None)], Some("ben")),
            (LoadBalancing, [busy("ana", 1, Some(7)), busy("ben", 1, Some(5)), busy("eve", 1, Some(6))], Some("ben")),
            (LoadBalancing, [busy("ana", 1, Some(1)), busy("ben", 1, None), busy("eve", 1, Some(2))], Some("ben")),
            (LoadBalancing, [busy("eve", 1, None), busy("ben", 1, None), busy("ana", 1, None)], Some("ana")),
            (LoadBalancing, [counted("eve", 0, 0), counted("ben", 1, 1), counted("ana", 2, 2)], Some("ana")),
            // Who was asked the longest time ago, or never, however busy; then the name.
            (LoadRotation, [busy("ana", 0, Some(7)), busy("ben", 9, Some(5)), busy("eve", 0, Some(6))], Some("ben")),
            (LoadRotation, [busy("ana", 0, Some(1)), busy("ben", 9, None), busy("eve", 0, Some(2))], Some("ben")),
            (LoadRotation, [busy("eve", 0, Some(5)), busy("ben", 1, Some(5)), busy("ana", 9, Some(5))], Some("ana")),
            // Nobody is chosen here.
            (ManualSelection, [candidate("ana"), candidate("ben"), candidate("eve")], None),
            (External, [candidate("ana"), candidate("ben"), candidate("eve")], None),
        ] {
            assert_eq!(chosen(search(method), &candidates).as_deref(), expected, "{method:?} {candidates:?}");
        }
    }

    #[test]
    fn equals_are_put_in_order_by_their_names() {
        let eve = Candidate { id: "1".to_owned(), ..candidate("eve") };
        let ana = Candidate { id: "2".to_owned(), ..candidate("ana") };
        for method in [AutoSelection, LoadBalancing, LoadRotation] {
            assert_eq!(chosen(search(method), &[eve.clone(), ana.clone()]).as_deref(), Some("ana"), "{method:?}");
        }
    }

    #[test]
    fn chats_elsewhere_do_not_weigh_in_a_department() {
        let ana = Candidate { chats: 9, chats_in_department: 1, ..candidate("ana") };
        let ben = Candidate { chats: 2, chats_in_department: 2, ..candidate("ben") };
        assert_eq!(chosen(search(LoadBalancing), &[ben, ana]).as_deref(), Some("ana"));
    }

    #[test]
    fn everybody_gets_a_reason() {
        let candidates = [
            candidate("ana"),
            candidate("ben"),
            Candidate { status: Away, ..candidate("cid") },
            Candidate { chats: 3, ..candidate("dan") },
            Candidate { status: Away, chats: 3, ..candidate("eve") },
            candidate("fay"),
        ];
        let limits = Limits { department: None, of_everybody: Some(3) };
        let search = Search { presence: Presence::NotIdle, limits, pass_over: Some("id of ana"), ..search(AutoSelection) };
        let names: Vec<&str> = choose(search, &candidates).into_iter().map(Verdict::name).collect();
        assert_eq!(names, ["passed-over", "chosen", "unavailable", "full", "unavailable", "behind"]);
        assert_eq!(choose(search, &[]), []);
    }

    #[test]
    fn new_chats_are_given_at_once_or_wait() {
        use InquiryStatus::{Queued, Ready};
        for method in METHODS {
            let without_queue = if method == ManualSelection { Queued } else { Ready };
            for (is_bot, waiting_queue, expected) in [
                (None, false, without_queue),
                (None, true, Queued),
                (Some(false), false, without_queue),
                (Some(false), true, Queued),
                (Some(true), false, Ready),
                (Some(true), true, Ready),
            ] {
                assert_eq!(initial_status(method, is_bot, waiting_queue), expected, "{method:?} {is_bot:?} {waiting_queue}");
            }
        }
    }

    fn limit() -> impl Strategy<Value = Option<i64>> {
        proptest::option::of(-1..4_i64)
    }

    /// Candidates with values so small that many are equal.
    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let status = proptest::sample::select(vec![Online, Away, Busy, Offline]);
        let kind =
            (proptest::bool::weighted(0.2), status, proptest::bool::weighted(0.8), proptest::sample::select(vec!["ana", "ben"]));
        let load = (0..3_i64, 0..3_i64, 0..3_i64, 0..3_i64, limit(), proptest::option::of(0..3_i64));
        proptest::collection::vec((kind, load), 0..7).prop_map(|drawn| {
            let numbered = drawn.into_iter().enumerate();
            let candidates = numbered.map(|(number, ((is_bot, status, is_in_service, name), load))| {
                let (count, order, chats_in_department, elsewhere, limit, last_routed_at) = load;
                let chats = chats_in_department + elsewhere;
                let (id, username) = (format!("{number}"), name.to_owned());
                Candidate {
                    id,
                    username,
                    is_bot,
                    status,
                    is_in_service,
                    count,
                    order,
                    chats,
                    chats_in_department,
                    limit,
                    last_routed_at,
                }
            });
            candidates.collect()
        })
    }

    fn any_search() -> impl Strategy<Value = (RoutingMethod, Presence, Limits, Option<String>)> {
        let presence = proptest::sample::select(vec![Presence::Any, Presence::NotOffline, Presence::NotIdle]);
        let limits = (limit(), limit()).prop_map(|(department, of_everybody)| Limits { department, of_everybody });
        let pass_over = proptest::option::of((0..7_u8).prop_map(|number| number.to_string()));
        (proptest::sample::select(METHODS.to_vec()), presence, limits, pass_over)
    }

    /// Whether a method has a reason to prefer `left`, apart from the name.
    fn is_better(method: RoutingMethod, left: &Candidate, right: &Candidate) -> bool {
        let idle_time = |candidate: &Candidate| candidate.last_routed_at.map_or(i64::MAX, |at| -at);
        let by_count = left.count.cmp(&right.count);
        let by_order = left.order.cmp(&right.order);
        let by_chats = left.chats_in_department.cmp(&right.chats_in_department);
        let by_idle_time = idle_time(right).cmp(&idle_time(left));
        let reasons = match method {
            AutoSelection => vec![by_count, by_order],
            LoadBalancing => vec![by_chats, by_idle_time],
            LoadRotation => vec![by_idle_time],
            ManualSelection | External => vec![],
        };
        reasons.into_iter().find(|reason| *reason != Ordering::Equal) == Some(Ordering::Less)
    }

    proptest! {
        #[test]
        fn one_is_chosen_if_anybody_can_be(candidates in candidates(), (method, presence, limits, pass_over) in any_search()) {
            let search = Search { method, presence, limits, pass_over: pass_over.as_deref() };
            let is_suitable = |candidate: &Candidate| {
                pass_over.as_ref() != Some(&candidate.id) && candidate.is_available(presence) && candidate.has_room(limits)
            };
            let verdicts = choose(search, &candidates);
            prop_assert_eq!(verdicts.len(), candidates.len());
            let assigns = matches!(method, AutoSelection | LoadBalancing | LoadRotation);
            let can_be_chosen = assigns && candidates.iter().any(is_suitable);
            prop_assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Chosen).count(), usize::from(can_be_chosen));
            for (candidate, verdict) in candidates.iter().zip(verdicts) {
                let is_in_the_running = matches!(verdict, Verdict::Chosen | Verdict::Behind);
                prop_assert_eq!(is_in_the_running, is_suitable(candidate), "{:?} {:?}", verdict, candidate);
                prop_assert!(verdict != Verdict::Full || !candidate.has_room(limits));
                prop_assert!(verdict != Verdict::Unavailable || !candidate.is_available(presence));
                prop_assert_eq!(verdict == Verdict::PassedOver, pass_over.as_ref() == Some(&candidate.id));
            }
        }

        #[test]
        fn who_is_looked_at_first_does_not_matter(
            (candidates, shuffled) in candidates().prop_flat_map(|drawn| (Just(drawn.clone()), Just(drawn).prop_shuffle())),
            (method, presence, limits, pass_over) in any_search(),
        ) {
            let search = Search { method, presence, limits, pass_over: pass_over.as_deref() };
            let verdicts = |candidates: &[Candidate]| {
                let ids = candidates.iter().map(|candidate| candidate.id.clone());
                let verdicts = choose(search, candidates).into_iter().map(Verdict::name);
                ids.zip(verdicts).collect::<std::collections::BTreeMap<String, &str>>()
            };
            prop_assert_eq!(verdicts(&candidates), verdicts(&shuffled));
        }

        #[test]
        fn nobody_better_is_left_behind(candidates in candidates(), (method, presence, limits, pass_over) in any_search()) {
            let search = Search { method, presence, limits, pass_over: pass_over.as_deref() };
            let verdicts = choose(search, &candidates);
            let with = |wanted: Verdict| candidates.iter().zip(&verdicts).filter(move |(_, verdict)| **verdict == wanted);
            for (chosen, _) in with(Verdict::Chosen) {
                for (behind, _) in with(Verdict::Behind) {
                    prop_assert!(!is_better(method, behind, chosen), "{behind:?} is better than {chosen:?}");
                }
            }
        }
    }
}
