// A visitor's chat with @rocket.chat/ddp-client, which today's widget is built on: all that it does over REST.
//
// Usage: node ddp_client.mjs URL USERNAME EMAIL PASSWORD
//
// Says what it does. If the server answers anything else than the client needs, it ends there with an error.

import { contains, equal, part, refused, texts } from './checks.mjs';
import { close, employ, letChatsWait, logIn, take, write } from './staff.mjs';

const [url, username, , password] = process.argv.slice(2);

// The client looks for it when it is made, and opens one only when told to. Node has it since version 22.
globalThis.WebSocket ??= class {};
const { default: { LivechatClientImpl } } = await import('@rocket.chat/ddp-client');

const TOKEN = 'f00d'.repeat(16);
const client = LivechatClientImpl.create(url.replace(/^http/, 'ws'));

const setting = (id, value) => admin.post(`/v1/settings/${id}`, { value });
const roomNow = async () => (await agent.get('/v1/channels.info', { roomId: room._id })).channel;

const [admin, agent] = await part('ddp-client has an agent who answers', async () => {
  const admin = await logIn(url, username, password);
  return [admin, await employ(url, admin, 'ada')];
});

await part('ddp-client reads the configuration', async () => {
  await setting('Livechat_title', 'Ask us!');
  const config = await client.config({ token: TOKEN });
  equal('whether it is on', [config.enabled, config.online], [true, true]);
  equal('the title', config.theme.title, 'Ask us!');
  equal('a visitor whom nobody knows', [config.guest, config.room, config.agent], [undefined, undefined, undefined]);
  for (const list of ['departments', 'triggers', 'customFields']) {
    equal(list, config[list], []);
  }
  equal('the survey', config.survey.values, ['1', '2', '3', '4', '5']);
  equal('the form', [config.settings.registrationForm, config.settings.nameFieldRegistrationForm], [true, true]);
});

const visitor = await part('ddp-client registers its visitor', async () => {
  const refusal = await refused('no token', 400, undefined, () => client.grantVisitor({ visitor: { name: 'Grace' } }));
  contains('what is said of it', refusal.error, 'token');
  const { visitor } = await client.grantVisitor({ visitor: { token: TOKEN, name: 'Grace', email: 'grace@example.com' } });
  equal('the visitor', [visitor.token, visitor.name, visitor.username], [TOKEN, 'Grace', 'guest-1']);
  equal('the token that the client keeps', client.token, TOKEN);
  equal('the visitor that is read', (await client.visitor()).visitor._id, visitor._id);
  const { guest } = await client.config({ token: TOKEN });
  equal('the visitor of the configuration', [guest._id, guest.token, guest.name], [visitor._id, TOKEN, 'Grace']);
  equal('the status', await client.updateVisitorStatus('away'), 'away');
  equal('the status again', await client.updateVisitorStatus('online'), 'online');
  return visitor;
});

await part('ddp-client fills in custom fields', async () => {
  for (const field of ['company', 'city']) {
    await admin.post('/v1/livechat/custom-fields.save', {
      customFieldId: null,
      customFieldData: { field, label: field, scope: 'visitor', visibility: 'visible', regexp: '', type: 'input', public: true },
    });
  }
  const { customFields } = await client.config({ token: TOKEN });
  const form = customFields.map(({ _id, type }) => [_id, type]).sort();
  equal('the fields of the form', form, [['city', 'input'], ['company', 'input']]);
  const { field } = await client.sendCustomField({ token: TOKEN, key: 'company', value: 'Navy', overwrite: true });
  equal('the field', [field.key, field.value], ['company', 'Navy']);
  const fields = [{ key: 'city', value: 'Arlington', overwrite: true }, { key: 'company', value: 'Nobody', overwrite: false }];
  await client.sendCustomFields({ token: TOKEN, customFields: fields });
  equal('all of them', (await client.visitor()).visitor.livechatData, { company: 'Navy', city: 'Arlington' });
});

const room = await part('ddp-client opens a chat, which waits', async () => {
  const page = { change: 'url', title: 'Home', location: { href: 'https://shop.example.com/' } };
  const seen = await client.sendVisitorNavigation({ token: TOKEN, pageInfo: page });
  equal('the page before the chat', seen.page.msg, 'Home - https://shop.example.com/');
  equal('who would answer', (await client.nextAgent()).agent.username, 'ada');
  await letChatsWait(admin);
  const nobody = await refused('who would answer a chat that waits', 400, undefined, () => client.nextAgent());
  equal('what is said of it', nobody.error, 'agent-not-found');
  const room = await client.room();
  equal('the chat', [room.open, room.servedBy, room.v.token], [true, undefined, TOKEN]);
  equal('the same chat', (await client.room({ rid: room._id }))._id, room._id);
  equal('the chat of the configuration', (await client.config({ token: TOKEN })).room._id, room._id);
  await client.sendVisitorNavigation({ token: TOKEN, rid: room._id, pageInfo: { ...page, title: 'Prices' } });
  const { pages } = await agent.get(`/v1/livechat/visitors.pagesVisited/${room._id}`);
  equal('the pages of the chat', pages.map(({ navigation }) => navigation.page.title), ['Prices', 'Home']);
  const waiting = await refused('the agent of a chat that waits', 400, undefined, () => client.agent(room._id));
  equal('what is said of it', waiting.error, 'invalid-agent');
  return room;
});

await part('ddp-client writes and reads', async () => {
  const { message } = await client.sendMessage({ rid: room._id, msg: 'Hello' });
  equal('the message', [message.rid, message.msg, message.token], [room._id, 'Hello', TOKEN]);
  equal('the message that is read', (await client.message(message._id, { rid: room._id })).message.msg, 'Hello');
  await take(agent, room._id);
  const found = await client.agent(room._id);
  equal('who answers', [found.username, found.status], ['ada', 'online']);
  equal('who answers in the configuration', (await client.config({ token: TOKEN })).agent.username, 'ada');
  await write(agent, room._id, 'Good morning');
  for (const number of [1, 2, 3]) {
    await client.sendMessage({ rid: room._id, msg: `Number ${number}` });
  }
  const wanted = ['Number 3', 'Number 2', 'Number 1', 'Good morning', 'Hello'];
  equal('the history', texts(await client.loadMessages(room._id, { limit: 50 })), wanted);
  equal('the latest two', texts(await client.loadMessages(room._id, { limit: 2 })), wanted.slice(0, 2));
  equal('those before', texts(await client.loadMessages(room._id, { limit: 2, offset: 2 })), wanted.slice(2, 4));
  const invalid = await refused('no chat', 400, undefined, () => client.sendMessage({ rid: 'no-such-room', msg: 'Hello' }));
  equal('what is said of it', invalid.error, 'invalid-room');
});

await part('ddp-client edits its own messages', async () => {
  const [latest] = await client.loadMessages(room._id, { limit: 1 });
  const { message } = await client.editMessage(latest._id, { token: TOKEN, rid: room._id, msg: 'Number three' });
  equal('the new text', [message._id, message.msg], [latest._id, 'Number three']);
  equal('the text that is read', texts(await client.loadMessages(room._id, { limit: 1 })), ['Number three']);
  const [theirs] = (await client.loadMessages(room._id)).filter(({ msg }) => msg === 'Good morning');
  const edit = () => client.editMessage(theirs._id, { token: TOKEN, rid: room._id, msg: 'Goodbye' });
  equal('what is said of it', (await refused("the agent's message", 400, undefined, edit)).error, 'error-action-not-allowed');
  // It leaves out what it is given, so that the server cannot know whose message is to go.
  await refused('a deletion without a token', 400, 'invalid-params', () => client.deleteMessage(latest._id, { rid: room._id }));
  equal('the message afterwards', (await client.message(latest._id, { rid: room._id })).message.msg, 'Number three');
});

await part('ddp-client gets an end of the chat', async () => {
  await close(agent, room._id);
  const late = await refused('a message afterwards', 400, undefined, () => client.sendMessage({ rid: room._id, msg: 'Thanks' }));
  equal('what is said of it', late.error, 'room-closed');
  const ended = await client.config({ token: TOKEN });
  equal('the configuration', [ended.room, ended.agent, ended.guest._id], [undefined, undefined, visitor._id]);
  const [last] = await client.loadMessages(room._id, { limit: 1 });
  equal('the last message', [last.t, last.msg, last.u.username], ['livechat-close', 'Solved', 'ada']);
  const data = [{ name: 'satisfaction', value: '4' }, { name: 'agentFriendliness', value: '5' }];
  const survey = await client.chatSurvey({ rid: room._id, data });
  equal('what the visitor thinks', [survey.rid, survey.data], [room._id, { satisfaction: '4', agentFriendliness: '5' }]);
  const nothing = () => client.chatSurvey({ rid: room._id, data: [{ name: 'satisfaction', value: '6' }] });
  const empty = await refused('no opinion', 400, undefined, nothing);
  equal('what is said of it', empty.error, 'invalid-data');
  equal('what the chat says of it', (await roomNow()).surveyFeedback, survey.data);
  const sent = await client.requestTranscript('grace@example.com', { rid: room._id });
  equal('the transcript', sent.message, 'Omnichannel transcript sent');
});

await part('ddp-client closes a chat itself', async () => {
  const next = await client.room();
  equal('another chat', next._id !== room._id, true);
  const answer = await client.closeChat({ rid: next._id });
  equal('the answer', [answer.rid, answer.comment], [next._id, 'Closed by visitor']);
  const again = await refused('the same again', 400, undefined, () => client.closeChat({ rid: next._id }));
  equal('what is said of it', again.error, 'room-closed');
});

await part('ddp-client leaves a message while nobody is there', async () => {
  await setting('Livechat_offline_email', 'later@example.com');
  await setting('Livechat_validate_offline_email', false);
  const { message } = await client.sendOfflineMessage({ name: 'Grace', email: 'grace@example.com', message: 'Call me', host: url });
  equal('the answer', message, 'Livechat offline message sent');
  await setting('Livechat_display_offline_form', false);
  const refusal = () => client.sendOfflineMessage({ name: 'Grace', email: 'grace@example.com', message: 'Call me', host: url });
  const { error } = await refused('a form that is off', 400, undefined, refusal);
  equal('what is said of it', error, 'Error sending Omnichannel offline message');
});

await part('ddp-client erases its visitor', async () => {
  equal('who is erased', (await client.deleteVisitor()).visitor._id, visitor._id);
  await refused('the visitor afterwards', 400, 'invalid-token', () => client.visitor());
  const { error } = await refused('the chat afterwards', 400, undefined, () => client.loadMessages(room._id));
  equal('what is said of it', error, 'invalid-token');
  equal('the configuration', (await client.config({ token: TOKEN })).guest, undefined);
  equal('the chats', (await admin.get('/v1/livechat/rooms', {})).rooms, []);
});
