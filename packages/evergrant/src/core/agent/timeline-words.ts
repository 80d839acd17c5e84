import type { Actor, AuditEvent, EventType } from '../audit/event.ts'
import type { JsonObject } from '../json.ts'

type Told = (data: JsonObject, by: string) => string

/** What a person reads in the timeline of an installation. A type that is not here is told by its name. */
const SENTENCES: Partial<Readonly<Record<EventType, Told>>> = {
  'installation.enrolled': () => 'The machine was enrolled with a key of its own.',
  'installation.updated': (data, by) =>
    data['workload_lifted'] === true ? `Its workload was let in again${by}.` : `It was renamed${named(data, 'name')}${by}.`,
  'installation.locked': (data, by) =>
    data['code'] === 'clone' ? 'It was locked: its credentials were seen in two places.' : `It was locked${by}${because(data)}.`,
  'installation.unlocked': (_, by) => `It was unlocked${by}: it goes on with a new key.`,
  'installation.retired': (data, by) => `It was cut off for good${by}${CUT_OFF[text(data, 'class')] ?? ''}${because(data)}.`,
  'installation.key_rotated': (data) => `Its key was replaced by a new one of its machine${data['unlocked'] === true ? ', after the unlock' : ''}.`,
  'installation.clone_suspected': (data) => `An old token came with the right key, so two may hold its credentials${colon(data, 'message')}`,
  'installation.proof_failed': (data) =>
    `A token of it was shown without its key ${times(data['count'])}: the token has leaked, and is worth nothing without the key.`,
  'installation.rolled_forward': () => 'Its token was newer than the database, as after a restore: the record followed.',
  'sdk_token.rotated': (data, by) => `Its token was rotated${by}${because(data)}: the machine fetches a new one by itself.`,
  'sdk_token.reissued': () => 'The answer of a refresh was lost on its way: the machine got another token.',
  'sdk_token.revoked': (data, by) => `Its token was revoked${by}${because(data)}.`,
  'recovery.requested': () => 'It asked to recover, and waits for a person.',
  'recovery.approved': (_, by) => `Its recovery was approved${by}.`,
  'recovery.succeeded': (data) =>
    `It recovered by itself${RECOVERED[text(data, 'recovery_reason')] ?? ''}${data['counted'] === true ? '; this counts against the limit' : ''}.`,
  'recovery.denied': (data) => `It asked to recover and was refused${data['code'] === undefined ? '' : ` (${text(data, 'code')})`}.`,
  'recovery.switch_changed': (data, by) =>
    typeof data['status'] === 'string'
      ? `Its recovery was ${data['status'] === 'active' ? 'allowed' : 'blocked'}${by}.`
      : `Its own recovery mode was ${typeof data['recovery_mode'] === 'string' ? `set to ${data['recovery_mode']}` : 'taken back: it follows its agent'}${by}.`,
  'recovery.breaker_tripped': () => 'So many recovered within an hour that each recovery now asks a person.',
}

const CUT_OFF: Readonly<Record<string, string>> = {
  compromise: ' and reported as compromised',
  offboarding: ', because whoever ran it has left',
  reuse_detected: ', because its credentials were seen in two places',
}

const RECOVERED: Readonly<Record<string, string>> = {
  expired: ' after its token had run out',
  hygiene: ' after a rotation',
  policy: ' after a policy had ended its token',
  key_rollover: ' after keys of the server were replaced',
  approved: ', as a person had approved',
}

const ACTORS: Readonly<Record<Actor['kind'], string>> = {
  user: ' by a person',
  api_key: ' by a program with an API key',
  cli: ' on the command line of the server',
  browser: ' in a browser',
  installation: ' by the machine itself',
  system: ' by Evergrant itself',
}

/** One event of an installation, in a sentence. Who it was stands beside it, as `actor`; here is only by what kind of hand. */
export function eventSentence({ type, actor, data }: Pick<AuditEvent, 'type' | 'actor' | 'data'>): string {
  return SENTENCES[type]?.(data, ACTORS[actor.kind]) ?? `Event ${type}.`
}

function text(data: JsonObject, name: string): string {
  const value = data[name]
  return typeof value === 'string' ? value : ''
}

function because(data: JsonObject): string {
  const reason = text(data, 'reason').replace(/\.$/, '')
  return reason === '' ? '' : ` (${reason})`
}

function named(data: JsonObject, name: string): string {
  return text(data, name) === '' ? '' : ` to ${text(data, name)}`
}

function colon(data: JsonObject, name: string): string {
  return text(data, name) === '' ? '.' : `: ${text(data, name)}`
}

function times(count: unknown): string {
  return typeof count === 'number' && count > 1 ? `${count} times` : 'once'
}
