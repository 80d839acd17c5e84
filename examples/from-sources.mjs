// In this repository `@evergrant/sdk` is used as it is written. In a program of your own, install the package and leave this file out.
import { registerHooks } from 'node:module'

const SOURCES = new URL('../packages/sdk/src/', import.meta.url)
const DOORS = { '': 'index.ts', '/node': 'node/index.ts', '/express': 'node/express.ts', '/fastify': 'node/fastify.ts', '/next': 'node/next.ts' }

registerHooks({
  resolve: (specifier, context, next) => {
    const path = specifier.startsWith('@evergrant/sdk') ? DOORS[specifier.slice('@evergrant/sdk'.length)] : undefined
    return next(path === undefined ? specifier : new URL(path, SOURCES).href, context)
  },
})
