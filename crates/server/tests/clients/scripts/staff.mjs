// Those who answer visitors, with @rocket.chat/api-client. The scripts for the clients of visitors need them as well.

import buffer from 'node:buffer';

import { RestClient } from '@rocket.chat/api-client';

import { PASSWORD } from './checks.mjs';

// The client is made for browsers, where this is always there; Node has it since version 20.
globalThis.File ??= buffer.File;

export const stranger = (url) => new RestClient({ baseUrl: url });

export async function logIn(url, user, password = PASSWORD) {
  const { data } = await stranger(url).post('/v1/login', { user, password });
  return new RestClient({ baseUrl: url, credentials: { 'X-User-Id': data.userId, 'X-Auth-Token': data.authToken } });
}

export const idOf = (client) => client.getCredentials()['X-User-Id'];

// Creates a user, makes it an agent who is there and takes chats, and logs it in.
export async function employ(url, admin, name) {
  await admin.post('/v1/users.create', { username: name, name, email: `${name}@example.com`, password: PASSWORD });
  await admin.post('/v1/livechat/users/agent', { username: name });
  const agent = await logIn(url, name);
  await agent.post('/v1/users.setStatus', { status: 'online', message: '' });
  return agent;
}

// From now on chats wait until an agent takes them.
export const letChatsWait = (admin) => admin.post('/v1/settings/Livechat_Routing_Method', { value: 'Manual_Selection' });

export async function take(agent, roomId) {
  const { inquiry } = await agent.get('/v1/livechat/inquiries.getOne', { roomId });
  await agent.post('/v1/livechat/inquiries.take', { inquiryId: inquiry._id, options: { clientAction: true } });
}

export const write = async (agent, rid, msg) => (await agent.post('/v1/chat.sendMessage', { message: { rid, msg } })).message;

export const close = (agent, rid, more = {}) => agent.post('/v1/livechat/room.closeByUser', { rid, comment: 'Solved', ...more });
