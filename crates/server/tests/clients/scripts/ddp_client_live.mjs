// A chat over the realtime connection with @rocket.chat/ddp-client: the visitor's side as today's widget has it, and an agent's.
//
// Usage: node ddp_client_live.mjs URL USERNAME EMAIL PASSWORD
//
// Says what it does. If the server answers anything else than the client needs, it ends there with an error.

import { createHash } from 'node:crypto';

import { Heard } from './hearing.mjs';
import { PASSWORD, equal, part } from './checks.mjs';
import { close, employ, idOf, letChatsWait, logIn, write } from './staff.mjs';

const [url, username, , password] = process.argv.slice(2);
const { default: { DDPSDK, LivechatClientImpl } } = await import('@rocket.chat/ddp-client');

const TOKEN = 'f00d'.repeat(16);
const socket = url.replace(/^http/, 'ws');
const digest = createHash('sha256').update(PASSWORD).digest('hex');

const [admin, ada] = await part('there is an agent', async () => {
  const admin = await logIn(url, username, password);
  await letChatsWait(admin);
  return [admin, await employ(url, admin, 'ada')];
});
const adaId = idOf(ada);

const queue = new Heard();
const list = new Heard();
const desk = await part('the agent connects and logs in', async () => {
  const desk = DDPSDK.create(socket);
  await desk.connection.connect();
  await desk.account.loginWithPassword('ada', digest);
  equal('the id', desk.account.uid, adaId);
  await Promise.all([
    desk.stream('livechat-inquiry-queue-observer', 'public', queue.take).ready(),
    desk.stream('notify-user', `${adaId}/subscriptions-changed`, list.take).ready(),
  ]);
  return desk;
});

const client = LivechatClientImpl.create(socket);
const [room, visitorHears, agents, activity] = await part('a visitor connects and opens a chat', async () => {
  await client.connection.connect();
  await client.grantVisitor({ visitor: { token: TOKEN, name: 'Grace' } });
  client.setToken?.(TOKEN);
  const room = await client.room();
  const [visitorHears, agents, activity] = [new Heard(), new Heard(), new Heard()];
  await client.subscribeRoom(room._id);
  client.onMessage(visitorHears.take);
  client.onUserActivity(activity.take);
  client.onAgentChange(room._id, agents.take);
  return [room, visitorHears, agents, activity];
});

const deskHears = new Heard();
await part('the agent finds the chat in the queue and takes it', async () => {
  const [inquiry] = await queue.until('the chat in the queue', ({ rid, status }) => rid === room._id && status === 'queued');
  equal('who it is', [inquiry.type === 'removed', inquiry.name], [false, 'Grace']);
  await desk.call('livechat:takeInquiry', inquiry._id, { clientAction: true });
  await list.until('the chat in the list', (action, { rid }) => action === 'inserted' && rid === room._id);
  await queue.until('that it was taken', ({ rid, status }) => rid === room._id && status === 'taken');
  const [agent] = await agents.until('who serves it', (agent) => agent !== undefined);
  equal('the agent', [agent._id, agent.username], [adaId, 'ada']);
  await desk.stream('room-messages', room._id, deskHears.take).ready();
});

await part('they talk', async () => {
  const { message: sent } = await client.sendMessage({ rid: room._id, msg: 'Hello', token: TOKEN });
  for (const [who, hears] of [['the visitor', visitorHears], ['the agent', deskHears]]) {
    const [message] = await hears.until(`what ${who} hears`, ({ msg }) => msg === 'Hello');
    equal(`the message for ${who}`, [message._id, typeof message.ts.$date], [sent._id, 'number']);
  }
  const answer = await desk.call('sendMessage', { rid: room._id, msg: 'Good morning' });
  await visitorHears.until('the answer', ({ _id }) => _id === answer._id);
  await desk.call('updateMessage', { _id: answer._id, rid: room._id, msg: 'Good evening' });
  await visitorHears.until('the other answer', ({ _id, msg, editedAt }) => _id === answer._id && msg === 'Good evening' && editedAt);
  await write(ada, room._id, 'How can I help?');
  await visitorHears.until('what was sent over REST', ({ msg }) => msg === 'How can I help?');
});

await part('they see each other typing', async () => {
  const seen = new Heard();
  await desk.stream('notify-room', `${room._id}/user-activity`, seen.take).ready();
  await client.notifyVisitorActivity(room._id, 'guest-1', ['user-typing']);
  await seen.until('that the visitor is typing', (name, what) => name === 'guest-1' && what[0] === 'user-typing');
  await client.notifyVisitorActivity(room._id, 'guest-1', []);
  await seen.until('that the visitor is not', (name, what) => name === 'guest-1' && what.length === 0);
  await desk.call('stream-notify-room', `${room._id}/user-activity`, 'ada', ['user-typing']);
  await activity.until('that the agent is typing', (name, what) => name === 'ada' && what[0] === 'user-typing');
});

await part('the chat ends, and so do the connections', async () => {
  await close(ada, room._id);
  await visitorHears.until('the end', ({ t }) => t === 'livechat-close');
  await list.until('that it has left the list', (action, { rid }) => action === 'removed' && rid === room._id);
  client.connection.close();
  await desk.account.logout();
  await admin.get('/v1/me');
});
process.exit(0);
