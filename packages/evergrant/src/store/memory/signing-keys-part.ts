import type { ProofsSeen } from '../../core/proof/dpop-proofs.ts'
import type { SigningKeyStore } from '../../core/session/signing-key.ts'
import type { Tables } from './tables.ts'

export function signingKeysPart(tables: Tables): SigningKeyStore {
  const version = () => tables.keyRing.get('') ?? 0
  return {
    read: async () => ({
      version: version(),
      keys: [...tables.signingKeys.values()].filter(({ state }) => state !== 'retired').sort((left, right) => (left.id < right.id ? -1 : 1)),
    }),
    write: async (change) => {
      if (change.version !== version()) return 'moved'
      tables.keyRing.set('', change.version + 1)
      for (const key of change.keys) tables.signingKeys.set(key.id, key)
      for (const event of change.events) tables.append(event)
      tables.changed({ kind: 'signing_key' })
      return 'written'
    },
  }
}

export function proofsSeenPart(tables: Tables): ProofsSeen {
  return {
    first: async (hash, until) => {
      if (tables.proofsSeen.has(hash)) return false
      tables.proofsSeen.set(hash, until)
      return true
    },
    forget: async (before, limit) => {
      const old = [...tables.proofsSeen].filter(([, until]) => until < before).slice(0, limit)
      for (const [hash] of old) tables.proofsSeen.delete(hash)
      return old.length
    },
  }
}
