import { z } from 'zod';
import { type Path, type Problem, pathText, shown } from './problems.ts';
import { configSchema, type ParsedConfig } from './schema/schema.ts';
import { nearest } from './suggest.ts';
import type { Locate, Tree } from './yaml.ts';

export type Validated<Value> =
  | { readonly ok: true; readonly parsed: Value }
  | { readonly ok: false; readonly faults: readonly Problem[] };

/** Holds the tree of `sustain.yaml` against its schema and gives every fault, each with its place. */
export function validate(tree: Tree, locate: Locate): Validated<ParsedConfig> {
  return validateAs(configSchema, tree, locate);
}

/** The same for any file of ours. */
export function validateAs<Value>(schema: z.ZodType<Value>, tree: Tree, locate: Locate): Validated<Value> {
  const result = schema.safeParse(tree, { error: sentenceOf });
  if (result.success) return { ok: true, parsed: result.data };
  const faults = result.error.issues.flatMap((issue) => {
    const path = plainPath(issue.path);
    const problem = (at: Path, message: string): Problem => ({
      ...locate(at),
      path: pathText(at),
      message,
    });
    const known = knownKeys(schema, path);
    if (issue.code === 'invalid_type' && issue.expected === 'object' && known.length > 0) {
      return [problem(path, `${issue.message}; its keys are ${known.join(', ')}`)];
    }
    if (issue.code !== 'unrecognized_keys') return [problem(path, issue.message)];
    return issue.keys.map((key) => problem([...path, key], unknownKey(key, known)));
  });
  return { ok: false, faults };
}

function plainPath(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === 'number' ? step : String(step)));
}

/** Sentences for what the schema has none of its own for. */
function sentenceOf(issue: z.core.$ZodRawIssue): string {
  if (issue.code !== 'invalid_type') return 'is not what belongs here: see the reference of the config';
  const what =
    issue.expected === 'array'
      ? 'a list: lines that begin with -, or [ … ]'
      : 'a section: lines of key: value below it, or { … }';
  if (issue.input === undefined) return `is missing: write ${what}`;
  return issue.input === null ? `is empty: write ${what}, or remove the line` : `must be ${what}`;
}

const SECRET_KEY = /^(.*(password|passwd|token|secret|apikey|api_key|credentials?)|pass|key)$/i;

function unknownKey(key: string, known: readonly string[]): string {
  const fileKeys = known.filter((word) => word.endsWith('File'));
  if (known.includes(`${key}File`) || (SECRET_KEY.test(key) && fileKeys.length > 0)) {
    const fileKey =
      fileKeys.find((word) => word.toLowerCase() === `${key}file`.toLowerCase()) ?? fileKeys[0] ?? '';
    const variableKey = fileKey.replace(/File$/, 'Env');
    return `a secret can't stand in this file: put it into a file of its own and write ${fileKey}: /path/of/the/file, or ${variableKey}: NAME_OF_A_VARIABLE`;
  }
  const meant = nearest(key, known);
  if (meant !== null) return `is not a key of this section: did you mean ${meant}?`;
  if (key === '<<') return 'merging of sections (<<) is not supported: write the keys out';
  return `is not a key of this section: it knows ${known.map(shownKey).join(', ')}`;
}

const shownKey = (key: string): string => shown(key).slice(1, -1);

/** The keys of the section at a path, from the schema as the reference has it. */
function knownKeys(schema: z.ZodType, path: Path): readonly string[] {
  let here: z.core.JSONSchema._JSONSchema | undefined = z.toJSONSchema(schema, { io: 'input' });
  for (const step of path) {
    if (typeof here !== 'object') return [];
    if (typeof step === 'number') here = Array.isArray(here.items) ? here.items[step] : here.items;
    else here = here.properties?.[step] ?? here.additionalProperties;
  }
  return typeof here === 'object' ? Object.keys(here.properties ?? {}) : [];
}

/** The schema of the file as JSON Schema, with description, unit, range and default of every key. */
export function configJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(configSchema, { io: 'input' });
}
