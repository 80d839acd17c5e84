import type { EvergrantError } from '../../evergrant-error.ts'
import { AgentClientError, CredentialsCopiedError, errorOf, RecoveryPendingApprovalError, TimeoutError } from './client-errors.ts'
import { recoveryLine, type Tell } from './credential-events.ts'
import type { Failure, Profile } from './credential-file.ts'
import { fingerprintOf } from './credential-store.ts'
import { newAttemptId } from './dpop.ts'
import type { Answer } from './exchange.ts'
import type { MachineKey } from './key-provider.ts'
import { hintsOf } from './machine-id.ts'
import type { Platform } from './platform.ts'
import { type Ending, UNKNOWN_TOKEN, verdictOf } from './rotation-verdict.ts'
import { problemOf, type ServerLink, textOf } from './server-link.ts'
import type { CredentialSlot, Keys } from './slot.ts'
import { CLOCK_SET_MS, type Snapshot, snapshotOf } from './snapshot.ts'
import { profileOf, readTokenAnswer } from './token-answer.ts'

/** Refusals that lead to another request are followed so often; more is a loop. */
const STEPS_MAX = 8
/** Longer than the server takes to be sure that a proof is newer than an answer. */
const RELOAD_MS = 120_000
/** Nobody begins another request after holding the lock for so long: others wait for it, and elsewhere it is a lease. */
const HOLD_MS = 25_000
const SAVE_PAUSES_MS = [100, 1_000]

interface RotationParts {
  readonly slot: CredentialSlot
  readonly keys: Keys
  readonly link: ServerLink
  readonly platform: Platform
  /** Of this machine, now. */
  readonly machine: string | null
  readonly tell: Tell
}

export interface RenewRequest {
  /** The access token that the server refused: whatever else is in the slot is newer. */
  readonly refused?: string
  /** Replace the key, too. */
  readonly newKey?: boolean
  /** Ask although the answer is known: a person wants to see it. */
  readonly force?: boolean
}

/**
 * Renews the credential in a slot that many processes share: one of them spends the token, the others take what it stored. What it sends is written down
 * before, and what it gets is stored before anybody uses it. agents.md 3.8.
 */
export class Rotation {
  readonly #parts: RotationParts
  /** Pinned with the first profile: another installation in the slot is never taken for this one. */
  #installation: string | null = null
  #known = 0

  constructor(parts: RotationParts) {
    this.#parts = parts
  }

  /** What is stored, without asking anybody. @throws EvergrantError `not_enrolled` */
  async load(): Promise<Snapshot> {
    return this.#adopt(await this.#read())
  }

  async renew(request: RenewRequest = {}): Promise<Snapshot> {
    const before = await this.#newer(request)
    if (before !== null) return before
    // What is known already needs no lock: fifty programs that ask all day cost a look at the file.
    if (request.force !== true) refuseKnown(await this.#read(), this.#parts.platform.now())
    const lock = await this.#parts.slot.lock()
    try {
      const after = await this.#newer(request)
      if (after !== null) return after
      const profile = await this.#read()
      refuseCopied(profile, this.#parts.machine)
      if (request.force !== true) refuseKnown(profile, this.#parts.platform.now())
      if (request.newKey !== true) return await this.#spend(profile, false)
      // An attempt that may have been answered has its key: that answer is fetched first, and the new key goes with an attempt of its own.
      const begun = profile.next_key === null && profile.intent?.from_generation === profile.generation
      if (begun) await this.#spend(profile, false)
      return await this.#spend(begun ? await this.#read() : profile, true)
    } finally {
      await lock.release()
    }
  }

  /** Ends the installation on the server, and only then forgets it here. */
  async end(): Promise<void> {
    const { slot, keys, link, tell } = this.#parts
    const lock = await slot.lock()
    try {
      const profile = await this.#read()
      refuseCopied(profile, this.#parts.machine)
      const body = { refresh_token: profile.refresh_token }
      const revoke = async (reference: Profile['key']): Promise<Answer> =>
        link.prove({ path: 'auth/sdk/revoke', body, key: await keys.open(reference), credential: profile.refresh_token })
      let answer = await revoke(profile.key)
      if (answer.status === 401 && profile.next_key !== null) answer = await revoke(profile.next_key)
      // Over already, in whatever way: that is what was asked for.
      if (answer.status !== 200 && !GONE.has(textOf(answer.body, 'code') ?? '')) throw problemOf(answer)
      await slot.remove()
      // Of an installation that is over: where the keychain does not let go of it now, it is worth nothing.
      await keys.remove(profile.key).catch(() => {})
      if (profile.next_key !== null) await keys.remove(profile.next_key).catch(() => {})
      tell({
        type: 'signed_out',
        message: `signed out of ${profile.server}: the installation ${profile.installation.id} is over`,
        generation: profile.generation,
      })
    } finally {
      await lock.release()
    }
  }

  async #read(): Promise<Profile> {
    const profile = await this.#parts.slot.read()
    if (profile === undefined)
      throw errorOf({ status: 0, code: 'not_enrolled', action: 'contact_admin', detail: 'This machine is not enrolled, or was signed out.' })
    if (this.#installation !== null && profile.installation.id !== this.#installation)
      throw new AgentClientError({
        status: 0,
        code: 'installation_replaced',
        action: 'none',
        detail: `This machine was enrolled anew (${profile.installation.id}), and this program began with ${this.#installation}. Restart it.`,
      })
    return profile
  }

  async #adopt(read: Profile): Promise<Snapshot> {
    const { platform } = this.#parts
    const { profile, key } = await this.#opened(read)
    this.#installation = profile.installation.id
    this.#known = profile.generation
    return snapshotOf(profile, key, { now: platform.now(), random: platform.random() })
  }

  /** Reading takes no lock: between the two reads another process may have replaced the key, and the one before is gone. */
  async #opened(profile: Profile): Promise<{ readonly profile: Profile; readonly key: MachineKey }> {
    const { keys } = this.#parts
    try {
      return { profile, key: await keys.open(profile.key) }
    } catch (error) {
      const now = await this.#read()
      if (now.key.thumbprint === profile.key.thumbprint) throw error
      return { profile: now, key: await keys.open(now.key) }
    }
  }

  /** What another process stored meanwhile; null when there is nothing newer than what this process knows. */
  async #newer({ refused, newKey }: RenewRequest): Promise<Snapshot | null> {
    const profile = await this.#read()
    const other = refused === undefined ? profile.generation > this.#known : profile.access_token !== refused
    if (!other || newKey === true) return null
    const first = this.#known === 0
    const snapshot = await this.#adopt(profile)
    if (this.#parts.platform.now() >= snapshot.renewAt) return null
    if (!first) this.#parts.tell({ type: 'adopted', message: 'took the credentials that another process renewed', generation: snapshot.generation })
    return snapshot
  }

  async #spend(profile: Profile, newKey: boolean): Promise<Snapshot> {
    const { platform } = this.#parts
    let working = await this.#begin(profile, newKey)
    const turn: Turn = { verb: 'refresh', byNext: false, provenAnew: false, reloads: 0 }
    const begun = platform.now()
    for (let step = 0; step < STEPS_MAX; step += 1) {
      const sentAt = platform.now()
      if (sentAt - begun > HOLD_MS) throw tooSlow(working.server)
      const answer = await this.#send(working, turn)
      const verdict = verdictOf(answer, this.#parts.link.now())
      switch (verdict.kind) {
        case 'granted':
          return this.#store(working, turn, answer, sentAt)
        case 'recover':
        case 'refresh':
          turn.verb = verdict.kind
          break
        case 'rekey':
          if (working.next_key !== null && !turn.byNext) turn.byNext = true
          else {
            working = await this.#rekeyed(working)
            turn.byNext = false
          }
          break
        case 'reload': {
          const newer = await this.#newer({})
          if (newer !== null) return newer
          // Nobody has: that answer was lost for good, and a new attempt takes it back as soon as the server is sure of that.
          turn.reloads += 1
          working = await this.#withAttempt(working)
          if (turn.reloads > 1 || verdict.afterMs !== null) return this.#stop(working, answer, { kind: 'later', afterMs: verdict.afterMs ?? RELOAD_MS })
          break
        }
        case 'stranger':
          // A proxy that delivered the request twice has spent its proof, and the first answer is lost: the same attempt with another proof brings it.
          if (!turn.provenAnew) {
            turn.provenAnew = true
            break
          }
          // After a lost answer only the server knows which of the two keys counts.
          if (working.next_key === null || turn.byNext) return this.#stop(working, answer, UNKNOWN_TOKEN)
          turn.byNext = true
          break
        case 'pending':
        case 'later':
        case 'stopped':
          return this.#stop(working, answer, verdict)
      }
    }
    throw new AgentClientError({ status: 0, code: 'invalid_answer', detail: 'The server asks for one thing after another. Nothing was changed here.' })
  }

  async #begin(profile: Profile, newKey: boolean): Promise<Profile> {
    const started = profile.intent?.from_generation === profile.generation ? profile : await this.#withAttempt(profile)
    return newKey && started.next_key === null ? this.#withNextKey(started) : started
  }

  async #withAttempt(profile: Profile): Promise<Profile> {
    const begun = { ...profile, intent: { attempt_id: newAttemptId(), from_generation: profile.generation }, failure: null }
    await this.#parts.slot.save(begun)
    return begun
  }

  async #withNextKey(profile: Profile): Promise<Profile> {
    if (profile.next_key !== null) return profile
    const next = await this.#parts.keys.makeNext(profile.key)
    const both = { ...profile, next_key: { thumbprint: next.thumbprint, custody: next.provider.custody } }
    await this.#parts.slot.save(both)
    return both
  }

  /** Neither of two keys is a new one: the answer to the newer was lost, and it was asked alone whether it is the one to be replaced. */
  async #rekeyed(profile: Profile): Promise<Profile> {
    const { key, next_key: next } = profile
    const begun = await this.#withAttempt(next === null ? profile : { ...profile, key: next, next_key: null })
    if (next !== null) await this.#parts.keys.remove(key).catch(() => {})
    return this.#withNextKey(begun)
  }

  async #send(profile: Profile, { verb, byNext }: Turn): Promise<Answer> {
    const { keys, link, machine, platform } = this.#parts
    const next: MachineKey | null = profile.next_key === null ? null : await keys.open(profile.next_key)
    const key = byNext && next !== null ? next : await keys.open(profile.key)
    const token = profile.refresh_token
    const body = {
      ...(verb === 'refresh' ? { refresh_token: token } : { old_refresh_token: token }),
      attempt_id: profile.intent?.attempt_id,
      hints: hintsOf(machine, platform.system),
      ...(next === null || byNext ? {} : { custody: next.provider.custody }),
    }
    return link.prove({ path: `auth/sdk/${verb}`, body, key, credential: token, nextKey: byNext ? null : next })
  }

  async #store(working: Profile, { verb }: Turn, answer: Answer, sentAt: number): Promise<Snapshot> {
    const { keys, tell } = this.#parts
    const granted = readTokenAnswer(answer.body)
    const { key: before, next_key: next } = working
    const isReplaced = next !== null && granted.key_thumbprint !== before.thumbprint
    const profile = profileOf({ ...working, key: isReplaced ? next : before }, granted, sentAt)
    await this.#save(profile)
    if (next !== null) await keys.remove(isReplaced ? before : next).catch(() => {})
    const snapshot = await this.#adopt(profile)
    const { generation, recovery, metadata } = granted
    if (metadata.source === 'token_recovery' || verb === 'recover')
      tell({
        type: 'recovered',
        message: recoveryLine(metadata.recovery_reason, recovery),
        generation,
        reason: metadata.recovery_reason,
        remaining: recovery?.remaining ?? null,
      })
    else if (isReplaced) tell({ type: 'key_rotated', message: 'the key of this machine was replaced', generation })
    else tell({ type: 'renewed', message: 'the credentials were renewed', generation })
    return snapshot
  }

  /** The answer is worthless until it is stored: the same attempt brings the same bytes as long as nobody used them. */
  async #save(profile: Profile): Promise<void> {
    for (const pause of SAVE_PAUSES_MS) {
      try {
        return await this.#parts.slot.save(profile)
      } catch {
        await this.#parts.platform.wait(pause)
      }
    }
    return this.#parts.slot.save(profile)
  }

  /** Not granted: another process may know better; else the reason is written down for all of them. */
  async #stop(working: Profile, answer: Answer, verdict: Ending): Promise<Snapshot> {
    const newer = await this.#newer({})
    if (newer !== null) return newer
    const error = problemOf(answer)
    const failure = failureOf(working, error, verdict, this.#parts.platform.now())
    // 5xx without a word about when: everybody decides by himself.
    if (verdict.kind !== 'later' || verdict.afterMs !== null) await this.#parts.slot.save({ ...working, failure })
    throw verdict.kind === 'pending' ? errorOfFailure(failure) : error
  }
}

interface Turn {
  verb: 'refresh' | 'recover'
  byNext: boolean
  provenAnew: boolean
  reloads: number
}

const GONE = new Set(['installation_retired', 'installation_expired', 'agent_revoked', 'recovery_forbidden'])

function tooSlow(server: string): TimeoutError {
  return new TimeoutError({ status: 0, code: 'connection_timed_out', detail: `Evergrant at ${server} answers too slowly. The same attempt goes on later.` })
}

function refuseCopied({ machine, server }: Profile, now: string | null): void {
  if (machine === null || now === null || machine === now) return
  throw new CredentialsCopiedError({
    status: 0,
    code: 'credentials_copied',
    action: 'contact_admin',
    detail: `These credentials for ${server} were enrolled on another machine. Nothing was sent, so that the original goes on. Enrol this machine: npx @evergrant/sdk enroll <code>.`,
  })
}

function refuseKnown({ failure, refresh_token }: Profile, now: number): void {
  if (failure === null || failure.token !== fingerprintOf(refresh_token)) return
  // Noted in the future: this machine's clock was set back since, and says nothing about when to ask again.
  if (failure.until !== null && failure.at > now + CLOCK_SET_MS) return
  if (failure.until === null || now < failure.until) throw errorOfFailure(failure)
}

function failureOf({ refresh_token }: Profile, error: EvergrantError, verdict: Ending, now: number): Failure {
  const { code, status, message, action, retryAt, requestId } = error
  const until = verdict.afterMs === null ? null : now + verdict.afterMs
  const type = error instanceof AgentClientError ? error.docUrl : null
  const base = { token: fingerprintOf(refresh_token), at: now, type, status, request_id: requestId, until }
  if (verdict.kind === 'pending')
    return {
      ...base,
      code: 'recovery_pending_approval',
      detail: `A person has to approve that this machine goes on (${verdict.why}). It asks again by itself.`,
      action: 'wait',
      retry_at: new Date(now + verdict.afterMs).toISOString(),
      approval: verdict.approval,
    }
  return { ...base, code, detail: message, action, retry_at: retryAt?.toISOString() ?? null, approval: null }
}

function errorOfFailure({ approval, at: _at, ...failure }: Failure): AgentClientError {
  const problem = { ...failure, type: failure.type ?? '', request_id: failure.request_id ?? '' }
  return approval === null ? errorOf(problem) : new RecoveryPendingApprovalError({ ...problem, approval })
}
