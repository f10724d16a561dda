/** Where a key or value stands in the text, from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
  /** Where it is not the config itself: a file of one station. */
  readonly file?: string;
}

/** One thing that is wrong, or doubtful, with the place to put it right and a sentence that says how. */
export interface Problem extends Position {
  /** `stations.myfm.sources[0].mount`; empty when it is about the whole file. */
  readonly path: string;
  readonly message: string;
}

export type Path = readonly (string | number)[];

export function pathText(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${plain(step)}`;
  }
  return text;
}

const LONGEST_SHOWN = 60;

/**
 * Text from the file, safe to print: control and direction-changing characters can't forge a line of a log,
 * and a long value can't bury the sentence around it.
 */
export function shown(text: string): string {
  return `"${plain(text)}"`;
}

function plain(text: string): string {
  const cut = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

/** In the order of the file, so that a person can go through it from the top. */
export function inFileOrder(problems: readonly Problem[]): readonly Problem[] {
  const fileOf = (problem: Problem) => problem.file ?? '';
  return [...problems].sort(
    (a, b) => fileOf(a).localeCompare(fileOf(b)) || a.line - b.line || a.column - b.column,
  );
}

const MOST_PRINTED = 50;

/** The problems as a compiler prints them, one a line: `sustain.yaml:12:7  path  sentence`. */
export function printProblems(file: string, problems: readonly Problem[]): string {
  const lines = problems.slice(0, MOST_PRINTED).map(({ file: own, line, column, path, message }) => {
    const place = `${plain(own ?? file)}:${line}:${column}`;
    return [place, path, message].filter((part) => part !== '').join('  ');
  });
  if (problems.length > MOST_PRINTED) lines.push(`… and ${problems.length - MOST_PRINTED} more`);
  return lines.join('\n');
}
