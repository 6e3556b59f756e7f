// What @rocket.chat/sdk, the client for bots, does over REST for an administrator.
//
// Usage: node sdk.mjs URL USERNAME EMAIL PASSWORD
//
// Says what it does. If the server answers anything else than the client needs, it ends there with an error.

import assert from 'node:assert/strict';

import { PASSWORD, contains, equal, part } from './checks.mjs';

const [url, username, , password] = process.argv.slice(2);

// The client takes its server and its bot from here, when it is loaded.
process.env.ROCKETCHAT_URL = url;
process.env.ROCKETCHAT_USER = username;
process.env.ROCKETCHAT_PASSWORD = 'a wrong password';
const { default: api } = await import('@rocket.chat/sdk/dist/lib/api.js');
const { default: log } = await import('@rocket.chat/sdk/dist/lib/log.js');
log.silence();

await part('sdk logs in', async () => {
  // Told to do anything before, it logs in as its bot.
  await assert.rejects(api.login(), /Login failed/, 'a wrong password is refused');
  const answer = await api.login({ username, password });
  equal('the name', answer.data.me.username, username);
  equal('the id', (await api.get('me'))._id, answer.data.userId);
});

await part('sdk creates, finds, changes and deletes a user', async () => {
  const robot = { username: 'robot', name: 'Robot', email: 'robot@example.com', password: PASSWORD, roles: ['bot'] };
  const { user } = await api.post('users.create', robot);
  equal('the roles', user.roles, ['bot']);
  equal('found by name', (await api.get('users.info', { username: 'robot' })).user._id, user._id);
  await api.post('users.update', { userId: user._id, data: { name: 'Robot the Second' } });

  const everyone = await api.users.all();
  equal('the new name in the list', everyone.find((found) => found._id === user._id).name, 'Robot the Second');
  contains('the names', await api.users.allNames(), 'robot');
  contains('the ids', await api.users.allIDs(), user._id);
  await api.post('users.setStatus', { status: 'online', message: '' });
  contains('the names of those who are online', await api.users.onlineNames(), username);

  equal('the answer to deleting', (await api.post('users.delete', { userId: user._id })).success, true);
  equal('found afterwards', await api.get('users.info', { username: 'robot' }), undefined);
});

await part('sdk reads and writes settings and permissions', async () => {
  await api.post('settings/Livechat_title', { value: 'Talk to us & them = "all"' });
  equal('the setting', (await api.get('settings/Livechat_title')).value, 'Talk to us & them = "all"');
  const { settings } = await api.get('settings.public', { _id: 'Livechat_title' }, false);
  equal('the setting in public', settings.map((found) => found.value), ['Talk to us & them = "all"']);
  const { update } = await api.get('permissions.listAll');
  const permission = update.find((found) => found._id === 'view-l-room');
  const { permissions } = await api.post('permissions.update', { permissions: [{ _id: permission._id, roles: permission.roles }] });
  equal('the permission', permissions.find((found) => found._id === permission._id).roles, permission.roles);
});

await part('sdk logs out', async () => {
  const headers = { ...api.authHeaders };
  await api.logout();
  equal('the status of a call after the logout', (await fetch(`${url}/api/v1/me`, { headers })).status, 401);
});

// It keeps its connections open, and so this program alive.
process.exit(0);
