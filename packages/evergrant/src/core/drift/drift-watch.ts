import { type NewEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import type { Events } from '../audit/events.ts'
import { newId, type OrganizationId } from '../ids.ts'
import type { JsonObject } from '../json.ts'
import type { Log } from '../log.ts'
import { readAnswerBody } from '../provider/answer-body.ts'
import { withBeside } from '../provider/beside-body.ts'
import type { ProviderRecord } from '../provider/record.ts'
import type { ProviderAnswer } from '../provider/wire.ts'
import type { Seal } from '../seal/seal.ts'
import { type Clock, DAY, type Entropy } from '../time.ts'
import { compareShape, type Shape, type ShapeDifference, shapeOf } from './shape.ts'

/** Every so manieth answer of a provider's step is compared; the first one always is. */
const EVERY = 50
const TOLD_MAX = 1_000

/** An answer that was understood, of a step that the record has a sample of. */
export interface LiveAnswer {
  readonly record: ProviderRecord
  readonly organization: OrganizationId
  readonly step: keyof ProviderRecord['samples']
  readonly answer: Pick<ProviderAnswer, 'headers' | 'text'>
}

interface DriftPorts {
  readonly events: Pick<Events, 'appendOnce'>
  readonly seal: Pick<Seal, 'digest'>
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
  /** {@link EVERY} by default. */
  readonly every?: number
}

/**
 * Compares live answers with what is documented, keys and types only, and tells when they begin to differ: before it breaks anyone.
 * Nothing waits for it and nothing fails with it.
 */
export class DriftWatch {
  readonly #ports: DriftPorts
  readonly #seen = new Map<string, number>()
  readonly #shapes = new WeakMap<JsonObject, Shape>()
  readonly #told = new Set<string>()

  constructor(ports: DriftPorts) {
    this.#ports = ports
  }

  /** Costs a counter, except for the few that are compared. Never throws. */
  look(live: LiveAnswer): void {
    const sample = live.record.samples[live.step]
    if (sample === null) return
    const name = `${live.record.id} ${live.step}`
    const seen = this.#seen.get(name) ?? 0
    this.#seen.set(name, seen + 1)
    if (seen % (this.#ports.every ?? EVERY) !== 0) return
    try {
      const json = withBeside(live.record, live.answer, readAnswerBody(live.answer, live.record.answer.formEncoded))
      const difference = json === null ? null : withoutOptional(live, compareShape(this.#shapeOf(sample), json))
      if (difference !== null) this.#tell(live, difference)
    } catch {
      this.#ports.log.warn({ provider: live.record.id, step: live.step }, 'an answer could not be compared with its sample')
    }
  }

  #shapeOf(sample: JsonObject): Shape {
    const known = this.#shapes.get(sample) ?? shapeOf(sample)
    this.#shapes.set(sample, known)
    return known
  }

  /** Once a day for each difference, whatever node sees it, in each organization that does. */
  #tell({ record, organization, step }: LiveAnswer, difference: ShapeDifference): void {
    const { clock, entropy, events, log, seal } = this.#ports
    const at = clock.wall()
    const key = `drift ${organization} ${record.id} ${step} ${Math.floor(at / DAY)} ${seal.digest(JSON.stringify(difference))}`
    if (this.#told.has(key)) return
    if (this.#told.size >= TOLD_MAX) this.#told.clear()
    this.#told.add(key)
    const { missing, changed, added } = difference
    const event: NewEvent = {
      id: newId('evt', entropy),
      organization,
      type: 'provider.drift_detected',
      at,
      actor: SYSTEM_ACTOR,
      connection: null,
      subject: record.id,
      data: { step, missing, changed: changed.map(({ path, expected, found }) => ({ path, expected, found })), added },
    }
    events.appendOnce(key, event).catch(() => {
      this.#told.delete(key)
      log.warn({ provider: record.id, step }, 'a change of the provider was seen and could not be noted; the next look will')
    })
  }
}

/**
 * RFC 6749 section 5.1 leaves the scope out where it is the one that was asked for, section 6 the refresh token of a refresh that does not
 * rotate it, and OpenID Connect Core 12.2 the id_token of a refresh.
 */
function withoutOptional({ record, step }: LiveAnswer, difference: ShapeDifference | null): ShapeDifference | null {
  if (difference === null || step === 'check') return difference
  const { answer, rotation } = record
  const keeps = step === 'refresh' && rotation !== 'always'
  const all = [answer, ...Object.values(answer.tokens ?? {})].flatMap(({ paths, refreshPaths }) => [paths, refreshPaths ?? paths])
  const optional = new Set(
    all.flatMap(({ scope, idToken, refreshToken, refreshExpiresIn, refreshExpiresAt }) => [
      scope,
      ...(step === 'refresh' ? [idToken] : []),
      ...(keeps ? [refreshToken, refreshExpiresIn, refreshExpiresAt] : []),
    ]),
  )
  const missing = difference.missing.filter((path) => !optional.has(path))
  return missing.length + difference.changed.length + difference.added.length === 0 ? null : { ...difference, missing }
}
