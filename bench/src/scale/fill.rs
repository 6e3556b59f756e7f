//! Writes a [`World`] into a store, many rows to a transaction.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Context, Result};
use usher_adapters::SystemRandom;
use usher_domain::custom_field::{CustomField, Scope, search_key};
use usher_domain::room::SourceKind;
use usher_domain::subscription::Subscription;
use usher_domain::visitor::{LastChat, VisitorToken};
use usher_domain::{Change, ChangeKind, id};
use usher_store::{Store, StoreError, Tx, q};

use super::world::{State, World};
use crate::fill::{BATCH, write};

/// After how many messages the progress is told.
const TOLD: usize = 500_000;

/// Fills a store that holds the people of the world already.
pub async fn fill(store: &Store, world: &Arc<World>) -> Result<()> {
    let fields = store.read(|tx| q::custom_fields::of_scope(tx, Scope::Visitor)).await.context("the fields cannot be read")?;
    let fields = Arc::new(fields);
    for first in (0..world.visitors()).step_by(BATCH) {
        let (world, fields, visitors) = (Arc::clone(world), Arc::clone(&fields), first..world.visitors().min(first + BATCH));
        let internal_ids: Vec<String> = visitors.clone().map(|_| id::unordered(&SystemRandom)).collect();
        write(store, move |tx| register(tx, &world, &fields, visitors.clone(), &internal_ids)).await?;
    }
    for first in (0..world.rooms).step_by(BATCH) {
        let (world, rooms) = (Arc::clone(world), first..world.rooms.min(first + BATCH));
        let ids: Vec<String> = rooms.clone().map(|room| id::new(world.opened_at(room), &SystemRandom)).collect();
        write(store, move |tx| open(tx, &world, rooms.clone(), &ids)).await?;
    }
    let messages: Vec<(usize, usize)> = turns(world).collect();
    for (number, some) in messages.chunks(BATCH).enumerate() {
        if (number * BATCH).is_multiple_of(TOLD) && messages.len() > TOLD {
            eprintln!("{} of {} messages are written", number * BATCH, messages.len());
        }
        let (world, some) = (Arc::clone(world), some.to_vec());
        let first = world.begun + (number * BATCH) as i64;
        let ids: Vec<String> = (0..some.len()).map(|place| id::new(first + place as i64, &SystemRandom)).collect();
        write(store, move |tx| post(tx, &world, &some, &ids)).await?;
    }
    Ok(())
}

/// All messages as room and turn, in the order in which they are written.
fn turns(world: &World) -> impl Iterator<Item = (usize, usize)> + '_ {
    let longest = (0..world.rooms).map(World::messages_of).max().unwrap_or(0);
    (0..longest)
        .flat_map(move |turn| (0..world.rooms).filter(move |room| turn < World::messages_of(*room)).map(move |room| (room, turn)))
}

fn register(
    tx: &mut Tx<'_>,
    world: &World,
    fields: &[CustomField],
    visitors: Range<usize>,
    internal_ids: &[String],
) -> Result<(), StoreError> {
    for (number, internal_id) in visitors.zip(internal_ids) {
        let visitor = world.visitor(number);
        let token = VisitorToken::new(World::token(number)).ok_or(StoreError::Engine("a token is not one".into()))?;
        let search_key = search_key(visitor.name.as_deref(), &visitor.username, &visitor.fields, fields);
        q::visitors::insert(tx, &visitor, &token, internal_id, &search_key)?;
        for (field, value) in &visitor.fields {
            q::fields::set_visitor_field(tx, &visitor.id, field, value)?;
        }
    }
    Ok(())
}

/// Adds rooms whose records say already what they will hold, with what belongs to them.
fn open(tx: &mut Tx<'_>, world: &World, rooms: Range<usize>, ids: &[String]) -> Result<(), StoreError> {
    for (number, id) in rooms.zip(ids) {
        let (visitor, room) = (world.visitor(world.visitor_of(number)), world.room(number, None));
        let last_chat = LastChat { room_id: room.id.clone(), at: room.opened_at };
        q::contacts::ensure(tx, &visitor, SourceKind::Api, &last_chat)?;
        q::visitors::set_last_chat(tx, &visitor.id, &last_chat)?;
        q::rooms::insert(tx, &room)?;
        q::rooms::save(tx, &room)?;
        q::rooms::set_tags(tx, &room.id, &room.tags)?;
        for (field, value) in &room.fields {
            q::fields::set_room_field(tx, &room.id, field, value)?;
        }
        if let (State::Served(_) | State::OnHold(_), Some(served)) = (world.state(number), &room.served_by) {
            let subscription = Subscription {
                id: id.clone(),
                room_id: room.id.clone(),
                user_id: served.agent.id.clone(),
                username: served.agent.username.clone(),
                unread: 1,
                mentions: 0,
                alert: true,
                is_shown: true,
                is_favorite: false,
                last_seen_at: None,
                created_at: served.since,
                updated_at: served.since,
            };
            q::subscriptions::insert(tx, &subscription)?;
        }
        let opened = Change { reference: room.id.clone(), room_id: room.id, seq: 1, kind: ChangeKind::RoomOpened };
        q::changes::record(tx, opened)?;
    }
    Ok(())
}

fn post(tx: &mut Tx<'_>, world: &World, messages: &[(usize, usize)], ids: &[String]) -> Result<(), StoreError> {
    for ((room, turn), id) in messages.iter().zip(ids) {
        let message = world.message(*room, *turn, id);
        assert!(q::messages::insert(tx, &message)?, "ids made here are new");
        if turn + 1 == World::messages_of(*room) {
            q::rooms::save_posted(tx, &world.room(*room, Some(id.clone())))?;
        }
        let (seq, kind) = (*turn as i64 + 2, ChangeKind::MessagePosted);
        q::changes::record(tx, Change { room_id: message.room_id, seq, kind, reference: id.clone() })?;
    }
    Ok(())
}
