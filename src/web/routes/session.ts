import { isOwnOrigin } from '../access/client.ts';
import type { Gate } from '../access/gate.ts';
import type { Sessions } from '../access/sessions.ts';
import type { SignIn } from '../access/sign-in.ts';
import type { DescribedRoutes } from '../described.ts';
import { failure, type SignInBody, sessionView, signedOut, signInBody } from '../schemas.ts';

const URL_PATH = '/api/v1/session';

/** Signing in and out. */
export function addSessionRoutes(
  routes: DescribedRoutes,
  gate: Gate,
  sessions: Sessions,
  signIn: SignIn,
): void {
  routes.add(
    {
      method: 'GET',
      url: URL_PATH,
      summary: 'Who is signed in?',
      right: 'view',
      answers: { 200: sessionView },
    },
    async ({ person }, reply) => {
      if (person?.by !== 'session') return reply.code(403).send({ error: 'a token is no session' });
      const { name, role, csrf } = person.session;
      return { name, role, csrf };
    },
  );
  routes.add(
    {
      method: 'POST',
      url: URL_PATH,
      summary: 'Sign in; the answer sets the cookie of the session',
      right: null,
      body: signInBody,
      answers: { 200: sessionView, 400: failure, 401: failure, 403: failure, 429: failure, 503: failure },
    },
    async (request, reply) => {
      const client = gate.clientOf(request.raw);
      const { origin } = request.headers;
      if (origin === undefined || !isOwnOrigin(origin, client))
        return reply.code(403).send({ error: 'sign in on a page of this server' });
      const { name, password } = request.body as SignInBody;
      const signed = await signIn.signIn(name, password, client);
      if (!signed.ok) {
        if (signed.retryAfterMs !== undefined)
          reply.header('retry-after', Math.ceil(signed.retryAfterMs / 1000));
        return reply.code(signed.status).send({ error: signed.error });
      }
      const { role, csrf } = signed.session;
      return reply.header('set-cookie', gate.cookieFor(signed.key, client)).send({ name, role, csrf });
    },
  );
  routes.add(
    { method: 'DELETE', url: URL_PATH, summary: 'Sign out', right: 'view', answers: { 200: signedOut } },
    async ({ person, raw }, reply) => {
      if (person?.by === 'session') sessions.close(person.key);
      return reply.header('set-cookie', gate.clearedCookie(gate.clientOf(raw))).send({ signedOut: true });
    },
  );
}
