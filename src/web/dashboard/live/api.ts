import { clockAheadMs } from '../../../platform/clock-ahead.ts';

/** What the agent answered; status 0: it could not be reached. */
export type Answer<Body> =
  | {
      readonly ok: true;
      readonly body: Body;
      /** How far this machine's clock is ahead of the agent's, in ms; negative behind. */
      readonly aheadMs: number;
    }
  | { readonly ok: false; readonly status: number; readonly error: string };

/** What is looked at again and again must not wait long; what a person asked for may. */
const LOOK_WITHIN_MS = 5_000;
const ACT_WITHIN_MS = 15_000;

/** The mark that has to come with every request that changes something. */
let csrf = '';

export function useCsrf(mark: string): void {
  csrf = mark;
}

/** Told of each act that was refused to whoever this page takes itself to be. */
let forbidden = () => {};

export function whenForbidden(told: () => void): void {
  forbidden = told;
}

export function get<Body>(path: string): Promise<Answer<Body>> {
  return ask<Body>('GET', path);
}

export function post<Body>(path: string, body: object): Promise<Answer<Body>> {
  return ask<Body>('POST', path, body);
}

export function remove<Body>(path: string): Promise<Answer<Body>> {
  return ask<Body>('DELETE', path);
}

async function ask<Body>(method: string, path: string, body?: object): Promise<Answer<Body>> {
  try {
    const askedAtMs = Date.now();
    const response = await fetch(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'GET' ? {} : { 'x-csrf-token': csrf }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(method === 'GET' ? LOOK_WITHIN_MS : ACT_WITHIN_MS),
    });
    const aheadMs = clockAheadMs(askedAtMs, Date.now(), response.headers.get('date'));
    const answer: unknown = await response.json();
    if (response.ok) return { ok: true, body: answer as Body, aheadMs };
    if (response.status === 403 && method !== 'GET') forbidden();
    return {
      ok: false,
      status: response.status,
      error: errorIn(answer) ?? `the agent said ${response.status}`,
    };
  } catch {
    return { ok: false, status: 0, error: 'the agent does not answer' };
  }
}

function errorIn(answer: unknown): string | null {
  if (typeof answer !== 'object' || answer === null || !('error' in answer)) return null;
  return typeof answer.error === 'string' ? answer.error : null;
}
