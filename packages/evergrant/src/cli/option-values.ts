import { readFileSync } from 'node:fs'
import type { JsonObject } from '../core/json.ts'
import { CommandFailure, EXIT } from './exit-code.ts'

/** A secret from a file; `-` is standard input. @throws CommandFailure */
export function readSecret(option: string, path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8').trim()
  } catch {
    throw new CommandFailure(EXIT.usage, `${option}: ${path} cannot be read`)
  }
}

/** `name=value` texts as one object. @throws CommandFailure */
export function pairs(texts: readonly string[], read: (text: string) => JsonObject[string]): JsonObject {
  return Object.fromEntries(
    texts.map((text) => {
      const [name = '', ...rest] = text.split('=')
      if (name === '' || rest.length === 0)
        throw new CommandFailure(EXIT.usage, `'${text}' is not name=value: say what it is, as in tag=weather or tenant=acme`)
      return [name, read(rest.join('='))]
    }),
  )
}
