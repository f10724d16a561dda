import type { Readable } from 'node:stream';
import { hashPassword, LEAST_PASSWORD_LENGTH, MOST_PASSWORD_LENGTH } from '../web/access/passwords.ts';
import { EXIT } from './exit-codes.ts';

/** Standard input and output, replaced in tests. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  print(text: string): void;
  complain(text: string): void;
}

const STANDARD: Terminal = {
  input: process.stdin,
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
};

/** `sustain hash-password`: one line in, its hash out. On a terminal the password is not shown. */
export async function hashPasswordFromInput(terminal: Terminal = STANDARD): Promise<number> {
  const password = await readLine(terminal);
  const { length } = [...password];
  if (length < LEAST_PASSWORD_LENGTH || length > MOST_PASSWORD_LENGTH) {
    terminal.complain(
      `A password has ${LEAST_PASSWORD_LENGTH} to ${MOST_PASSWORD_LENGTH} characters (15 and more are good); this one has ${length}.\n`,
    );
    return EXIT.unusable;
  }
  terminal.print(`${await hashPassword(password)}\n`);
  return EXIT.ok;
}

const MOST_TYPED = 4 * MOST_PASSWORD_LENGTH;
const BACKSPACE = '\u007f';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';

async function readLine({ input, complain }: Terminal): Promise<string> {
  const isTyped = input.isTTY === true;
  if (isTyped) complain('Password: ');
  input.setRawMode?.(isTyped);
  input.setEncoding('utf8');
  try {
    return await new Promise<string>((resolve, reject) => {
      let text = '';
      input.once('error', reject);
      input.once('end', () => resolve(text));
      input.on('data', (part: string) => {
        for (const letter of part) {
          if (letter === CTRL_C) text = '';
          if (['\r', '\n', CTRL_C, CTRL_D].includes(letter) || text.length > MOST_TYPED) {
            resolve(text);
            return;
          }
          text = letter === BACKSPACE ? [...text].slice(0, -1).join('') : text + letter;
        }
      });
    });
  } finally {
    input.pause();
    input.setRawMode?.(false);
    if (isTyped) complain('\n');
  }
}
