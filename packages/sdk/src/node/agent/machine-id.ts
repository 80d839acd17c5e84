import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import process from 'node:process'
import { digestOf } from '../../proof/base64url.ts'
import type { Platform } from './platform.ts'

/** So that the id of this machine, which other programs use too, never leaves it. */
const SALT = 'evergrant machine'

/** What makes alerts readable for people. Proves nothing. */
interface MachineHints {
  readonly host: string
  readonly machine?: string
  readonly platform: string
  readonly sdk: string
}

const SDK_NAME = 'evergrant-sdk-node/0.1.0'

/** A salted hash of what stays when the disk is copied and the machine is another one; null where the system has no such id. */
export async function machineIdOf({ env, system }: Pick<Platform, 'env' | 'system'>): Promise<string | null> {
  const id = env['EVERGRANT_MACHINE_ID'] || (await readMachineId(system))
  return id === null || id === '' ? null : digestOf(`${SALT}\n${id}`)
}

async function readMachineId(system: string): Promise<string | null> {
  if (system === 'darwin') return /"IOPlatformUUID" = "([^"]+)"/.exec(await outputOf('ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']))?.[1] ?? null
  if (system === 'win32')
    return /MachineGuid\s+REG_SZ\s+(\S+)/.exec(await outputOf('reg', ['query', 'HKLM\\SOFTWARE\\Microsoft\\Cryptography', '/v', 'MachineGuid']))?.[1] ?? null
  return read('/etc/machine-id') ?? read('/var/lib/dbus/machine-id')
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null
  } catch {
    return null
  }
}

function outputOf(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, [...args], { timeout: 5_000 }, (_error, stdout) => resolve(String(stdout)))
  })
}

export function hintsOf(machine: string | null, system: string): MachineHints {
  const runtime = 'Bun' in globalThis ? 'bun' : 'Deno' in globalThis ? 'deno' : 'node'
  const host = hostname().slice(0, 128)
  return { host, ...(machine === null ? {} : { machine }), platform: `${system} ${runtime} ${process.versions.node}`, sdk: SDK_NAME }
}
