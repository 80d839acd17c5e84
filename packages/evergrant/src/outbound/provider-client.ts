import { Fault } from '../core/fault/fault.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { NotSent, type ProviderRequest, type WireOutcome } from '../core/provider/wire.ts'
import type { Timers } from '../core/time.ts'
import type { AddressGuard } from './address-guard.ts'
import { createDialler, parseUrl, targetOf } from './connect.ts'
import { exchange } from './line.ts'

/** Requests around the protocol that spend nothing: discovery documents, account look-ups, upstream revocation. */
export interface ProviderClient {
  /** One request, one answer; no redirect, no retry. Never rejects. */
  sendRequest(request: ProviderRequest, options?: RequestLimits): Promise<WireOutcome>
  /** @throws Fault `provider_unavailable` whose detail says what came instead of a JSON object with status 200. */
  fetchJson(url: string, options?: RequestLimits): Promise<JsonObject>
}

interface RequestLimits {
  /** Largest body in bytes; 256 KB by default. */
  readonly maxBytes?: number
  /** From the first byte sent; 10 s by default. */
  readonly deadlineMs?: number
}

interface ProviderClientOptions {
  readonly guard: AddressGuard
  readonly timers: Timers
  /** Extra certificate authorities, PEM. */
  readonly ca?: string
}

const MAX_BYTES = 256 * 1024
const DEADLINE_MS = 10_000

export function createProviderClient(options: ProviderClientOptions): ProviderClient {
  const dialler = createDialler(options)

  const sendRequest: ProviderClient['sendRequest'] = async (request, limits = {}) => {
    try {
      const url = parseUrl(request.url)
      const socket = await dialler.dial(targetOf(url), request.certificate)
      const line = { timers: options.timers, maxBody: limits.maxBytes ?? MAX_BYTES, keep: false }
      return await exchange(socket, request, url, limits.deadlineMs ?? DEADLINE_MS, line)
    } catch (error) {
      if (error instanceof NotSent) return { kind: 'not_sent', cause: error.reason }
      throw error
    }
  }

  return {
    sendRequest,
    fetchJson: async (url, limits) => {
      const outcome = await sendRequest({ method: 'GET', url, headers: { accept: 'application/json' }, basic: null, body: null }, limits)
      const where = URL.canParse(url) ? new URL(url).host : 'the address'
      if (outcome.kind !== 'answered') throw unavailable(`${where} gave no answer (${outcome.cause})`)
      if (outcome.answer.status !== 200) throw unavailable(`${where} answered with status ${outcome.answer.status} instead of a document`)
      const json = parseJson(outcome.answer.text)
      if (!isJsonObject(json)) throw unavailable(`${where} answered with something that is not a JSON object`)
      return json
    },
  }
}

function unavailable(detail: string): Fault {
  return new Fault('provider_unavailable', { detail })
}

function parseJson(text: string): JsonValue | undefined {
  try {
    const value: JsonValue = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}
