// A bot that answers visitors with @rocket.chat/sdk over the realtime connection, as its documentation shows it.
//
// Usage: node bot_live.mjs URL USERNAME EMAIL PASSWORD
//
// Says what it does. If the server answers anything else than the client needs, it ends there with an error.

import { Heard } from './hearing.mjs';
import { PASSWORD, contains, equal, part, texts } from './checks.mjs';
import { letChatsWait, logIn, stranger, take } from './staff.mjs';

const [url, username, , password] = process.argv.slice(2);
const TOKEN = 'token-of-grace';

process.env.RESPOND_TO_LIVECHAT = 'true';
process.env.LIVECHAT = 'true';
const { driver } = await import('@rocket.chat/sdk');
const silent = () => {};
driver.useLog({ debug: silent, info: silent, warn: silent, warning: silent, error: silent });

const heard = new Heard();

const robot = await part('the bot logs in', async () => {
  const admin = await logIn(url, username, password);
  await letChatsWait(admin);
  const roles = ['bot', 'livechat-agent', 'user'];
  await admin.post('/v1/users.create', { username: 'robot', name: 'Robot', email: 'robot@example.com', password: PASSWORD, roles });
  await driver.connect({ host: url.replace('http://', ''), useSsl: false });
  const id = await driver.login({ username: 'robot', password: PASSWORD });
  const robot = await logIn(url, 'robot');
  equal('the id', (await robot.get('/v1/me'))._id, id);
  // Whoever is connected is there.
  await robot.post('/v1/livechat/agent.status', { status: 'available' });
  await driver.subscribeToMessages();
  driver.reactToMessages((error, message, about) => heard.take(error, message, about));
  return robot;
});

const room = await part('the bot takes a chat and hears the visitor', async () => {
  const visit = stranger(url);
  await visit.post('/v1/livechat/visitor', { visitor: { token: TOKEN, name: 'Grace' } });
  const { room } = await visit.get('/v1/livechat/room', { token: TOKEN });
  await take(robot, room._id);
  await visit.post('/v1/livechat/message', { token: TOKEN, rid: room._id, msg: 'Is anybody there?' });
  const [error, , about] = await heard.until('the question', (_, message) => message?.msg === 'Is anybody there?');
  equal('what the bot is told of the room', [error, about.roomType, about.roomName], [null, 'l', 'Grace']);
  return room;
});

await part('the bot answers, edits and reacts', async () => {
  const message = await driver.sendToRoomId('I am', room._id);
  equal('the answer', [message.msg, message.rid, message.u.username], ['I am', room._id, 'robot']);
  await driver.editMessage({ _id: message._id, rid: room._id, msg: 'I am.' });
  await driver.setReaction(':smile:', message._id);
  const { messages } = await stranger(url).get(`/v1/livechat/messages.history/${room._id}`, { token: TOKEN });
  contains('what the visitor reads', texts(messages), 'I am.');
});

await part('the bot leaves', async () => {
  await driver.disconnect();
});
process.exit(0);
