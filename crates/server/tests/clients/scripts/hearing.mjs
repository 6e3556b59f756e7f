// What the scripts for the realtime connection share.

import { WebSocket } from 'ws';

// The clients are made for browsers, where this is always there; Node has it since version 22.
globalThis.WebSocket = WebSocket;

const PATIENCE = 15_000;

// What a client hears, so that a script can wait for it.
export class Heard {
  #all = [];
  #waiting = new Set();

  // Takes something that was heard. To be given to clients, which call it.
  take = (...what) => {
    this.#all.push(what);
    for (const look of this.#waiting) {
      look();
    }
  };

  // Waits for the first thing that `isWanted` is true of, and forgets it with all that came before.
  async until(what, isWanted) {
    let look;
    let timer;
    const found = await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`${what}: nobody heard it; instead ${JSON.stringify(this.#all)}`)), PATIENCE);
      look = () => {
        const place = this.#all.findIndex((heard) => isWanted(...heard));
        if (place >= 0) {
          resolve(this.#all.splice(0, place + 1).at(-1));
        }
      };
      this.#waiting.add(look);
      look();
    });
    this.#waiting.delete(look);
    clearTimeout(timer);
    return found;
  }
}
