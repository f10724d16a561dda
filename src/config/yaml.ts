import {
  type Alias,
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  LineCounter,
  type ParsedNode,
  Parser,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { type Path, type Position, type Problem, pathText } from './problems.ts';

/**
 * The file's values before anyone looks at their meaning. Every scalar is the text as written (so a bitrate of `1e3` or
 * a country `no` is what it says), and null where nothing was written.
 */
export type Tree = string | null | readonly Tree[] | { readonly [key: string]: Tree };

/** Says where a path stands in the text; of a key that isn't there, where its nearest parent stands. */
export type Locate = (path: Path) => Position;

export type YamlResult =
  | {
      readonly ok: true;
      readonly tree: Tree;
      readonly locate: Locate;
      readonly faults: readonly Problem[];
    }
  | { readonly ok: false; readonly faults: readonly Problem[] };

const DEEPEST = 24;
const MOST_NODES = 20_000;
const MOST_ALIASES = 100;
const MOST_SYNTAX_FAULTS = 20;

const START: Position = { line: 1, column: 1 };
const atStart = (message: string): YamlResult => ({
  ok: false,
  faults: [{ ...START, path: '', message }],
});

/** YAML text to a tree with positions, or every fault of its syntax. Hostile text costs a bounded amount of work. */
export function readYaml(text: string): YamlResult {
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };

  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  // The composer calls itself for every level, and a stack overflow inside V8's regular expressions ends the process.
  const tooDeep = deeperThan(tokens, DEEPEST);
  if (tooDeep !== null) {
    const message = `is nested more than ${DEEPEST} levels deep: check the brackets and the indentation`;
    return { ok: false, faults: [{ ...at(tooDeep), path: '', message }] };
  }

  const documents = [
    ...new Composer({
      schema: 'failsafe',
      stringKeys: true,
      uniqueKeys: false,
      logLevel: 'silent',
    }).compose(tokens),
  ];
  const syntax = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  if (syntax.length > 0) return { ok: false, faults: syntaxFaults(syntax, at) };
  const [first, second] = documents;
  if (first === undefined || first.contents === null)
    return atStart('the file is empty: write at least the sections server, servers and stations');
  if (second !== undefined) {
    const message = 'begins a second document: keep one document in the file, without lines of ---';
    return {
      ok: false,
      faults: [{ ...at(second.range[0]), path: '', message }],
    };
  }
  return walk(first, at);
}

function syntaxFaults(errors: readonly YAMLError[], at: (offset: number) => Position): readonly Problem[] {
  const faults = new Map<number, Problem>();
  for (const error of errors) {
    const position = at(error.pos[0]);
    // One mistake makes several errors; the first on a line is the one to mend.
    if (faults.has(position.line)) continue;
    faults.set(position.line, {
      ...position,
      path: '',
      message: sentenceOf(error),
    });
  }
  return [...faults.values()].slice(0, MOST_SYNTAX_FAULTS);
}

function sentenceOf(error: YAMLError): string {
  if (error.code === 'BAD_INDENT' && error.message.startsWith('Flow')) {
    return 'begins while a { or [ above it is still open: close that one, or indent this line';
  }
  return SENTENCES[error.code];
}

/** Our own sentences, because the library's repeat text of the file, and that could be a password. */
const SENTENCES: Readonly<Record<YAMLError['code'], string>> = {
  ALIAS_PROPS: 'an alias (*name) can have no anchor or tag of its own: remove it',
  BAD_ALIAS: 'is not an alias: write *name, or put quotes around a text that begins with *',
  BAD_DIRECTIVE: 'lines that begin with % are not used here: remove it, or put quotes around the text',
  BAD_DQ_ESCAPE:
    'has an unknown escape after a backslash: use single quotes, in which a backslash is only a backslash',
  BAD_INDENT:
    'is indented differently from the lines it belongs to: begin all keys of one section in the same column',
  BAD_PROP_ORDER: 'has an anchor or tag in the wrong place: remove it',
  BAD_SCALAR_START: 'begins with a character that YAML keeps for itself: put quotes around the text',
  BLOCK_AS_IMPLICIT_KEY: 'has a second colon on the line: put quotes around the text, or begin a new line',
  BLOCK_IN_FLOW: 'has lines of keys inside { } or [ ]: write key: value pairs with commas between them',
  DUPLICATE_KEY: 'is written twice in one section: keep one of them',
  IMPOSSIBLE: 'is not understood: check the line above it',
  KEY_OVER_1024_CHARS: 'is too long for a key: check for a missing colon or line break',
  MISSING_CHAR:
    'lacks a closing quote or bracket, or a colon and a space after a key: check this line and the one above',
  MULTILINE_IMPLICIT_KEY: 'is a key over several lines: check for a missing colon or closing quote above',
  MULTIPLE_ANCHORS: 'has two anchors: keep one',
  MULTIPLE_DOCS: 'begins a second document: keep one document in the file, without lines of ---',
  MULTIPLE_TAGS: 'has tags (!name), which are not used here: remove them',
  NON_STRING_KEY: 'is not a text that can be a key: check the brackets and colons',
  RESOURCE_EXHAUSTION: 'is too large or nested too deep: check the brackets and the indentation',
  TAB_AS_INDENT: 'is indented with a tab: use spaces',
  TAG_RESOLVE_FAILED: 'has a tag (!name), which is not used here: remove it, or put quotes around the text',
  UNEXPECTED_TOKEN:
    'is not expected here: check the quotes, brackets and indentation of this line and the one above',
  BAD_COLLECTION_TYPE: 'has a tag (!name), which is not used here: remove it',
};

/** The offset of the first token that lies deeper, found without recursion. */
function deeperThan(tokens: readonly CST.Token[], deepest: number): number | null {
  const open: { token: CST.Token; depth: number }[] = tokens.map((token) => ({
    token,
    depth: 0,
  }));
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { token, depth } = next;
    if (token.type === 'document' && token.value !== undefined) open.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    if (depth >= deepest) return token.offset;
    for (const item of token.items) {
      if (item.key) open.push({ token: item.key, depth: depth + 1 });
      if (item.value) open.push({ token: item.value, depth: depth + 1 });
    }
  }
  return null;
}

const keyOf = (path: Path): string => path.join('\0');

/** Turns the composed document into a plain tree, noting where each part stands. */
function walk(document: Document.Parsed, at: (offset: number) => Position): YamlResult {
  const walker = new Walker(at);
  const tree = walker.visit(document.contents, [], new Set());
  return { ok: true, tree, locate: walker.locate, faults: walker.faults };
}

class Walker {
  readonly faults: Problem[] = [];
  readonly #at: (offset: number) => Position;
  readonly #positions = new Map<string, Position>();
  readonly #anchors = new Map<string, ParsedNode>();
  #aliases = 0;
  #nodes = 0;

  constructor(at: (offset: number) => Position) {
    this.#at = at;
  }

  readonly locate: Locate = (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const found = this.#positions.get(keyOf(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return START;
  };

  /** `inside` holds the nodes above this one, so that an alias can't contain itself. */
  visit(node: ParsedNode | null, path: Path, inside: ReadonlySet<ParsedNode>): Tree {
    if (node === null) return null;
    this.#nodes += 1;
    if (this.#nodes === MOST_NODES + 1)
      this.#blame(node, path, `is one value too many: at most ${MOST_NODES} are allowed`);
    if (this.#nodes > MOST_NODES) return null;

    const place = keyOf(path);
    if (!this.#positions.has(place)) this.#positions.set(place, this.#at(node.range[0]));
    if (isAlias(node)) return this.#visitAlias(node, path, inside);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) {
      const text = String(node.value);
      const nothing = node.type === 'PLAIN' && (text === '' || text === '~' || text === 'null');
      return nothing ? null : text;
    }
    const within = new Set(inside).add(node);
    if (isMap(node)) return this.#visitMap(node, path, within);
    return node.items.map((item, index) => this.visit(item, [...path, index], within));
  }

  #visitAlias(alias: Alias.Parsed, path: Path, inside: ReadonlySet<ParsedNode>): Tree {
    this.#aliases += 1;
    if (this.#aliases === MOST_ALIASES + 1)
      this.#blame(alias, path, `is one alias (*name) too many: at most ${MOST_ALIASES} are allowed`);
    if (this.#aliases > MOST_ALIASES) return null;
    const target = this.#anchors.get(alias.source);
    if (target === undefined) {
      return this.#blame(
        alias,
        path,
        'is an alias (*name) for something that is defined nowhere above: put quotes around a text that begins with *',
      );
    }
    if (inside.has(target))
      return this.#blame(
        alias,
        path,
        'is an alias (*name) for a section that it is part of: write the values out',
      );
    return this.visit(target, path, inside);
  }

  #visitMap(map: YAMLMap.Parsed, path: Path, within: ReadonlySet<ParsedNode>): Tree {
    // Without a prototype `__proto__` is a key like any other, and gets its fault as an unknown one.
    const branch: Record<string, Tree> = Object.create(null);
    const firstLines = new Map<string, number>();
    for (const { key, value } of map.items) {
      if (!isScalar(key)) {
        this.#blame(key, path, 'has a key that is not a plain text: write name: value');
        continue;
      }
      const name = String(key.value);
      const keyPath = [...path, name];
      const firstLine = firstLines.get(name);
      if (firstLine !== undefined) {
        this.#blame(
          key,
          keyPath,
          `is written twice in one section (first on line ${firstLine}): keep one of them`,
        );
        continue;
      }
      const position = this.#at(key.range[0]);
      firstLines.set(name, position.line);
      this.#positions.set(keyOf(keyPath), position);
      branch[name] = this.visit(value, keyPath, within);
    }
    return branch;
  }

  #blame(node: ParsedNode, path: Path, message: string): null {
    this.faults.push({
      ...this.#at(node.range[0]),
      path: pathText(path),
      message,
    });
    return null;
  }
}
