// What the scripts for the JavaScript clients share: checks, and the codes of an authenticator.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

export const PASSWORD = 'a Password of their own, 1';

// Does one part of the work. Whatever is not as it should be ends the script, which says what it was.
export async function part(name, work) {
  console.log(name);
  try {
    return await work();
  } catch (error) {
    // The clients throw the answer itself.
    console.error(error instanceof Response ? `answered with ${error.status}: ${await error.clone().text()}` : error);
    process.exit(1);
  }
}

export function equal(what, found, wanted) {
  assert.deepEqual(found, wanted, `${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
}

export function contains(what, found, wanted) {
  assert.ok(found.includes(wanted), `${what}: ${JSON.stringify(wanted)} is not in ${JSON.stringify(found)}`);
}

// Checks that a call is refused with this status, and with this type of error unless that is left out. Gives the refusal's body.
export async function refused(what, status, errorType, call) {
  const answer = await call().then(
    (accepted) => assert.fail(`${what}: it is not refused but answered with ${JSON.stringify(accepted)}`),
    (thrown) => thrown,
  );
  if (!(answer instanceof Response)) {
    throw answer;
  }
  const text = await answer.text();
  equal(`${what}: the status of ${text}`, answer.status, status);
  const body = JSON.parse(text);
  equal(`${what}: the success of ${text}`, body.success, false);
  if (errorType !== undefined) {
    equal(`${what}: the type of error in ${text}`, body.errorType, errorType);
  }
  return body;
}

// The one-time codes of an authenticator, each of which the server may accept only once.
export class Codes {
  #key;
  #last = 0;

  constructor(secret) {
    this.#key = decodeBase32(secret);
  }

  // A code that was not given before. Clocks may differ, so the server takes those of the half minutes before and after, too.
  async next() {
    if ((Date.now() / 1000) % 30 > 27) {
      await pause(4000); // The oldest of the three is about to expire.
    }
    const halfMinute = Math.max(this.#last + 1, Math.floor(Date.now() / 30_000) - 1);
    while (halfMinute > Date.now() / 30_000 + 1) {
      await pause(1000);
    }
    this.#last = halfMinute;
    const moment = Buffer.alloc(8);
    moment.writeBigUInt64BE(BigInt(halfMinute));
    const digest = createHmac('sha1', this.#key).update(moment).digest();
    const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
    return String(number % 1_000_000).padStart(6, '0');
  }
}

function decodeBase32(text) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...text.replace(/=+$/, '')].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  return Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
}

// What people wrote, without what the server notes.
export const texts = (messages) => messages.filter(({ t }) => t === undefined).map(({ msg }) => msg);
