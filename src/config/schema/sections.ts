import { z } from 'zod';
import { choice, filePath, hostAndPort, ipAddress, line, secretKeys, secretRef } from './leaves.ts';

const viewer = secretKeys('viewerToken', 'the token of people who may look');
const operator = secretKeys('operatorToken', 'the token of people who may hold and switch');

const passwordHash = secretKeys('passwordHash', "what `sustain hash-password` made of the person's password");

const user = z
  .strictObject({
    name: line({ description: 'Who signs in; the author of what they do.', example: 'ann' }),
    role: choice(['viewer', 'operator'], {
      description: 'A viewer looks; an operator also holds and switches.',
      example: 'operator',
    }),
    passwordHashFile: passwordHash.file,
    passwordHashEnv: passwordHash.variable,
  })
  .transform(({ name: who, role, passwordHashFile, passwordHashEnv }) => ({
    name: who,
    role,
    passwordHash: secretRef(passwordHashFile, passwordHashEnv),
  }))
  .meta({ description: 'Somebody who may sign in to the dashboard.' });

const tls = z
  .strictObject({
    certFile: filePath({
      description:
        'The certificate and those that lead to its root, in PEM; $CREDENTIALS_DIRECTORY/name is one that systemd hands over.',
      example: '$CREDENTIALS_DIRECTORY/web.crt',
    }),
    keyFile: filePath({
      description: 'Its private key, in PEM; $CREDENTIALS_DIRECTORY/name likewise.',
      example: '$CREDENTIALS_DIRECTORY/web.key',
    }),
  })
  .meta({ description: 'Serves HTTPS. Without it: plain HTTP, for this machine or behind a proxy.' });

export const web = z
  .strictObject({
    listen: hostAndPort({
      description: 'Address and port of the dashboard, the API and the metrics.',
      example: '127.0.0.1:8080',
    }).prefault('127.0.0.1:8080'),
    viewerTokenFile: viewer.file,
    viewerTokenEnv: viewer.variable,
    operatorTokenFile: operator.file,
    operatorTokenEnv: operator.variable,
    users: z.array(user).prefault([]).meta({ description: 'Who may sign in to the dashboard.' }),
    tls: tls.optional(),
    trustProxy: z
      .array(ipAddress({ description: 'Address of a reverse proxy.', example: '127.0.0.1' }))
      .prefault([])
      .meta({ description: 'Reverse proxies whose X-Forwarded-For, -Proto and -Host headers are believed.' }),
  })
  .transform(({ listen, viewerTokenFile, viewerTokenEnv, operatorTokenFile, operatorTokenEnv, ...rest }) => ({
    listen,
    viewerToken: secretRef(viewerTokenFile, viewerTokenEnv),
    operatorToken: secretRef(operatorTokenFile, operatorTokenEnv),
    users: rest.users,
    tls: rest.tls ?? null,
    trustProxy: rest.trustProxy,
  }))
  .meta({ description: 'The HTTP side. Without this section there is none.' });
