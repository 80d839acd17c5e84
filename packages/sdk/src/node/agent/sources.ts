import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isRecord } from '../../proof/jws.ts'
import { configurationError, storeError } from './client-errors.ts'
import type { Profile } from './credential-file.ts'
import { type CredentialStore, fingerprintOf } from './credential-store.ts'
import { readCode } from './enrolment.ts'
import type { Platform } from './platform.ts'
import { errorCode } from './safe-files.ts'
import { serverUrl } from './server-link.ts'
import { workloadSource } from './workload.ts'

/** What the caller said. */
export interface ChainOptions {
  readonly server?: string | undefined
  readonly enrolmentCode?: string | undefined
  /** An identity token of the platform, or how to get one. */
  readonly workloadToken?: string | (() => Promise<string>) | undefined
  readonly profile?: string | undefined
  readonly projectFile?: boolean | undefined
}

export type SourceName = 'option' | 'environment' | 'workload' | 'home' | 'project'

/** Where the credential of this machine comes from. */
export type Found =
  | { readonly kind: 'profile'; readonly source: SourceName; readonly profile: Profile }
  | {
      readonly kind: 'code'
      readonly source: SourceName
      readonly server: string
      readonly secret: string
      readonly name?: string | undefined
      readonly profile?: string | undefined
    }
  | { readonly kind: 'workload'; readonly source: SourceName; readonly server: string; readonly token: () => Promise<string> }

const PROJECT_FILE = ['.evergrant', 'enroll.json'] as const

/**
 * Asks one source after the other, and goes on only when one is absent: a source that is there and broken stops the search with an error that names it, so that
 * no program silently becomes somebody else. Null when nothing is there.
 */
export async function findCredential(options: ChainOptions, store: CredentialStore, platform: Platform): Promise<Found | null> {
  const explicit = fromOptions(options, platform)
  if (explicit !== null) return explicit
  const wanted = selectionOf(options, platform)
  const environment = fromEnvironment(wanted.server, platform)
  if (environment !== null) return environment
  const workload = workloadSource(wanted.server, platform)
  if (workload !== null) return { kind: 'workload', source: 'workload', ...workload }
  const project = isOptedIn(options, platform) ? await fromProject(platform) : null
  return (await fromHome(store, wanted, project)) ?? project
}

function fromOptions({ server, enrolmentCode, workloadToken, profile }: ChainOptions, { env }: Platform): Found | null {
  if (enrolmentCode !== undefined)
    return codeOf('option', enrolmentCode, server, 'the option `enrolmentCode`', profile ?? (env['EVERGRANT_PROFILE'] || undefined))
  if (workloadToken === undefined) return null
  if (server === undefined) throw configurationError('`workloadToken` needs `server`: where it may be shown.')
  return {
    kind: 'workload',
    source: 'option',
    server: serverUrl(server),
    token: typeof workloadToken === 'string' ? () => Promise.resolve(workloadToken) : workloadToken,
  }
}

interface Selection {
  readonly server: string | undefined
  readonly profile: string | undefined
}

function selectionOf({ server, profile }: ChainOptions, { env }: Platform): Selection {
  const url = server ?? (env['EVERGRANT_URL'] || undefined)
  return { server: url === undefined ? undefined : serverUrl(url), profile: profile ?? (env['EVERGRANT_PROFILE'] || undefined) }
}

function fromEnvironment(server: string | undefined, { env }: Platform): Found | null {
  const code = env['EVERGRANT_ENROLMENT_CODE']
  return code ? codeOf('environment', code, server, 'EVERGRANT_ENROLMENT_CODE', env['EVERGRANT_PROFILE'] || undefined) : null
}

function codeOf(source: SourceName, text: string, server: string | undefined, what: string, profile: string | undefined): Found {
  const code = readCode(text)
  if (code === null)
    throw configurationError(`${what} is no enrolment code, or was cut off. It looks like egc_..., and comes from: evergrant agents code <agent>.`)
  const inside = code.server === null ? undefined : serverUrl(code.server)
  const named = server === undefined ? undefined : serverUrl(server)
  if (inside !== undefined && named !== undefined && inside !== named)
    throw configurationError(`${what} is for ${inside}, and the server was said to be ${named}. Make both the same.`)
  const target = named ?? inside
  if (target === undefined) throw configurationError(`${what} does not say its server. Set EVERGRANT_URL, or the option \`server\`.`)
  return { kind: 'code', source, server: target, secret: code.secret, profile }
}

async function fromHome(store: CredentialStore, { server, profile }: Selection, project: Found | null): Promise<Found | null> {
  const { profiles } = await store.read()
  // A project brings its own code: the profile that this very code made, and no other one.
  const code = project?.kind === 'code' ? fingerprintOf(project.secret) : null
  const fitting = profiles.filter(
    (one) =>
      (server === undefined || one.server === server) && (profile === undefined || one.name === profile) && (code === null || one.enrolled_with === code),
  )
  const [first, ...more] = fitting
  if (first === undefined) return null
  if (more.length > 0)
    throw storeError(
      'credential_store_ambiguous',
      `${store.path} has more than one profile that fits: ${fitting.map((one) => `${one.name} at ${one.server}`).join(', ')}. Set EVERGRANT_PROFILE and EVERGRANT_URL, or the options \`profile\` and \`server\`.`,
    )
  return { kind: 'profile', source: 'home', profile: first }
}

/** A file in the folder where a program happens to run could choose its server: it is read only when somebody says so. */
function isOptedIn({ projectFile }: ChainOptions, { env }: Platform): boolean {
  return projectFile ?? env['EVERGRANT_PROJECT_FILE'] === '1'
}

async function fromProject({ cwd }: Platform): Promise<Found | null> {
  const path = join(cwd, ...PROJECT_FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    if (errorCode(cause) === 'ENOENT' || errorCode(cause) === 'ENOTDIR') return null
    throw storeError('credential_store_unreadable', `${path} cannot be read (${errorCode(cause)}).`, cause)
  }
  const value = parse(text)
  const { server, code, name } = isRecord(value) ? value : {}
  if (typeof server !== 'string' || typeof code !== 'string') throw configurationError(`${path} must hold \`server\` and \`code\`. Download the project again.`)
  return { ...codeOf('project', code, server, path, undefined), ...(typeof name === 'string' ? { name } : {}) } as Found
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
