import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { constants, enableCompileCache, getCompileCacheDir } from 'node:module'
import { join, resolve } from 'node:path'
import type { Config } from '../config.ts'

const { ENABLED } = constants.compileCacheStatus
/** In the data folder. */
const FOLDER = 'compiled'

/**
 * What is loaded from now on is compiled once for each version: Node writes the result down when the process ends, and the next start reads it. True when it
 * is kept. Where nothing may be written, or the operator chose a place (`NODE_COMPILE_CACHE`) or none (`NODE_DISABLE_COMPILE_CACHE`), the start is a slower one
 * and no more.
 *
 * In the data folder, because in Node's own place, below `/tmp`, another user could put code in our way; and only where the keys are in that folder, too:
 * whoever can write code there can read everything anyway.
 */
export function keepCompiledCode({ dataDir, masterKeys }: Pick<Config, 'dataDir' | 'masterKeys'>, version: string): boolean {
  if (masterKeys !== null || getCompileCacheDir() !== undefined) return false
  const all = resolve(dataDir, FOLDER)
  const own = join(all, version)
  try {
    // Other versions have other files: nobody else would remove what is kept of them.
    if (!existsSync(own)) rmSync(all, { recursive: true, force: true })
    mkdirSync(own, { recursive: true, mode: 0o700 })
  } catch {
    return false
  }
  return enableCompileCache(own).status === ENABLED
}
