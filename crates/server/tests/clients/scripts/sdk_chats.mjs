// A bot that answers visitors with @rocket.chat/sdk, as far as it does so over REST; and its visitors with the same client.
//
// Usage: node sdk_chats.mjs URL USERNAME EMAIL PASSWORD
//
// Says what it does. If the server answers anything else than the client needs, it ends there with an error.

import { PASSWORD, contains, equal, part, texts } from './checks.mjs';
import { letChatsWait, logIn } from './staff.mjs';

const [url, username, , password] = process.argv.slice(2);
const TOKEN = 'token-of-grace';

// The client takes its server and its bot from here, when it is loaded.
process.env.ROCKETCHAT_URL = url;
process.env.ROCKETCHAT_USER = 'robot';
process.env.ROCKETCHAT_PASSWORD = PASSWORD;
const { default: api } = await import('@rocket.chat/sdk/dist/lib/api.js');
const { default: log } = await import('@rocket.chat/sdk/dist/lib/log.js');
log.silence();

// What anybody may call: the client is told not to send the bot's login along.
const visit = {
  get: (endpoint, data) => api.get(`livechat/${endpoint}`, { token: TOKEN, ...data }, false),
  post: (endpoint, data) => api.post(`livechat/${endpoint}`, { token: TOKEN, ...data }, false),
};

const message = (msg) => ({ message: { rid: room._id, msg, bot: { i: 'js.SDK' } } });
const roomNow = async () => (await api.get('channels.info', { roomId: room._id })).channel;

// Checks that a POST is refused with this text. The client gives nothing then, and prints the refusal.
async function refused(what, text, call) {
  const { error: print } = console;
  const refusals = [];
  console.error = (refusal) => refusals.push(refusal.error);
  try {
    equal(what, await call(), undefined);
  } finally {
    console.error = print;
  }
  equal(`${what}: the text`, refusals, [text]);
}

const [admin, bot] = await part('sdk logs in its bot', async () => {
  const admin = await logIn(url, username, password);
  await letChatsWait(admin);
  // Only users may delete what they wrote.
  const roles = ['bot', 'livechat-agent', 'user'];
  await admin.post('/v1/users.create', { username: 'robot', name: 'Robot', email: 'robot@example.com', password: PASSWORD, roles });
  const { data } = await api.login();
  equal('the roles', [...data.me.roles].sort(), roles);
  equal('the answer', (await api.post('users.setStatus', { status: 'online', message: 'at work' })).success, true);
  equal('whether it takes chats', (await api.post('livechat/agent.status', { status: 'available' })).status, 'available');
  return [admin, data.me];
});

const room = await part('sdk opens a chat as a visitor', async () => {
  const { visitor } = await api.post('livechat/visitor', { visitor: { token: TOKEN, name: 'Grace' } }, false);
  equal('the visitor', [visitor.token, visitor.name], [TOKEN, 'Grace']);
  const { room, newRoom } = await visit.get('room');
  equal('the chat', [newRoom, room.v._id, room.open], [true, visitor._id, true]);
  const { message } = await visit.post('message', { rid: room._id, msg: 'Hello & "welcome"' });
  equal('the message', [message.msg, message.token], ['Hello & "welcome"', TOKEN]);
  return room;
});

await part('sdk finds the chat in the queue and takes it', async () => {
  const { inquiries, total } = await api.get('livechat/inquiries.queuedForUser', { count: 10, sort: { ts: 1 } });
  equal('the queue', [inquiries.map(({ rid }) => rid), total], [[room._id], 1]);
  equal('what waits', inquiries[0].lastMessage.msg, 'Hello & "welcome"');
  await refused('no chat', 'Inquiry not found [error-not-found]', () => api.post('livechat/inquiries.take', { inquiryId: 'none' }));
  const answer = await api.post('livechat/inquiries.take', { inquiryId: inquiries[0]._id });
  equal('the answer', answer.success, true);
  equal("the chat's agent", (await visit.get('room', { rid: room._id })).room.servedBy._id, bot._id);
  const { agent } = await api.get(`livechat/agent.info/${room._id}/${TOKEN}`, null, false);
  equal('the agent as its visitor sees it', [agent.username, agent.name, agent.status], ['robot', 'Robot', 'online']);
  const { update } = await api.get('subscriptions.get');
  contains('the list of the bot', update.map(({ rid }) => rid), room._id);
});

await part('sdk answers', async () => {
  const { message: answer } = await api.post('chat.sendMessage', message('Good morning'));
  equal('the answer', [answer.msg, answer.u.username], ['Good morning', 'robot']);
  const posted = await api.post('chat.postMessage', { roomId: room._id, text: 'How can I help?' });
  equal('another one', [posted.channel, posted.message.msg], [room._id, 'How can I help?']);
  const { messages } = await visit.get(`messages.history/${room._id}`, { limit: 10 });
  equal('what the visitor reads', texts(messages), ['How can I help?', 'Good morning', 'Hello & "welcome"']);
  const { result } = await api.get('chat.syncMessages', { roomId: room._id, lastUpdate: answer.ts });
  equal('what is new since', texts(result.updated), ['How can I help?']);
  const now = await roomNow();
  equal('who answered', [now.responseBy.username, now.waitingResponse], ['robot', undefined]);
  const { update } = await api.get('rooms.get');
  equal("the bot's chats", update.filter(({ t }) => t === 'l').map(({ _id }) => _id), [room._id]);
  const nowhere = () => api.post('chat.sendMessage', { message: { rid: 'no-such-room', msg: 'Hello' } });
  await refused('a message for no chat', 'error-invalid-room', nowhere);
});

await part('sdk edits and deletes messages', async () => {
  const { message: mistake } = await api.post('chat.sendMessage', message('Mistaek'));
  const change = { roomId: room._id, msgId: mistake._id };
  const { message: edited } = await api.post('chat.update', { ...change, text: 'Mistake' });
  equal('the new text', [edited.msg, edited.editedBy.username], ['Mistake', 'robot']);
  await api.post('chat.react', { emoji: ':smile:', messageId: mistake._id });
  const { message: found } = await api.get('chat.getMessage', { msgId: mistake._id });
  equal('the reactions', found.reactions[':smile:'].usernames, ['robot']);
  equal('what is deleted', (await api.post('chat.delete', change))._id, mistake._id);
  equal('the message afterwards', await api.get('chat.getMessage', { msgId: mistake._id }), undefined);
});

await part('sdk closes the chat', async () => {
  await refused('no comment', 'error-comment-is-required', () => api.post('livechat/room.closeByUser', { rid: room._id }));
  const answer = await api.post('livechat/room.closeByUser', { rid: room._id, comment: 'Solved', tags: ['bot'] });
  equal('the answer', answer.success, true);
  await refused("the visitor's message afterwards", 'room-closed', () => visit.post('message', { rid: room._id, msg: 'Thanks' }));
  const survey = await visit.post('room.survey', { rid: room._id, data: [{ name: 'satisfaction', value: '5' }] });
  equal('what the visitor thinks', survey.data, { satisfaction: '5' });
  const { rooms } = await admin.get('/v1/livechat/rooms', { open: false });
  equal('the closed chats', rooms.map(({ _id, tags }) => [_id, tags]), [[room._id, ['bot']]]);
});

await part('sdk gets all new chats for its bot', async () => {
  await admin.post('/v1/settings/Livechat_assign_new_conversation_to_bot', { value: true });
  const { room: next } = await visit.get('room');
  equal('who answers', next.servedBy?.username, 'robot');
  const closed = await visit.post('room.close', { rid: next._id });
  equal('the end', closed.comment, 'Closed by visitor');
  await refused('the same again', 'room-closed', () => visit.post('room.close', { rid: next._id }));
});

// It keeps its connections open, and so this program alive.
process.exit(0);
