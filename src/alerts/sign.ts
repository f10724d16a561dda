import { createHmac } from 'node:crypto';
import { webhookSecretBase64 } from '../domain/webhook-secret.ts';

/** The key in a Standard Webhooks secret; null when it is none. */
export function webhookKey(secret: string): Buffer | null {
  const base64 = webhookSecretBase64(secret);
  return base64 === null ? null : Buffer.from(base64, 'base64');
}

/** The headers of a signed webhook, by the Standard Webhooks specification 1.0. */
export function signedHeaders(id: string, unixMs: number, body: string, key: Buffer): Record<string, string> {
  const seconds = Math.floor(unixMs / 1000);
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  };
}
