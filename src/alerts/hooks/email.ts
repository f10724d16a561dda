import { createHash } from 'node:crypto';
import type { HookTarget } from '../../domain/alert-hooks.ts';
import { codeOf, messageOf } from '../../platform/errors.ts';
import { type Delivery, failed } from '../hook.ts';
import type { AlertMessage } from '../message.ts';
import { wordsOf } from '../words.ts';

const WITHIN_MS = 20_000;

/** Mail over SMTP: one incident is one thread, as every message but the first answers the one that opened it. */
export function emailDelivery({
  smtp,
  user,
  password,
  from,
  to,
}: HookTarget<string> & { kind: 'email' }): (
  messages: readonly AlertMessage[],
  signal: AbortSignal,
) => Promise<Delivery> {
  const { hostname, port, protocol } = new URL(smtp);
  const secure = protocol === 'smtps:';
  const host = hostname.replace(/^\[|\]$/g, '');
  const isLocal = /^(127(\.\d+){3}|localhost|::1)$/.test(host);
  const domain = from.replace(/^.*@/, '').replace(/[^A-Za-z0-9.-].*$/, '') || 'sustain.invalid';
  return async (messages, signal) => {
    // More than a megabyte that most agents have no use for.
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host,
      port: port === '' ? (secure ? 465 : 587) : Number(port),
      secure,
      // A password never goes out in the clear to another machine.
      requireTLS: !secure && !isLocal && user !== null,
      connectionTimeout: WITHIN_MS,
      greetingTimeout: WITHIN_MS,
      socketTimeout: WITHIN_MS,
      disableFileAccess: true,
      disableUrlAccess: true,
      // What does not leave this machine is read by nobody on the way, and its mail server has no name to be certified.
      ...(isLocal ? { tls: { rejectUnauthorized: false } } : {}),
      ...(user === null || password === null ? {} : { auth: { user, pass: password } }),
    });
    const end = () => transport.close();
    signal.addEventListener('abort', end);
    try {
      signal.throwIfAborted();
      const { rejectedErrors = [] } = await transport.sendMail({
        from,
        to: [...to],
        ...mailOf(messages, domain),
      });
      const refused = rejectedErrors.map(refusalText).join('; ');
      return refused === '' ? { is: 'sent' } : { is: 'sent', but: refused };
    } catch (thrown) {
      const status = responseCodeOf(thrown);
      const detail = signal.aborted ? 'it did not answer in time' : oneLine(messageOf(thrown));
      const code = codeOf(thrown);
      // 550 to 554 for the address itself come again each time; what is wrong with us may be put right meanwhile.
      return failed(code === '' ? detail : `${detail} (${code})`, {
        forGood: code === 'EENVELOPE' && status >= 550 && status <= 554,
        isOfMessage: code === 'EMESSAGE' && status >= 500,
      });
    } finally {
      signal.removeEventListener('abort', end);
      transport.close();
    }
  };
}

function mailOf(messages: readonly AlertMessage[], domain: string) {
  const { title, lines } = wordsOf(messages);
  const [first] = messages;
  const only = messages.length === 1 ? first : undefined;
  const idOf = (text: string) =>
    `<${createHash('sha256').update(text).digest('hex').slice(0, 32)}@${domain}>`;
  const opened = only === undefined ? null : idOf(`${only.incident.id}.opened`);
  const own = idOf(messages.map(({ id }) => id).join(' '));
  return {
    subject: title.slice(0, 200),
    text: `${title}\n\n${lines.join('\n')}\n`,
    messageId: own,
    headers: { 'Auto-Submitted': 'auto-generated' },
    ...(opened === null || opened === own ? {} : { inReplyTo: opened, references: [opened] }),
  };
}

function responseCodeOf(thrown: unknown): number {
  return thrown instanceof Error && 'responseCode' in thrown ? Number(thrown.responseCode) : 0;
}

function refusalText(thrown: Error & { readonly recipient?: unknown }): string {
  return oneLine(`${String(thrown.recipient ?? 'an address')} is refused: ${messageOf(thrown)}`);
}

function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 200);
}
