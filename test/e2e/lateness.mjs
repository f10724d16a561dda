// How late this machine is with what is due, on a thread of its own: what the test itself computes doesn't count.
import { parentPort } from 'node:worker_threads';

const EVERY_MS = 50;

let greatestMs = 0;
let dueMs = performance.now() + EVERY_MS;
const look = () => {
  greatestMs = Math.max(greatestMs, performance.now() - dueMs);
  dueMs = performance.now() + EVERY_MS;
};
const timer = setInterval(look, EVERY_MS);
parentPort.once('message', () => {
  clearInterval(timer);
  look();
  parentPort.postMessage(greatestMs);
});
