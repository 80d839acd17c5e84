# The server and its console, built from these sources; what runs holds the built package and its locked dependencies, and no tool to build with.
#
# The base image. Here it is named by version, because a digest is only true for the registry that it was read from. A release names it by digest:
#   docker buildx imagetools inspect --format '{{.Manifest.Digest}}' node:24.21.0-bookworm-slim
#   docker build --build-arg NODE_IMAGE=node:24.21.0-bookworm-slim@sha256:... .
# .github/workflows/release.yml does both steps and writes the digest into the label org.opencontainers.image.base.digest.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /source
# Manifests first: as long as they stay, the installed packages come from the cache.
COPY package.json package-lock.json ./
COPY packages/evergrant/package.json packages/evergrant/
COPY packages/sdk/package.json packages/sdk/
COPY packages/console/package.json packages/console/
COPY packages/lab/package.json packages/lab/
# No install script of any package runs: the build needs none, and what is not run cannot do harm.
RUN ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
COPY tsconfig.json tsconfig.base.json ./
COPY scripts/build-console.mjs scripts/build-server.mjs scripts/
COPY packages/evergrant packages/evergrant
COPY packages/sdk packages/sdk
COPY packages/console packages/console
RUN ["node_modules/.bin/tsc", "-b", "packages/evergrant"]
RUN ["node", "scripts/build-server.mjs"]
RUN ["node", "scripts/build-console.mjs", "--into", "packages/evergrant/dist/console"]

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY packages/evergrant/package.json packages/evergrant/
COPY packages/sdk/package.json packages/sdk/
COPY packages/console/package.json packages/console/
COPY packages/lab/package.json packages/lab/
RUN ["npm", "ci", "--omit=dev", "--ignore-scripts", "--workspace=evergrant", "--include-workspace-root=false", "--no-audit", "--no-fund"]

FROM ${NODE_IMAGE} AS server
ARG VERSION=0.0.0-local
ARG REVISION=unknown
ARG BASE_DIGEST=unknown
LABEL org.opencontainers.image.title="Evergrant" \
      org.opencontainers.image.description="Connect once, stay connected: a self-hosted server that keeps OAuth grants alive." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="node:24.21.0-bookworm-slim" \
      org.opencontainers.image.base.digest="${BASE_DIGEST}"
# Package managers are for building. The data folder belongs to the one user that runs; a volume that is made from it inherits that.
RUN ["rm", "-rf", "/usr/local/lib/node_modules", "/usr/local/bin/npm", "/usr/local/bin/npx", "/usr/local/bin/corepack", "/usr/local/bin/yarn", "/usr/local/bin/yarnpkg"]
RUN ["install", "-d", "-o", "10001", "-g", "10001", "-m", "0700", "/data"]
COPY --from=dependencies /app /app
COPY --from=build /source/packages/evergrant/dist /app/packages/evergrant/dist
COPY LICENSE /app/LICENSE
# Nothing but /data is written, so the root file system may be read-only. 0.0.0.0 is the container's own network, not the machine's.
ENV NODE_ENV=production \
    EVERGRANT_HOST=0.0.0.0 \
    EVERGRANT_PORT=4400 \
    EVERGRANT_DATA_DIR=/data
WORKDIR /data
VOLUME ["/data"]
EXPOSE 4400
USER 10001:10001
# Finishes what is under way for up to EVERGRANT_DRAIN_SECONDS (80): give a stop more time than that (docker stop --time 100).
STOPSIGNAL SIGTERM
# Alive, not ready: a node without its database goes on serving from memory and holds answers in its journal. Restarting it would help nobody.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --start-interval=2s --retries=4 CMD ["node", "/app/packages/evergrant/dist/cli/main.js", "health", "--live"]
ENTRYPOINT ["node", "/app/packages/evergrant/dist/cli/main.js"]
CMD ["serve"]
