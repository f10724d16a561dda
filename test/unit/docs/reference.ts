import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { configJsonSchema } from '../../../src/config/index.ts';

const MAIN = fileURLToPath(new URL('../../../dist/src/cli/main.js', import.meta.url));
const MADE = 'Made by `npm run reference`; a test holds it against the program.';

interface Schema {
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly choices?: readonly string[];
  readonly default?: unknown;
  readonly example?: string;
  readonly unit?: string;
  readonly range?: { readonly minimum: string; readonly maximum: string };
}

/** `docs/reference/config.md`: every key with its unit, range, default and purpose. */
export function configReference(): string {
  const rows: string[] = [];
  visit(configJsonSchema() as Schema, '', rows);
  return [
    '# Every key of the config',
    '',
    MADE,
    '',
    'A level or a time always has its unit. Every secret is a `...File` or a `...Env`, never text in the file.',
    '',
    '| key | what it is for | values | default |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function visit(schema: Schema, path: string, rows: string[]): void {
  const inside = schema.anyOf?.find((one) => one.properties !== undefined) ?? schema;
  if (path !== '') rows.push(rowOf(path, schema));
  for (const [key, child] of Object.entries(inside.properties ?? {}))
    visit(child, path === '' ? key : `${path}.${key}`, rows);
  const { additionalProperties, items } = inside;
  if (typeof additionalProperties === 'object') visit(additionalProperties, `${path}.NAME`, rows);
  if (items !== undefined && (items.properties !== undefined || items.anyOf !== undefined))
    visit(items, `${path}[]`, rows);
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function rowOf(path: string, schema: Schema): string {
  const { description = '', range, unit, example } = schema;
  const choices = schema.choices ?? schema.items?.choices;
  const values = [
    choices === undefined ? '' : choices.map((choice) => `\`${choice}\``).join(', '),
    range === undefined ? '' : `${range.minimum} to ${range.maximum}`,
    unit === undefined || range !== undefined ? '' : unit,
    example === undefined || choices !== undefined ? '' : `such as \`${example}\``,
  ];
  const fallback =
    schema.default === undefined ? '' : `\`${JSON.stringify(schema.default).replace(/^"|"$/g, '')}\``;
  return `| \`${path}\` | ${cell(description)} | ${cell(values.filter(Boolean).join('; '))} | ${cell(fallback === '`{}`' ? '' : fallback)} |`;
}

const helps = new Map<string, string>();

/** Asked once each: a start of the program takes longer than everything else here. */
function helpOf(...args: string[]): string {
  const key = args.join(' ');
  const known = helps.get(key);
  if (known !== undefined) return known;
  const help = spawnSync(process.execPath, [MAIN, ...args, '--help'], { encoding: 'utf8' }).stdout.trimEnd();
  helps.set(key, help);
  return help;
}

/** The names of all commands, as the program lists them. */
export function commandNames(): string[] {
  const [, list = ''] = helpOf().split('Commands:\n');
  return [...list.matchAll(/^ {2}(\S+)/gm)].map((match) => match[1] ?? '').filter((name) => name !== 'help');
}

/** The options that a command knows, with their dashes. */
export function optionsOf(command: string): string[] {
  return [...helpOf(command).matchAll(/(?<![\w-])(--?[a-z][a-z-]*)/g)].map((match) => match[1] ?? '');
}

/** `docs/reference/cli.md`: what every command says of itself. */
export function commandReference(): string {
  const parts = commandNames().map((name) => `## sustain ${name}\n\n\`\`\`text\n${helpOf(name)}\n\`\`\``);
  return [
    '# Every command',
    '',
    MADE,
    '',
    'Exit codes: 0 in order; 1 something is wrong out there; 2 something is wrong with what was given.',
    '',
    ...parts,
    '',
  ].join('\n');
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
  }[];
  readonly responses?: Readonly<Record<string, { readonly description?: string }>>;
}

/** `docs/reference/http.md`: every path of the API. */
export function httpReference(document: OpenApi): string {
  const parts = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const parameters = (operation.parameters ?? []).map(
        (one) =>
          `- \`${one.name}\` (${one.in}${one.required === true ? '' : ', optional'})${one.description === undefined ? '' : `: ${one.description}`}`,
      );
      const answers = Object.entries(operation.responses ?? {}).map(
        ([status, { description }]) => `- ${status}${description ? `: ${description}` : ''}`,
      );
      return [
        `## ${method.toUpperCase()} ${path}`,
        '',
        operation.summary ?? operation.description ?? '',
        ...(parameters.length === 0 ? [] : ['', ...parameters]),
        '',
        'Answers:',
        '',
        ...answers,
        '',
      ].join('\n');
    }),
  );
  const intro =
    'The whole of it, with every field, is `GET /api/v1/openapi.json`; the levels are in [the API](../api.md).';
  return ['# Every path of the HTTP API', '', MADE, '', intro, '', ...parts].join('\n');
}
