import { createAgentLab } from './agent-lab.ts'
import { seededEntropy } from './seeded-entropy.ts'
import { SCENES } from './vector-exchanges.ts'
import { type VectorExchange, VectorMachine } from './vector-machine.ts'
import { hashVectors, type ProofVector, proofVectors, signaturesIn, thumbprintVectors, VECTOR_KEYS } from './vector-proofs.ts'

/** Stands where the server's signature would be another one each time. */
const PLACEHOLDER_TOKEN = 'an access token of the server'
const ORGANIZATION = 'org_01900000-0000-7000-8000-000000000000'

export interface SdkVectors {
  readonly about: string
  readonly at: number
  readonly nonce: string
  readonly keys: Readonly<Record<string, unknown>>
  readonly thumbprints: readonly unknown[]
  readonly hashes: readonly unknown[]
  readonly proofs: readonly ProofVector[]
  readonly exchanges: readonly VectorExchange[]
}

/** What docs/reference/sdk-protocol-vectors.json holds: made by the real API over the real embedded store, with a fixed clock and fixed randomness. */
export async function makeSdkVectors(earlier: Pick<SdkVectors, 'proofs'> = { proofs: [] }): Promise<SdkVectors> {
  const started = Date.UTC(2026, 0, 1)
  const lab = await createAgentLab({ entropy: seededEntropy('server', started) })
  const { nonces } = lab.services.proofs
  const [at, nonce] = [lab.time.clock.wall(), nonces.current()]
  const proofs = await proofVectors(lab.time.clock, nonces, signaturesIn(earlier.proofs))
  const kept: VectorExchange[] = []
  const drawn = seededEntropy('machines', started)
  for (const scene of SCENES) await scene({ lab, machine: () => new VectorMachine(lab, drawn, kept) })
  return {
    about: 'Made by `node scripts/write-sdk-vectors.ts`; docs/reference/sdk-protocol.md says how to read it. The keys are of nobody.',
    at,
    nonce,
    keys: Object.fromEntries(Object.entries(VECTOR_KEYS).map(([name, { jwk }]) => [name, jwk])),
    thumbprints: thumbprintVectors(),
    hashes: hashVectors(),
    proofs,
    exchanges: kept.filter(({ title }) => title !== '').map((exchange) => settled(exchange, lab.organization)),
  }
}

/** The organization of the lab and what its signing key makes are new in each run; words for people may change at any time. */
function settled(exchange: VectorExchange, organization: string): VectorExchange {
  const text = JSON.stringify(exchange)
    .replaceAll(organization, ORGANIZATION)
    .replace(/"access_token":"[^"]+"/g, `"access_token":"${PLACEHOLDER_TOKEN}"`)
  return JSON.parse(text, function (this: object, key, value) {
    return (key === 'title' || key === 'detail') && 'code' in this && 'type' in this ? undefined : value
  })
}

export const vectorsText = (vectors: SdkVectors): string => `${JSON.stringify(vectors, null, 1)}\n`
