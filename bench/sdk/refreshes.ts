import { generateKeyPairSync, sign, webcrypto } from 'node:crypto'
import { median } from '../figures.ts'
import { type Store, withServer } from '../session/serving.ts'
import { enrolledMachines, type Machine } from './machines.ts'

const MACHINES = 32

/** Medians of alternating rounds, per second. */
export interface RefreshRow {
  readonly store: Store
  readonly machines: number
  readonly perSecond: number
  /** Bare WebCrypto ES256 verifications in one process, in turns with the refreshes. */
  readonly verificationsPerSecond: number
  readonly ratio: number
}

/** Each refresh: the proof of possession checked, its one use stored, the old token superseded and the new one written durably with its event. */
export async function benchRefreshes({ short, stores }: { readonly short: boolean; readonly stores: readonly Store[] }): Promise<readonly RefreshRow[]> {
  const verify = await verification()
  const rows: RefreshRow[] = []
  for (const store of stores) {
    rows.push(
      await withServer(store, async (server) => {
        const machines = await enrolledMachines(server, MACHINES)
        try {
          return { store, machines: MACHINES, ...(await inTurns(machines, verify, short ? { rounds: 2, seconds: 2 } : { rounds: 5, seconds: 4 })) }
        } finally {
          for (const machine of machines) machine.close()
        }
      }),
    )
  }
  return rows
}

async function inTurns(machines: readonly Machine[], verify: () => Promise<void>, shape: { readonly rounds: number; readonly seconds: number }) {
  const [refreshes, verifications, ratios]: [number[], number[], number[]] = [[], [], []]
  // The first round only warms up.
  for (let round = 0; round <= shape.rounds; round += 1) {
    const raw = await perSecond(shape.seconds, Array(MACHINES).fill(verify))
    const served = await perSecond(
      shape.seconds,
      machines.map((machine) => () => machine.refresh()),
    )
    if (round === 0) continue
    verifications.push(raw)
    refreshes.push(served)
    ratios.push(served / raw)
  }
  return { perSecond: median(refreshes), verificationsPerSecond: median(verifications), ratio: median(ratios) }
}

/** Each of them again and again, all at once. */
async function perSecond(seconds: number, work: readonly (() => Promise<void>)[]): Promise<number> {
  const started = performance.now()
  const end = started + seconds * 1_000
  const counts = await Promise.all(
    work.map(async (one) => {
      let done = 0
      for (; performance.now() < end; done += 1) await one()
      return done
    }),
  )
  return (counts.reduce((sum, count) => sum + count, 0) * 1_000) / (performance.now() - started)
}

/** Of a text as long as a proof. */
async function verification(): Promise<() => Promise<void>> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = await webcrypto.subtle.importKey('jwk', publicKey.export({ format: 'jwk' }), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify'])
  const text = Buffer.alloc(520, 'a')
  const signature = sign('sha256', text, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return async () => {
    if (!(await webcrypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, text))) throw new Error('a genuine signature was refused')
  }
}
