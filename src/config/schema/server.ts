import { z } from 'zod';
import { filePath, ipAddress, secretKeys, secretRef, url, userName } from './leaves.ts';

const adminPassword = secretKeys('password', "the password of Icecast's admin user");
const sourcePassword = secretKeys('password', 'the password of the source client');

const user = (fallback: string, description: string) =>
  userName({ description, example: fallback }).prefault(fallback);

export const server = z
  .strictObject({
    url: url({
      description: "The server's own address, as the agents reach it. Without user, password or path.",
      example: 'http://10.0.0.1:8000',
      protocols: ['http:', 'https:'],
      path: false,
      credentials: 'name the password in admin.passwordFile',
    }),
    publicAddress: ipAddress({
      description: 'The address under which listeners reach the server; DNS answers carry it.',
      example: '203.0.113.10',
    }).optional(),
    publicAddress6: ipAddress({
      description: 'The same over IPv6, where the server has that too.',
      example: '2001:db8::10',
    }).optional(),
    publicUrl: url({
      description:
        'Where the agents judge the server as its listeners do. By default publicAddress with the protocol and port of url; needed where those differ, or where publicAddress is not reached from within.',
      example: 'http://203.0.113.10:8000',
      protocols: ['http:', 'https:'],
      path: false,
      credentials: 'remove them: listeners have none',
    }).optional(),
    admin: z
      .strictObject({
        user: user('admin', "Icecast's <admin-user>."),
        passwordFile: adminPassword.file,
        passwordEnv: adminPassword.variable,
      })
      .transform((admin) => ({
        user: admin.user,
        password: secretRef(admin.passwordFile, admin.passwordEnv),
      }))
      .meta({
        description: 'Who may use the admin API. Name the password by passwordFile or passwordEnv.',
      }),
    source: z
      .strictObject({
        user: user('source', 'The user that a source client logs in as.'),
        passwordFile: sourcePassword.file,
        passwordEnv: sourcePassword.variable,
      })
      .transform((source) => ({
        user: source.user,
        password: secretRef(source.passwordFile, source.passwordEnv),
      }))
      .meta({
        description:
          'Who feeds the public mounts in relay mode. Name the password by passwordFile or passwordEnv.',
      })
      .optional(),
    tls: z
      .strictObject({
        caFile: filePath({
          description:
            'Certificates of authorities, in PEM, that are trusted with this server beside those that Node.js knows; NODE_EXTRA_CA_CERTS does not count there then.',
          example: '/etc/sustain/our-ca.pem',
        }),
      })
      .meta({ description: 'For https with a certificate from an authority of your own.' })
      .optional(),
  })
  .meta({
    description: 'One Icecast. The agent beside it carries the same name.',
  });
