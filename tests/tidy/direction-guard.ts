import { posix } from 'node:path'
import { type Guard, isTest, withoutComments } from './code-guards.ts'

const SOURCE = 'packages/evergrant/src/'

/** May import: left -> right. A folder that is not named in its own row may not be imported. */
const DIRECTION: Readonly<Record<string, readonly string[]>> = {
  core: [],
  providers: ['core'],
  store: ['core'],
  journal: ['core'],
  backup: ['core'],
  seal: ['core'],
  observability: ['core'],
  schedule: ['core'],
  outbound: ['core', 'providers'],
  http: ['core'],
  practice: [],
}
/** Files at the root of src: the system ports and the configuration, which reads the keyring. */
const ROOT_FILES = ['core', 'seal']
/** These put the parts together, so they see all of them. */
const COMPOSERS = new Set(['cli', 'testing'])
const COMPOSING_FILES = /^packages\/evergrant\/src\/(index|engine|engine-parts|development|compose[\w-]*)\.ts$/

/** Who may name a package at all. What is missing here is open to everybody but core. */
const PACKAGE_OWNERS: readonly { readonly name: RegExp; readonly folders: readonly string[] }[] = [
  { name: /^(fastify|@fastify\/.*)$/, folders: ['http', 'practice', 'testing'] },
  { name: /^(pg|node:sqlite)$/, folders: ['store', 'testing'] },
  { name: /^commander$/, folders: ['cli'] },
  { name: /^age-encryption$/, folders: ['backup'] },
]

/** What a door of the SDK may import: whoever opens it has that. */
const SDK_PEERS: Readonly<Record<string, RegExp>> = { axios: /^axios$/, react: /^react$/, cli: /^node:/ }
/** The client of a machine: files, locks, and a keychain where there is one. The rest of `node` runs wherever WebCrypto does. */
const SDK_MACHINE = 'packages/sdk/src/node/agent/'
const MACHINE_MAY = /^(node:.*|@napi-rs\/keyring)$/

/** The doors that other workspaces may use. */
const DOORS =
  /^packages\/(evergrant\/src\/(index|engine|engine-parts|practice\/index|store\/conformance)|sdk\/src\/(index|wire|(browser|axios|react|node)\/index))\.ts$/

export const importsInOneDirection: Guard = ({ path, text }) => {
  if (!/\.tsx?$/.test(path)) return []
  const targets = importsOf(text)
  if (path.startsWith('packages/sdk/')) return targets.flatMap((target) => sdkComplaint(path, target))
  if (path.startsWith('packages/lab/')) return targets.flatMap((target) => labComplaint(path, target))
  if (!path.startsWith(SOURCE) || (isTest(path) && !path.startsWith(`${SOURCE}practice/`)) || COMPOSING_FILES.test(path)) return []
  return targets.flatMap((target) => serverComplaint(path, target))
}

function serverComplaint(path: string, target: string): string[] {
  const folder = topFolder(path)
  if (folder !== null && COMPOSERS.has(folder)) return []
  const allowed = folder === null ? ROOT_FILES : (DIRECTION[folder] ?? null)
  if (allowed === null) return [`${path}: the folder ${folder} has no row in the direction table`]
  if (!target.startsWith('.')) return packageComplaint(path, folder, target)
  const resolved = resolve(path, target)
  if (!resolved.startsWith(SOURCE)) return [`${path}: ${target} leaves the package`]
  const goal = topFolder(resolved)
  if (goal === folder) return []
  if (goal === 'testing') return [`${path}: testing is for tests only`]
  return goal !== null && allowed.includes(goal) ? [] : [`${path}: ${folder ?? 'a root file'} may not import ${goal ?? posix.basename(resolved)}`]
}

function packageComplaint(path: string, folder: string | null, target: string): string[] {
  if (folder === 'core' && !isTest(path)) return [`${path}: core may not import ${target}; it imports nothing but core`]
  const owner = PACKAGE_OWNERS.find(({ name }) => name.test(target))
  return owner === undefined || owner.folders.includes(folder ?? '') ? [] : [`${path}: ${target} belongs to ${owner.folders.join(', ')}`]
}

function sdkComplaint(path: string, target: string): string[] {
  if (isTest(path) || path.includes('/testing/')) return []
  const [, door = ''] = /^packages\/sdk\/src\/(\w+)\//.exec(path) ?? []
  if (SDK_PEERS[door]?.test(target) || (path.startsWith(SDK_MACHINE) && MACHINE_MAY.test(target))) return []
  if (target.startsWith('.') && resolve(path, target).startsWith('packages/sdk/src/')) return []
  return [`${path}: the SDK is a leaf and may not import ${target}`]
}

function labComplaint(path: string, target: string): string[] {
  if (!target.startsWith('.')) return []
  const resolved = resolve(path, target)
  return resolved.startsWith('packages/lab/') || DOORS.test(resolved) ? [] : [`${path}: the lab uses public doors, not ${target}`]
}

function resolve(path: string, target: string): string {
  return posix.normalize(posix.join(posix.dirname(path), target))
}

/** The folder directly below src, or null for a file at its root. */
function topFolder(path: string): string | null {
  const rest = path.slice(SOURCE.length).split('/')
  return rest.length > 1 ? (rest[0] ?? null) : null
}

function importsOf(text: string): string[] {
  const code = withoutComments(text)
  return [...code.matchAll(/\bfrom '([^']+)'|\bimport\(\s*'([^']+)'\s*\)|^\s*import '([^']+)'/gm)].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}
