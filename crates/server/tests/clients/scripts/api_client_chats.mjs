// What agents and managers do in chats with @rocket.chat/api-client, the client of the web application.
//
// Usage: node api_client_chats.mjs URL USERNAME EMAIL PASSWORD
//
// Says what it does. If the server answers anything else than the client needs, it ends there with an error.

import { contains, equal, part, refused, texts } from './checks.mjs';
import { close, employ, idOf, letChatsWait, logIn, stranger, take, write } from './staff.mjs';

const [url, username, , password] = process.argv.slice(2);
const site = stranger(url);
const TOKEN = 'token-of-grace';

const refusal = async (what, text, call) => equal(`${what}: the text`, (await refused(what, 400, undefined, call)).error, text);
const ours = () => ({ token: TOKEN, rid: room._id });
const say = async (msg, more = {}) => (await site.post('/v1/livechat/message', { ...ours(), msg, ...more })).message;
const roomNow = async () => (await admin.get('/v1/rooms.info', { roomId: room._id })).room;
const inquiryOf = async (user) => (await user.get('/v1/livechat/inquiries.getOne', { roomId: room._id })).inquiry;

const [admin, agent, other] = await part('api-client employs agents', async () => {
  const admin = await logIn(url, username, password);
  await letChatsWait(admin);
  const [agent, other] = [await employ(url, admin, 'ada'), await employ(url, admin, 'bert')];
  const { users, total } = await admin.get('/v1/livechat/users/agent', { offset: 1, count: 1, sort: '{"username":1}' });
  equal('the second of the agents', [users.map((user) => user.username), total], [['bert'], 2]);
  const { config } = await agent.get('/v1/livechat/config/routing');
  equal('how chats find agents', [config.showQueue, config.previewRoom, config.autoAssignAgent], [true, true, false]);
  return [admin, agent, other];
});

const department = await part('api-client makes departments', async () => {
  const make = async (name, user) => (await admin.post('/v1/livechat/department', {
    department: { enabled: true, name, email: `${name}@example.com`, showOnRegistration: true, showOnOfflineForm: true },
    agents: [{ agentId: idOf(user), count: 0, order: 0 }],
  })).department;
  const department = await make('Sales', agent);
  // An agent without any department may look at all chats that wait.
  const elsewhere = await make('Support', other);
  const { department: found, agents } = await admin.get(`/v1/livechat/department/${department._id}`);
  equal('the department', [found.name, agents.map((one) => one.username)], ['Sales', ['ada']]);
  const { departments } = await agent.get(`/v1/livechat/agents/${idOf(agent)}/departments`, { enabledDepartmentsOnly: true });
  equal("the agent's departments", departments.map((one) => one.departmentId), [department._id]);
  const { config } = await site.get('/v1/livechat/config');
  const shown = config.departments.map(({ _id, name }) => [name, _id]).sort();
  equal('what visitors see', shown, [['Sales', department._id], ['Support', elsewhere._id]]);
  return department;
});

await part('api-client makes custom fields', async () => {
  const save = (field, scope) => admin.post('/v1/livechat/custom-fields.save', {
    customFieldId: null,
    customFieldData: { field, label: `The ${field}`, scope, visibility: 'visible', regexp: '', searchable: true },
  });
  equal('the field', (await save('company', 'visitor')).customField._id, 'company');
  await save('order', 'room');
  const { customFields } = await agent.get('/v1/livechat/custom-fields', { count: 0 });
  equal('the fields', customFields.map(({ _id, scope }) => [_id, scope]).sort(), [['company', 'visitor'], ['order', 'room']]);
});

const [visitor, room] = await part('api-client registers a visitor, whose chat waits', async () => {
  const given = { token: TOKEN, name: 'Grace', email: 'grace@example.com', department: department._id };
  const { visitor } = await site.post('/v1/livechat/visitor', { visitor: given });
  equal('the visitor', [visitor.token, visitor.name, visitor.department], [TOKEN, 'Grace', department._id]);
  const { room, newRoom } = await site.get('/v1/livechat/room', { token: TOKEN });
  equal('the chat', [newRoom, room.open, room.departmentId, room.servedBy], [true, true, department._id, undefined]);
  return [visitor, room];
});

await part('api-client looks at the queue and takes the chat', async () => {
  const queued = async (user) => {
    const { inquiries } = await user.get('/v1/livechat/inquiries.queuedForUser', { count: 50 });
    return inquiries.map(({ rid }) => rid);
  };
  equal("the queue of the department's agent", await queued(agent), [room._id]);
  equal('the queue of another agent', await queued(other), []);
  equal('the look at it before it is taken', (await agent.get('/v1/rooms.info', { roomId: room._id })).room._id, room._id);
  await refused('the look of another agent', 400, 'Not Allowed', () => other.get('/v1/rooms.info', { roomId: room._id }));
  await take(agent, room._id);
  await refused('the same again', 400, 'error-inquiry-taken', () => take(agent, room._id));
  equal('the place in the queue', (await inquiryOf(agent)).status, 'taken');
  equal('the queue afterwards', await queued(agent), []);
  equal("the chat's agent", (await roomNow()).servedBy.username, 'ada');
  const query = { agents: [idOf(agent)], open: true, departmentId: department._id };
  const { rooms } = await agent.get('/v1/livechat/rooms', query);
  const joined = rooms.map((one) => [one._id, one.department.name]);
  equal("the agent's chats", joined, [[room._id, 'Sales']]);
  await refused('no right to see the chats of all', 403, undefined, () => agent.get('/v1/livechat/rooms', {}));
});

await part('api-client writes and reads messages', async () => {
  const hello = await say('Hello', { _id: 'message-of-grace' });
  equal('the message', [hello._id, hello.token, hello.u._id], ['message-of-grace', TOKEN, visitor._id]);
  equal('whether somebody waits', (await roomNow()).waitingResponse, true);
  const answer = await write(agent, room._id, 'Good *morning*');
  equal('the answer', [answer.msg, answer.u.username], ['Good *morning*', 'ada']);
  const now = await roomNow();
  equal('who answered', [now.waitingResponse, now.responseBy.username, now.lastMessage._id], [undefined, 'ada', answer._id]);
  await say('See https://example.com/a?b=c');

  const { messages, count, total } = await agent.get(`/v1/livechat/${room._id}/messages`, { count: 2 });
  equal('the latest two of three', [texts(messages), count, total], [['See https://example.com/a?b=c', 'Good *morning*'], 2, 3]);
  const found = await agent.get(`/v1/livechat/${room._id}/messages`, { searchTerm: 'hell' });
  equal('what is found', texts(found.messages), ['Hello']);
  equal('what agents see in place of the token', found.messages[0].token, visitor._id);
  await refused('a stranger who reads', 401, undefined, () => site.get(`/v1/livechat/${room._id}/messages`));
  const { subscription } = await agent.get('/v1/subscriptions.getOne', { roomId: room._id });
  equal('what is new for the agent', [subscription.unread > 0, subscription.alert], [true, true]);
  await agent.post('/v1/subscriptions.read', { rid: room._id });
  const { update } = await agent.get('/v1/subscriptions.get', { updatedSince: hello.ts });
  equal('what is new afterwards', update.filter(({ t }) => t === 'l').map(({ rid, unread }) => [rid, unread]), [[room._id, 0]]);
});

await part('api-client edits and deletes messages', async () => {
  const path = '/v1/livechat/message/message-of-grace';
  const edited = await site.put(path, { ...ours(), msg: 'Hello again' });
  equal("the visitor's new text", [edited.message.msg, edited.message.editedBy._id], ['Hello again', visitor._id]);
  equal('the text that is read', (await site.get(path, ours())).message.msg, 'Hello again');
  const slip = await say('Oops');
  // Its deletions have no body.
  const place = `/v1/livechat/message/${slip._id}?${new URLSearchParams(ours())}`;
  equal('what the visitor deletes', (await site.delete(place)).message._id, slip._id);
  await refusal('the message afterwards', 'invalid-message', () => site.get(`/v1/livechat/message/${slip._id}`, ours()));
  const mistake = await write(agent, room._id, 'Mistaek');
  const change = { roomId: room._id, msgId: mistake._id };
  equal("the agent's new text", (await agent.post('/v1/chat.update', { ...change, text: 'Mistake' })).message.msg, 'Mistake');
  equal('what is deleted', (await agent.post('/v1/chat.delete', change))._id, mistake._id);
  await refused('the message afterwards', 400, undefined, () => agent.get('/v1/chat.getMessage', { msgId: mistake._id }));
  const { result } = await agent.get('/v1/chat.syncMessages', { roomId: room._id, lastUpdate: mistake.ts });
  contains('what is gone', result.deleted.map(({ _id }) => _id), mistake._id);
});

await part('api-client keeps what is known of the visitor and the chat', async () => {
  const page = { change: 'url', title: 'Prices', location: { href: 'https://shop.example.com/prices' } };
  await site.post('/v1/livechat/page.visited', { ...ours(), pageInfo: page });
  const { pages } = await agent.get(`/v1/livechat/visitors.pagesVisited/${room._id}`, { count: 10 });
  equal('the pages', pages.map(({ navigation }) => navigation.page), [page]);

  await agent.post('/v1/livechat/room.saveInfo', {
    guestData: { _id: visitor._id, name: 'Grace Hopper', phone: '555', livechatData: { company: 'Navy' } },
    roomData: { _id: room._id, topic: 'Prices', tags: ['sale', 'new'], livechatData: { order: '17' } },
  });
  const { visitor: known } = await agent.get('/v1/livechat/visitors.info', { visitorId: visitor._id });
  equal('the visitor', [known.name, known.phone], ['Grace Hopper', [{ phoneNumber: '555' }]]);
  equal('the field of the visitor', known.livechatData, { company: 'Navy' });
  equal('the token that nobody else sees', known.token, undefined);
  const now = await roomNow();
  equal('the chat', [now.topic, now.tags, now.livechatData], ['Prices', ['sale', 'new'], { order: '17' }]);
  const search = await agent.get('/v1/livechat/visitors.search', { term: 'hopper' });
  equal('who is found', search.visitors.map(({ _id }) => _id), [visitor._id]);
  const { items } = await agent.get('/v1/livechat/visitors.autocomplete', { selector: JSON.stringify({ term: 'Gra' }) });
  equal('who is proposed', items.map(({ _id }) => _id), [visitor._id]);
  const tagged = await admin.get('/v1/livechat/rooms', { tags: ['new', 'none'], customFields: '{"order":"17"}' });
  equal('the chats with these', tagged.rooms.map(({ _id }) => _id), [room._id]);
  const { history } = await agent.get(`/v1/livechat/visitors.chatHistory/room/${room._id}/visitor/${visitor._id}`);
  equal("the visitor's chats", history.map(({ _id }) => _id), [room._id]);
});

await part('api-client puts the chat back into the queue', async () => {
  const giveBack = async () => (await agent.post('/v1/livechat/inquiries.returnAsInquiry', { roomId: room._id })).result;
  equal('the answer', await giveBack(), true);
  equal("the chat's agent", (await roomNow()).servedBy, undefined);
  equal('its place', (await inquiryOf(agent)).status, 'queued');
  equal('the answer where nobody serves it', await giveBack(), false);
  await take(other, room._id);
  equal('who serves it now', (await roomNow()).servedBy.username, 'bert');
  await admin.get('/v1/livechat/room.join', { roomId: room._id });
  const { subscription } = await admin.get('/v1/subscriptions.getOne', { roomId: room._id });
  equal('the list of whoever joins', [subscription.rid, subscription.u.username], [room._id, username]);
});

await part('api-client closes the chat', async () => {
  const schedule = { email: 'grace@example.com', subject: 'Your chat' };
  await admin.post(`/v1/livechat/transcript/${room._id}`, schedule);
  equal('the transcript that is to come', (await roomNow()).transcriptRequest.email, schedule.email);
  const again = () => admin.post(`/v1/livechat/transcript/${room._id}`, schedule);
  await refused('the same again', 400, 'error-transcript-already-requested', again);
  await admin.delete(`/v1/livechat/transcript/${room._id}`);
  equal('the transcript afterwards', (await roomNow()).transcriptRequest, undefined);

  await refusal('no comment', 'error-comment-is-required', () => close(other, room._id, { comment: ' ' }));
  equal('the answer', (await close(other, room._id, { tags: ['solved'] })).success, true);
  await refusal('the same again', 'error-room-already-closed', () => close(admin, room._id));
  await refusal("the visitor's message afterwards", 'room-closed', () => say('Thanks'));
  const now = await roomNow();
  equal('the chat', [now.open, now.closer, now.closedBy.username], [undefined, 'user', 'bert']);
  equal('its tags', [...now.tags].sort(), ['new', 'sale', 'solved']);
  equal('its last message', [now.lastMessage.t, now.lastMessage.msg], ['livechat-close', 'Solved']);
  equal('its place in the queue', await inquiryOf(agent), null);
  const closed = await admin.get('/v1/livechat/rooms', { open: false });
  equal('the closed chats', closed.rooms.map(({ _id }) => _id), [room._id]);
});

await part('api-client erases the visitor', async () => {
  const data = [{ name: 'satisfaction', value: '5' }, { name: 'additionalFeedback', value: 'Thanks' }];
  const survey = await site.post('/v1/livechat/room.survey', { ...ours(), data });
  equal('what the visitor thinks', survey.data, { satisfaction: '5', additionalFeedback: 'Thanks' });
  equal('what the chat says of it', (await roomNow()).surveyFeedback, survey.data);
  equal('who is erased', (await site.delete(`/v1/livechat/visitor/${TOKEN}`)).visitor._id, visitor._id);
  await refused('the same again', 400, 'invalid-token', () => site.delete(`/v1/livechat/visitor/${TOKEN}`));
  await refused('the chat afterwards', 400, undefined, roomNow);
  await refusal('what is known', 'visitor-not-found', () => agent.get('/v1/livechat/visitors.info', { visitorId: visitor._id }));
  equal('the chats', (await admin.get('/v1/livechat/rooms', {})).total, 0);
});
