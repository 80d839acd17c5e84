import { withoutComments } from './code-guards.ts'

const CONFIG_KEYS_MAX = 40
const PUBLIC_NAMES_MAX = 15

/** Environment keys that config.ts reads, each counted once. */
export function configKeys(text: string): string[] {
  return [...new Set(withoutComments(text).match(/\bEVERGRANT_[A-Z0-9_]+\b/g) ?? [])].sort()
}

export function hasFewConfigKeys(text: string): string[] {
  const keys = configKeys(text)
  return keys.length > CONFIG_KEYS_MAX ? [`config-keys.ts: ${keys.length} keys, at most ${CONFIG_KEYS_MAX}; find a default that fits everybody`] : []
}

/** Values that an entry point exports. Types cost a reader nothing at run time and are not counted. */
function publicValues(text: string): string[] {
  const code = withoutComments(text)
  const declared = [...code.matchAll(/^export (?:async )?(?:function|const|class) (\w+)/gm)].map((match) => match[1] ?? '')
  const lists = [...code.matchAll(/^export \{([^}]*)\}/gm)].flatMap((match) => (match[1] ?? '').split(','))
  const named = lists
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '))
    .map((name) => name.split(' as ').at(-1) ?? name)
  const star = /^export \*/m.test(code) ? ['*'] : []
  return [...declared, ...named, ...star]
}

export function hasFewPublicNames(door: string, text: string): string[] {
  const names = publicValues(text)
  if (names.includes('*')) return [`${door}: an entry point names what it exports; no \`export *\``]
  return names.length > PUBLIC_NAMES_MAX ? [`${door}: ${names.length} public names, at most ${PUBLIC_NAMES_MAX}`] : []
}

export function hasNoDependencies(manifest: string): string[] {
  const dependencies = Object.keys(JSON.parse(manifest).dependencies ?? {})
  return dependencies.length === 0 ? [] : [`the SDK depends on ${dependencies.join(', ')}; it has no runtime dependency`]
}

export function pinsExactVersions(path: string, manifest: string): string[] {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(manifest)
  return Object.entries({ ...dependencies, ...devDependencies })
    .filter(([, version]) => typeof version === 'string' && !/^\d+\.\d+\.\d+/.test(version))
    .map(([name, version]) => `${path}: ${name} is '${version}'; pin an exact version`)
}

/** Commands that work, or have their own first step, without `node_modules`. */
const NEEDS_NOTHING = new Set(['clean', 'check'])

/** Every command of the repository is a first command for somebody: it installs what it needs. */
export function installsFirst(manifest: string): string[] {
  const scripts: Record<string, string> = JSON.parse(manifest).scripts ?? {}
  return Object.keys(scripts)
    .filter((name) => !NEEDS_NOTHING.has(name) && scripts[`pre${name}`] === undefined)
    .filter((name) => !(name.startsWith('pre') && scripts[name.slice(3)] !== undefined))
    .map((name) => `package.json: \`npm run ${name}\` fails on a fresh clone; add "pre${name}": "node scripts/ensure-installed.mjs"`)
}

export function recordsNoAddresses(lockfile: string): string[] {
  return lockfile.includes('"resolved": "http')
    ? ['package-lock.json records download addresses; make it with `npm config set omit-lockfile-registry-resolved true`']
    : []
}

/** Each folder says what it owns: a README, or a comment at the head of its index. */
export function saysWhatItOwns(folder: string, files: { readonly readme: string | null; readonly index: string | null }): string[] {
  const { readme, index } = files
  if (readme !== null && readme.trim().split('\n').length >= 3) return []
  if (index !== null && /^(\/\/|\/\*\*)/.test(index)) return []
  return [`${folder}: say in README.md, or at the head of index.ts, what it owns and what it must not know`]
}

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** A lockfile made where some platforms' packages were not offered leaves them out, and `npm ci` then refuses it. */
export function locksEveryPlatform(lockfile: string): string[] {
  const packages: Record<string, LockedPackage> = JSON.parse(lockfile).packages
  const paths = Object.keys(packages)
  return Object.values(packages)
    .flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
    .filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`)))
    .map((name) => `package-lock.json lacks ${name}: add its entry (version, os, cpu, optional), or \`npm ci\` refuses the file`)
}
