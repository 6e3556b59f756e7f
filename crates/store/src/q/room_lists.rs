//! Lists of rooms, narrowed and sorted in many ways, and who serves how many.
//!
//! A list is narrowed and sorted over indexes that hold all that it looks at, and gives ids; the rooms of one page are read by them.
//! Open rooms need not be asked whether they are being erased: erasing closes.

use usher_domain::room::{Room, SourceKind};

use super::statement::{Statement, containing, containing_ascii};
use super::{rooms, statements};
use crate::{Row, StoreError, Tx, Value, values};

statements! {
    HAS_SOURCE = "SELECT 1 FROM rooms WHERE source_type = ?1 AND NOT erasing LIMIT 1";
}

/// In which state rooms are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum State {
    /// In any.
    #[default]
    Any,
    /// In the queue.
    Queued,
    /// In the hands of an agent, and not on hold.
    Served,
    /// On hold.
    OnHold,
    /// Closed.
    Closed,
}

/// What a room's name has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// This, to the letter.
    Exactly(String),
    /// This is part of it, in either case.
    Containing(String),
}

/// The times between which something has to be, both included (milliseconds UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Not before this.
    pub start: Option<i64>,
    /// Not after this.
    pub end: Option<i64>,
}

/// Which rooms are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// In which state.
    pub state: State,
    /// Served by one of these agents; none for all.
    pub agents: Vec<String>,
    /// What they are called.
    pub name: Option<Name>,
    /// Of one of these departments; none for all.
    pub departments: Vec<String>,
    /// When they were opened.
    pub opened: Span,
    /// When they were closed.
    pub closed: Span,
    /// They have one of these tags; none for all.
    pub tags: Vec<String>,
    /// The values of these custom fields contain these texts, in either case of ASCII letters.
    pub fields: Vec<(String, String)>,
}

/// The order of a list of rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By the time of opening.
    OpenedAt,
    /// By the time of closing; those that are open come first.
    ClosedAt,
    /// By the time of the latest message.
    LastMessageAt,
    /// By name.
    Name,
    /// Closed ones first.
    Open,
}

/// Which part of a list is wanted, in which order.
pub type Page = super::Page<Order>;

/// A page of the rooms that are wanted, and how many there are.
pub fn list(tx: &mut Tx<'_>, wanted: &Wanted, page: &Page) -> Result<(Vec<Room>, i64), StoreError> {
    let patterns = Patterns::of(wanted);
    let counting = counting(wanted, &patterns);
    let total = tx.query_one(counting.sql(), counting.values(), |row| row.integer(0))?;
    if page.offset >= total {
        return Ok((Vec::new(), total));
    }
    let listing = listing(wanted, &patterns, page, total);
    Ok((tx.query(listing.sql(), listing.values(), rooms::read)?, total))
}

/// Whether there is a room that comes from there.
pub fn has_source(tx: &mut Tx<'_>, kind: SourceKind) -> Result<bool, StoreError> {
    Ok(tx.query_optional(HAS_SOURCE, values![kind.name()], |_| Ok(()))?.is_some())
}

/// The patterns that texts are compared with.
struct Patterns {
    name: Option<String>,
    fields: Vec<String>,
}

impl Patterns {
    fn of(wanted: &Wanted) -> Patterns {
        let name = wanted.name.as_ref().map(|name| match name {
            Name::Exactly(text) => text.to_lowercase(),
            Name::Containing(text) => containing(text),
        });
        Patterns { name, fields: wanted.fields.iter().map(|(_, text)| containing_ascii(text)).collect() }
    }
}

fn counting<'a>(wanted: &'a Wanted, patterns: &'a Patterns) -> Statement<'a> {
    // Rooms that are being erased have neither tags nor values any more, so where nothing else narrows the list these alone are counted.
    if !wanted.tags.is_empty() && *wanted == (Wanted { tags: wanted.tags.clone(), ..Wanted::default() }) {
        let mut statement = Statement::new("SELECT COUNT(DISTINCT room_id) FROM room_tags WHERE");
        statement.add_list("tag IN (?)", wanted.tags.iter().map(Value::from));
        return statement;
    }
    if let ([(field, _)], [pattern]) = (&wanted.fields[..], &patterns.fields[..])
        && *wanted == (Wanted { fields: wanted.fields.clone(), ..Wanted::default() })
    {
        let mut statement = Statement::new("SELECT COUNT(*) FROM room_fields WHERE");
        statement.add(r"field = ? AND lower(value) LIKE ? ESCAPE '\'", &[field.into(), pattern.into()]);
        return statement;
    }
    let mut statement = Statement::new("SELECT COUNT(*) FROM rooms WHERE");
    narrow(&mut statement, wanted, patterns, None, true);
    statement
}

/// Up to how many rooms with a tag or a value are looked up and sorted. Of more it is likely that those of one page are met soon on the
/// way through the index of the order.
const FEW_MARKED: i64 = 2_000;

/// Up to how many rooms that were closed within some time are sorted by something else.
const FEW_CLOSED: i64 = 20_000;

/// A page of a list that has `total` rooms.
fn listing<'a>(wanted: &'a Wanted, patterns: &'a Patterns, page: &Page, total: i64) -> Statement<'a> {
    let mut statement = Statement::new(rooms::select!("WHERE id IN (SELECT id FROM rooms WHERE"));
    let order = possible(page.order, wanted.state);
    let sorts_what_closed = wanted.closed != Span::default() && order == Order::OpenedAt && total <= FEW_CLOSED;
    let followed = if sorts_what_closed { Order::ClosedAt } else { order };
    narrow(&mut statement, wanted, patterns, Some(followed), total <= FEW_MARKED);
    statement.add(if sorts_what_closed { sorted_by_opening(page.descending) } else { words(order, page.descending) }, &[]);
    statement.add("LIMIT ? OFFSET ?)", &[page.limit().into(), page.offset.into()]);
    statement.add(words(order, page.descending), &[]);
    statement
}

/// The order of opening, put so that no engine goes through the index of it.
fn sorted_by_opening(descending: bool) -> &'static str {
    if descending { "ORDER BY opened_at + 0 DESC, id DESC" } else { "ORDER BY opened_at + 0, id" }
}

/// Adds what narrows the list. What is sorted follows the index of its order as far as it can: a span of other times is put so that
/// no engine takes that for the narrower way, which it is not where the span is long. Rooms with a tag or a value are looked up if they
/// are few; otherwise each room on the way is asked for them.
fn narrow<'a>(statement: &mut Statement<'a>, wanted: &'a Wanted, patterns: &'a Patterns, order: Option<Order>, few_marked: bool) {
    let state = match wanted.state {
        State::Any => "NOT erasing",
        State::Queued => "is_open = TRUE AND agent_id IS NULL AND NOT on_hold",
        State::Served => "is_open = TRUE AND agent_id IS NOT NULL AND NOT on_hold",
        State::OnHold => "is_open = TRUE AND on_hold",
        State::Closed if order == Some(Order::ClosedAt) => "COALESCE(closed_at, 0) > 0 AND NOT is_open AND NOT erasing",
        State::Closed if order == Some(Order::Name) => "NOT is_open AND NOT erasing",
        State::Closed => "is_open = FALSE AND NOT erasing",
    };
    statement.add(state, &[]);
    if !wanted.agents.is_empty() {
        statement.add_list("AND agent_id IN (?)", wanted.agents.iter().map(Value::from));
    }
    if !wanted.departments.is_empty() {
        statement.add_list("AND department_id IN (?)", wanted.departments.iter().map(Value::from));
    }
    match (&wanted.name, &patterns.name) {
        (Some(Name::Exactly(name)), Some(key)) => statement.add("AND name_key = ? AND name = ?", &[key.into(), name.into()]),
        (Some(Name::Containing(_)), Some(pattern)) => statement.add(r"AND name_key LIKE ? ESCAPE '\'", &[pattern.into()]),
        _ => {}
    }
    let opened = match order {
        None | Some(Order::OpenedAt) => ["AND opened_at >= ?", "AND opened_at <= ?"],
        Some(_) => ["AND opened_at + 0 >= ?", "AND opened_at + 0 <= ?"],
    };
    let closed = match order {
        None | Some(Order::ClosedAt) => [
            "AND COALESCE(closed_at, 0) >= ? AND closed_at IS NOT NULL",
            "AND COALESCE(closed_at, 0) <= ? AND closed_at IS NOT NULL",
        ],
        Some(_) => ["AND closed_at + 0 >= ?", "AND closed_at + 0 <= ?"],
    };
    for (pieces, span) in [(opened, wanted.opened), (closed, wanted.closed)] {
        for (piece, bound) in pieces.into_iter().zip([span.start, span.end]) {
            if let Some(bound) = bound {
                statement.add(piece, &[bound.into()]);
            }
        }
    }
    if !wanted.tags.is_empty() {
        let piece = if few_marked {
            "AND id IN (SELECT room_id FROM room_tags WHERE tag IN (?))"
        } else {
            "AND EXISTS (SELECT 1 FROM room_tags WHERE room_tags.room_id = rooms.id AND tag IN (?))"
        };
        statement.add_list(piece, wanted.tags.iter().map(Value::from));
    }
    for ((field, _), pattern) in wanted.fields.iter().zip(&patterns.fields) {
        let piece = if few_marked {
            r"AND id IN (SELECT room_id FROM room_fields WHERE field = ? AND lower(value) LIKE ? ESCAPE '\')"
        } else {
            r"AND EXISTS (SELECT 1 FROM room_fields
                          WHERE room_fields.room_id = rooms.id AND field = ? AND lower(value) LIKE ? ESCAPE '\')"
        };
        statement.add(piece, &[field.into(), pattern.into()]);
    }
}

/// The order that a list can have. No index holds the time of the latest message, because every message would have to change it: for
/// closed rooms it is the time of closing, open ones are few, and where both are mixed the time of opening stands in for it.
fn possible(order: Order, state: State) -> Order {
    match (order, state) {
        (Order::LastMessageAt, State::Closed) => Order::ClosedAt,
        (Order::LastMessageAt, State::Any) => Order::OpenedAt,
        (other, _) => other,
    }
}

fn words(order: Order, descending: bool) -> &'static str {
    match (order, descending) {
        (Order::OpenedAt, false) => "ORDER BY opened_at, id",
        (Order::OpenedAt, true) => "ORDER BY opened_at DESC, id DESC",
        (Order::ClosedAt, false) => "ORDER BY COALESCE(closed_at, 0), id",
        (Order::ClosedAt, true) => "ORDER BY COALESCE(closed_at, 0) DESC, id DESC",
        (Order::LastMessageAt, false) => "ORDER BY last_message_at, id",
        (Order::LastMessageAt, true) => "ORDER BY last_message_at DESC, id DESC",
        (Order::Name, false) => "ORDER BY name_key, id",
        (Order::Name, true) => "ORDER BY name_key DESC, id DESC",
        (Order::Open, false) => "ORDER BY is_open, opened_at, id",
        (Order::Open, true) => "ORDER BY is_open DESC, opened_at DESC, id DESC",
    }
}

/// Whose chats are counted.
#[derive(Debug, Clone, Default)]
pub struct Shares {
    /// Those of this agent alone.
    pub agent_id: Option<String>,
    /// Those of this department alone.
    pub department_id: Option<String>,
    /// Those of agents who are there and in service alone.
    pub are_in_service: bool,
}

/// How many open chats of one department, or of none, an agent has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The agent's id.
    pub agent_id: String,
    /// The agent's user name.
    pub username: String,
    /// The agent's presence.
    pub status: String,
    /// The department's id and name.
    pub department: Option<(String, String)>,
    /// How many.
    pub chats: i64,
}

/// Which part of the shares is wanted.
#[derive(Debug, Clone, Copy)]
pub struct SharePage {
    /// Whether those with the fewest chats come first.
    pub fewest_first: bool,
    /// How many are skipped.
    pub offset: i64,
    /// How many are given; `None` for all.
    pub count: Option<i64>,
}

/// A page of who serves how many chats, and how many entries there are.
pub fn shares(tx: &mut Tx<'_>, wanted: &Shares, page: &SharePage) -> Result<(Vec<Share>, i64), StoreError> {
    let counting = sharing("SELECT COUNT(*)", wanted, None);
    let total = tx.query_one(counting.sql(), counting.values(), |row| row.integer(0))?;
    let listing = sharing(SHARE, wanted, Some(page));
    Ok((tx.query(listing.sql(), listing.values(), read_share)?, total))
}

const SHARE: &str = "SELECT users.id, users.username, users.status, departments.id, departments.name, share.chats";

fn sharing<'a>(what: &'static str, wanted: &'a Shares, page: Option<&SharePage>) -> Statement<'a> {
    let mut statement = Statement::new(what);
    statement.add("FROM (SELECT agent_id, department_id, COUNT(*) AS chats FROM rooms WHERE is_open AND agent_id IS NOT NULL", &[]);
    if let Some(agent_id) = &wanted.agent_id {
        statement.add("AND agent_id = ?", &[agent_id.into()]);
    }
    if let Some(department_id) = &wanted.department_id {
        statement.add("AND department_id = ?", &[department_id.into()]);
    }
    const JOINED: &str = "GROUP BY agent_id, department_id) AS share JOIN users ON users.id = share.agent_id
                          LEFT JOIN departments ON departments.id = share.department_id WHERE TRUE";
    statement.add(JOINED, &[]);
    if wanted.are_in_service {
        statement.add("AND users.status <> 'offline' AND users.availability = 'available'", &[]);
    }
    if let Some(page) = page {
        let first = if page.fewest_first { "ORDER BY share.chats" } else { "ORDER BY share.chats DESC" };
        statement.add(first, &[]);
        statement.add(", users.username, COALESCE(departments.name, ''), COALESCE(departments.id, '')", &[]);
        statement.add("LIMIT ? OFFSET ?", &[page.count.unwrap_or(i64::MAX).into(), page.offset.into()]);
    }
    statement
}

fn read_share(row: &Row<'_>) -> Result<Share, StoreError> {
    Ok(Share {
        agent_id: row.text(0)?,
        username: row.text(1)?,
        status: row.text(2)?,
        department: row.optional_text(3)?.zip(row.optional_text(4)?),
        chats: row.integer(5)?,
    })
}

/// The statements of lists, as they are put together: for tests of how they run.
pub fn lists() -> Vec<String> {
    let shares = Shares { agent_id: None, department_id: None, are_in_service: true };
    let page = SharePage { fewest_first: false, offset: 0, count: Some(50) };
    let mut lists =
        vec![sharing("SELECT COUNT(*)", &shares, None).sql().to_owned(), sharing(SHARE, &shares, Some(&page)).sql().to_owned()];
    for wanted in samples() {
        let patterns = Patterns::of(&wanted);
        lists.push(counting(&wanted, &patterns).sql().to_owned());
        for order in [Order::OpenedAt, Order::ClosedAt, Order::LastMessageAt, Order::Name, Order::Open] {
            for descending in [false, true] {
                let page = Page { order, descending, offset: 0, count: Some(50) };
                lists.extend([1, i64::MAX].map(|total| listing(&wanted, &patterns, &page, total).sql().to_owned()));
            }
        }
    }
    lists
}

/// One list for everything that lists are narrowed by.
fn samples() -> Vec<Wanted> {
    let one = || vec![String::new()];
    let span = Span { start: Some(0), end: Some(0) };
    let states = [State::Any, State::Queued, State::Served, State::OnHold, State::Closed];
    let mut samples: Vec<Wanted> = states.map(|state| Wanted { state, ..Wanted::default() }).into();
    samples.extend([
        Wanted { agents: one(), ..Wanted::default() },
        Wanted { departments: one(), ..Wanted::default() },
        Wanted { departments: one(), state: State::Closed, ..Wanted::default() },
        Wanted { name: Some(Name::Exactly(String::new())), ..Wanted::default() },
        Wanted { name: Some(Name::Containing(String::new())), ..Wanted::default() },
        Wanted { opened: span, ..Wanted::default() },
        Wanted { closed: span, ..Wanted::default() },
        Wanted { tags: one(), ..Wanted::default() },
        Wanted { fields: vec![Default::default()], ..Wanted::default() },
    ]);
    samples
}
