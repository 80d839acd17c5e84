import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
/** So far back where nothing was released yet. */
const BACK = 30
/** Folders of installed packages, which the earlier code shares with this tree. */
const INSTALLED = ['node_modules', 'packages/evergrant/node_modules']

/** The sources of the server at an earlier commit, in a folder of their own, with the installed packages of this tree. */
export interface EarlierCode {
  readonly commit: string
  /** Laid out as this tree. */
  readonly folder: string
  /** Its command line. */
  readonly main: string
  /** The versions of its migrations, in order. */
  readonly migrations: readonly number[]
  readonly remove: () => void
}

const git = (...args: readonly string[]): string => execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()

/** The newest tag, or a commit some way back. */
export function defaultRef(): string {
  const newest = git('tag', '--sort=-creatordate').split('\n')[0] ?? ''
  return newest === '' ? `HEAD~${BACK}` : newest
}

/** @throws Error when there is no such commit, or it has no server */
export function earlierCode(ref: string): EarlierCode {
  const commit = git('rev-parse', '--short', `${ref}^{commit}`)
  const folder = mkdtempSync(join(tmpdir(), 'evergrant-earlier-'))
  const archive = execFileSync('git', ['-C', ROOT, 'archive', commit, 'package.json', 'packages/evergrant', 'packages/sdk'], { maxBuffer: 256 * 1024 * 1024 })
  execFileSync('tar', ['-x', '-C', folder], { input: archive })
  for (const path of INSTALLED) if (existsSync(join(ROOT, path))) symlinkSync(join(ROOT, path), join(folder, path))
  const listed = git('ls-tree', '--name-only', commit, 'packages/evergrant/src/store/migrations/')
  const migrations = [...listed.matchAll(/\/(\d{4})-[^/]*\.ts$/gm)].map(([, version]) => Number(version))
  return {
    commit,
    folder,
    main: join(folder, 'packages/evergrant/src/cli/main.ts'),
    migrations,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
