// The health check of the image: /readyz, where SUSTAIN_HEALTH_URL or the usual address has it.
const url = process.env.SUSTAIN_HEALTH_URL ?? 'http://127.0.0.1:8080/readyz';
const answer = await fetch(url, { signal: AbortSignal.timeout(2500) }).catch(() => null);
process.exit(answer?.status === 200 ? 0 : 1);
