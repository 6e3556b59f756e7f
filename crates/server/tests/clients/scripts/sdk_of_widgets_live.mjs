// A visitor's chat over the realtime connection with the preview of @rocket.chat/sdk that earlier widgets are built on.
//
// Usage: node sdk_of_widgets_live.mjs URL USERNAME EMAIL PASSWORD
//
// Says what it does. If the server answers anything else than the client needs, it ends there with an error.

import visitors from 'sdk-of-widgets/lib/clients/Livechat.js';
import users from 'sdk-of-widgets/lib/clients/Rocketchat.js';

import { Heard } from './hearing.mjs';
import { PASSWORD, equal, part } from './checks.mjs';
import { close, employ, letChatsWait, logIn, take, write } from './staff.mjs';

const [url, username, , password] = process.argv.slice(2);
const TOKEN = 'token-of-grace';
const connection = { host: url, protocol: 'ddp', useSsl: false, reopen: 1000 };

const ada = await part('there is an agent', async () => {
  const admin = await logIn(url, username, password);
  await letChatsWait(admin);
  return employ(url, admin, 'ada');
});

const agent = new users.default(connection);
await part('the agent connects with the same client', async () => {
  await agent.connect();
  await agent.login({ username: 'ada', password: PASSWORD });
  await Promise.all([agent.subscribeNotifyAll(), agent.subscribeLoggedNotify(), agent.subscribeNotifyUser()].map((all) => Promise.race([
    all, new Promise((resolve) => setTimeout(resolve, 2000)),
  ])));
});

const client = new visitors.default(connection);
client.credentials = { token: TOKEN };
const [room, heard, typing, agents] = await part('the visitor connects and opens a chat', async () => {
  await client.connect();
  await client.setUpConnection();
  await client.grantVisitor({ visitor: { token: TOKEN, name: 'Grace' } });
  const room = await client.room({ token: TOKEN });
  const [heard, typing, agents] = [new Heard(), new Heard(), new Heard()];
  await client.subscribeRoom(room._id);
  await client.onMessage(heard.take);
  await client.onTyping(typing.take);
  await client.onAgentChange(room._id, agents.take);
  return [room, heard, typing, agents];
});

await part('they talk', async () => {
  await take(ada, room._id);
  const [who] = await agents.until('who serves it', (agent) => agent !== undefined);
  equal('the agent', who.username, 'ada');
  await heard.until('that somebody is there', ({ t, msg }) => t === 'command' && msg === 'connected');
  await client.sendMessage({ token: TOKEN, rid: room._id, msg: 'Hello' });
  await heard.until('what it said itself', ({ msg }) => msg === 'Hello');
  const answer = await write(ada, room._id, 'Good morning');
  await heard.until('the answer', ({ _id }) => _id === answer._id);
  await ada.post('/v1/chat.update', { roomId: room._id, msgId: answer._id, text: 'Good evening' });
  await heard.until('the other answer', ({ _id, msg }) => _id === answer._id && msg === 'Good evening');
  await agent.methodCall('stream-notify-room', `${room._id}/typing`, 'ada', true);
  await typing.until('that the agent is typing', (name, is) => name === 'ada' && is === true);
});

await part('the chat ends', async () => {
  await close(ada, room._id);
  await heard.until('the end', ({ t }) => t === 'livechat-close');
});
process.exit(0);
