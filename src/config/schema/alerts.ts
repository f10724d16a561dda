import { z } from 'zod';
import { choice, duration, line, name, secretKeys, secretRef, url } from './leaves.ts';

const webUrl = (description: string, example: string, stem: string) =>
  url({
    description,
    example,
    protocols: ['http:', 'https:'],
    path: true,
    credentials: `put the whole address into a file and name it in ${stem}File`,
  });

const webhook = secretKeys('webhook', 'the address of a webhook, where that is a secret of its own');
const secret = secretKeys('secret', 'the key that signs the webhook: whsec_ and base64 of 24 to 64 bytes');
const slack = secretKeys(
  'slack',
  'the address of an incoming webhook of Slack or of what understands the same',
);
const discord = secretKeys('discord', 'the address of a webhook of Discord');
const teams = secretKeys('teams', 'the address of a Workflows webhook of Microsoft Teams');
const ntfy = secretKeys('ntfy', 'the address of a topic of ntfy, where that is a secret');
const token = secretKeys('token', 'the access token of ntfy');
const heartbeat = secretKeys('heartbeat', 'the address to ask for again and again');
const password = secretKeys('password', "the mail server's password");

const email = z
  .strictObject({
    smtp: url({
      description: 'The mail server: smtp with STARTTLS where it is offered, or smtps.',
      example: 'smtp://mail.example:587',
      protocols: ['smtp:', 'smtps:'],
      path: false,
      credentials: 'write user and passwordFile',
    }),
    user: line({ description: 'Who signs in to the mail server.', example: 'sustain' }).optional(),
    passwordFile: password.file,
    passwordEnv: password.variable,
    from: line({ description: 'Who the mail is from.', example: 'sustain@myfm.example' }),
    to: z
      .array(line({ description: 'Who gets it.', example: 'studio@myfm.example' }))
      .min(1, 'has nobody in it: write at least one address')
      .max(20, 'has more than 20 addresses')
      .meta({ description: 'Who gets it.' }),
  })
  .transform(({ passwordFile, passwordEnv, user, ...rest }) => ({
    ...rest,
    user: user ?? null,
    password: secretRef(passwordFile, passwordEnv),
  }))
  .meta({ description: 'Mail; one incident is one thread.' });

/** What an entry may be; each has exactly one of them. */
export const ALERT_KINDS = [
  'webhook',
  'slack',
  'discord',
  'teams',
  'ntfy',
  'email',
  'command',
  'heartbeat',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

export const alert = z
  .strictObject({
    name: name({
      description: 'What it is called in the log; its kind by default.',
      example: 'night-desk',
    }).optional(),
    minimum: choice(['warning', 'critical'], {
      description: 'critical: only when listeners hear nothing, or nobody can help them.',
      example: 'critical',
    }).prefault('warning'),
    stations: z
      .array(name({ description: 'A station of `stations`.', example: 'myfm' }))
      .optional()
      .meta({ description: 'Only of these; by default of all.' }),
    webhook: webUrl('Where to post JSON.', 'https://hooks.example/myfm', 'webhook').optional(),
    webhookFile: webhook.file,
    webhookEnv: webhook.variable,
    secretFile: secret.file,
    secretEnv: secret.variable,
    slackFile: slack.file,
    slackEnv: slack.variable,
    discordFile: discord.file,
    discordEnv: discord.variable,
    teamsFile: teams.file,
    teamsEnv: teams.variable,
    ntfy: webUrl('The address of a topic.', 'https://ntfy.example/myfm', 'ntfy').optional(),
    ntfyFile: ntfy.file,
    ntfyEnv: ntfy.variable,
    tokenFile: token.file,
    tokenEnv: token.variable,
    email: email.optional(),
    command: z
      .array(
        line({ description: 'The program, then what is handed to it; no shell.', example: '/usr/bin/page' }),
      )
      .min(1, 'is empty: write the program and its arguments')
      .optional()
      .meta({ description: 'A program that gets the JSON on its standard input.' }),
    heartbeat: webUrl(
      'An address to ask for again and again, for a watchman outside.',
      'https://beat.example/myfm-london',
      'heartbeat',
    ).optional(),
    heartbeatFile: heartbeat.file,
    heartbeatEnv: heartbeat.variable,
    every: duration({
      description: 'From one heartbeat to the next; 1m by default.',
      example: '1m',
      minimum: '5s',
      maximum: '1h',
    }).optional(),
  })
  .transform((written) => ({
    name: written.name ?? null,
    minimum: written.minimum,
    stations: written.stations ?? null,
    urls: {
      webhook: written.webhook ?? secretRef(written.webhookFile, written.webhookEnv),
      slack: secretRef(written.slackFile, written.slackEnv),
      discord: secretRef(written.discordFile, written.discordEnv),
      teams: secretRef(written.teamsFile, written.teamsEnv),
      ntfy: written.ntfy ?? secretRef(written.ntfyFile, written.ntfyEnv),
      heartbeat: written.heartbeat ?? secretRef(written.heartbeatFile, written.heartbeatEnv),
    },
    secret: secretRef(written.secretFile, written.secretEnv),
    token: secretRef(written.tokenFile, written.tokenEnv),
    email: written.email ?? null,
    command: written.command ?? null,
    everyMs: written.every ?? 60_000,
  }))
  .meta({ description: 'One receiver of alerts: a webhook, a chat, mail, a command, or a heartbeat.' });
