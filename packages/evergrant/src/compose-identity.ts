import { join } from 'node:path'
import type { Config } from './config.ts'
import { createIdentity, type Identity } from './core/identity/identity.ts'
import { type Mailer, Postbox } from './core/identity/letter.ts'
import type { OrganizationId } from './core/ids.ts'
import type { Log } from './core/log.ts'
import type { Seal } from './core/seal/seal.ts'
import type { SessionService } from './core/session/session-service.ts'
import type { Clock, Entropy, Timers } from './core/time.ts'
import { createFileMailbox, createSmtpMailer } from './outbound/mail-sender.ts'
import { openBreachedPasswords } from './seal/breached-passwords.ts'
import { createOneTimePasswords } from './seal/one-time-passwords.ts'
import { createPasskeyCeremonies } from './seal/passkey-ceremonies.ts'
import { createPasswordHasher, type Derive } from './seal/password-hash.ts'
import type { Store } from './store/index.ts'

export interface IdentityComposition {
  readonly config: Pick<Config, 'publicUrl' | 'allowedOrigins' | 'signUp' | 'organizationName' | 'passwordWords' | 'breachedPasswordsDir'>
  readonly store: Pick<Store, 'users' | 'sessions' | 'tickets' | 'factors' | 'throttles' | 'events' | 'organizations'>
  readonly sessions: Pick<SessionService, 'open' | 'refresh' | 'end'>
  readonly mailer: Mailer
  readonly seal: Seal
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly log: Log
  /** The one that exists from the start: people who sign up become its members. */
  readonly organization: OrganizationId
  /** Node's argon2id by default. */
  readonly derive?: Derive
}

/** Who somebody is, and the letters that go with it. */
export interface IdentityParts {
  readonly identity: Identity
  readonly postbox: Postbox
}

/** @throws Fault `invalid_request` when the list of breached passwords is none */
export function composeIdentity(parts: IdentityComposition): IdentityParts {
  const { config, store, sessions, mailer, seal, clock, timers, entropy, log, organization, derive } = parts
  const { publicUrl, allowedOrigins, signUp, organizationName: name, passwordWords, breachedPasswordsDir } = config
  const postbox = new Postbox({ mailer, timers, log })
  const identity = createIdentity({
    ...store,
    clock,
    entropy,
    seal,
    log,
    opener: sessions,
    hasher: createPasswordHasher({ entropy, clock, ...(derive === undefined ? {} : { derive }) }),
    passwordWords,
    breached: breachedPasswordsDir === null ? null : openBreachedPasswords(breachedPasswordsDir),
    oneTimePasswords: createOneTimePasswords(entropy),
    passkeys: createPasskeyCeremonies({ publicUrl, allowedOrigins, name }),
    postbox,
    publicUrl,
    signUp,
    organization,
  })
  return { identity, postbox }
}

/** Over SMTP; without a mail server into files of the data folder. */
export function composeMailer(
  { smtpUrl, mailFrom, publicUrl, dataDir }: Pick<Config, 'smtpUrl' | 'mailFrom' | 'publicUrl' | 'dataDir'>,
  ports: { readonly log: Log; readonly clock: Clock; readonly entropy: Entropy },
): Mailer {
  const from = mailFrom ?? `evergrant@${new URL(publicUrl).hostname}`
  if (smtpUrl !== null) return createSmtpMailer({ url: smtpUrl.reveal(), from })
  return createFileMailbox({ folder: join(dataDir, 'mailbox'), from, ...ports })
}
