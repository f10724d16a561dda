# Sustain beside an Icecast. docs/deploy/docker.md says how to run it; `npm run test:image` proves these steps.

FROM node:20-bookworm-slim AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Only this stage has a compiler. Debian's newest security fixes are worth more here than a pinned version.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY native-bindings native-bindings
# No script of any package runs; what is compiled is compiled by ours, without a download.
RUN npm ci --ignore-scripts --no-audit \
 && node native-bindings/build.mjs \
 && node native-bindings/build-sqlite.mjs
COPY tsconfig.json LICENSE ./
COPY .dev .dev
COPY src src
RUN npm run build \
 && node .dev/ship.mjs /ship

FROM debian:bookworm-slim AS runtime
# The OpenGL drivers that Debian's ffmpeg brings along (200 MB) are loaded by nothing that decodes sound.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates ffmpeg libmpg123-0 tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /usr/share/man /usr/share/locale \
 && find /usr/share/doc -type f ! -name copyright -delete \
 && rm -rf /usr/lib/*-linux-gnu/dri /usr/lib/*-linux-gnu/libLLVM-*.so* /usr/lib/*-linux-gnu/libz3.so* \
 && useradd --system --uid 10001 --home-dir /var/lib/sustain --create-home --shell /usr/sbin/nologin sustain
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /ship /usr/lib/sustain
# The heaps that glibc gives every thread would stand nearly empty, and take 13 MiB.
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
WORKDIR /var/lib/sustain
VOLUME ["/var/lib/sustain"]
# Secrets are files of the engine (/run/secrets), never layers or variables of the image.
USER 10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "/usr/lib/sustain/health.mjs"]
ENTRYPOINT ["/usr/bin/tini", "--", "node", "--max-semi-space-size=4", "--interrupt-budget=20000", "/usr/lib/sustain/dist/src/cli/main.js"]
CMD ["run", "--config", "/etc/sustain/sustain.yaml"]
