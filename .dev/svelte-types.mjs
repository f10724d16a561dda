// Checks the types of the dashboard's components, script and markup: part of `npm run types`. svelte-check needs the API of an
// older TypeScript, so each component is written out as plain TypeScript, with every expression of its markup on the line
// where it stands, and tsc reads that.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parse } from 'svelte/compiler';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');
const output = join(root, 'test', 'output', 'svelte-types');

/** Shown to the checker before each component: what markup does to the expressions in it. */
const MARKUP = `declare function $element<Name extends keyof import('svelte/elements').SvelteHTMLElements>(name: Name, attributes: import('svelte/elements').SvelteHTMLElements[Name]): void; declare function $component<Props extends Record<string, any>>(component: import('svelte').Component<Props, any, any>, props: Props): void; declare function $show(...shown: unknown[]): void; `;

/** One component as TypeScript. */
class Written {
  #code;
  #text = '';
  #line = 1;

  constructor(path) {
    this.#code = readFileSync(path, 'utf8');
    const { module, instance, fragment } = parse(this.#code, { filename: path, modern: true });
    this.#put(0, MARKUP);
    for (const script of [module, instance]) if (script) this.#script(script);
    this.#put(fragment.start ?? instance?.end ?? 0, '\nfunction $markup() {');
    this.#fragment(fragment);
    this.#put(
      this.#code.length,
      `}\n$show($markup);\nexport default null as unknown as import('svelte').Component<${this.#propsOf(instance)}>;\n`,
    );
  }

  get text() {
    return this.#text;
  }

  /** No line earlier than where it stands in the component. */
  #put(at, text) {
    const wanted = this.#code.slice(0, at).split('\n').length;
    for (; this.#line < wanted; this.#line += 1) this.#text += '\n';
    this.#text += text;
    this.#line += text.split('\n').length - 1;
  }

  #script({ content: { start, end } }) {
    this.#put(
      start,
      this.#code.slice(start, end).replaceAll(/(from\s+['"][^'"]+\.svelte)(?=['"])/g, '$1.ts'),
    );
  }

  #propsOf(instance) {
    for (const { type, declarations = [] } of instance?.content.body ?? [])
      for (const { id, init } of type === 'VariableDeclaration' ? declarations : [])
        if (init?.callee?.name === '$props' && id.typeAnnotation !== undefined)
          return this.#slice(id.typeAnnotation).replace(/^\s*:/, '');
    return 'Record<string, never>';
  }

  #slice({ start, end }) {
    return this.#code.slice(start, end);
  }

  #show(expression) {
    this.#put(expression.start, `$show(${this.#slice(expression)});`);
  }

  #fragment(fragment) {
    for (const node of fragment?.nodes ?? []) this.#node(node);
  }

  #node(node) {
    switch (node.type) {
      case 'Text':
      case 'Comment':
        return;
      case 'ExpressionTag':
      case 'HtmlTag':
        return this.#show(node.expression);
      case 'ConstTag':
        return this.#put(node.declaration.start, `${this.#slice(node.declaration).replace(/;?$/, ';')}`);
      case 'RegularElement':
      case 'SvelteWindow':
        this.#attributes(`$element('${node.name}', {`, node);
        return this.#fragment(node.fragment);
      case 'Component':
        this.#attributes(`$component(${node.name}, {`, node);
        return this.#fragment(node.fragment);
      case 'IfBlock':
        this.#put(node.test.start, `if (${this.#slice(node.test)}) {`);
        this.#fragment(node.consequent);
        if (node.alternate !== null) {
          this.#put(node.consequent.end ?? 0, '} else {');
          this.#fragment(node.alternate);
        }
        return this.#put(node.end, '}');
      case 'EachBlock': {
        const item = node.context === null ? '$item' : this.#slice(node.context);
        this.#put(node.expression.start, `for (const ${item} of ${this.#slice(node.expression)}) {`);
        if (node.index !== undefined)
          this.#put(node.expression.start, `const ${node.index}: number = 0; $show(${node.index});`);
        if (node.key !== undefined) this.#show(node.key);
        this.#fragment(node.body);
        return this.#put(node.end, '}');
      }
      case 'KeyBlock':
        this.#show(node.expression);
        return this.#fragment(node.fragment);
      default:
        throw new Error(`svelte-types knows no ${node.type} yet`);
    }
  }

  #attributes(head, { start, attributes }) {
    this.#put(start, head);
    const directives = [];
    for (const attribute of attributes) {
      if (attribute.type === 'Attribute')
        this.#put(attribute.start, ` '${attribute.name}': ${this.#valueOf(attribute.value)},`);
      else if (attribute.type === 'SpreadAttribute')
        this.#put(attribute.start, ` ...${this.#slice(attribute.expression)},`);
      else directives.push(attribute);
    }
    this.#put(start, ' });');
    for (const { type, name, expression, value } of directives) {
      if (type === 'BindDirective' && name === 'this')
        this.#put(expression.start, `${this.#slice(expression)} = null as never;`);
      else if (expression !== undefined && expression !== null) this.#show(expression);
      else if (type === 'StyleDirective') this.#put(start, `$show(${this.#valueOf(value)});`);
    }
  }

  #valueOf(value) {
    if (value === true) return 'true';
    if (!Array.isArray(value)) return `(${this.#slice(value.expression)})`;
    const [only] = value;
    if (value.length === 1 && only.type === 'Text')
      return /^-?\d+$/.test(only.data) ? only.data : JSON.stringify(only.data);
    if (value.length === 1) return `(${this.#slice(only.expression)})`;
    const parts = value.map((part) =>
      part.type === 'Text' ? part.data.replaceAll(/[`\\$]/g, '\\$&') : `\${${this.#slice(part.expression)}}`,
    );
    return `\`${parts.join('')}\``;
  }
}

rmSync(output, { recursive: true, force: true });
const names = readdirSync(join(source, 'web', 'dashboard'), { recursive: true, encoding: 'utf8' });
for (const name of names
  .filter((one) => one.endsWith('.svelte'))
  .map((one) => join('web', 'dashboard', one))) {
  const path = join(output, `${name}.ts`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, new Written(join(source, name)).text);
}
const config = {
  extends: relative(output, join(source, 'web', 'dashboard', 'tsconfig.json')),
  compilerOptions: {
    rootDir: relative(output, root),
    rootDirs: ['.', relative(output, source)],
    allowJs: false,
    // Nobody but the checker reads what was written out.
    noUnusedLocals: false,
  },
  include: ['**/*.ts', relative(output, join(source, 'web', 'dashboard', 'styles.d.ts'))],
};
writeFileSync(join(output, 'tsconfig.json'), JSON.stringify(config));
const { stdout, stderr, status } = spawnSync('npx', ['tsc', '-p', join(output, 'tsconfig.json')], {
  cwd: root,
  encoding: 'utf8',
});
process.stdout.write(stdout.replaceAll(/test\/output\/svelte-types\/(\S+?\.svelte)\.ts/g, 'src/$1'));
process.stderr.write(stderr);
process.exitCode = status ?? 1;
