// In this repository `@evergrant/sdk` is used as it is written. In a program of your own, install the package and leave this file out.
import { registerHooks } from 'node:module'

const SOURCES = new URL('../../packages/sdk/src/', import.meta.url)

registerHooks({
  resolve: (specifier, context, next) => {
    const door = /^@evergrant\/sdk\/(\w+)$/.exec(specifier)?.[1]
    return next(door === undefined ? specifier : new URL(`${door}/index.ts`, SOURCES).href, context)
  },
})
