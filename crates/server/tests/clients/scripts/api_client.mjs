// An administrator's work with @rocket.chat/api-client, the client of the web application.
//
// Usage: node api_client.mjs URL USERNAME EMAIL PASSWORD
//
// Says what it does. If the server answers anything else than the client needs, it ends there with an error.

import buffer from 'node:buffer';

import { RestClient } from '@rocket.chat/api-client';

import { Codes, PASSWORD, contains, equal, part, refused } from './checks.mjs';

const [url, username, email, password] = process.argv.slice(2);

// The client is made for browsers, where this is always there; Node has it since version 20.
globalThis.File ??= buffer.File;

const client = (credentials) => new RestClient({ baseUrl: url, credentials });
const clientOf = (userId, authToken) => client({ 'X-User-Id': userId, 'X-Auth-Token': authToken });
const stranger = client();

async function logIn(body) {
  const answer = await stranger.post('/v1/login', body);
  equal('the status of the login', answer.status, 'success');
  return clientOf(answer.data.userId, answer.data.authToken);
}

const logInAs = (user) => logIn({ user, password: PASSWORD });

async function create(name, more = {}) {
  const body = { username: name, name, email: `${name}@example.com`, password: PASSWORD, ...more };
  return (await admin.post('/v1/users.create', body)).user;
}

const remove = (userId) => admin.post('/v1/users.delete', { userId });

async function rolesOf(permission) {
  const { update, remove } = await admin.get('/v1/permissions.listAll');
  equal('removed permissions', remove, []);
  return update.find((found) => found._id === permission).roles;
}

async function method(caller, name, ...params) {
  const frame = JSON.stringify({ msg: 'method', id: '1', method: name, params });
  const { message } = await caller.post(`/v1/method.call/${encodeURIComponent(name)}`, { message: frame });
  const answer = JSON.parse(message);
  contains(`the answer to ${name}: ${message}`, Object.keys(answer), 'result');
  return answer.result;
}

const setting = async (id) => (await admin.get(`/v1/settings/${id}`)).value;
const writeSetting = (caller, id, value) => caller.post(`/v1/settings/${id}`, { value });

const admin = await part('api-client logs in by name and by e-mail address', async () => {
  const byName = await logIn({ user: username, password });
  const me = await byName.get('/v1/me');
  equal('the id', me._id, byName.getCredentials()['X-User-Id']);
  equal('the name', me.username, username);
  contains('the addresses', me.emails.map((found) => found.address), email);
  contains('the roles', me.roles, 'admin');
  const forms = [{ user: email, password }, { username, password }, { email, password }, { user: { username }, password }];
  for (const form of forms) {
    equal(`the user of ${Object.keys(form)}`, (await (await logIn(form)).get('/v1/me'))._id, me._id);
  }
  const resumed = await logIn({ resume: byName.getCredentials()['X-Auth-Token'] });
  equal('the token of a login by token', resumed.getCredentials(), byName.getCredentials());

  const wrong = (user) => () => stranger.post('/v1/login', { user, password: 'a wrong password' });
  for (const user of [username, email, 'nobody']) {
    const refusal = await refused(`a wrong password of ${user}`, 401, undefined, wrong(user));
    equal('the refusal', [refusal.status, refusal.error, refusal.message], ['error', 'Unauthorized', 'Unauthorized']);
  }
  await refused('me without a login', 401, undefined, () => stranger.get('/v1/me'));
  return byName;
});

await part('api-client reads the version', async () => {
  const { version } = await stranger.get('/info');
  equal(`whether ${version} is a version that clients take for a current one`, /^8\.\d+$/.test(version), true);
  contains("the administrator's version", (await admin.get('/info')).version, version);
});

await part('api-client creates, reads, changes and deletes a user', async () => {
  const user = await create('mary', { name: 'Mary', roles: ['user', 'livechat-agent'] });
  equal('the name', [user.username, user.name], ['mary', 'Mary']);
  equal('the roles', [...user.roles].sort(), ['livechat-agent', 'user']);
  equal('active', user.active, true);

  let mary = await logInAs('mary');
  equal("the new user's id", (await mary.get('/v1/me'))._id, user._id);
  equal('found by id', (await admin.get('/v1/users.info', { userId: user._id })).user.username, 'mary');
  equal('found by name', (await admin.get('/v1/users.info', { username: 'mary' })).user._id, user._id);
  await refused('an unknown user', 400, undefined, () => admin.get('/v1/users.info', { username: 'nobody' }));
  await refused('a name that is taken', 400, 'error-field-unavailable', () => create('mary', { email: 'other@example.com' }));
  await refused('no right to delete', 403, undefined, () => mary.post('/v1/users.delete', { userId: user._id }));

  const data = { name: 'Mary Smith', email: 'mary.smith@example.com' };
  const changed = (await admin.post('/v1/users.update', { userId: user._id, data })).user;
  equal('the new name', [changed._id, changed.name], [user._id, 'Mary Smith']);
  equal('the login by the new address', (await (await logInAs('mary.smith@example.com')).get('/v1/me')).name, 'Mary Smith');
  await refused('the login by the old address', 401, undefined, () => logInAs('mary@example.com'));

  const activate = async (activeStatus) => (await admin.post('/v1/users.setActiveStatus', { userId: user._id, activeStatus })).user;
  equal('deactivated', (await activate(false)).active, false);
  await refused("a deactivated user's call", 401, undefined, () => mary.get('/v1/me'));
  await refused("a deactivated user's login", 401, undefined, () => logInAs('mary'));
  equal('activated', (await activate(true)).active, true);
  mary = await logInAs('mary');

  await remove(user._id);
  await refused("a deleted user's call", 401, undefined, () => mary.get('/v1/me'));
  await refused("a deleted user's login", 401, undefined, () => logInAs('mary'));
  await refused("a deleted user's data", 400, undefined, () => admin.get('/v1/users.info', { userId: user._id }));
});

await part('api-client lists users page by page', async () => {
  for (const number of [1, 2, 3, 4, 5]) {
    await create(`number.${number}`);
  }
  const names = async (query) => (await admin.get('/v1/users.list', query)).users.map((user) => user.username);
  const everyone = await names({ count: 0 });
  equal('the order', everyone, [...everyone].sort());
  const found = [];
  for (let offset = 0; offset < everyone.length; offset += 2) {
    found.push(...(await names({ offset, count: 2 })));
  }
  equal('pages of two', found, everyone);
  const page = await admin.get('/v1/users.list', { offset: 1, count: 3 });
  equal('the figures of a page', [page.offset, page.count, page.total], [1, 3, everyone.length]);
  equal('backwards', await names({ sort: JSON.stringify({ username: -1 }) }), [...everyone].reverse());
});

await part('api-client sets a status and asks for several users at once', async () => {
  const [peter, quinn] = [await create('peter'), await create('quinn')];
  await (await logInAs('peter')).post('/v1/users.setStatus', { status: 'busy', message: 'on the phone' });
  const status = await admin.get('/v1/users.getStatus', { userId: peter._id });
  equal('the status', [status.status, status.message], ['busy', 'on the phone']);
  await (await logInAs('quinn')).post('/v1/users.setStatus', { status: 'away' });
  const { users } = await admin.get('/v1/users.presence', { ids: [peter._id, quinn._id] });
  equal('the presence', users.map((user) => [user.username, user.status]).sort(), [['peter', 'busy'], ['quinn', 'away']]);
  const selector = JSON.stringify({ term: 'quin', exceptions: ['peter'] });
  equal('found', (await admin.get('/v1/users.autocomplete', { selector })).items.map((user) => user.username), ['quinn']);
  await remove(peter._id);
  await remove(quinn._id);
});

await part('api-client gives roles and takes them', async () => {
  const user = await create('nora');
  contains('the roles', (await admin.get('/v1/roles.list')).roles.map((role) => role._id), 'livechat-manager');
  const given = { roleId: 'livechat-manager', username: 'nora' };
  equal('the role', (await admin.post('/v1/roles.addUserToRole', given)).role._id, 'livechat-manager');
  const holders = async () => {
    const { users } = await admin.get('/v1/roles.getUsersInRole', { role: 'livechat-manager', count: 10, offset: 0 });
    return users.map((found) => found._id);
  };
  equal('the users of the role', await holders(), [user._id]);
  await refused('a role that the user has', 400, 'error-user-already-in-role', () => admin.post('/v1/roles.addUserToRole', given));
  await admin.post('/v1/roles.removeUserFromRole', given);
  equal('the users of the role afterwards', await holders(), []);
  await remove(user._id);
});

await part('api-client takes a permission and gives it back', async () => {
  const user = await create('oscar');
  const oscar = await logInAs('oscar');
  const before = await rolesOf('view-d-room');
  const without = before.filter((role) => role !== 'user');
  const update = (roles) => admin.post('/v1/permissions.update', { permissions: [{ _id: 'view-d-room', roles }] });
  const list = async () => (await oscar.get('/v1/users.list', { count: 0 })).users.map((found) => found.username);
  contains('what the user sees', await list(), 'oscar');
  await update(without);
  equal('the roles while it is taken', (await rolesOf('view-d-room')).sort(), without.sort());
  await refused('the next call', 403, undefined, list);
  await update(before);
  contains('what the user sees again', await list(), 'oscar');
  await refused('a role that is none', 400, 'error-invalid-role', () => update(['no-such-role']));
  await remove(user._id);
});

await part('api-client reads and writes settings', async () => {
  const before = await setting('Livechat_title');
  await writeSetting(admin, 'Livechat_title', 'Ask us!');
  equal('the text that is read back', await setting('Livechat_title'), 'Ask us!');
  const one = await stranger.get('/v1/settings.public', { _id: 'Livechat_title,Livechat_offline_email' });
  equal('what of it is public', one.settings.map((found) => [found._id, found.value]), [['Livechat_title', 'Ask us!']]);
  equal('the title that visitors see', (await stranger.get('/v1/livechat/config')).config.theme.title, 'Ask us!');
  await writeSetting(admin, 'Livechat_title', before);
  equal('the text from before', await setting('Livechat_title'), before);
  const several = [{ _id: 'Livechat_title', value: 'One' }, { _id: 'Livechat_enabled', value: true }];
  await admin.post('/v1/settings', { settings: several });
  equal('one of several that were written at once', await setting('Livechat_title'), 'One');
  await refused('a setting that is none', 400, undefined, () => admin.get('/v1/settings/No_such_setting'));
});

await part('api-client works with a personal access token', async () => {
  const call = (action, more = {}) => admin.post(`/v1/users.${action}PersonalAccessToken`, { tokenName: 'reports', ...more });
  const { token } = await call('generate', { bypassTwoFactor: true });
  const further = clientOf(admin.getCredentials()['X-User-Id'], token);
  equal("the token's user", (await further.get('/v1/me')).username, username);
  await writeSetting(further, 'Livechat_title', 'Written with a token');
  equal('what was written with the token', await setting('Livechat_title'), 'Written with a token');
  await call('remove');
  await refused('a removed token', 401, undefined, () => further.get('/v1/me'));
});

await part('api-client confirms with a code from an authenticator', async () => {
  const user = await create('ruth', { roles: ['user', 'admin'] });
  await writeSetting(admin, 'Accounts_TwoFactorAuthentication_RememberFor', 0);
  const ruth = await logInAs('ruth');
  const codes = new Codes((await method(ruth, '2fa:enable')).secret);
  await method(ruth, '2fa:validateTempToken', await codes.next());

  const write = () => writeSetting(ruth, 'Livechat_title', 'Confirmed');
  const refusal = await refused('no code', 400, 'totp-required', write);
  equal('the factor that is asked for', refusal.details.method, 'totp');

  const challenges = [];
  ruth.handleTwoFactorChallenge(async ({ method, invalidAttempt }) => {
    challenges.push([method, invalidAttempt]);
    return invalidAttempt ? codes.next() : '000000';
  });
  await write();
  equal('what the client was asked', challenges, [['totp', false], ['totp', true]]);
  equal('what the confirmed call wrote', await setting('Livechat_title'), 'Confirmed');

  const required = await refused('a login without a code', 401, undefined, () => logInAs('ruth'));
  equal('why', [required.error, required.details.method], ['totp-required', 'totp']);
  const wrong = () => logIn({ user: 'ruth', password: PASSWORD, code: '000000' });
  equal('why', (await refused('a login with a wrong code', 401, undefined, wrong)).error, 'totp-invalid');
  const again = await logIn({ user: 'ruth', password: PASSWORD, code: await codes.next() });
  equal('the user of a login with a code', (await again.get('/v1/me'))._id, user._id);
  await writeSetting(admin, 'Accounts_TwoFactorAuthentication_RememberFor', 1800);
  await remove(user._id);
});

await part('api-client logs out', async () => {
  await create('rose');
  const [first, second] = [await logInAs('rose'), await logInAs('rose')];
  equal('the logout', (await first.post('/v1/logout')).status, 'success');
  await refused('a call after the logout', 401, undefined, () => first.get('/v1/me'));
  equal('another login of the same user', (await second.get('/v1/me')).username, 'rose');
  await admin.post('/v1/logout');
  await refused("the administrator's call after the logout", 401, undefined, () => admin.get('/v1/me'));
});
