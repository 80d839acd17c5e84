import { type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import { sameSecret } from '../connect/random-token.ts'
import { Fault } from '../fault/fault.ts'
import { type IntegrationId, idPattern, newId } from '../ids.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import { parseJson } from '../provider/answer-body.ts'
import type { PushFacts } from '../provider/record-around.ts'
import type { GrantContext } from '../refresh/grant-contexts.ts'
import { HOUR } from '../time.ts'
import { readHandshake } from './handshake.ts'
import { type IncomingPush, type PushAnswer, readPushBody } from './incoming-push.ts'
import { type Proof, provePush } from './prove-push.ts'
import type { PushPorts } from './push-ports.ts'
import { openPushSecrets } from './push-secret.ts'
import type { NewPushNotice } from './pushes.ts'
import { type PushReading, readPush } from './read-push.ts'

const INTEGRATION_ID = new RegExp(idPattern('int'))
const isIntegrationId = (text: string): text is IntegrationId => INTEGRATION_ID.test(text)

/**
 * Takes one push: proves it, reads it, stores what it says, and only then acknowledges it. What follows is done by
 * {@link workPushes}. @throws Fault `not_found` for an address that is not one of ours, `unauthenticated` for a push without its proof
 */
export async function receivePush(push: IncomingPush, ports: PushPorts): Promise<PushAnswer> {
  const { context, facts, secrets } = await addressee(push, ports)
  const handshake = facts.handshake === null ? ({ kind: 'no' } as const) : readHandshake(facts.handshake, push, secrets)
  if (handshake.kind === 'wrong_token') return refuse(context, ports, 'its verification token is not the push secret')
  const provesItself = facts.handshake !== null && facts.handshake.token !== null
  if (handshake.kind === 'echo' && (provesItself || facts.proof.kind === 'none')) return greeted(context, ports, handshake.answer)
  if (push.method !== 'POST' && handshake.kind === 'no') throw notOurs()
  const proof = provePush(facts.proof, push, signingSecrets(facts, context, secrets, ports), ports.clock.wall(), ports.cipher)
  if (!proof.proven) return refuse(context, ports, proof.why)
  if (handshake.kind === 'echo') return greeted(context, ports, handshake.answer)
  await store(push, context, facts, proof, ports)
  return { status: facts.acknowledge, type: null, body: '' }
}

interface Addressee {
  readonly context: GrantContext
  readonly facts: PushFacts
  readonly secrets: readonly string[]
}

/** An unknown integration, one whose provider pushes nothing, and a wrong secret in the path look the same from outside. */
async function addressee(push: IncomingPush, ports: PushPorts): Promise<Addressee> {
  if (!isIntegrationId(push.integration)) throw notOurs()
  const context = await ports.contexts.of(push.integration).catch((error: unknown) => {
    throw error instanceof Fault && (error.code === 'not_found' || error.code === 'client_rejected') ? notOurs() : error
  })
  const facts = context.record.push
  if (facts === null) throw notOurs()
  const { id, organization } = context.integration
  const secrets = openPushSecrets(await ports.pushes.secrets(id), organization, ports.clock.wall(), ports.seal)
  const { secret } = push
  const known = facts.proof.kind === 'none' ? secret !== null && secrets.some((one) => sameSecret(one, secret)) : secret === null
  if (!known) throw notOurs()
  return { context, facts, secrets }
}

function notOurs(): Fault {
  return new Fault('not_found', { detail: 'No pushes are taken at this address.' })
}

function signingSecrets({ proof }: PushFacts, { integration }: GrantContext, secrets: readonly string[], ports: PushPorts): readonly string[] {
  if (proof.secret === 'push_secret') return secrets
  const secret = ports.contexts.clientSecret(integration)
  return secret === null ? [] : [secret]
}

function greeted({ record }: GrantContext, ports: PushPorts, answer: PushAnswer): PushAnswer {
  ports.count(record.id, 'handshake')
  return answer
}

/** The operator is told once an hour, so that a flood of forged pushes is no flood of events. */
async function refuse({ record, integration }: GrantContext, ports: PushPorts, why: string): Promise<never> {
  ports.count(record.id, 'refused')
  const at = ports.clock.wall()
  const event: NewEvent = {
    id: newId('evt', ports.entropy),
    organization: integration.organization,
    type: 'integration.push_refused',
    at,
    actor: SYSTEM_ACTOR,
    connection: null,
    subject: integration.id,
    data: { why },
  }
  await ports.events.appendOnce(`push_refused ${integration.id} ${Math.floor(at / HOUR)}`, event)
  throw new Fault('unauthenticated', { detail: `This push does not prove that it comes from ${record.name}: ${why}.` })
}

async function store(push: IncomingPush, context: GrantContext, facts: PushFacts, proof: Proof & { readonly proven: true }, ports: PushPorts): Promise<void> {
  const { record, integration } = context
  const body = proof.signed === null ? readPushBody(push) : objectOf(proof.signed)
  if (body === null) throw new Fault('invalid_request', { field: 'body', detail: 'A push is a JSON object, a JSON list or a form.' })
  const readings = readPush(record, { body, headers: push.headers, variables: integration.variables })
  const notices = readings.filter(isUseful).map((reading) => noticeOf(reading, push, context, facts, ports))
  if (notices.length === 0) return ports.count(record.id, 'irrelevant')
  const fresh = await ports.pushes.accept(notices)
  for (let count = 0; count < notices.length; count += 1) ports.count(record.id, count < fresh ? 'accepted' : 'repeated')
}

function objectOf(text: string): JsonObject | null {
  const json = parseJson(text)
  return isJsonObject(json) ? json : null
}

/** A revocation of nobody and a code that is not there are nothing to act on. */
function isUseful({ means, account, code }: PushReading): boolean {
  return means === 'changed' || (means === 'revoked' ? account !== null : code !== null)
}

function noticeOf(reading: PushReading, push: IncomingPush, { integration }: GrantContext, facts: PushFacts, ports: PushPorts): NewPushNotice {
  const { seal, entropy, clock } = ports
  const id = newId('psh', entropy)
  const { organization } = integration
  const { code, means, account, happenedAt } = reading
  const receivedAt = clock.wall()
  // Without a time in it, the same change an hour later is another one: better told twice than not at all.
  const hour = means === 'changed' && happenedAt === null ? Math.floor(receivedAt / HOUR) : null
  return {
    id,
    organization,
    integration: integration.id,
    digest: seal.digest(JSON.stringify([seal.digest(push.body), means, account, code, hour])),
    means,
    account,
    proven: facts.proof.kind !== 'none',
    happenedAt,
    receivedAt,
    code: code === null ? null : seal.seal(code, { organization, table: 'push_notice', row: id, column: 'code' }),
    facts: reading.facts,
  }
}
