//! Omnichannel rooms, with their places in the queue.

use usher_domain::inquiry::{DefaultAgent, Inquiry, InquiryStatus};
use usher_domain::metrics::{First, Metrics};
use usher_domain::room::{Closer, Closing, Person, Responder, Room, ServedBy, Source, SourceKind};
use usher_domain::visitor::VisitorToken;

use super::{statement, statements};
use crate::{Columns, Row, StoreError, Tx, values};

/// A room with all that is shown of it. Tags are apart by U+001E; fields too, with U+001F between a field and its value.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT id, visitor_id, visitor_username, visitor_status, contact_id, name, department_id, source_type,
                    source_destination, is_open, on_hold, agent_id, agent_username, agent_since, waiting_response, responder_id,
                    responder_username, responded_first_at, responded_last_at, message_count, users_count, seq, opened_at,
                    last_message_id, last_message_at, last_ts, queued_at, visitor_last_message_at, visitor_activity, topic, survey,
                    closed_at, closer, closed_by_id, closed_by_username, abandonment_at, transcript_request, pdf_file_id,
                    inquiry_id, inquiry_status, inquiry_message, default_agent_id, default_agent_username, inquiry_queued_at,
                    inquiry_taken_at, inquiry_updated_at, visitor_waiting_since, agent_answered_at, response_count, response_sum,
                    first_response, first_reaction, first_response_at, reaction_sum, chat_duration, service_duration,
                    visitor_inactivity, updated_at,
                    (SELECT string_agg(tag, '\u{1e}' ORDER BY position) FROM room_tags WHERE room_tags.room_id = rooms.id),
                    (SELECT string_agg(field || '\u{1f}' || value, '\u{1e}' ORDER BY field) FROM room_fields
                     WHERE room_fields.room_id = rooms.id)
             FROM rooms ",
            $condition
        )
    };
}
pub(super) use select;

statements! {
    BY_ID = select!("WHERE NOT erasing AND id = ?1");
    OPEN_OF_AGENT = "SELECT id FROM rooms WHERE agent_id = ?1 AND is_open";
    BY_INQUIRY = select!("WHERE NOT erasing AND inquiry_id = ?1");
    FIRST_OPEN = select!("WHERE NOT erasing AND visitor_id = ?1 AND is_open ORDER BY opened_at, id LIMIT 1");
    OPEN = select!("WHERE NOT erasing AND visitor_id = ?1 AND is_open");
    LATEST_SERVED = select!(
        "WHERE NOT erasing AND visitor_id = ?1 AND NOT is_open AND agent_id IS NOT NULL ORDER BY closed_at DESC, id DESC LIMIT 1"
    );
    HAS_OPEN = "SELECT 1 FROM rooms WHERE visitor_id = ?1 AND is_open LIMIT 1";
    INSERT = "INSERT INTO rooms (id, visitor_id, visitor_username, visitor_status, contact_id, name, name_key, department_id,
                                 source_type, source_destination, is_open, erasing, waiting_response, message_count, users_count,
                                 seq, opened_at, last_message_at, last_ts, queued_at, visitor_activity, updated_at)
              VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, TRUE, FALSE, TRUE, 0, 1, 0, ?11, ?11, ?11, ?11, ?12, ?11)";
    SAVE = "UPDATE rooms SET name = ?2, name_key = ?3, visitor_status = ?4, department_id = ?5, is_open = ?6, on_hold = ?7,
                   agent_id = ?8, agent_username = ?9, agent_since = ?10, queued_at = ?11, topic = ?12, survey = ?13,
                   closed_at = ?14, closer = ?15, closed_by_id = ?16, closed_by_username = ?17, transcript_request = ?18,
                   inquiry_id = ?19, inquiry_status = ?20, inquiry_message = ?21, default_agent_id = ?22,
                   default_agent_username = ?23, inquiry_queued_at = ?24, inquiry_taken_at = ?25, inquiry_updated_at = ?26,
                   chat_duration = ?27, service_duration = ?28, visitor_inactivity = ?29, users_count = ?30
            WHERE id = ?1";
    SAVE_POSTED = "UPDATE rooms SET seq = ?2, message_count = ?3, last_message_id = ?4, last_message_at = ?5, last_ts = ?6,
                          waiting_response = ?7, responder_id = ?8, responder_username = ?9, responded_first_at = ?10,
                          responded_last_at = ?11, visitor_last_message_at = ?12, visitor_activity = ?13, abandonment_at = ?14,
                          visitor_waiting_since = ?15, agent_answered_at = ?16, response_count = ?17, response_sum = ?18,
                          first_response = ?19, first_reaction = ?20, first_response_at = ?21, reaction_sum = ?22, updated_at = ?23
                   WHERE id = ?1";
    FOR_POSTING = "SELECT visitor.id, visitor.username, visitor.name, room.is_open, room.last_ts, room.seq, channel.blocked,
                          room.users_count, room.inquiry_status
                   FROM visitors AS visitor
                   JOIN rooms AS room ON room.id = ?2 AND room.visitor_id = visitor.id AND NOT room.erasing
                   LEFT JOIN contact_channels AS channel
                   ON channel.visitor_id = visitor.id AND channel.source_type = room.source_type
                   WHERE visitor.token = ?1";
    ADD_VISITOR_MESSAGE = "UPDATE rooms SET seq = ?2, message_count = message_count + 1, last_message_id = ?3, last_message_at = ?4,
                                  last_ts = ?4, updated_at = ?5, visitor_last_message_at = ?4, waiting_response = TRUE,
                                  responder_id = CASE WHEN waiting_response THEN responder_id END,
                                  abandonment_at = NULL,
                                  visitor_waiting_since = CASE WHEN COALESCE(agent_answered_at, opened_at)
                                                                    >= COALESCE(visitor_waiting_since, opened_at)
                                                               THEN ?4 ELSE visitor_waiting_since END
                           WHERE id = ?1";
    HIDE = "UPDATE rooms SET erasing = TRUE, is_open = FALSE WHERE visitor_id = ?1";
    OF_VISITOR = "SELECT id, seq, inquiry_id FROM rooms WHERE visitor_id = ?1";
    ADD_TAG = "INSERT INTO room_tags (room_id, tag, position) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    DELETE_TAGS = "DELETE FROM room_tags WHERE room_id = ?1";
    DELETE_TAGS_OF_VISITOR = "DELETE FROM room_tags WHERE room_id IN (SELECT id FROM rooms WHERE visitor_id = ?1)";
    DELETE_OF_VISITOR = "DELETE FROM rooms WHERE visitor_id = ?1";
}

/// What posting a message has to know of the room and its visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForPosting {
    /// The visitor.
    pub visitor_id: String,
    /// The visitor's user name.
    pub visitor_username: String,
    /// The visitor's display name.
    pub visitor_name: Option<String>,
    /// Whether the room is open.
    pub is_open: bool,
    /// The time of the room's latest message.
    pub last_ts: i64,
    /// The number of the room's latest change.
    pub seq: i64,
    /// Whether the contact blocked this channel.
    pub is_blocked: bool,
    /// Whether users are in the room.
    pub has_members: bool,
    /// How far its place in the queue is.
    pub inquiry: Option<InquiryStatus>,
}

/// A visitor's message on its way into a room's record.
#[derive(Debug, Clone, Copy)]
pub struct Posted<'a> {
    /// The room.
    pub room_id: &'a str,
    /// The number of the change.
    pub seq: i64,
    /// The message.
    pub message_id: &'a str,
    /// The message's time.
    pub ts: i64,
    /// The time of the change.
    pub now: i64,
}

/// The room with this id.
pub fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Room>, StoreError> {
    tx.query_optional(BY_ID, values![id], read)
}

/// The rooms with these ids, in no order.
pub fn by_ids(tx: &mut Tx<'_>, ids: &[&str]) -> Result<Vec<Room>, StoreError> {
    statement::by_ids(tx, select!("WHERE NOT erasing AND"), ids, read)
}

/// The open room with this inquiry.
pub fn by_inquiry(tx: &mut Tx<'_>, inquiry_id: &str) -> Result<Option<Room>, StoreError> {
    tx.query_optional(BY_INQUIRY, values![inquiry_id], read)
}

/// The numbers of the latest changes of those of these rooms that there are, in no order.
pub fn seqs(tx: &mut Tx<'_>, ids: &[&str]) -> Result<Vec<(String, i64)>, StoreError> {
    statement::by_ids(tx, "SELECT id, seq FROM rooms WHERE NOT erasing AND", ids, |row| Ok((row.text(0)?, row.integer(1)?)))
}

/// The ids of the open rooms that a user serves.
pub fn open_of_agent(tx: &mut Tx<'_>, user_id: &str) -> Result<Vec<String>, StoreError> {
    tx.query(OPEN_OF_AGENT, values![user_id], |row| row.text(0))
}

/// The visitor's open room, the oldest if there are several.
pub fn first_open(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Option<Room>, StoreError> {
    tx.query_optional(FIRST_OPEN, values![visitor_id], read)
}

/// All open rooms of the visitor: at most one for each source.
pub fn open(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Vec<Room>, StoreError> {
    tx.query(OPEN, values![visitor_id], read)
}

/// The visitor's room that was closed last of those that somebody served.
pub fn latest_served(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Option<Room>, StoreError> {
    tx.query_optional(LATEST_SERVED, values![visitor_id], read)
}

/// Whether the visitor has an open room.
pub fn has_open(tx: &mut Tx<'_>, visitor_id: &str) -> Result<bool, StoreError> {
    Ok(tx.query_optional(HAS_OPEN, values![visitor_id], |_| Ok(()))?.is_some())
}

/// Adds an open room with what it begins with; [`save`] stores the rest.
pub fn insert(tx: &mut Tx<'_>, room: &Room) -> Result<(), StoreError> {
    tx.execute_one(
        INSERT,
        values![
            &room.id,
            &room.visitor_id,
            &room.visitor_username,
            &room.visitor_status,
            &room.contact_id,
            &room.name,
            &room.name.to_lowercase(),
            &room.department_id,
            room.source.kind.name(),
            &room.source.destination,
            room.opened_at,
            &room.visitor_activity.join(","),
        ],
    )
}

/// Stores all of a room that may change, but its tags and fields.
pub fn save(tx: &mut Tx<'_>, room: &Room) -> Result<(), StoreError> {
    let served_by = room.served_by.as_ref();
    let closing = room.closing.as_ref();
    let inquiry = room.inquiry.as_ref();
    let default_agent = inquiry.and_then(|inquiry| inquiry.default_agent.as_ref());
    let request = room.transcript_request.as_ref().and_then(|request| serde_json::to_string(request).ok());
    tx.execute_one(
        SAVE,
        values![
            &room.id,
            &room.name,
            &room.name.to_lowercase(),
            &room.visitor_status,
            &room.department_id,
            room.is_open,
            room.on_hold,
            served_by.map(|served| served.agent.id.as_str()),
            served_by.map(|served| served.agent.username.as_str()),
            served_by.map(|served| served.since),
            room.queued_at,
            &room.topic,
            &room.survey,
            closing.map(|closing| closing.at),
            closing.map(|closing| closing.closer.name()),
            closing.map(|closing| closing.by.id.as_str()),
            closing.map(|closing| closing.by.username.as_str()),
            &request,
            inquiry.map(|inquiry| inquiry.id.as_str()),
            inquiry.map(|inquiry| inquiry.status.name()),
            inquiry.map_or("", |inquiry| inquiry.message.as_str()),
            default_agent.map(|agent| agent.id.as_str()),
            default_agent.and_then(|agent| agent.username.as_deref()),
            inquiry.and_then(|inquiry| inquiry.queued_at),
            inquiry.and_then(|inquiry| inquiry.taken_at),
            inquiry.map(|inquiry| inquiry.updated_at),
            room.metrics.chat_duration,
            room.metrics.service_duration,
            room.metrics.visitor_inactivity,
            room.users_count,
        ],
    )?;
    save_posted(tx, room)
}

/// Stores what messages change of a room: no index holds any of it.
pub fn save_posted(tx: &mut Tx<'_>, room: &Room) -> Result<(), StoreError> {
    let (responder, metrics) = (room.responder.as_ref(), &room.metrics);
    tx.execute_one(
        SAVE_POSTED,
        values![
            &room.id,
            room.seq,
            room.message_count,
            &room.last_message_id,
            room.last_message_at,
            room.last_ts,
            room.waiting_response,
            responder.map(|responder| responder.user.id.as_str()),
            responder.map(|responder| responder.user.username.as_str()),
            responder.map(|responder| responder.first_at),
            responder.map(|responder| responder.last_at),
            room.visitor_last_message_at,
            &room.visitor_activity.join(","),
            room.abandonment_at,
            metrics.asked_at,
            metrics.answered_at,
            metrics.responses,
            metrics.response_time,
            metrics.first.map(|first| first.response),
            metrics.first.map(|first| first.reaction),
            metrics.first.map(|first| first.at),
            metrics.reaction_time,
            room.updated_at,
        ],
    )
}

/// Stores a room's tags in place of those it had.
pub fn set_tags(tx: &mut Tx<'_>, room_id: &str, tags: &[String]) -> Result<(), StoreError> {
    tx.execute(DELETE_TAGS, values![room_id])?;
    for (position, tag) in (0_i64..).zip(tags) {
        tx.execute(ADD_TAG, values![room_id, tag, position])?;
    }
    Ok(())
}

/// The room and visitor for a message by the holder of `token`; `None` unless the room is that visitor's.
pub fn for_posting(tx: &mut Tx<'_>, token: &VisitorToken, room_id: &str) -> Result<Option<ForPosting>, StoreError> {
    tx.query_optional(FOR_POSTING, values![token.as_str(), room_id], |row| {
        Ok(ForPosting {
            visitor_id: row.text(0)?,
            visitor_username: row.text(1)?,
            visitor_name: row.optional_text(2)?,
            is_open: row.boolean(3)?,
            last_ts: row.integer(4)?,
            seq: row.integer(5)?,
            is_blocked: row.optional_boolean(6)?.unwrap_or(false),
            has_members: row.integer(7)? > 1,
            inquiry: row.optional_text(8)?.as_deref().and_then(InquiryStatus::from_name),
        })
    })
}

/// Notes a visitor's message in the room's record, as [`usher_domain::metrics::visitor_wrote`] says.
pub fn add_visitor_message(tx: &mut Tx<'_>, posted: Posted<'_>) -> Result<(), StoreError> {
    tx.execute_one(ADD_VISITOR_MESSAGE, values![posted.room_id, posted.seq, posted.message_id, posted.ts, posted.now])
}

/// Hides all rooms of a visitor whose erasure begins, and deletes their tags, by which rooms are counted. Gives how many tags that were.
pub fn hide(tx: &mut Tx<'_>, visitor_id: &str) -> Result<u64, StoreError> {
    tx.execute(HIDE, values![visitor_id])?;
    tx.execute(DELETE_TAGS_OF_VISITOR, values![visitor_id])
}

/// The ids of a visitor's rooms, hidden ones included, with their `seq` and the ids of their inquiries.
pub fn of_visitor(tx: &mut Tx<'_>, visitor_id: &str) -> Result<Vec<(String, i64, Option<String>)>, StoreError> {
    tx.query(OF_VISITOR, values![visitor_id], |row| Ok((row.text(0)?, row.integer(1)?, row.optional_text(2)?)))
}

/// Deletes a visitor's rooms. Gives how many.
pub fn delete_of_visitor(tx: &mut Tx<'_>, visitor_id: &str) -> Result<u64, StoreError> {
    tx.execute(DELETE_OF_VISITOR, values![visitor_id])
}

/// Reads what [`select`] selects.
pub(super) fn read(row: &Row<'_>) -> Result<Room, StoreError> {
    let mut columns = Columns::from(row, 0);
    Ok(Room {
        id: columns.text()?,
        visitor_id: columns.text()?,
        visitor_username: columns.text()?,
        visitor_status: columns.text()?,
        contact_id: columns.text()?,
        name: columns.text()?,
        department_id: columns.optional_text()?,
        source: Source { kind: columns.named(SourceKind::from_name)?, destination: columns.optional_text()? },
        is_open: columns.boolean()?,
        on_hold: columns.boolean()?,
        served_by: served_by(&mut columns)?,
        waiting_response: columns.boolean()?,
        responder: responder(&mut columns)?,
        message_count: columns.integer()?,
        users_count: columns.integer()?,
        seq: columns.integer()?,
        opened_at: columns.integer()?,
        last_message_id: columns.optional_text()?,
        last_message_at: columns.integer()?,
        last_ts: columns.integer()?,
        queued_at: columns.integer()?,
        visitor_last_message_at: columns.optional_integer()?,
        visitor_activity: months(&columns.text()?),
        topic: columns.optional_text()?,
        survey: columns.optional_text()?,
        closing: closing(&mut columns)?,
        abandonment_at: columns.optional_integer()?,
        transcript_request: columns.optional_named(|text| serde_json::from_str(text).ok())?,
        pdf_file_id: columns.optional_text()?,
        inquiry: inquiry(&mut columns)?,
        metrics: metrics(&mut columns)?,
        updated_at: columns.integer()?,
        tags: columns.optional_text()?.map(|tags| tags.split('\u{1e}').map(str::to_owned).collect()).unwrap_or_default(),
        fields: columns.optional_text()?.as_deref().map(pairs).unwrap_or_default(),
    })
}

fn person(columns: &mut Columns<'_, '_>) -> Result<Option<Person>, StoreError> {
    let (id, username) = (columns.optional_text()?, columns.optional_text()?);
    Ok(id.map(|id| Person { id, username: username.unwrap_or_default() }))
}

fn served_by(columns: &mut Columns<'_, '_>) -> Result<Option<ServedBy>, StoreError> {
    let (agent, since) = (person(columns)?, columns.optional_integer()?);
    Ok(agent.map(|agent| ServedBy { agent, since: since.unwrap_or_default() }))
}

fn responder(columns: &mut Columns<'_, '_>) -> Result<Option<Responder>, StoreError> {
    let (user, first_at, last_at) = (person(columns)?, columns.optional_integer()?, columns.optional_integer()?);
    let times = first_at.zip(last_at);
    Ok(user.zip(times).map(|(user, (first_at, last_at))| Responder { user, first_at, last_at }))
}

fn closing(columns: &mut Columns<'_, '_>) -> Result<Option<Closing>, StoreError> {
    let (at, closer, by) = (columns.optional_integer()?, columns.optional_named(Closer::from_name)?, person(columns)?);
    Ok(at.zip(closer).zip(by).map(|((at, closer), by)| Closing { at, closer, by }))
}

fn inquiry(columns: &mut Columns<'_, '_>) -> Result<Option<Inquiry>, StoreError> {
    let (id, status) = (columns.optional_text()?, columns.optional_named(InquiryStatus::from_name)?);
    let message = columns.text()?;
    let (agent_id, agent_username) = (columns.optional_text()?, columns.optional_text()?);
    let (queued_at, taken_at) = (columns.optional_integer()?, columns.optional_integer()?);
    let updated_at = columns.optional_integer()?.unwrap_or_default();
    let default_agent = agent_id.map(|id| DefaultAgent { id, username: agent_username });
    Ok(id.zip(status).map(|(id, status)| Inquiry { id, status, message, default_agent, queued_at, taken_at, updated_at }))
}

fn metrics(columns: &mut Columns<'_, '_>) -> Result<Metrics, StoreError> {
    let (asked_at, answered_at) = (columns.optional_integer()?, columns.optional_integer()?);
    let (responses, response_time) = (columns.integer()?, columns.integer()?);
    let (response, reaction, at) = (columns.optional_integer()?, columns.optional_integer()?, columns.optional_integer()?);
    let first = response.zip(reaction).zip(at).map(|((response, reaction), at)| First { response, reaction, at });
    Ok(Metrics {
        asked_at,
        answered_at,
        responses,
        response_time,
        first,
        reaction_time: columns.integer()?,
        chat_duration: columns.optional_integer()?,
        service_duration: columns.optional_integer()?,
        visitor_inactivity: columns.optional_integer()?,
    })
}

/// Pairs as stored: apart by U+001E, with U+001F between the two of a pair.
pub(super) fn pairs(stored: &str) -> Vec<(String, String)> {
    let pairs = stored.split('\u{1e}').filter_map(|pair| pair.split_once('\u{1f}'));
    pairs.map(|(first, second)| (first.to_owned(), second.to_owned())).collect()
}

/// The months of an activity as stored.
pub(super) fn months(stored: &str) -> Vec<String> {
    stored.split(',').filter(|month| !month.is_empty()).map(str::to_owned).collect()
}
