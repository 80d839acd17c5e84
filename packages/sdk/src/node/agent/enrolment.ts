import { AgentClientError, ConnectionError, CredentialStoreError, errorOf, TimeoutError } from './client-errors.ts'
import type { Tell } from './credential-events.ts'
import type { Identity, PendingEnrolment, Profile } from './credential-file.ts'
import { type CredentialStore, fingerprintOf } from './credential-store.ts'
import { newAttemptId } from './dpop.ts'
import { type Answer, retryAfterOf } from './exchange.ts'
import type { MachineKey } from './key-provider.ts'
import { hintsOf } from './machine-id.ts'
import type { Platform } from './platform.ts'
import { problemOf, type ServerLink, textOf } from './server-link.ts'
import type { CredentialSlot, Keys } from './slot.ts'
import { profileOf, readTokenAnswer } from './token-answer.ts'

const TRIES_MAX = 4
const PAUSE_MS = 1_000
/** A server that wants to be left alone for longer than this is told to the person who enrols, instead of waited for. */
const PAUSE_MAX_MS = 60_000

export interface EnrolParts {
  readonly link: ServerLink
  readonly keys: Keys
  readonly platform: Platform
  readonly machine: string | null
  readonly tell: Tell
}

export interface EnrolNames {
  /** Of the installation, as people see it; the host's name when nothing is said. */
  readonly name?: string | undefined
  /** Of the profile in the credential file; the agent's name when nothing is said. */
  readonly profile?: string | undefined
}

/** What `egc_<secret>.<server>` says. The server may be missing. Null for what is no code, or was cut off: the address ends in a slash, so that no beginning of it is another host, which would be sent the secret. */
export function readCode(text: string): { readonly secret: string; readonly server: string | null } | null {
  const parts = /^(egc_[A-Za-z0-9_-]+)(?:\.([A-Za-z0-9_-]+))?$/.exec(text.trim())
  if (parts === null) return null
  const [, secret = '', address] = parts
  if (address === undefined) return { secret, server: null }
  const server = Buffer.from(address, 'base64url').toString('utf8')
  return server.endsWith('/') ? { secret, server: server.slice(0, -1) } : null
}

/**
 * Spends a one-time code. Key and attempt are stored before it is sent, so that the same code after a crash brings the same installation; a code that enrolled
 * this machine before brings the profile that it made.
 */
export async function enrolWithCode(store: CredentialStore, parts: EnrolParts, secret: string, names: EnrolNames): Promise<Profile> {
  const { link, keys } = parts
  const code = fingerprintOf(secret)
  const lock = await store.lockEnrolment()
  try {
    const file = await store.read()
    const before = file.profiles.find((profile) => profile.enrolled_with === code && profile.server === link.server)
    if (before !== undefined) return before
    const left = file.pending.find((one) => one.code === code && one.server === link.server)
    const pending = left !== undefined && (await isUsable(left, keys)) ? left : await beginEnrolment(store, parts, code)
    const key = await keys.open(pending.key)
    const { answer, sentAt } = await enrol(parts, key, pending.attempt_id, { code: secret }, secret, names).catch(async (error: unknown) => {
      if (error instanceof AgentClientError && error.code === 'enrolment_code_invalid') {
        await store.dropPending(code)
        await keys.remove(pending.key).catch(() => {})
      }
      throw error
    })
    return await keep(store, parts, { key, answer, sentAt, names, code })
  } finally {
    await lock.release()
  }
}

/** False when its key is gone, or another one stands in its place: nobody can repeat that attempt. A keychain that is locked is no such thing. */
async function isUsable({ key }: PendingEnrolment, keys: Keys): Promise<boolean> {
  try {
    await keys.open(key)
    return true
  } catch (error) {
    if (key.custody !== 'keychain' && error instanceof CredentialStoreError && error.code === 'credential_key_missing') return false
    throw error
  }
}

async function beginEnrolment(store: CredentialStore, { keys, link }: EnrolParts, code: string): Promise<PendingEnrolment> {
  const key = await keys.make()
  const pending = { server: link.server, code, attempt_id: newAttemptId(), key: { thumbprint: key.thumbprint, custody: key.provider.custody } }
  await store.savePending(pending)
  return pending
}

/** What a person has to do while the machine waits (RFC 8628 section 3.3). */
export interface DevicePrompt {
  readonly userCode: string
  readonly url: string
  /** With the code in it. */
  readonly completeUrl: string
  readonly expiresInSeconds: number
}

export async function enrolWithDevice(store: CredentialStore, parts: EnrolParts, names: EnrolNames, show: (prompt: DevicePrompt) => void): Promise<Profile> {
  const { link, keys, platform, machine } = parts
  const asked = await link.open('auth/sdk/device', { ...nameOf(names), hints: hintsOf(machine, platform.system) })
  if (asked.status !== 200) throw problemOf(asked)
  const deviceCode = textOf(asked.body, 'device_code') ?? ''
  const [uri, complete] = [textOf(asked.body, 'verification_uri') ?? '', textOf(asked.body, 'verification_uri_complete')]
  const [lives, interval] = [secondsOf(asked, 'expires_in', 600), secondsOf(asked, 'interval', 5)]
  show({ userCode: textOf(asked.body, 'user_code') ?? '', url: uri, completeUrl: complete ?? uri, expiresInSeconds: lives })
  const key = await keys.make()
  try {
    const { answer, sentAt } = await poll(parts, key, { deviceCode, interval, until: platform.now() + lives * 1_000 }, names)
    return await keep(store, parts, { key, answer, sentAt, names, code: null })
  } catch (error) {
    await keys.remove({ thumbprint: key.thumbprint, custody: key.provider.custody }).catch(() => {})
    throw error
  }
}

interface DeviceWait {
  readonly deviceCode: string
  readonly interval: number
  readonly until: number
}

async function poll(parts: EnrolParts, key: MachineKey, { deviceCode, interval, until }: DeviceWait, names: EnrolNames): Promise<Enrolled> {
  const attempt = newAttemptId()
  for (let seconds = interval; ; ) {
    await parts.platform.wait(seconds * 1_000)
    try {
      return await enrol(parts, key, attempt, { device_code: deviceCode }, deviceCode, names)
    } catch (error) {
      const code = error instanceof AgentClientError ? error.code : ''
      const over = parts.platform.now() > until
      if (isAway(error) ? over : code !== 'authorization_pending' && code !== 'slow_down') throw error
      if (over) throw errorOf({ status: 401, code: 'enrolment_code_invalid', detail: 'Nobody approved this machine in time. Start again.' })
      if (code === 'slow_down') seconds += 5
    }
  }
}

/** Waited for, too: meanwhile a person walks to another screen (RFC 8628 section 3.5). */
function isAway(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true
  return error instanceof AgentClientError && (error.status === 429 || error.status >= 500)
}

/** Exchanges the identity of the platform. Nothing is stored: the next process does it again. */
export async function enrolWithWorkload(slot: CredentialSlot, parts: EnrolParts, token: () => Promise<string>, names: EnrolNames): Promise<Profile> {
  const { link, keys, machine } = parts
  const key = await keys.make()
  const identity = await token()
  const { answer, sentAt } = await enrol(parts, key, newAttemptId(), { workload_token: identity }, identity, names)
  const granted = readTokenAnswer(answer.body)
  const reference = { thumbprint: key.thumbprint, custody: key.provider.custody }
  const base = { server: link.server, name: names.profile ?? granted.agent.name, key: reference, machine, enrolled_with: null }
  const profile = profileOf(base, granted, sentAt)
  const before = await slot.read()
  await slot.save(profile)
  if (before !== undefined && before.key.thumbprint !== key.thumbprint) await keys.remove(before.key)
  parts.tell({ type: 'enrolled', message: `enrolled as ${profile.installation.name} by the identity of the platform`, generation: profile.generation })
  return profile
}

interface Enrolled {
  readonly answer: Answer
  readonly sentAt: number
}

/** The same attempt as often as no answer arrives: the server answers it with the same bytes. */
async function enrol(parts: EnrolParts, key: MachineKey, attempt: string, door: object, credential: string, names: EnrolNames): Promise<Enrolled> {
  const { link, platform, machine } = parts
  const body = { ...door, attempt_id: attempt, ...nameOf(names), custody: key.provider.custody, hints: hintsOf(machine, platform.system) }
  for (let tries = 1; ; tries += 1) {
    const sentAt = platform.now()
    let failure: unknown
    let pause = PAUSE_MS * 2 ** (tries - 1)
    try {
      const answer = await link.prove({ path: 'agents/enroll', body, key, credential })
      if (answer.status === 200) return { answer, sentAt }
      failure = problemOf(answer)
      if (answer.status !== 429 && answer.status < 500) throw failure
      pause = retryAfterOf(answer.headers, link.now(), answer.body['retry_at']) ?? pause
    } catch (error) {
      if (!(error instanceof AgentClientError) || (error.status !== 0 && error.status !== 429 && error.status < 500)) throw error
      failure = error
    }
    if (tries >= TRIES_MAX || pause > PAUSE_MAX_MS) throw failure
    await platform.wait(pause * (0.5 + platform.random() / 2))
  }
}

interface Keeping extends Enrolled {
  readonly key: MachineKey
  readonly names: EnrolNames
  readonly code: string | null
}

async function keep(store: CredentialStore, { link, keys, machine, tell }: EnrolParts, { key, answer, sentAt, names, code }: Keeping): Promise<Profile> {
  const granted = readTokenAnswer(answer.body)
  const reference = { thumbprint: key.thumbprint, custody: key.provider.custody }
  const name = names.profile ?? (await freeName(store, link.server, granted))
  const profile = profileOf({ server: link.server, name, key: reference, machine, enrolled_with: code }, granted, sentAt)
  const lock = await store.lock(profile)
  try {
    const replaced = await store.find(profile)
    await store.saveEnrolled(profile, code)
    if (replaced !== undefined && replaced.key.thumbprint !== key.thumbprint) await keys.remove(replaced.key).catch(() => {})
  } finally {
    await lock.release()
  }
  const where =
    key.provider.custody === 'keychain' ? 'in the keychain' : key.provider.custody === 'file' ? `in ${store.folder} (mode 0600)` : 'where you keep it'
  tell({ type: 'enrolled', message: `enrolled as ${profile.installation.name} at ${link.server}; the private key is ${where}`, generation: profile.generation })
  return profile
}

/** The agent's name, unless an agent of another organization has it here: a machine may serve both, and neither credential takes the place of the other. */
async function freeName(store: CredentialStore, server: string, { agent, organization }: Pick<Identity, 'agent' | 'organization'>): Promise<string> {
  const known = await store.find({ server, name: agent.name })
  return known === undefined || known.organization.id === organization.id ? agent.name : `${agent.name} (${organization.id})`
}

function nameOf({ name }: EnrolNames): { readonly name?: string } {
  return name === undefined ? {} : { name }
}

function secondsOf({ body }: Answer, name: string, otherwise: number): number {
  const value = body[name]
  return typeof value === 'number' && value > 0 ? value : otherwise
}
