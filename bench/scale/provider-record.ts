import type { ProviderRecord } from '../../packages/evergrant/src/core/provider/record.ts'
import { defineProvider } from '../../packages/evergrant/src/providers/define.ts'

/** The strictest class: every refresh has its lease, its intent, a fresh connection and a kept answer. */
const SCALE_PROVIDER = { id: 'bench', name: 'Bench', reuse: { class: 'P4', evidence: 'bench' } } as const

export function scaleProviderFile(url: string) {
  return { ...SCALE_PROVIDER, authorize: { url: `${url}/authorize` }, token: { url: `${url}/token` } }
}

export function scaleRecord(url: string): ProviderRecord {
  return defineProvider(scaleProviderFile(url))
}
