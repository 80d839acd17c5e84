// Makes credentials in a thread of its own, so that sealing and inserting share two cores. Each message asks for one batch.
import { parentPort, workerData } from 'node:worker_threads'
import type { NewCredential } from '../../packages/evergrant/src/core/connection/credential.ts'
import { type ConnectionId, newId, type OrganizationId } from '../../packages/evergrant/src/core/ids.ts'
import { newCredential } from '../../packages/evergrant/src/core/refresh/new-credential.ts'
import { parseMasterKeys } from '../../packages/evergrant/src/seal/keyring.ts'
import { openSeal } from '../../packages/evergrant/src/seal/open-seal.ts'
import { systemEntropy } from '../../packages/evergrant/src/system.ts'
import { scaleRecord } from './provider-record.ts'

export interface SealingWork {
  readonly masterKeys: string
  /** The sealed root of the database, as its `meta` table holds it. */
  readonly root: Uint8Array
  readonly organization: OrganizationId
  readonly obtainedAt: number
  readonly lifetimeMs: number
}

export interface SealedBatch {
  readonly first: number
  readonly connections: readonly { readonly id: ConnectionId; readonly event: string; readonly credential: NewCredential }[]
}

const work = workerData as SealingWork
const stored = { get: () => Promise.resolve(work.root), putIfAbsent: () => Promise.resolve(work.root) }
const seal = await openSeal(stored, parseMasterKeys(work.masterKeys), systemEntropy)
const record = scaleRecord('http://127.0.0.1')

parentPort?.on('message', ({ first, count }: { readonly first: number; readonly count: number }) => {
  const batch: SealedBatch = { first, connections: Array.from({ length: count }, (_, offset) => sealed(first + offset)) }
  parentPort?.postMessage(batch)
})

function sealed(index: number) {
  const { organization, obtainedAt, lifetimeMs } = work
  const id = newId('con', systemEntropy)
  const tokens = {
    accessToken: `at-${index}-0123456789abcdef0123456789abcdef`,
    refreshToken: `rt-seed-${index}-0123456789abcdef0123456789abcdef`,
    tokenType: 'Bearer',
    accessExpiresAt: obtainedAt + lifetimeMs,
    refreshExpiresAt: null,
  }
  const settings = { marginMs: null }
  const credential = newCredential({ organization, connection: id, generation: 1, tokens, obtainedAt, record, settings }, seal, systemEntropy)
  return { id, event: newId('evt', systemEntropy), credential }
}
