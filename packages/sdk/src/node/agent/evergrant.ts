import { AgentClientError, configurationError, errorOf } from './client-errors.ts'
import { type AgentConnections, ConnectionTokens } from './connections.ts'
import type { CredentialEvent } from './credential-events.ts'
import type { Profile, Recovery } from './credential-file.ts'
import { CredentialStore } from './credential-store.ts'
import { type DevicePrompt, type EnrolNames, type EnrolParts, enrolWithCode, enrolWithDevice, enrolWithWorkload, readCode } from './enrolment.ts'
import { Keeper, type KeeperOptions, type Renewals } from './keeper.ts'
import type { KeyProvider } from './key-provider.ts'
import { KeyStore } from './key-store.ts'
import { machineIdOf } from './machine-id.ts'
import { type Platform, platformOf } from './platform.ts'
import { Rotation } from './rotation.ts'
import { ServerLink } from './server-link.ts'
import { ServerSession } from './server-session.ts'
import { fileSlot, memoryKeys, memorySlot } from './slot.ts'
import type { Snapshot } from './snapshot.ts'
import { type ChainOptions, type Found, findCredential, type SourceName } from './sources.ts'
import { workloadRenewals } from './workload-renewals.ts'

export interface EvergrantOptions extends ChainOptions {
  /** Signs instead of a key of ours: a TPM, an enclave, a PKCS#11 token. */
  readonly key?: KeyProvider
  /** Hears of every change of the credential. */
  readonly onCredentialEvent?: (event: CredentialEvent) => void
  /** Takes the few lines for people; `console.error` unless something else is said. `false`: none. */
  readonly log?: ((line: string) => void) | false
  /** Milliseconds for one request to Evergrant; 30,000 by default. */
  readonly timeoutMs?: number
  /** After the first try; 2 by default. */
  readonly maxRetries?: number
  /** How long a lock of another process is waited for; 45,000 by default. */
  readonly lockWaitMs?: number
  /** For tests, or a runtime of your own. */
  readonly platform?: Partial<Platform>
}

export interface RegisterRequest {
  /** Of this machine, as people see it in the list of installations. */
  readonly name?: string
  /** `egc_...`; without one, a person approves this machine on a page (device flow, RFC 8628). */
  readonly code?: string
  readonly server?: string
  /** In the credential file; the agent's name by default. */
  readonly profile?: string
  /** Enrol although this machine is enrolled: a new installation takes the place of the one in the profile. A code does so in any case. */
  readonly again?: boolean
  /** Shows a person what to do; on a terminal it is printed. */
  readonly onPrompt?: (prompt: DevicePrompt) => void
}

/** Who this machine is. Holds no secret. */
export interface CredentialDescription {
  readonly source: SourceName
  readonly server: string
  readonly profile: string
  readonly installation: { readonly id: string; readonly name: string; readonly status: string; readonly expires_at: string | null }
  readonly agent: { readonly id: string; readonly name: string; readonly status: string }
  readonly organization: { readonly id: string; readonly name: string }
  readonly custody: string
  readonly key_thumbprint: string
  readonly generation: number
  readonly access_expires_at: string
  readonly refresh_expires_at: string
  readonly recovery: Recovery | null
  /** Null for a workload: nothing is stored. */
  readonly file: string | null
}

/** How the credential of one source is renewed. */
interface Held {
  readonly link: ServerLink
  readonly renewals: Renewals
  /** The newest: a workload that enrolled again has another one. */
  readonly rotation: () => Rotation
}

interface Opened {
  readonly source: SourceName
  readonly link: ServerLink
  readonly rotation: () => Rotation
  readonly keeper: Keeper
  readonly session: ServerSession
  readonly file: string | null
}

const TIMEOUT_MS = 30_000
const RETRIES = 2

/**
 * The client of a program that uses connections. `await Evergrant.connect()` after `npx @evergrant/sdk enroll <code>`: its credential renews itself, over all
 * processes of the machine, and recovers by itself where its operator wants that.
 */
export class Evergrant {
  readonly connections: AgentConnections
  readonly agents: { readonly register: (request?: RegisterRequest) => Promise<CredentialDescription> }
  readonly #options: EvergrantOptions
  readonly #platform: Platform
  readonly #store: CredentialStore
  readonly #keys: KeyStore
  readonly #tokens: ConnectionTokens
  #opened: Promise<Opened> | null = null
  #current: Opened | null = null
  #closed = false
  #said: ReadonlySet<string> = new Set()

  /** Reads and sends nothing: {@link connect} does, and so does the first call. */
  constructor(options: EvergrantOptions = {}) {
    this.#options = options
    this.#platform = platformOf(options.platform)
    const platform = this.#platform
    const warn = (message: string): void => this.#tell({ type: 'warning', message })
    this.#store = new CredentialStore({ platform, warn, ...(options.lockWaitMs === undefined ? {} : { lockWaitMs: options.lockWaitMs }) })
    this.#keys = new KeyStore({ platform, provider: options.key })
    this.#tokens = new ConnectionTokens({
      platform,
      maxRetries: options.maxRetries ?? RETRIES,
      session: async () => (await this.#open()).session,
      link: () => this.#link(),
    })
    this.connections = this.#tokens
    this.agents = { register: (request) => this.#register(request ?? {}) }
  }

  /** Finds the credential of this machine, enrolling it where a one-time code says so, and renews it if it must be. @throws EvergrantError `not_enrolled` */
  static async connect(options: EvergrantOptions = {}): Promise<Evergrant> {
    const client = new Evergrant(options)
    try {
      const { keeper } = await client.#open()
      await keeper.use()
      return client
    } catch (error) {
      await client.close()
      throw error
    }
  }

  /** Who this machine is, by what is stored here, with a token that was renewed if it was due. */
  async whoami(): Promise<CredentialDescription> {
    const opened = await this.#open()
    return describe(opened, await opened.keeper.use())
  }

  /** What is known here, without asking anybody. */
  async describe(): Promise<CredentialDescription> {
    const opened = await this.#open()
    return describe(opened, opened.keeper.snapshot ?? (await opened.rotation().load()))
  }

  /** Renews now, whatever the clock says. For people and tests: the client does it by itself in time. */
  async renew(): Promise<CredentialDescription> {
    const opened = await this.#open()
    const held = opened.keeper.snapshot
    return describe(opened, await opened.keeper.renew({ force: true, ...(held === null ? {} : { refused: held.access.text }) }))
  }

  /** A new key for this machine, and with it new tokens. Both keys are kept until the answer is stored. */
  async rotateKey(): Promise<CredentialDescription> {
    const opened = await this.#open()
    return describe(opened, await opened.keeper.renew({ newKey: true, force: true }))
  }

  /** Ends this installation on the server, then forgets it here. Fails, and changes nothing, when the server cannot be reached. */
  async logout(): Promise<void> {
    const { rotation } = await this.#open()
    await rotation().end()
    this.#tokens.forget()
    await this.close()
  }

  /** Ends timers and waits for a renewal that is under way; a call that is still looking for the credential rejects. Nothing is lost without it. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#current?.keeper.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #open(): Promise<Opened> {
    if (this.#closed) return Promise.reject(closed())
    this.#opened ??= this.#find().catch((error: unknown) => {
      // The next call looks again: somebody may have enrolled this machine.
      this.#opened = null
      throw error
    })
    return this.#opened
  }

  async #find(): Promise<Opened> {
    const found = await findCredential(this.#options, this.#store, this.#platform)
    if (found === null)
      throw errorOf({ status: 0, code: 'not_enrolled', action: 'contact_admin', detail: notEnrolled(this.#store.path, (await this.#store.read()).profiles) })
    const machine = await machineIdOf(this.#platform)
    if (found.kind === 'workload') return this.#begin(found.source, await this.#workload(found, machine), null)
    const profile = found.kind === 'profile' ? found.profile : await this.#spendCode(found, machine)
    return this.#begin(found.source, this.#stored(profile, machine), this.#store.path)
  }

  async #spendCode(found: Extract<Found, { kind: 'code' }>, machine: string | null): Promise<Profile> {
    const parts = this.#enrolParts(found.server, machine)
    try {
      return await enrolWithCode(this.#store, parts, found.secret, { name: found.name, profile: found.profile })
    } catch (error) {
      if (!(error instanceof AgentClientError) || error.code !== 'enrolment_code_invalid') throw error
      const where = CODE_FROM[found.source]
      throw errorOf({
        status: error.status,
        code: error.code,
        action: 'contact_admin',
        detail: `The enrolment code in ${where} was spent already, or is too old, and this machine has no credential that it made. Put a new one there: evergrant agents code <agent>.`,
      })
    }
  }

  #stored(profile: Profile, machine: string | null): Held {
    const link = this.#linkTo(profile.server)
    const slot = fileSlot(this.#store, { server: profile.server, name: profile.name })
    const rotation = new Rotation({ slot, keys: this.#keys, link, platform: this.#platform, machine, tell: (event) => this.#tell(event) })
    return { rotation: () => rotation, renewals: rotation, link }
  }

  async #workload(found: Extract<Found, { kind: 'workload' }>, machine: string | null): Promise<Held> {
    const link = this.#linkTo(found.server)
    const slot = memorySlot()
    const keys = memoryKeys(this.#options.key)
    const tell = (event: CredentialEvent): void => this.#tell(event)
    const make = (): Rotation => new Rotation({ slot, keys, link, platform: this.#platform, machine, tell })
    const enrol = (): Promise<Profile> => enrolWithWorkload(slot, { link, keys, platform: this.#platform, machine, tell }, found.token, {})
    await enrol()
    const renewals = workloadRenewals({ make, enrol, now: () => link.now() })
    return { rotation: renewals.current, renewals, link }
  }

  async #begin(source: SourceName, { rotation, renewals, link }: Held, file: string | null): Promise<Opened> {
    const maxRetries = this.#options.maxRetries ?? RETRIES
    const options: KeeperOptions = { platform: this.#platform, tell: (event) => this.#tell(event), maxRetries }
    const keeper = new Keeper(renewals, options)
    const session = new ServerSession({ keeper, link, platform: this.#platform, maxRetries })
    const opened = { source, link, rotation, keeper, session, file }
    await keeper.start()
    if (this.#closed) {
      // Meanwhile: nobody is left who would end its timer.
      await keeper.close()
      throw closed()
    }
    this.#current = opened
    return opened
  }

  async #register(request: RegisterRequest): Promise<CredentialDescription> {
    if (this.#closed) throw closed()
    const code = request.code === undefined ? null : readCode(request.code)
    if (request.code !== undefined && code === null)
      throw configurationError('`code` is no enrolment code, or was cut off: it looks like egc_..., a dot, and more. Copy all of it.')
    const known = code !== null || request.again === true ? null : await this.#known()
    if (known !== null) return describe(known, await known.keeper.use())
    const machine = await machineIdOf(this.#platform)
    const server = request.server ?? code?.server ?? this.#options.server ?? this.#platform.env['EVERGRANT_URL']
    if (!server) throw configurationError('Say which server: the option `server`, EVERGRANT_URL, or a code that holds it.')
    const parts = this.#enrolParts(server, machine)
    const names: EnrolNames = {
      name: request.name,
      profile: request.profile ?? this.#options.profile ?? (this.#platform.env['EVERGRANT_PROFILE'] || undefined),
    }
    const show = request.onPrompt ?? ((prompt: DevicePrompt) => this.#print(promptLine(prompt)))
    const profile = code === null ? await enrolWithDevice(this.#store, parts, names, show) : await enrolWithCode(this.#store, parts, code.secret, names)
    await this.#current?.keeper.close()
    this.#tokens.forget()
    const opened = await this.#begin('home', this.#stored(profile, machine), this.#store.path)
    this.#opened = Promise.resolve(opened)
    return describe(opened, await opened.keeper.use())
  }

  /** Null where this machine is not enrolled. */
  async #known(): Promise<Opened | null> {
    try {
      return await this.#open()
    } catch (error) {
      if (error instanceof AgentClientError && error.code === 'not_enrolled') return null
      throw error
    }
  }

  #enrolParts(server: string, machine: string | null): EnrolParts {
    return { link: this.#linkTo(server), keys: this.#keys, platform: this.#platform, machine, tell: (event) => this.#tell(event) }
  }

  #linkTo(server: string): ServerLink {
    return new ServerLink(server, this.#platform, this.#options.timeoutMs ?? TIMEOUT_MS)
  }

  #link(): ServerLink {
    if (this.#current === null) throw new TypeError('not connected')
    return this.#current.link
  }

  #tell(event: CredentialEvent): void {
    if (event.type === 'stopped') this.#tokens.forget()
    if (LINES.has(event.type) && !this.#said.has(event.message)) {
      // The same line once, until something else happens.
      this.#said = new Set([event.message])
      this.#print(event.message)
    } else if (event.type === 'renewed' || event.type === 'adopted') this.#said = new Set()
    // A listener that fails is no failure of the credential: what was renewed is renewed.
    try {
      this.#options.onCredentialEvent?.(event)
    } catch (error) {
      this.#print(`onCredentialEvent failed at \`${event.type}\`: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  #print(line: string): void {
    const { log = (text: string) => console.error(text) } = this.#options
    if (log === false) return
    try {
      log(`evergrant: ${line}`)
    } catch {
      // There is nowhere else to say it.
    }
  }
}

/** What a person should hear of; renewals are routine. */
const LINES: ReadonlySet<CredentialEvent['type']> = new Set(['enrolled', 'recovered', 'stopped', 'warning', 'key_rotated'])

const CODE_FROM: Readonly<Record<SourceName, string>> = {
  option: 'the option `enrolmentCode`',
  environment: 'EVERGRANT_ENROLMENT_CODE',
  project: '.evergrant/enroll.json',
  workload: 'the workload identity',
  home: 'the credential file',
}

/** A profile that does not fit is named: the server may have moved, or the name is misspelt, and another enrolment would be the wrong remedy. */
function notEnrolled(path: string, profiles: readonly Profile[]): string {
  if (profiles.length === 0)
    return 'This machine is not enrolled: no option, no EVERGRANT_ENROLMENT_CODE, no workload identity, no credential file. Run: npx @evergrant/sdk enroll <code>.'
  const there = profiles.map(({ name, server }) => `${name} at ${server}`).join(', ')
  return `This machine is not enrolled as was asked: ${path} has ${there}. Correct the options \`profile\` and \`server\`, EVERGRANT_PROFILE or EVERGRANT_URL, or run: npx @evergrant/sdk enroll <code>.`
}

function closed(): AgentClientError {
  return new AgentClientError({ status: 0, code: 'closed', action: 'none', detail: 'This client was closed.' })
}

function promptLine({ completeUrl, userCode }: DevicePrompt): string {
  return `open ${completeUrl} and enter the code ${userCode}`
}

function describe({ source, file }: Opened, snapshot: Snapshot): CredentialDescription {
  const { identity, server, profile, custody, key, generation, validUntil, refreshExpiresAt, recovery } = snapshot
  return {
    source,
    server,
    profile,
    ...identity,
    custody,
    key_thumbprint: key.thumbprint,
    generation,
    access_expires_at: new Date(validUntil).toISOString(),
    refresh_expires_at: refreshExpiresAt,
    recovery,
    file,
  }
}
