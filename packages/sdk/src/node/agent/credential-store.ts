import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CREDENTIAL_FILE,
  type CredentialFile,
  NO_CREDENTIALS,
  type PendingEnrolment,
  type Profile,
  readCredentials,
  writeCredentials,
} from './credential-file.ts'
import { type HeldLock, lockFile } from './file-lock.ts'
import { lockPipe } from './pipe-lock.ts'
import type { Platform } from './platform.ts'
import { checkFolder, openFolder, readPrivate, sweepTemporary, writePrivate } from './safe-files.ts'

const LOCKS = 'locks'

/** Which profile: unique in the file. */
export interface ProfileName {
  readonly server: string
  readonly name: string
}

interface StoreOptions {
  readonly platform: Platform
  readonly lockWaitMs?: number
  readonly warn?: (line: string) => void
}

/** The credential file of this user. Every write is one step for whoever reads; none deletes what it does not name. */
export class CredentialStore {
  readonly folder: string
  readonly path: string
  readonly #options: StoreOptions

  constructor(options: StoreOptions) {
    this.#options = options
    this.folder = options.platform.home
    this.path = join(this.folder, CREDENTIAL_FILE)
  }

  /** What stands in the file now. @throws CredentialStoreError */
  async read(): Promise<CredentialFile> {
    const text = await readPrivate(this.path)
    if (text === null) return NO_CREDENTIALS
    await checkFolder(this.folder)
    return readCredentials(text, this.path)
  }

  async find(wanted: ProfileName): Promise<Profile | undefined> {
    return (await this.read()).profiles.find((profile) => isSame(profile, wanted))
  }

  /** The lock of one profile: held while its token is spent. */
  async lock(name: ProfileName): Promise<HeldLock> {
    return this.#lock(this.lockPath(name))
  }

  lockPath({ server, name }: ProfileName): string {
    const hash = createHash('sha256').update(`${server}\n${name}`).digest('base64url').slice(0, 22)
    return join(this.folder, LOCKS, `profile-${hash}.lock`)
  }

  /** Puts the profile into the file, in the place of the one with its name. */
  save(profile: Profile): Promise<void> {
    return this.#change((file) => ({ ...file, profiles: [...file.profiles.filter((other) => !isSame(other, profile)), profile] }))
  }

  remove(name: ProfileName): Promise<void> {
    return this.#change((file) => ({ ...file, profiles: file.profiles.filter((other) => !isSame(other, name)) }))
  }

  savePending(pending: PendingEnrolment): Promise<void> {
    return this.#change((file) => ({ ...file, pending: [...file.pending.filter(({ code }) => code !== pending.code), pending] }))
  }

  /** The server will not take this code any more. */
  dropPending(code: string): Promise<void> {
    return this.#change((file) => ({ ...file, pending: file.pending.filter((pending) => pending.code !== code) }))
  }

  /** The profile that an enrolment brought, and the end of what was pending, in one step. */
  saveEnrolled(profile: Profile, code: string | null): Promise<void> {
    return this.#change((file) => ({
      ...file,
      profiles: [...file.profiles.filter((other) => !isSame(other, profile)), profile],
      pending: file.pending.filter((pending) => pending.code !== code),
    }))
  }

  async lockEnrolment(): Promise<HeldLock> {
    return this.#lock(join(this.folder, LOCKS, 'enrolment.lock'))
  }

  /** The file holds several profiles, so that even who holds the lock of one writes under this. */
  async #change(change: (file: CredentialFile) => CredentialFile): Promise<void> {
    const lock = await this.#lock(join(this.folder, LOCKS, 'file.lock'))
    try {
      await writePrivate(this.path, writeCredentials(change(await this.read())))
      await sweepTemporary(this.path)
    } finally {
      await lock.release()
    }
  }

  async #lock(path: string): Promise<HeldLock> {
    const { platform, lockWaitMs, warn } = this.#options
    await openFolder(this.folder)
    await mkdir(join(this.folder, LOCKS), { recursive: true, mode: 0o700 })
    const options = {
      wait: platform.wait,
      random: platform.random,
      ...(lockWaitMs === undefined ? {} : { patienceMs: lockWaitMs }),
      ...(warn === undefined ? {} : { warn }),
    }
    return platform.system === 'win32' ? lockPipe(path, options) : lockFile(path, options)
  }
}

function isSame(one: ProfileName, other: ProfileName): boolean {
  return one.server === other.server && one.name === other.name
}

/** How a token or a code is named where the secret itself has no place. */
export function fingerprintOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
