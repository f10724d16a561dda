import type { HookTarget } from '../../domain/alert-hooks.ts';
import type { Clock } from '../../platform/clock.ts';
import { codeOf, messageOf, SustainError } from '../../platform/errors.ts';
import { retryAfterMs } from '../../platform/retry-after.ts';
import { type Delivery, failed } from '../hook.ts';
import { type AlertMessage, foldedJson, jsonOf } from '../message.ts';
import { chatBody, ntfyBody } from '../shapes.ts';
import { signedHeaders, webhookKey } from '../sign.ts';

const ANSWER_BYTES = 4096;
/** What is wrong with a body, as far as the other side is concerned. */
const OF_THE_MESSAGE = [400, 413, 422];
const LONGEST_WAIT_MS = 3_600_000;

type HttpTarget = HookTarget<string> & { kind: 'webhook' | 'slack' | 'discord' | 'teams' | 'ntfy' };

interface Request {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * @throws SustainError `bad-webhook-secret` when the secret is no Standard Webhooks secret.
 */
export function httpDelivery(
  target: HttpTarget,
  clock: Clock,
): (messages: readonly AlertMessage[], signal: AbortSignal) => Promise<Delivery> {
  const requestFor = requester(target, clock);
  return async (messages, signal) => {
    try {
      const { url, headers, body } = requestFor(messages);
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'Sustain', ...headers },
        body,
        // Somewhere else is not who was meant, and would get the secret of the signature's content.
        redirect: 'manual',
        signal,
      });
      return await understand(response, clock);
    } catch (thrown) {
      return failed(signal.aborted ? 'it did not answer in time' : reasonOf(thrown));
    }
  };
}

function requester(target: HttpTarget, clock: Clock): (messages: readonly AlertMessage[]) => Request {
  switch (target.kind) {
    case 'webhook':
      return webhookRequester(target, clock);
    case 'ntfy': {
      const { origin, pathname } = new URL(target.url);
      const topic = decodeURIComponent(pathname.split('/').filter(Boolean).at(-1) ?? '');
      const root = `${origin}${pathname.replace(/\/*[^/]*\/*$/, '')}/`;
      const headers = target.token === null ? {} : { authorization: `Bearer ${target.token}` };
      return (messages) => ({ url: root, headers, body: JSON.stringify(ntfyBody(topic, messages)) });
    }
    default:
      return (messages) => ({
        url: target.url,
        headers: {},
        body: JSON.stringify(chatBody(target.kind, messages)),
      });
  }
}

function webhookRequester(
  { url, secret }: HookTarget<string> & { kind: 'webhook' },
  clock: Clock,
): (messages: readonly AlertMessage[]) => Request {
  const key = secret === null ? null : webhookKey(secret);
  if (secret !== null && key === null) {
    throw new SustainError(
      'bad-webhook-secret',
      'the secret of a webhook is whsec_ and base64 of 24 to 64 bytes',
    );
  }
  return (messages) => {
    const [first] = messages;
    const body = JSON.stringify(
      messages.length === 1 && first !== undefined ? jsonOf(first) : foldedJson(messages),
    );
    // A receiver knows by it that it has had this already; the same messages folded again are the same.
    const id = messages.length === 1 ? (first?.id ?? '') : `${first?.id}.and-${messages.length - 1}`;
    const unixMs = clock.wallTime().getTime();
    return { url, body, headers: key === null ? { 'webhook-id': id } : signedHeaders(id, unixMs, body, key) };
  };
}

async function understand(response: Response, clock: Clock): Promise<Delivery> {
  const { status, headers } = response;
  const text = await firstOf(response);
  if (status >= 200 && status < 300) return { is: 'sent' };
  const said = text === '' ? '' : `: ${text}`;
  const detail = `it answered ${status}${said}`;
  if (status === 410) return failed(`${detail} (gone for good)`, { forGood: true });
  if (status >= 300 && status < 400)
    return failed(`${detail} (redirects are not followed: write the address that it moved to)`);
  const isOfMessage = OF_THE_MESSAGE.includes(status);
  const askedMs = retryAfterMs(headers, clock.wallTime().getTime());
  const waitMs = askedMs === null ? null : Math.min(askedMs, LONGEST_WAIT_MS);
  return failed(detail, { isOfMessage, retryAfterMs: waitMs });
}

/** The beginning of an answer in one line; the rest is not read. */
async function firstOf(response: Response): Promise<string> {
  let text = '';
  try {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (text.length >= ANSWER_BYTES) break;
    }
  } catch {
    // The status has come, and that is what counts.
  }
  return text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 200);
}

/** What fetch hides in its cause; its own words may have the address in them. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  const code = codeOf(cause) || codeOf(thrown);
  if (code !== '') return `it cannot be reached (${code})`;
  return cause instanceof Error
    ? `it cannot be reached (${messageOf(cause).slice(0, 80)})`
    : 'it cannot be reached';
}
