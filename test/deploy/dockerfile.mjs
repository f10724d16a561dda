// Reads a Dockerfile, and holds it against rules of hadolint: neither Debian nor npm has hadolint itself, only wrappers
// that download it. The rules are the ones that can apply to a Dockerfile like ours; the numbers are hadolint's.

/** Instructions in order: keyword, flags, words or the JSON form, line, and the rules that a comment before them ignores. */
export function parseDockerfile(text) {
  const instructions = [];
  let pending = '';
  let firstLine = 0;
  let ignored = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line.startsWith('#')) {
      const named = /hadolint\s+ignore=([A-Z0-9,\s]+)/.exec(line);
      if (named !== null) ignored = named[1].split(',').map((rule) => rule.trim());
      continue;
    }
    if (line === '' && pending === '') continue;
    if (pending === '') firstLine = index + 1;
    if (line.endsWith('\\')) {
      pending += `${line.slice(0, -1)} `;
      continue;
    }
    instructions.push(instructionOf(pending + line, firstLine, ignored));
    pending = '';
    ignored = [];
  }
  return instructions;
}

function instructionOf(text, line, ignored) {
  const [, keyword, rest] = /^(\w+)\s*([\s\S]*)$/.exec(text);
  const flags = {};
  let body = rest.trim();
  for (
    let match = /^--([a-z-]+)=(\S+)\s*/.exec(body);
    match !== null;
    match = /^--([a-z-]+)=(\S+)\s*/.exec(body)
  ) {
    flags[match[1]] = match[2];
    body = body.slice(match[0].length);
  }
  let json = null;
  try {
    json = body.startsWith('[') ? JSON.parse(body) : null;
  } catch {
    // It is no JSON form then, and a rule says so where that matters.
  }
  return {
    keyword: keyword.toUpperCase(),
    flags,
    body,
    json,
    words: json ?? body.split(/\s+/),
    line,
    ignored,
  };
}

/** Stages, each with its base, its name and its instructions after FROM. */
export function stagesOf(instructions) {
  const stages = [];
  for (const one of instructions) {
    if (one.keyword === 'FROM') {
      const [base, as, name] = one.words;
      stages.push({
        base,
        name: as?.toUpperCase() === 'AS' ? name : String(stages.length),
        from: one,
        steps: [],
      });
    } else stages.at(-1)?.steps.push(one);
  }
  return stages;
}

const SECRET = /(password|passwd|secret|token|api_?key|private_?key|credential)/i;
const lines = (found, message) => found.map((one) => ({ line: one.line, one, message }));
const named = (all, keyword) => all.filter((one) => one.keyword === keyword);
const apt = (all) => named(all, 'RUN').filter(({ body }) => /apt-get\s+(-\S+\s+)*install/.test(body));

/** Each rule gives what breaks it. */
const RULES = {
  DL3000: ({ all }) =>
    lines(
      named(all, 'WORKDIR').filter(({ body }) => !/^["']?[/$]/.test(body)),
      'WORKDIR is absolute',
    ),
  DL3002: ({ stages }) => {
    const user = named(stages.at(-1)?.steps ?? [], 'USER').at(-1);
    const isRoot = user === undefined || /^(root|0)(:|$)/.test(user.body);
    return isRoot ? [{ line: user?.line ?? 1, one: user, message: 'the last user is not root' }] : [];
  },
  DL3003: ({ all }) =>
    lines(
      named(all, 'RUN').filter(({ body }) => /(^|&&|;)\s*cd\s/.test(body)),
      'WORKDIR, not cd',
    ),
  DL3004: ({ all }) =>
    lines(
      named(all, 'RUN').filter(({ body }) => /\bsudo\b/.test(body)),
      'no sudo',
    ),
  DL3006: ({ stages }) =>
    lines(
      stages
        .filter(
          ({ base }) =>
            !base.includes(':') && !base.includes('@') && !stages.some(({ name }) => name === base),
        )
        .map(({ from }) => from),
      'a base has a version',
    ),
  DL3007: ({ all }) =>
    lines(
      named(all, 'FROM').filter(({ words }) => words[0].endsWith(':latest')),
      'never latest',
    ),
  DL3008: ({ all }) =>
    lines(
      apt(all).filter(({ body }) => !/install[^&;|]*=/.test(body)),
      'apt-get install names versions',
    ),
  DL3009: ({ all }) =>
    lines(
      named(all, 'RUN').filter(
        ({ body }) => /apt-get\s+update/.test(body) && !body.includes('rm -rf /var/lib/apt/lists/*'),
      ),
      'the lists of apt are deleted in the same layer',
    ),
  DL3014: ({ all }) =>
    lines(
      apt(all).filter(({ body }) => !/install[^&;|]*\s(-y|--yes|-qq)\b|apt-get\s+-y/.test(body)),
      'apt-get install -y',
    ),
  DL3015: ({ all }) =>
    lines(
      apt(all).filter(({ body }) => !body.includes('--no-install-recommends')),
      'no recommended packages',
    ),
  DL3020: ({ all }) => lines(named(all, 'ADD'), 'COPY, not ADD'),
  DL3022: ({ stages }) =>
    stages.flatMap(({ steps }, index) =>
      lines(
        named(steps, 'COPY').filter(
          ({ flags }) =>
            flags.from !== undefined && !stages.slice(0, index).some(({ name }) => name === flags.from),
        ),
        'COPY --from names a stage before',
      ),
    ),
  DL3024: ({ stages }) =>
    lines(
      stages
        .filter(({ name }, index) => stages.findIndex((one) => one.name === name) < index)
        .map(({ from }) => from),
      'names of stages are unique',
    ),
  DL3025: ({ all }) =>
    lines(
      [...named(all, 'CMD'), ...named(all, 'ENTRYPOINT')].filter(({ json }) => json === null),
      'CMD and ENTRYPOINT in JSON form',
    ),
  DL3027: ({ all }) =>
    lines(
      named(all, 'RUN').filter(({ body }) => /\bapt\s+(install|update|upgrade)/.test(body)),
      'apt-get, not apt',
    ),
  DL3045: ({ stages }) =>
    stages.flatMap(({ steps }) =>
      lines(
        named(steps, 'COPY').filter((one) => {
          const isRelative = !/^["']?[/$]/.test(one.words.at(-1));
          return (
            isRelative && !steps.slice(0, steps.indexOf(one)).some(({ keyword }) => keyword === 'WORKDIR')
          );
        }),
        'a relative COPY comes after a WORKDIR',
      ),
    ),
  DL3057: ({ stages }) =>
    named(stages.at(-1)?.steps ?? [], 'HEALTHCHECK').length === 0
      ? [{ line: 1, message: 'there is a HEALTHCHECK' }]
      : [],
  DL3059: ({ all }) =>
    lines(
      all.filter((one, index) => one.keyword === 'RUN' && all[index - 1]?.keyword === 'RUN'),
      'RUNs that follow each other are one',
    ),
  DL4000: ({ all }) => lines(named(all, 'MAINTAINER'), 'no MAINTAINER'),
  DL4003: ({ stages }) => stages.flatMap(({ steps }) => lines(named(steps, 'CMD').slice(1), 'one CMD')),
  DL4004: ({ stages }) =>
    stages.flatMap(({ steps }) => lines(named(steps, 'ENTRYPOINT').slice(1), 'one ENTRYPOINT')),
  DL4006: ({ stages }) =>
    stages.flatMap(({ steps }) =>
      lines(
        named(steps, 'RUN').filter((one) => {
          const shell = named(steps.slice(0, steps.indexOf(one)), 'SHELL').at(-1);
          return /[^|]\|[^|]/.test(one.body) && !shell?.body.includes('pipefail');
        }),
        'pipefail before a pipe',
      ),
    ),
  /** Ours: what is in a layer stays in it. */
  SECRETS: ({ all }) =>
    lines(
      [...named(all, 'ENV'), ...named(all, 'ARG')].filter(({ body }) => SECRET.test(body)),
      'no secret in a layer',
    ),
};

export const RULE_NAMES = Object.keys(RULES);

/** What breaks a rule, but for what a comment says is meant so. */
export function lintDockerfile(text) {
  const all = parseDockerfile(text);
  const stages = stagesOf(all);
  return Object.entries(RULES).flatMap(([rule, find]) =>
    find({ all, stages })
      .filter(({ one }) => !one?.ignored.includes(rule))
      .map(({ line, message }) => ({ rule, line, message })),
  );
}
