import { type InitAnswers, PUBLIC_MOUNT } from './answers.ts';

/** Where the config will say that a secret lies. */
export type SecretPath = (name: string) => string;

/** The config with a word on everything that a station usually changes. */
export function configText(answers: InitAnswers, secret: SecretPath, stateDirectory: string | null): string {
  const { self, servers, station, sources, mode } = answers;
  const width = Math.max(...sources.map(({ name }) => name.length));
  return `# Sustain's config, written by \`sustain init\`. The same file goes to every server; only the next line differs, or
# SUSTAIN_SERVER (/etc/default/sustain) does. \`sustain check\` says whether all of it holds. After a change:
# systemctl reload sustain.
server: ${self}

# Every Icecast, by a name of your own. The address is the one that the agents use.
servers:
${servers.map((server) => serverLines(server, secret)).join('\n')}

stations:
  ${station}:
    # The programme feeds in order of preference: the same mount on every server.
    sources:
${sources.map(({ name, mount }) => `      - { name: ${`${name},`.padEnd(width + 1)} mount: ${word(mount)} }`).join('\n')}
    # Silence is a fault after \`trip\`; sound is back after \`restore\`. Talk and classical music have longer pauses.
    silence: { threshold: -50 dBFS, trip: 5s, restore: 20s }
${mode === 'relay' ? relayLines(answers) : GUARD_LINES}
# The dashboard, the API and the metrics. From other machines: write tls, or put a proxy with TLS before it.
web:
  listen: "${answers.webListen}"
  viewerTokenFile: ${secret('viewer')}
  operatorTokenFile: ${secret('operator')}
${stateDirectory === null ? '' : `\n# What must outlast a restart.\nstate: { directory: ${stateDirectory} }\n`}`;
}

function serverLines(
  { name, url, publicAddress, adminUser }: InitAnswers['servers'][number],
  secret: SecretPath,
): string {
  const lines = [
    `  ${name}:`,
    `    url: "${url}"`,
    ...(publicAddress === null ? [] : [`    publicAddress: ${JSON.stringify(publicAddress)}`]),
    `    admin: { user: ${word(adminUser)}, passwordFile: ${secret('icecast-admin')} }`,
    `    source: { user: source, passwordFile: ${secret('icecast-source')} }`,
  ];
  return lines.join('\n');
}

/** As YAML has it between braces, in quotes where it could be taken for anything but text. */
const word = (text: string): string =>
  /^[/a-z][\w./-]*$/i.test(text) && !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text);

const GUARD_LINES = `    # guard: listeners stay on the mounts of the encoders, and the agent moves them when one goes wrong.
    serve: { mode: guard }
`;

function relayLines({ codec }: InitAnswers): string {
  return `    # relay: the agent feeds the public mount, 8 s behind, and switches before a fault is played.
    serve:
      mode: relay
      outputs:
        - { mount: ${PUBLIC_MOUNT}, codec: ${codec} }
      # Played when no source is audible anywhere; without it a noise floor.
      # emergencyFile: /var/lib/sustain/emergency.mp3
      # processing: { preset: music, loudness: -16 LUFS, ceiling: -1 dBTP }
`;
}
