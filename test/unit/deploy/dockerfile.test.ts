import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
// @ts-expect-error: a script without types.
import { lintDockerfile, RULE_NAMES } from '../../deploy/dockerfile.mjs';

const DOCKERFILE = readFileSync(new URL('../../../Dockerfile', import.meta.url), 'utf8');
const rulesOf = (text: string): string[] => lintDockerfile(text).map(({ rule }: { rule: string }) => rule);

describe('the Dockerfile', () => {
  test("breaks none of hadolint's rules", () => {
    expect(lintDockerfile(DOCKERFILE)).toEqual([]);
  });

  const planted: Readonly<Record<string, (text: string) => string>> = {
    DL3000: (text) => text.replace('WORKDIR /build', 'WORKDIR build'),
    DL3002: (text) => text.replace('USER 10001', 'USER root'),
    DL3003: (text) => text.replace('RUN npm ci', 'RUN cd /build && npm ci'),
    DL3004: (text) => text.replace('RUN npm ci', 'RUN sudo npm ci'),
    DL3006: (text) => text.replace('debian:bookworm-slim', 'debian'),
    DL3007: (text) => text.replace('debian:bookworm-slim', 'debian:latest'),
    DL3008: (text) => text.replace('# hadolint ignore=DL3008', '#'),
    DL3009: (text) => text.replace(' && rm -rf /var/lib/apt/lists/*\n', '\n'),
    DL3014: (text) => text.replace('install -y', 'install'),
    DL3015: (text) => text.replace('--no-install-recommends', ''),
    DL3020: (text) => text.replace('COPY src src', 'ADD src src'),
    DL3022: (text) => text.replace('--from=build', '--from=elsewhere'),
    DL3024: (text) => text.replace('AS runtime', 'AS build'),
    DL3025: (text) => text.replace(/ENTRYPOINT .*/, 'ENTRYPOINT node main.js'),
    DL3027: (text) => text.replace('apt-get update', 'apt update'),
    DL3045: (text) => text.replace('WORKDIR /build\n', ''),
    DL3057: (text) => text.replace(/HEALTHCHECK[\s\S]*?\n {2}CMD/, 'LABEL x'),
    DL3059: (text) => text.replace('RUN npm ci', 'RUN true\nRUN npm ci'),
    DL4000: (text) => `${text}MAINTAINER me\n`,
    DL4003: (text) => `${text}CMD ["run"]\n`,
    DL4004: (text) => `${text}ENTRYPOINT ["x"]\n`,
    DL4006: (text) => text.replace(/SHELL .*\n/, '').replace('RUN npm ci', 'RUN echo | npm ci'),
    SECRETS: (text) => text.replace('ENV NODE_ENV', 'ENV ADMIN_PASSWORD=x NODE_ENV'),
  };

  test('is held against every rule', () => {
    expect(Object.keys(planted).sort()).toEqual([...RULE_NAMES].sort());
  });

  test.each(Object.entries(planted))('a planted breach of %s is found', (rule, plant) => {
    const text = plant(DOCKERFILE);
    expect(text).not.toBe(DOCKERFILE);
    expect(rulesOf(text)).toContain(rule);
  });
});
