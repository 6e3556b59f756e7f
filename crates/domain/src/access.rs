//! Access: who may read a room, and who may list rooms.
//!
//! This is about people who log in. A visitor reads the open room that bears its token, which is checked where the token is.

use crate::inquiry::InquiryStatus;
use crate::permission::{
    Permission, VIEW_L_ROOM, VIEW_LIVECHAT_ROOM_CLOSED_BY_ANOTHER_AGENT, VIEW_LIVECHAT_ROOM_CLOSED_SAME_DEPARTMENT,
    VIEW_LIVECHAT_ROOMS,
};
use crate::room::Room;
use crate::user::SYSTEM_USER;

/// A user who wants to read a room.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The user's id.
    pub user_id: &'a str,
    /// Whether the user has a permission.
    pub holds: &'a dyn Fn(Permission) -> bool,
    /// Whether the user has the role of a manager.
    pub is_manager: bool,
    /// The ids of the departments whose agent the user is, as far as they are in service.
    pub departments: &'a [String],
    /// The ids of all departments whose agent the user is.
    pub all_departments: &'a [String],
}

/// Whether the user may read the room. `previews` says whether agents may look into waiting chats
/// ([`RoutingConfig::preview_room`](crate::routing::RoutingConfig::preview_room)).
pub fn may_read(room: &Room, reader: &Reader<'_>, previews: bool) -> bool {
    reader.user_id == SYSTEM_USER
        || room.is_served_by(reader.user_id)
        || (reader.holds)(VIEW_LIVECHAT_ROOMS)
        || !room.is_open && may_read_closed(room, reader)
        || previews && may_preview(room, reader)
}

fn may_read_closed(room: &Room, reader: &Reader<'_>) -> bool {
    let was_of_own_department = room.department_id.as_ref().is_some_and(|id| reader.all_departments.contains(id));
    (reader.holds)(VIEW_LIVECHAT_ROOM_CLOSED_BY_ANOTHER_AGENT)
        || was_of_own_department && (reader.holds)(VIEW_LIVECHAT_ROOM_CLOSED_SAME_DEPARTMENT)
}

/// Whether the user may look into the room because it waits. An agent without any department looks into every waiting room. That
/// must not open them to users who are no agents, so whoever looks has to be allowed to see the queue.
fn may_preview(room: &Room, reader: &Reader<'_>) -> bool {
    let Some(inquiry) = room.inquiry.as_ref().filter(|inquiry| inquiry.status == InquiryStatus::Queued) else { return false };
    let is_reserved = inquiry.default_agent.as_ref().is_some_and(|agent| agent.id == reader.user_id);
    let is_in_own_queue = room.department_id.as_ref().is_none_or(|id| reader.departments.contains(id));
    (reader.holds)(VIEW_L_ROOM) && (is_reserved || is_in_own_queue || reader.is_manager || reader.all_departments.is_empty())
}

/// Whether the user may list rooms: those of all agents, or only the user's own.
pub fn may_list(holds: &dyn Fn(Permission) -> bool, user_id: &str, agents: Option<&[String]>) -> bool {
    let asks_for_own = agents.is_some_and(|agents| matches!(agents, [agent] if agent == user_id));
    holds(VIEW_LIVECHAT_ROOMS) || asks_for_own && holds(VIEW_L_ROOM)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examples::{room, served_by};
    use crate::inquiry::DefaultAgent;

    /// What a case changes of a reader without any right, and of a room that waits in the department `sales`.
    #[derive(Clone, Copy)]
    struct Case {
        user_id: &'static str,
        holds: &'static [Permission],
        is_manager: bool,
        departments: &'static [&'static str],
        disabled_departments: &'static [&'static str],
        room: Option<fn(&mut Room)>,
        previews: bool,
    }

    const NOBODY: Case = Case {
        user_id: "",
        holds: &[],
        is_manager: false,
        departments: &[],
        disabled_departments: &[],
        room: None,
        previews: false,
    };

    fn texts<'a>(texts: impl IntoIterator<Item = &'a &'static str>) -> Vec<String> {
        texts.into_iter().map(|text| (*text).to_owned()).collect()
    }

    fn is_let_in(case: Case) -> bool {
        let mut room = room(0);
        room.department_id = Some("sales".to_owned());
        if let Some(change) = case.room {
            change(&mut room);
        }
        let reader = Reader {
            user_id: if case.user_id.is_empty() { "reader" } else { case.user_id },
            holds: &|permission| case.holds.contains(&permission),
            is_manager: case.is_manager,
            departments: &texts(case.departments),
            all_departments: &texts(case.departments.iter().chain(case.disabled_departments)),
        };
        may_read(&room, &reader, case.previews)
    }

    fn close(room: &mut Room) {
        room.is_open = false;
        room.inquiry = None;
        room.served_by = Some(served_by("other", 1));
    }

    fn reserve(room: &mut Room, agent: &str) {
        let inquiry = room.inquiry.as_mut().expect("the room waits");
        inquiry.default_agent = Some(DefaultAgent { id: agent.to_owned(), username: None });
    }

    fn check(cases: &[(&str, bool, Case)]) {
        for (what, expected, case) in cases {
            assert_eq!(is_let_in(*case), *expected, "{what}");
        }
    }

    #[test]
    fn some_see_all_rooms() {
        const VIEWER: Case = Case { holds: &[VIEW_LIVECHAT_ROOMS], ..NOBODY };
        check(&[
            ("nobody in particular", false, NOBODY),
            ("an agent in no way concerned", false, Case { holds: &[VIEW_L_ROOM], departments: &["support"], ..NOBODY }),
            ("who may see all rooms sees an open one", true, VIEWER),
            ("and a closed one", true, Case { room: Some(close), ..VIEWER }),
            ("the server itself", true, Case { user_id: SYSTEM_USER, ..NOBODY }),
            ("a user called nearly so", false, Case { user_id: "rocket.cat2", ..NOBODY }),
            ("a manager whose permission was taken away", false, Case { is_manager: true, ..NOBODY }),
        ]);
    }

    #[test]
    fn agents_read_the_rooms_they_serve() {
        let served_by_reader: fn(&mut Room) = |room| room.served_by = Some(served_by("reader", 1));
        let served_by_other: fn(&mut Room) = |room| room.served_by = Some(served_by("other", 1));
        let closed_by_reader: fn(&mut Room) = |room| {
            close(room);
            room.served_by = Some(served_by("reader", 1));
        };
        check(&[
            ("one's own", true, Case { room: Some(served_by_reader), ..NOBODY }),
            ("one's own, closed", true, Case { room: Some(closed_by_reader), ..NOBODY }),
            ("another agent's", false, Case { room: Some(served_by_other), ..NOBODY }),
        ]);
    }

    #[test]
    fn closed_rooms_of_others_need_a_permission() {
        const OF_OTHERS: Case = Case { holds: &[VIEW_LIVECHAT_ROOM_CLOSED_BY_ANOTHER_AGENT], ..NOBODY };
        const OF_DEPARTMENT: Case =
            Case { holds: &[VIEW_LIVECHAT_ROOM_CLOSED_SAME_DEPARTMENT], departments: &["support", "sales"], ..NOBODY };
        let without_department: fn(&mut Room) = |room| {
            close(room);
            room.department_id = None;
        };
        check(&[
            ("closed, without any permission", false, Case { room: Some(close), ..NOBODY }),
            ("closed, of any department", true, Case { room: Some(close), ..OF_OTHERS }),
            ("open, of any department", false, OF_OTHERS),
            ("closed, of one's own department", true, Case { room: Some(close), ..OF_DEPARTMENT }),
            ("open, of one's own department", false, OF_DEPARTMENT),
            ("closed, of another department", false, Case { room: Some(close), departments: &["support"], ..OF_DEPARTMENT }),
            ("closed, without a department", false, Case { room: Some(without_department), ..OF_DEPARTMENT }),
            (
                "closed, of one's own, without the permission",
                false,
                Case { room: Some(close), holds: &[VIEW_L_ROOM], ..OF_DEPARTMENT },
            ),
            (
                "closed, of a department that was one's own and is out of service",
                true,
                Case { room: Some(close), departments: &[], disabled_departments: &["sales"], ..OF_DEPARTMENT },
            ),
        ]);
    }

    #[test]
    fn waiting_rooms_can_be_looked_into() {
        const AGENT: Case = Case { holds: &[VIEW_L_ROOM], departments: &["support"], previews: true, ..NOBODY };
        const SELLER: Case = Case { departments: &["sales"], ..AGENT };
        let for_reader: fn(&mut Room) = |room| reserve(room, "reader");
        let for_other: fn(&mut Room) = |room| reserve(room, "other");
        let public: fn(&mut Room) = |room| room.department_id = None;
        let taken: fn(&mut Room) = |room| {
            room.served_by = Some(served_by("other", 1));
            room.inquiry.as_mut().expect("the room waits").take(1);
        };
        let ready: fn(&mut Room) = |room| room.inquiry.as_mut().expect("the room waits").status = InquiryStatus::Ready;
        check(&[
            ("of one's own department", true, SELLER),
            ("where agents do not help themselves", false, Case { previews: false, ..SELLER }),
            ("who may not see the queue", false, Case { holds: &[], ..SELLER }),
            ("taken meanwhile", false, Case { room: Some(taken), ..SELLER }),
            ("about to be given", false, Case { room: Some(ready), ..SELLER }),
            ("closed", false, Case { room: Some(close), ..SELLER }),
            ("of another department", false, AGENT),
            ("of a department out of service", false, Case { departments: &[], disabled_departments: &["sales"], ..AGENT }),
            ("of another department, reserved for oneself", true, Case { room: Some(for_reader), ..AGENT }),
            ("of another department, reserved for another", false, Case { room: Some(for_other), ..AGENT }),
            ("without a department", true, Case { room: Some(public), ..AGENT }),
            ("without a department, by one who is no agent", false, Case { room: Some(public), holds: &[], ..AGENT }),
            ("by a manager", true, Case { is_manager: true, ..AGENT }),
            ("by an agent without any department", true, Case { departments: &[], ..AGENT }),
            ("by one without any department who is no agent", false, Case { departments: &[], holds: &[], ..AGENT }),
        ]);
    }

    #[test]
    fn who_may_not_list_all_rooms_asks_for_the_own_ones() {
        let own = texts(&["reader"]);
        let of_two = texts(&["reader", "other"]);
        let of_other = texts(&["other"]);
        for (holds, agents, expected) in [
            (&[VIEW_LIVECHAT_ROOMS] as &[Permission], None, true),
            (&[VIEW_LIVECHAT_ROOMS], Some(&of_other), true),
            (&[VIEW_L_ROOM], None, false),
            (&[VIEW_L_ROOM], Some(&own), true),
            (&[VIEW_L_ROOM], Some(&of_other), false),
            (&[VIEW_L_ROOM], Some(&of_two), false),
            (&[VIEW_L_ROOM], Some(&Vec::new()), false),
            (&[], Some(&own), false),
            (&[], None, false),
        ] {
            let may = may_list(&|permission| holds.contains(&permission), "reader", agents.map(Vec::as_slice));
            assert_eq!(may, expected, "{holds:?} {agents:?}");
        }
    }
}
