import { type Asset, readDashboard } from '../assets.ts';
import { takesGzip } from '../compress.ts';
import type { DescribedRoutes } from '../described.ts';

/** Nothing but our own files, nothing inline, in nobody's frame. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "media-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page itself holds no secret, so that anybody may fetch it; what it shows is asked for by whoever signed in. */
export function addDashboardRoutes(routes: DescribedRoutes): void {
  const assets = readDashboard();
  for (const [url, asset] of assets) addAsset(routes, url, asset);
  if (assets.size > 0) return;
  routes.add(
    { method: 'GET', url: '/', summary: 'The dashboard', right: null, answers: { 503: 'text/plain' } },
    (_request, reply) =>
      reply.code(503).type('text/plain').send('The dashboard was not built: run `npm run build`.\n'),
  );
}

function addAsset(routes: DescribedRoutes, url: string, { type, bytes, gzipped, isImmutable }: Asset): void {
  routes.add(
    { method: 'GET', url, summary: 'A part of the dashboard', right: null, answers: { 200: type } },
    (request, reply) => {
      const isSmall = takesGzip(request);
      reply.header('content-security-policy', PAGE_POLICY).header('vary', 'accept-encoding').type(type);
      if (isImmutable) reply.header('cache-control', 'public, max-age=31536000, immutable');
      if (isSmall) reply.header('content-encoding', 'gzip');
      return reply.send(isSmall ? gzipped : bytes);
    },
  );
}
