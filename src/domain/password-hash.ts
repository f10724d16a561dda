/** Cost and parts of a stored password: `$scrypt$ln=15,r=8,p=1$<salt>$<hash>`, both in unpadded base64 (PHC string format). */
export interface PasswordHash {
  /** Logarithm of the cost N of scrypt (RFC 7914), to the base 2. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly salt: string;
  readonly hash: string;
}

const FORM =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{22,86})\$([A-Za-z0-9+/]{43,86})$/;

/** Null when it is none, or when its cost is under what protects a password or over what a sign-in may take. */
export function parsePasswordHash(text: string): PasswordHash | null {
  const [, ln, r, p, salt = '', hash = ''] = FORM.exec(text) ?? [];
  const cost = { ln: Number(ln), r: Number(r), p: Number(p) };
  const within = (value: number, least: number, most: number) => value >= least && value <= most;
  if (!within(cost.ln, 14, 17) || !within(cost.r, 8, 16) || !within(cost.p, 1, 4)) return null;
  return { ...cost, salt, hash };
}

export function passwordHashText({ ln, r, p, salt, hash }: PasswordHash): string {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${salt}$${hash}`;
}
