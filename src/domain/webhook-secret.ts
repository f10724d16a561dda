const PREFIX = 'whsec_';
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/** The base64 in a Standard Webhooks secret (`whsec_` and 24 to 64 bytes); null when it is none. */
export function webhookSecretBase64(secret: string): string | null {
  const text = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const bytes = Math.floor((text.replace(/=+$/, '').length * 3) / 4);
  return bytes >= LEAST_BYTES && bytes <= MOST_BYTES ? text : null;
}
