// A page with the official widget in a real browser, and an agent who answers with @rocket.chat/ddp-client.
//
// Usage: node browser.mjs URL USERNAME EMAIL PASSWORD
//
// Says what it does, and leaves screenshots in the folder `screenshots`. If the widget shows anything else than people expect, it ends there
// with an error.

import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';

import { chromium } from 'playwright-core';

import { Heard } from './hearing.mjs';
import { PASSWORD, equal, part } from './checks.mjs';
import { close, employ, idOf, logIn } from './staff.mjs';

const [url, username, , password] = process.argv.slice(2);
const { default: { DDPSDK } } = await import('@rocket.chat/ddp-client');

// Without these the browser looks for servers of its maker, and for rights that it does not have.
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

// What operators put into their pages.
const PAGE = `<!doctype html><title>Shop</title><h1>Shop</h1><script>
(function (w, d, s, u) {
  w.RocketChat = function (c) { w.RocketChat._.push(c) }; w.RocketChat._ = []; w.RocketChat.url = u;
  var h = d.getElementsByTagName(s)[0], j = d.createElement(s);
  j.async = true; j.src = u + '/rocketchat-livechat.min.js?_=201903270000';
  h.parentNode.insertBefore(j, h);
})(window, document, 'script', '${url}/livechat');
</script>`;

const PICTURE = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

mkdirSync('screenshots', { recursive: true });
const shop = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(PAGE));
await new Promise((resolve) => shop.listen(0, '127.0.0.1', resolve));
const shopUrl = `http://127.0.0.1:${shop.address().port}/`;
const complaints = [];

// The frame of the widget in a page, opened.
async function widgetIn(page) {
  await page.waitForSelector('#rocketchat-iframe', { state: 'attached' });
  const frame = await (await page.$('#rocketchat-iframe')).contentFrame();
  await frame.waitForSelector('button', { state: 'attached' });
  await page.evaluate(() => window.RocketChat(function () { this.maximizeWidget(); }));
  return frame;
}

const shows = (frame, text) => frame.waitForFunction((wanted) => document.body.innerText.includes(wanted), text);
const picture = (page, name) => page.screenshot({ path: `screenshots/${name}.png` });

async function write(page, frame, text) {
  const composer = await frame.waitForSelector('[contenteditable]');
  await composer.click();
  await page.keyboard.type(text, { delay: 20 });
  await page.keyboard.press('Enter');
}

const [ada, desk, list] = await part('an agent is there', async () => {
  const admin = await logIn(url, username, password);
  const ada = await employ(url, admin, 'ada');
  const desk = DDPSDK.create(url.replace(/^http/, 'ws'));
  await desk.connection.connect();
  await desk.account.loginWithPassword('ada', createHash('sha256').update(PASSWORD).digest('hex'));
  const list = new Heard();
  await desk.stream('notify-user', `${idOf(ada)}/subscriptions-changed`, list.take).ready();
  return [ada, desk, list];
});

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
const context = await browser.newContext({ viewport: { width: 900, height: 700 } });
context.setDefaultTimeout(20_000);
context.on('page', (page) => {
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('response', (answer) => answer.url().startsWith(url) && answer.status() >= 400 && complaints.push(`${answer.status()} ${answer.url()}`));
});
const page = await context.newPage();

let frame = await part('a visitor opens the widget and says who it is', async () => {
  await page.goto(shopUrl);
  const frame = await widgetIn(page);
  await frame.fill('input[name=name]', 'Grace');
  await frame.fill('input[name=email]', 'grace@example.com');
  await picture(page, '1-form');
  await frame.click('button[type=submit]');
  return frame;
});

const [rid, heard, activity] = await part('the visitor writes, and the agent hears it', async () => {
  await write(page, frame, 'Is it in stock?');
  const [, { rid }] = await list.until('the chat in the list', (action) => action === 'inserted');
  const [heard, activity] = [new Heard(), new Heard()];
  await desk.stream('room-messages', rid, heard.take).ready();
  await desk.stream('notify-room', `${rid}/user-activity`, activity.take).ready();
  await shows(frame, 'Is it in stock?');
  await write(page, frame, 'The red one');
  await heard.until('the message', ({ msg }) => msg === 'The red one');
  await activity.until('that the visitor is typing', (_, what) => what[0] === 'user-typing');
  return [rid, heard, activity];
});

await part('the agent types and answers', async () => {
  await desk.call('stream-notify-room', `${rid}/user-activity`, 'ada', ['user-typing']);
  await frame.waitForSelector('[class*="typing"]');
  await picture(page, '2-typing');
  await desk.call('stream-notify-room', `${rid}/user-activity`, 'ada', []);
  await desk.call('sendMessage', { rid, msg: 'Yes, three of them' });
  await shows(frame, 'Yes, three of them');
  await picture(page, '3-answer');
});

await part('the visitor sends a picture', async () => {
  await frame.setInputFiles('input[type=file]', { name: 'wish.png', mimeType: 'image/png', buffer: PICTURE });
  const [message] = await heard.until('the picture', ({ file }) => file?.name === 'wish.png');
  equal('the kind of file', message.file.type, 'image/png');
  await frame.waitForSelector('img[src*="wish.png"]');
});

frame = await part('the chat is there after the page was loaded again', async () => {
  await page.reload();
  const frame = await widgetIn(page);
  for (const text of ['Is it in stock?', 'Yes, three of them']) {
    await shows(frame, text);
  }
  await write(page, frame, 'I take two');
  await heard.until('what was written after that', ({ msg }) => msg === 'I take two');
  return frame;
});

await part('a second tab shows the same chat', async () => {
  const second = await context.newPage();
  await second.goto(shopUrl);
  const other = await widgetIn(second);
  await shows(other, 'I take two');
  await desk.call('sendMessage', { rid, msg: 'They are on their way' });
  for (const each of [frame, other]) {
    await shows(each, 'They are on their way');
  }
  await picture(second, '4-second-tab');
  await second.close();
});

await part('the agent closes the chat', async () => {
  await close(ada, rid);
  await heard.until('the end', ({ t }) => t === 'livechat-close');
  await frame.waitForFunction(() => document.querySelector('[contenteditable]') === null);
  await picture(page, '5-end');
});

await part('the visitor says what it thinks of the chat, and comes back', async () => {
  const token = await frame.evaluate(() => JSON.parse(localStorage.getItem('store')).token);
  const survey = { rid, token, data: [{ name: 'satisfaction', value: '5' }] };
  const answer = await fetch(`${url}/api/v1/livechat/room.survey`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(survey),
  });
  equal('the answer', answer.status, 200);
  await page.reload();
  await widgetIn(page);
  await picture(page, '6-again');
});

equal('what the browser complained of', complaints, []);
await browser.close();
process.exit(0);
