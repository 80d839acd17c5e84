import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { isRecord } from '../../proof/jws.ts'
import { configurationError } from './client-errors.ts'
import type { Platform } from './platform.ts'
import { errorCode } from './safe-files.ts'
import { serverUrl } from './server-link.ts'

/** Where a projected service account token of Kubernetes is mounted for this client, unless EVERGRANT_WORKLOAD_TOKEN_FILE says another path. */
const PROJECTED_TOKEN = '/var/run/secrets/evergrant/token'
const TIMEOUT_MS = 10_000

interface WorkloadSource {
  readonly server: string
  /** A fresh identity token, each time. */
  readonly token: () => Promise<string>
}

/** The identity that the platform gives to this process; null when it gives none, or no server is named that it could be shown to. */
export function workloadSource(server: string | undefined, platform: Platform): WorkloadSource | null {
  const { env } = platform
  const file = env['EVERGRANT_WORKLOAD_TOKEN_FILE']
  if (file) {
    if (server === undefined) throw configurationError('EVERGRANT_WORKLOAD_TOKEN_FILE needs EVERGRANT_URL: where the token may be shown.')
    return { server: serverUrl(server), token: () => fromFile(file) }
  }
  if (server === undefined) return null
  const [url, bearer] = [env['ACTIONS_ID_TOKEN_REQUEST_URL'], env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']]
  if (url && bearer) return { server, token: () => fromGitHub(url, bearer, env['EVERGRANT_WORKLOAD_AUDIENCE'] || server, platform) }
  return isThere(PROJECTED_TOKEN) ? { server, token: () => fromFile(PROJECTED_TOKEN) } : null
}

/** GitHub Actions: a token for one audience alone, the `audience` of the trust; that of this server where nothing is said. The job needs `permissions: id-token: write`. */
async function fromGitHub(url: string, bearer: string, audience: string, { fetch }: Platform): Promise<string> {
  const address = new URL(url)
  address.searchParams.set('audience', audience)
  const response = await fetch(address, {
    headers: { authorization: `Bearer ${bearer}`, accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw configurationError(`GitHub Actions gave no identity token: ${address.origin} did not answer (${errorCode(cause) || 'no connection'}).`)
  })
  const body: unknown = response.ok ? await response.json().catch(() => null) : null
  const value = isRecord(body) ? body['value'] : null
  if (typeof value === 'string') return value
  throw configurationError(`GitHub Actions gave no identity token (status ${response.status}). The job needs \`permissions: id-token: write\`.`)
}

async function fromFile(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw configurationError(`The identity token ${path} cannot be read (${errorCode(cause)}).`)
  })
  const token = text.trim()
  if (token === '') throw configurationError(`The identity token ${path} is empty.`)
  return token
}

function isThere(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch (error) {
    return errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR'
  }
}
