import type { FaultDefinition } from '../fault/definition.ts'
import { FAULTS } from '../fault/table.ts'
import { fillWords } from '../fault/words.ts'
import type { Alert } from './alert.ts'
import type { AlertKind } from './rule.ts'

/** An alert in words: what happened and to how many, and the one thing to do. */
interface AlertWords {
  readonly title: string
  readonly text: string
}

const connections = (count: number): string => (count === 1 ? '1 connection' : `${count.toLocaleString('en')} connections`)

export function alertWords(alert: Pick<Alert, 'kind' | 'about' | 'count' | 'total' | 'resolvedAt'>): AlertWords {
  // When all is over the number that matters is how many it was.
  const count = alert.resolvedAt === null ? alert.count : alert.total
  return WORDS[alert.kind]({ ...alert.about, count, provider: alert.about.provider ?? 'A provider' })
}

interface Known {
  readonly provider: string
  readonly integration: string | null
  readonly code: string | null
  readonly name: string | null
  readonly value: number | null
  readonly count: number
}

const WORDS: Readonly<Record<AlertKind, (known: Known) => AlertWords>> = {
  connection_needs_reauth: ({ provider, code, count }) => ({
    title: `${faultTitle(code, provider)}: ${connections(count)}`,
    text: `${faultText(code, provider)} The owner has to reconnect, by the reconnect link or from the application; nothing was deleted.`,
  }),
  refresh_failing: ({ provider, code, count }) => ({
    title: `${provider}: ${connections(count)} cannot be renewed`,
    text: `${faultText(code, provider)} Evergrant keeps trying. No owner has to do anything yet.`,
  }),
  integration_misconfigured: ({ integration, code }) => ({
    title: `The integration ${integration ?? ''} is misconfigured`,
    text: `${faultText(code, 'The provider')} Correct it in the integration; no connection is lost, and all go on by themselves afterwards.`,
  }),
  success_rate_low: ({ value }) => ({
    title: `Only ${value ?? '?'} % of refreshes succeed`,
    text: 'Look at the overview for the provider that fails. If all of them do, look at the network of this server.',
  }),
  expires_soon: ({ provider, count, value }) => ({
    title: `${provider}: access of ${connections(count)} ends within ${value === 1 ? 'a day' : `${value ?? '?'} days`}`,
    text: 'This end comes whatever is renewed. Ask the owners to reconnect before it; everything works until then.',
  }),
  reuse_detected: ({ name, count }) => ({
    title: 'A session was used from two places',
    text: `${count === 1 ? 'The session was' : `${count} sessions were`} ended${name === null ? '' : ` (user ${name})`}. Ask the person whether it was they, and look at their other sessions.`,
  }),
  clone_detected: ({ name }) => ({
    title: 'The credentials of an installation were copied',
    text: `${name ?? 'Two machines hold the same credentials.'} Find out which machine is the real one, then unlock and re-key it, or cut it off.`,
  }),
  journal_not_empty: ({ name, value }) => ({
    title: `Node ${name ?? ''} holds answers that are not in the database`,
    text: `${value ?? 'Some'} answers of providers are in its journal only. Do not delete its data folder; bring the database back, and keep the node running.`,
  }),
  seal_key_missing: ({ value }) => ({
    title: 'A master key is missing',
    text: `${value ?? 'Some'} stored values cannot be opened. Put the key back into EVERGRANT_MASTER_KEYS on every node; nothing is lost meanwhile.`,
  }),
  delivery_failing: ({ name }) => ({
    title: `The webhook ${name ?? ''} takes nothing`,
    text: 'Deliveries wait and are tried for three days. Correct the receiver; what was given up can be replayed.',
  }),
}

function rowOf(code: string | null): FaultDefinition | undefined {
  const table: Readonly<Record<string, FaultDefinition>> = FAULTS
  return code === null ? undefined : table[code]
}

function faultTitle(code: string | null, provider: string): string {
  return fillWords(rowOf(code)?.title ?? '{P} needs to be reconnected', { provider })
}

function faultText(code: string | null, provider: string): string {
  return (
    fillWords(rowOf(code)?.operator ?? '', { provider })
      .split('. ')[0]
      ?.replace(/\.?$/, '.') ?? ''
  )
}
