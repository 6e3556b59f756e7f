// A chat with the preview of @rocket.chat/sdk that earlier widgets are built on: what it does over REST, for the visitor and
// for the agent. Left out is what asks for operations that servers do not have any more, such as calls and shared screens.
//
// Usage: node sdk_of_widgets.mjs URL USERNAME EMAIL PASSWORD
//
// Says what it does. If the server answers anything else than the client needs, it ends there with an error.

import visitors from 'sdk-of-widgets/lib/api/Livechat.js';
import users from 'sdk-of-widgets/lib/api/RocketChat.js';

import { PASSWORD, contains, equal, part, refused as refusedWith, texts } from './checks.mjs';
import { close, employ, idOf, letChatsWait, logIn, take } from './staff.mjs';

const [url, username, , password] = process.argv.slice(2);
const TOKEN = 'token-of-grace';

const client = quiet(new visitors.default({ host: url }));
const agent = quiet(new users.default({ host: url }));

// The client prints every refusal, and here many are wanted.
function quiet(client) {
  client.logger = undefined;
  return client;
}

// The client throws status and body of a refusal in a form of its own.
const refused = (what, status, errorType, call) => refusedWith(what, status, errorType, async () => {
  try {
    return await call();
  } catch (thrown) {
    throw thrown.data === undefined ? thrown : new Response(JSON.stringify(thrown.data), { status: thrown.status });
  }
});

const refusal = async (what, text, call) => equal(`${what}: the text`, (await refused(what, 400, undefined, call)).error, text);
const messageOf = (id) => client.message(id, { rid: room._id });
const channelNow = () => agent.channelInfo({ roomId: room._id });

const [admin, employed] = await part('sdk of widgets logs in an agent', async () => {
  const admin = await logIn(url, username, password);
  await letChatsWait(admin);
  const employed = await employ(url, admin, 'ada');
  await refused('a wrong password', 401, undefined, () => agent.login({ username: 'ada', password: 'a wrong password' }));
  const { userId } = await agent.login({ username: 'ada', password: PASSWORD });
  equal('the id', [userId, agent.userId, agent.username], [idOf(employed), idOf(employed), 'ada']);
  return [admin, employed];
});

await part('sdk of widgets looks for users', async () => {
  contains('everybody', (await agent.users.all()).map((user) => user.name), 'ada');
  contains('the names', await agent.users.allNames(), 'ada');
  contains('the ids', await agent.users.allIDs(), idOf(employed));
  contains('the names of those who are online', await agent.users.onlineNames(), 'ada');
  equal('one of them', (await agent.users.info(username)).username, username);
});

const visitor = await part('sdk of widgets registers its visitor', async () => {
  equal('a visitor whom nobody knows', (await client.config({ token: TOKEN })).guest, undefined);
  const visitor = await client.grantVisitor({ visitor: { token: TOKEN, name: 'Grace', email: 'grace@example.com' } });
  equal('the visitor', [visitor.token, visitor.name, client.credentials.token], [TOKEN, 'Grace', TOKEN]);
  equal('the visitor that is read', (await client.visitor()).visitor._id, visitor._id);
  equal('the visitor of the configuration', (await client.config({ token: TOKEN })).guest._id, visitor._id);
  equal('the status', await client.updateVisitorStatus('away'), 'away');
  return visitor;
});

await part('sdk of widgets fills in custom fields', async () => {
  for (const field of ['company', 'city']) {
    const data = { field, label: field, scope: 'visitor', visibility: 'visible', regexp: '' };
    await admin.post('/v1/livechat/custom-fields.save', { customFieldId: null, customFieldData: data });
  }
  const { field } = await client.sendCustomField({ token: TOKEN, key: 'company', value: 'Navy', overwrite: true });
  equal('the field', [field.key, field.value], ['company', 'Navy']);
  await client.sendCustomFields({ token: TOKEN, customFields: [{ key: 'city', value: 'Arlington', overwrite: true }] });
  equal('all of them', (await client.visitor()).visitor.livechatData, { company: 'Navy', city: 'Arlington' });
});

const room = await part('sdk of widgets opens a chat, which waits', async () => {
  await refusal('who would answer', 'agent-not-found', () => client.nextAgent());
  const room = await client.room();
  equal('the chat', [room.open, room.servedBy, room.v.token], [true, undefined, TOKEN]);
  equal('the same chat', (await client.room({ rid: room._id }))._id, room._id);
  const page = { change: 'url', title: 'Prices', location: { href: 'https://shop.example.com/prices?a=b&c=d' } };
  const seen = await client.sendVisitorNavigation({ token: TOKEN, rid: room._id, pageInfo: page });
  equal('the page', seen.page.msg, 'Prices - https://shop.example.com/prices?a=b&c=d');
  await refusal('the agent of a chat that waits', 'invalid-agent', () => client.agent({ rid: room._id }));
  equal('who answers a chat that is there already', await client.nextAgent(), undefined);
  return room;
});

await part('sdk of widgets writes and reads', async () => {
  const { message } = await client.sendMessage({ rid: room._id, msg: 'Hello' });
  equal('the message', [message.rid, message.msg, message.token], [room._id, 'Hello', TOKEN]);
  equal('the message that is read', (await messageOf(message._id)).msg, 'Hello');
  await take(employed, room._id);
  equal('who answers', (await client.agent({ rid: room._id })).username, 'ada');
  const answer = await agent.sendMessage('Good morning', room._id);
  equal('the answer', [answer.msg, answer.rid, answer.u.username], ['Good morning', room._id, 'ada']);
  equal('the history', texts(await client.loadMessages(room._id, { limit: 10 })), ['Good morning', 'Hello']);
  const { updated } = await agent.loadHistory(room._id, new Date(message.ts));
  contains('what the agent reads', texts(updated), 'Good morning');
  equal('the chat', [(await channelNow()).servedBy.username, (await channelNow()).lastMessage._id], ['ada', answer._id]);
  await agent.setReaction(':smile:', message._id);
  equal('the reaction that the visitor sees', (await messageOf(message._id)).reactions[':smile:'].usernames, ['ada']);
  await refusal('a message for no chat', 'invalid-room', () => client.sendMessage({ rid: 'no-such-room', msg: 'Hello' }));
  await refusal("an agent's message for no chat", 'error-invalid-room', () => agent.sendMessage('Hello', 'no-such-room'));
});

await part('sdk of widgets edits and deletes messages', async () => {
  const [theirs, own] = (await client.loadMessages(room._id)).filter(({ t }) => t === undefined);
  const { message } = await client.editMessage(own._id, { token: TOKEN, rid: room._id, msg: 'Hello again' });
  equal('the new text', [message.msg, message.editedBy._id], ['Hello again', visitor._id]);
  const edited = (await agent.editMessage({ rid: room._id, _id: theirs._id, msg: 'Good evening' })).message;
  equal("the agent's new text", [edited.msg, edited.editedBy.username], ['Good evening', 'ada']);
  equal('the texts that are read', texts(await client.loadMessages(room._id)), ['Good evening', 'Hello again']);
  const forbidden = () => client.deleteMessage(theirs._id, { rid: room._id });
  await refusal("the agent's message", 'error-action-not-allowed', forbidden);
  equal('what is deleted', (await client.deleteMessage(own._id, { rid: room._id })).message._id, own._id);
  await refusal('the message afterwards', 'invalid-message', () => messageOf(own._id));
  equal('the texts afterwards', texts(await client.loadMessages(room._id)), ['Good evening']);
});

await part('sdk of widgets gets an end of the chat', async () => {
  await close(employed, room._id);
  await refusal('a message afterwards', 'room-closed', () => client.sendMessage({ rid: room._id, msg: 'Thanks' }));
  const survey = await client.chatSurvey({ rid: room._id, data: [{ name: 'satisfaction', value: '5' }] });
  equal('what the visitor thinks', [survey.rid, survey.data], [room._id, { satisfaction: '5' }]);
  const sent = await client.requestTranscript('grace@example.com', { rid: room._id });
  equal('the transcript', sent.message, 'Omnichannel transcript sent');
  const next = await client.room();
  equal('the end of another chat', (await client.closeChat({ rid: next._id })).comment, 'Closed by visitor');
  await refusal('the same again', 'room-closed', () => client.closeChat({ rid: next._id }));
});

await part('sdk of widgets leaves a message while nobody is there', async () => {
  for (const [id, value] of [['Livechat_offline_email', 'later@example.com'], ['Livechat_validate_offline_email', false]]) {
    await admin.post(`/v1/settings/${id}`, { value });
  }
  const message = { name: 'Grace', email: 'grace@example.com', message: 'Call me', department: '', host: url };
  equal('the answer', await client.sendOfflineMessage(message), 'Livechat offline message sent');
});

await part('sdk of widgets erases its visitor', async () => {
  equal('who is erased', (await client.deleteVisitor())._id, visitor._id);
  await refused('the visitor afterwards', 400, 'invalid-token', () => client.visitor());
  await refusal('the chat afterwards', 'invalid-token', () => client.loadMessages(room._id));
  await refused('the chat for its agent', 400, 'error-room-not-found', channelNow);
});

await part('sdk of widgets logs out its agent', async () => {
  const { headers } = agent.client;
  equal('the answer', (await agent.logout()).status, 'success');
  equal('the status of a call afterwards', (await fetch(`${url}/api/v1/me`, { headers })).status, 401);
});
