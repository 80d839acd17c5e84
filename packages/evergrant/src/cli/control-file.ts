import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FILE_NAME = 'server.json'

/** How the command line on this machine reaches the running server. */
export interface ControlFile {
  /** Where it listens, on this machine. */
  readonly url: string
  /** Where browsers and providers reach it. */
  readonly publicUrl: string
  /** A key that only this server process knows; it ends with it. */
  readonly key: string
  readonly pid: number
}

/** Written with mode 0600 under a name of its own and moved into place, so that a reader sees all of it or nothing. */
export function writeControlFile(dataDir: string, control: ControlFile): void {
  const path = join(dataDir, FILE_NAME)
  const draft = `${path}.${control.pid}`
  writeFileSync(draft, `${JSON.stringify(control)}\n`, { mode: 0o600 })
  renameSync(draft, path)
}

/** Removes the file if it is still this process's. */
export function removeControlFile(dataDir: string, pid: number): void {
  if (readControlFile(dataDir)?.pid === pid) rmSync(join(dataDir, FILE_NAME), { force: true })
}

/** Undefined when there is none, or none that makes sense: then there is no server to talk to. */
export function readControlFile(dataDir: string): ControlFile | undefined {
  try {
    const value: Partial<Record<keyof ControlFile, unknown>> = JSON.parse(readFileSync(join(dataDir, FILE_NAME), 'utf8'))
    const { url, publicUrl, key, pid } = value
    if (typeof url !== 'string' || typeof publicUrl !== 'string' || typeof key !== 'string' || typeof pid !== 'number') return undefined
    return { url, publicUrl, key, pid }
  } catch {
    return undefined
  }
}

/** False when the process that wrote the file is certainly gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
