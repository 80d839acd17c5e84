/** What this server lets through, whatever the policy at Evergrant says besides. The stricter of the two counts. */
export interface Limits {
  readonly methods: readonly string[]
  /** The path of a call must be one of these, or go on below one of them. */
  readonly paths: readonly string[]
  readonly requestBytes: number
  readonly answerBytes: number
  readonly seconds: number
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** From the environment, where whoever runs this server sets them and the AI agent does not. @throws Error that names the setting */
export function readLimits(env: Readonly<Record<string, string | undefined>>): Limits {
  return {
    methods: listOf(env, 'EVERGRANT_MCP_METHODS', 'GET,HEAD', (text) => METHODS.includes(text), `any of ${METHODS.join(', ')}`),
    paths: listOf(env, 'EVERGRANT_MCP_PATHS', '/', (text) => text.startsWith('/'), 'paths that begin with a slash'),
    requestBytes: numberOf(env, 'EVERGRANT_MCP_REQUEST_BYTES', 16_384),
    answerBytes: numberOf(env, 'EVERGRANT_MCP_ANSWER_BYTES', 32_768),
    seconds: Math.min(300, numberOf(env, 'EVERGRANT_MCP_SECONDS', 30)),
  }
}

function listOf(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  otherwise: string,
  fits: (text: string) => boolean,
  what: string,
): readonly string[] {
  const items = (env[name] || otherwise).split(',').map((text) => text.trim())
  if (!items.every(fits)) throw new Error(`${name} must be ${what}, separated by commas.`)
  return items
}

function numberOf(env: Readonly<Record<string, string | undefined>>, name: string, otherwise: number): number {
  const value = Number(env[name] || otherwise)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`${name} must be a whole number from 1 on.`)
  return value
}
