//! What figures are computed from: who asked and answered when, and how long it took.
//!
//! The rules take a room as it was before a message and change it. They are evaluated for every message that people write, and for
//! no system message and no edit.
//!
//! Times of messages rise even when the clock does not, so the clock can be behind a question that it answers. No time is negative:
//! what would be counts as none.

use crate::room::{Closer, Person, Responder, Room};

/// The most months of activity that are kept.
const MONTHS: usize = 12;

/// The figures of a room. Times in milliseconds UTC, durations in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metrics {
    /// When the visitor asked what is open, or was last answered (`v.lq`).
    pub asked_at: Option<i64>,
    /// When an agent last answered (`servedBy.lr`).
    pub answered_at: Option<i64>,
    /// How many answers there were.
    pub responses: i64,
    /// How long all of them took.
    pub response_time: i64,
    /// The first response and reaction.
    pub first: Option<First>,
    /// How long all reactions took.
    pub reaction_time: i64,
    /// From the opening to the closing.
    pub chat_duration: Option<i64>,
    /// From when the last agent took the room to the closing.
    pub service_duration: Option<i64>,
    /// For how many **seconds** the visitor had been silent when the room was closed.
    pub visitor_inactivity: Option<i64>,
}

/// The first response and the first reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct First {
    /// From the question to the answer.
    pub response: i64,
    /// From when the agent joined to the answer.
    pub reaction: i64,
    /// When the answer came.
    pub at: i64,
}

/// Notes that the visitor wrote at `ts`.
pub fn visitor_wrote(room: &mut Room, ts: i64) {
    let (asked, answered) = (room.metrics.asked_at.unwrap_or(room.opened_at), room.metrics.answered_at.unwrap_or(room.opened_at));
    room.visitor_last_message_at = Some(ts);
    room.abandonment_at = None;
    if !room.waiting_response {
        room.waiting_response = true;
        room.responder = None;
    }
    if answered >= asked {
        room.metrics.asked_at = Some(ts);
    }
}

/// Notes that `user` answered with a message of the time `ts`, looked at at `now`. The visitor counts as gone `patience`
/// milliseconds after the first answer to a question, if anything is done about those who are; a patience of 0 is none.
pub fn agent_wrote(room: &mut Room, user: &Person, ts: i64, now: i64, patience: Option<i64>) {
    let was_waiting = std::mem::take(&mut room.waiting_response);
    match &mut room.responder {
        Some(responder) => responder.last_at = responder.last_at.max(if was_waiting { ts } else { now }),
        None if was_waiting => {
            room.responder = Some(Responder { user: user.clone(), first_at: ts, last_at: ts });
            room.abandonment_at = patience.filter(|patience| *patience > 0).map(|patience| ts + patience);
        }
        None => {}
    }
    count_answer(room, ts, now);
}

fn count_answer(room: &mut Room, ts: i64, now: i64) {
    let asked = room.metrics.asked_at.unwrap_or(room.opened_at);
    let joined = room.served_by.as_ref().map_or(room.opened_at, |served| served.since);
    let metrics = &mut room.metrics;
    let response = since(asked, now);
    match metrics.answered_at {
        None => {
            let reaction = since(joined, now);
            if response > 0 {
                metrics.first = Some(First { response, reaction, at: now });
            }
            metrics.reaction_time += reaction;
        }
        Some(answered) if asked > answered => metrics.reaction_time += response,
        // The agent goes on writing.
        Some(_) => return,
    }
    metrics.responses += 1;
    metrics.response_time += response;
    if asked > metrics.answered_at.unwrap_or(room.opened_at) {
        metrics.answered_at = Some(ts);
    }
}

/// How long it is at `now` since `start`.
fn since(start: i64, now: i64) -> i64 {
    (now - start).max(0)
}

/// Notes that the room was closed at `now` by `closer`. `answer_after_visitor` is the time of the first message that the agents'
/// side wrote after the visitor's last one. System messages are none of them: that an agent took the chat is no answer.
pub fn closed(room: &mut Room, closer: Closer, now: i64, answer_after_visitor: Option<i64>) {
    let chat_duration = since(room.opened_at, now);
    room.metrics.chat_duration = Some(chat_duration);
    room.metrics.service_duration = room.served_by.as_ref().map(|served| since(served.since, now).min(chat_duration));
    if closer != Closer::Visitor && room.visitor_last_message_at.is_some() {
        room.metrics.visitor_inactivity = answer_after_visitor.map(|answered| since(answered, now) / 1_000);
    }
}

/// Adds `month` (`YYYY-MM`) to the months of activity, once, and keeps the latest twelve in their order. Gives whether anything
/// changed.
pub fn note_month(activity: &mut Vec<String>, month: &str) -> bool {
    let place = activity.partition_point(|known| known.as_str() < month);
    let is_known = activity.get(place).is_some_and(|known| known == month);
    let is_forgotten = place == 0 && activity.len() >= MONTHS;
    if is_known || is_forgotten {
        return false;
    }
    activity.insert(place, month.to_owned());
    let surplus = activity.len().saturating_sub(MONTHS);
    activity.drain(..surplus);
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::examples::{person, room, served_by};
    use crate::room::next_message_ts;

    const PATIENCE: i64 = 3_600_000;

    /// A chat that is played from a script. Times of messages rise as they do on the server.
    struct Chat {
        room: Room,
        answer_after_visitor: Option<i64>,
    }

    impl Chat {
        fn opened(now: i64) -> Chat {
            Chat { room: room(now), answer_after_visitor: None }
        }

        fn next_ts(&mut self, now: i64) -> i64 {
            self.room.last_ts = next_message_ts(now, self.room.last_ts);
            self.room.last_ts
        }

        fn visitor_writes(&mut self, now: i64) {
            let ts = self.next_ts(now);
            visitor_wrote(&mut self.room, ts);
            self.answer_after_visitor = None;
        }

        fn agent_writes(&mut self, name: &str, now: i64) {
            let ts = self.next_ts(now);
            agent_wrote(&mut self.room, &person(name), ts, now, Some(PATIENCE));
            self.answer_after_visitor.get_or_insert(ts);
        }

        fn is_taken(&mut self, name: &str, now: i64) {
            self.room.served_by = Some(served_by(name, now));
        }

        fn is_closed(&mut self, closer: Closer, now: i64) {
            closed(&mut self.room, closer, now, self.answer_after_visitor);
        }
    }

    /// A time of the day (`HH:MM:SS`) in milliseconds.
    fn at(time: &str) -> i64 {
        let seconds = time.split(':').fold(0, |sum, part| sum * 60 + part.parse::<i64>().expect("the parts are numbers"));
        seconds * 1_000
    }

    fn responder(name: &str, first: &str, last: &str) -> Option<Responder> {
        Some(Responder { user: person(name), first_at: at(first), last_at: at(last) })
    }

    #[test]
    fn a_chat_of_two_questions_is_measured() {
        let mut chat = Chat::opened(at("09:00:00"));
        chat.visitor_writes(at("09:00:05"));
        chat.is_taken("ana", at("09:00:10"));
        chat.agent_writes("ana", at("09:00:35"));
        assert_eq!(chat.room.responder, responder("ana", "09:00:35", "09:00:35"));
        chat.visitor_writes(at("09:02:00"));
        assert_eq!((chat.room.waiting_response, &chat.room.responder), (true, &None));
        chat.agent_writes("ana", at("09:02:20"));
        chat.is_closed(Closer::User, at("09:10:00"));
        let expected = Metrics {
            asked_at: Some(at("09:02:00")),
            answered_at: Some(at("09:02:20")),
            responses: 2,
            response_time: 50_000,
            first: Some(First { response: 30_000, reaction: 25_000, at: at("09:00:35") }),
            reaction_time: 45_000,
            chat_duration: Some(600_000),
            service_duration: Some(590_000),
            visitor_inactivity: Some(460),
        };
        assert_eq!(chat.room.metrics, expected);
        assert_eq!(chat.room.responder, responder("ana", "09:02:20", "09:02:20"));
        assert!(!chat.room.waiting_response);
    }

    #[test]
    fn a_chat_that_its_visitor_left_is_measured() {
        let mut chat = Chat::opened(at("09:30:00"));
        chat.visitor_writes(at("09:30:02"));
        chat.is_taken("ben", at("09:31:00"));
        chat.agent_writes("ben", at("09:31:30"));
        chat.is_closed(Closer::User, at("10:45:00"));
        let expected = Metrics {
            asked_at: Some(at("09:30:02")),
            answered_at: Some(at("09:31:30")),
            responses: 1,
            response_time: 88_000,
            first: Some(First { response: 88_000, reaction: 30_000, at: at("09:31:30") }),
            reaction_time: 30_000,
            chat_duration: Some(4_500_000),
            service_duration: Some(4_440_000),
            visitor_inactivity: Some(4_410),
        };
        assert_eq!(chat.room.metrics, expected);
        assert_eq!(chat.room.responder, responder("ben", "09:31:30", "09:31:30"));
    }

    #[test]
    fn open_chats_have_no_durations() {
        let mut queued = Chat::opened(at("11:00:00"));
        queued.visitor_writes(at("11:00:04"));
        assert_eq!(queued.room.metrics, Metrics { asked_at: Some(at("11:00:04")), ..Metrics::default() });
        assert_eq!((queued.room.waiting_response, &queued.room.responder), (true, &None));

        let mut on_hold = Chat::opened(at("14:00:00"));
        on_hold.visitor_writes(at("14:00:01"));
        on_hold.is_taken("ana", at("14:00:20"));
        on_hold.agent_writes("ana", at("14:00:41"));
        let expected = Metrics {
            asked_at: Some(at("14:00:01")),
            answered_at: Some(at("14:00:41")),
            responses: 1,
            response_time: 40_000,
            first: Some(First { response: 40_000, reaction: 21_000, at: at("14:00:41") }),
            reaction_time: 21_000,
            ..Metrics::default()
        };
        assert_eq!(on_hold.room.metrics, expected);

        let mut silent = Chat::opened(at("14:30:00"));
        silent.is_taken("ben", at("14:30:30"));
        assert_eq!((silent.room.metrics, silent.room.waiting_response), (Metrics::default(), true));
    }

    #[test]
    fn an_agent_who_begins_answers_first_until_the_visitor_was_answered() {
        let mut chat = Chat::opened(at("10:00:00"));
        chat.is_taken("ana", at("10:00:05"));
        let expect = |chat: &Chat, response: i64, reaction: i64, responses: i64, time: i64, answered: Option<&str>| {
            let metrics = &chat.room.metrics;
            let first = metrics.first.map(|first| (first.response, first.reaction));
            assert_eq!(first, Some((response * 1_000, reaction * 1_000)));
            assert_eq!((metrics.responses, metrics.response_time), (responses, time * 1_000));
            assert_eq!(metrics.answered_at, answered.map(at));
        };
        chat.agent_writes("ana", at("10:00:20"));
        expect(&chat, 20, 15, 1, 20, None);
        chat.agent_writes("ana", at("10:01:00"));
        expect(&chat, 60, 55, 2, 80, None);
        chat.visitor_writes(at("10:01:30"));
        assert_eq!(chat.room.metrics.asked_at, Some(at("10:01:30")));
        chat.agent_writes("ana", at("10:01:40"));
        expect(&chat, 10, 95, 3, 90, Some("10:01:40"));
        chat.agent_writes("ana", at("10:01:50"));
        expect(&chat, 10, 95, 3, 90, Some("10:01:40"));
        chat.visitor_writes(at("10:03:00"));
        chat.agent_writes("ana", at("10:03:15"));
        expect(&chat, 10, 95, 4, 105, Some("10:03:15"));
        assert_eq!(chat.room.metrics.reaction_time, (15 + 55 + 95 + 15) * 1_000);
    }

    #[test]
    fn only_the_first_message_of_a_run_asks_and_only_the_first_answers() {
        let mut chat = Chat::opened(0);
        chat.visitor_writes(10);
        chat.visitor_writes(20);
        assert_eq!((chat.room.metrics.asked_at, chat.room.visitor_last_message_at), (Some(10), Some(20)));
        chat.agent_writes("ana", 30);
        chat.agent_writes("ben", 40);
        assert_eq!((chat.room.metrics.responses, chat.room.metrics.response_time), (1, 20));
        let expected = Responder { user: person("ana"), first_at: 30, last_at: 40 };
        assert_eq!(chat.room.responder, Some(expected), "the one who answered stays named");
        chat.visitor_writes(50);
        chat.agent_writes("ben", 60);
        assert_eq!(chat.room.responder, Some(Responder { user: person("ben"), first_at: 60, last_at: 60 }));
    }

    #[test]
    fn a_responder_who_is_named_stays_named() {
        let mut chat = Chat::opened(0);
        chat.room.responder = Some(Responder { user: person("ana"), first_at: 5, last_at: 5 });
        chat.agent_writes("ben", 30);
        assert_eq!(chat.room.responder, Some(Responder { user: person("ana"), first_at: 5, last_at: 30 }));
        assert_eq!((chat.room.waiting_response, chat.room.abandonment_at), (false, None));
    }

    #[test]
    fn a_clock_behind_the_question_answers_in_no_time() {
        let mut chat = Chat::opened(1_000);
        for _ in 0..5 {
            chat.visitor_writes(1_000);
            chat.agent_writes("ana", 1_000);
        }
        let metrics = &chat.room.metrics;
        assert_eq!((metrics.responses, metrics.response_time, metrics.reaction_time), (5, 0, 0));
        assert_eq!(metrics.first, None, "an answer in no time is no first response");
        assert_eq!((metrics.asked_at, metrics.answered_at), (Some(1_009), Some(1_010)), "the times are those of the messages");
        assert_eq!(chat.room.abandonment_at, Some(1_010 + PATIENCE));
        chat.agent_writes("ana", 1_000);
        assert_eq!(chat.room.responder.map(|responder| (responder.first_at, responder.last_at)), Some((1_010, 1_010)));
    }

    #[test]
    fn a_new_agent_reacts_from_the_taking_on() {
        let mut chat = Chat::opened(0);
        chat.visitor_writes(10_000);
        chat.is_taken("ana", 20_000);
        chat.is_taken("ben", 70_000);
        chat.agent_writes("ben", 75_000);
        assert_eq!(chat.room.metrics.first, Some(First { response: 65_000, reaction: 5_000, at: 75_000 }));
        chat.is_taken("eve", 80_000);
        chat.is_closed(Closer::User, 100_000);
        assert_eq!((chat.room.metrics.chat_duration, chat.room.metrics.service_duration), (Some(100_000), Some(20_000)));
        assert_eq!(chat.room.metrics.first, Some(First { response: 65_000, reaction: 5_000, at: 75_000 }), "kept");
    }

    #[test]
    fn an_answer_before_the_taking_reacts_from_the_opening_on() {
        let mut chat = Chat::opened(1_000);
        chat.visitor_writes(3_000);
        chat.agent_writes("ana", 7_000);
        assert_eq!(chat.room.metrics.first, Some(First { response: 4_000, reaction: 6_000, at: 7_000 }));
    }

    #[test]
    fn closing_measures_how_long_the_visitor_was_silent() {
        type Script = fn(&mut Chat);
        let cases: [(&str, Script, Closer, Option<i64>); 7] = [
            ("nobody wrote", |_| {}, Closer::User, None),
            ("the visitor never wrote", |chat| chat.agent_writes("ana", 10_000), Closer::User, None),
            ("the visitor wrote last", |chat| chat.visitor_writes(10_000), Closer::User, None),
            (
                "the first answer counts, in whole seconds",
                |chat| {
                    chat.visitor_writes(10_000);
                    chat.agent_writes("ana", 20_001);
                    chat.agent_writes("ana", 90_000);
                },
                Closer::User,
                Some(79),
            ),
            (
                "the answer to an earlier question does not count",
                |chat| {
                    chat.visitor_writes(10_000);
                    chat.agent_writes("ana", 20_000);
                    chat.visitor_writes(30_000);
                    chat.agent_writes("ana", 50_000);
                },
                Closer::User,
                Some(50),
            ),
            (
                "the answer came with the closing",
                |chat| {
                    chat.visitor_writes(100_000);
                    chat.agent_writes("ana", 100_000);
                },
                Closer::User,
                Some(0),
            ),
            (
                "the visitor closes",
                |chat| {
                    chat.visitor_writes(10_000);
                    chat.agent_writes("ana", 20_000);
                },
                Closer::Visitor,
                None,
            ),
        ];
        for (what, script, closer, expected) in cases {
            let mut chat = Chat::opened(0);
            script(&mut chat);
            let was_waiting = chat.room.waiting_response;
            chat.is_closed(closer, 100_000);
            assert_eq!(chat.room.metrics.visitor_inactivity, expected, "{what}");
            assert_eq!(chat.room.metrics.chat_duration, Some(100_000), "{what}");
            assert_eq!(chat.room.metrics.service_duration, None, "{what}: nobody served it");
            assert_eq!(chat.room.waiting_response, was_waiting, "{what}: closing answers nothing");
        }
    }

    #[test]
    fn the_first_answer_to_a_question_starts_the_wait_for_the_visitor() {
        let mut chat = Chat::opened(0);
        chat.visitor_writes(1_000);
        assert_eq!(chat.room.abandonment_at, None);
        chat.agent_writes("ana", 2_000);
        assert_eq!(chat.room.abandonment_at, Some(2_000 + PATIENCE));
        chat.agent_writes("ana", 3_000);
        assert_eq!(chat.room.abandonment_at, Some(2_000 + PATIENCE), "a further message does not move it");
        chat.visitor_writes(4_000);
        assert_eq!(chat.room.abandonment_at, None);
        for patience in [None, Some(0)] {
            chat.visitor_writes(5_000);
            agent_wrote(&mut chat.room, &person("ana"), 6_000, 6_000, patience);
            assert_eq!(chat.room.abandonment_at, None, "{patience:?}");
        }
    }

    fn months(months: impl IntoIterator<Item = u32>) -> Vec<String> {
        months.into_iter().map(|month| format!("{}-{:02}", 2024 + month / 12, month % 12 + 1)).collect()
    }

    #[test]
    fn twelve_months_are_kept() {
        let mut activity = Vec::new();
        assert!(note_month(&mut activity, "2025-03"));
        assert!(!note_month(&mut activity, "2025-03"), "it is there");
        assert_eq!(activity, ["2025-03"]);
        let mut activity = months(0..12);
        assert!(note_month(&mut activity, "2025-01"));
        assert_eq!(activity, months(1..13));
        assert!(!note_month(&mut activity, "2023-12"), "it is older than those kept");
        assert_eq!(activity, months(1..13));
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        VisitorWrites,
        AgentWrites(&'static str),
        IsTaken(&'static str),
        IsReturned,
    }

    /// Steps, each with the milliseconds that the clock moves before it.
    fn script(moves: std::ops::Range<i64>) -> impl Strategy<Value = Vec<(i64, Step)>> {
        let agent = proptest::sample::select(vec!["ana", "ben"]);
        let step = prop_oneof![
            3 => Just(Step::VisitorWrites),
            3 => agent.clone().prop_map(Step::AgentWrites),
            1 => agent.prop_map(Step::IsTaken),
            1 => Just(Step::IsReturned),
        ];
        proptest::collection::vec((moves, step), 0..30)
    }

    /// Plays a script and calls `look` with the room before and after each step.
    fn play(script: &[(i64, Step)], mut look: impl FnMut(Step, &Room, &Room)) -> (Chat, i64) {
        let mut now = 100_000;
        let mut chat = Chat::opened(now);
        for (moved, step) in script {
            now += moved;
            let before = chat.room.clone();
            match *step {
                Step::VisitorWrites => chat.visitor_writes(now),
                Step::AgentWrites(name) => chat.agent_writes(name, now),
                Step::IsTaken(name) => chat.is_taken(name, now),
                Step::IsReturned => chat.room.served_by = None,
            }
            look(*step, &before, &chat.room);
        }
        (chat, now)
    }

    proptest! {
        #[test]
        fn nothing_is_negative_even_if_the_clock_goes_back(script in script(-2_000..2_000), by_visitor in any::<bool>()) {
            let (mut chat, now) = play(&script, |_, _, _| {});
            chat.is_closed(if by_visitor { Closer::Visitor } else { Closer::User }, now);
            let metrics = &chat.room.metrics;
            let first = metrics.first.map_or([0, 0], |first| [first.response, first.reaction]);
            prop_assert!(first.iter().all(|time| *time >= 0), "{metrics:?}");
            let [response, reaction] = first;
            prop_assert!(metrics.response_time >= response && metrics.reaction_time >= reaction, "it is one of all: {metrics:?}");
            prop_assert!(metrics.visitor_inactivity.is_none_or(|seconds| seconds >= 0));
            let chat_duration = metrics.chat_duration.expect("it is closed");
            prop_assert!(chat_duration >= 0 && metrics.service_duration.is_none_or(|time| (0..=chat_duration).contains(&time)));
            prop_assert_eq!(metrics.service_duration.is_some(), chat.room.served_by.is_some());
            prop_assert!(chat.room.responder.is_none_or(|responder| responder.first_at <= responder.last_at));
        }

        #[test]
        fn what_answers_something_is_counted(script in script(0..2_000)) {
            let (mut expected, mut has_asked, mut was_answered) = (0, false, false);
            let (chat, _) = play(&script, |step, _, _| match step {
                Step::VisitorWrites => has_asked = true,
                // An agent who writes before the visitor answers, too, and does so again and again.
                Step::AgentWrites(_) if has_asked || !was_answered => {
                    expected += 1;
                    was_answered |= has_asked;
                    has_asked = false;
                }
                _ => {}
            });
            prop_assert_eq!(chat.room.metrics.responses, expected);
            prop_assert_eq!(chat.room.metrics.answered_at.is_some(), was_answered);
        }

        #[test]
        fn the_first_answer_stays_the_first(script in script(-500..2_000)) {
            play(&script, |_, before, after| {
                if before.metrics.answered_at.is_some() {
                    assert_eq!(after.metrics.first, before.metrics.first);
                }
            });
        }

        #[test]
        fn a_visitor_waits_or_somebody_answered(script in script(0..2_000)) {
            play(&script, |step, _, after| {
                assert_eq!(after.waiting_response, after.responder.is_none());
                match step {
                    Step::VisitorWrites => assert!(after.waiting_response && after.abandonment_at.is_none()),
                    Step::AgentWrites(_) => assert!(!after.waiting_response && after.abandonment_at.is_some()),
                    Step::IsTaken(_) | Step::IsReturned => {}
                }
            });
        }

        #[test]
        fn the_newest_months_are_kept(noted in proptest::collection::vec(0..40_u32, 0..60)) {
            let mut activity = Vec::new();
            let mut all = std::collections::BTreeSet::new();
            for month in months(noted) {
                let before = activity.clone();
                let has_changed = note_month(&mut activity, &month);
                all.insert(month);
                prop_assert_eq!(has_changed, activity != before);
                let newest: Vec<String> = all.iter().skip(all.len().saturating_sub(MONTHS)).cloned().collect();
                prop_assert_eq!(&activity, &newest);
            }
        }
    }
}
