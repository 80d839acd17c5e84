import type { Seal } from '../core/seal/seal.ts'
import { Secret } from '../core/seal/secret.ts'
import { createAesSeal } from '../seal/aes-seal.ts'
import type { MasterKey } from '../seal/keyring.ts'
import { LiveKeyring } from '../seal/live-keyring.ts'
import { systemEntropy } from '../system.ts'

/** The real seal with fixed keys: what one test process sealed, another can open. */
export function testSeal(keyId = 'test'): Seal {
  return liveTestSeal(keyId).seal
}

/** The same with its ring, and with more keys behind the fixed one. */
export function liveTestSeal(keyId = 'test', ...more: readonly MasterKey[]): { readonly seal: Seal; readonly ring: LiveKeyring } {
  const key = new Secret(Uint8Array.from({ length: 32 }, (_, index) => index + 1))
  const root = new Secret(Uint8Array.from({ length: 32 }, (_, index) => 255 - index))
  const ring = new LiveKeyring([{ id: keyId, key }, ...more])
  return { ring, seal: createAesSeal({ keyring: ring, root, entropy: systemEntropy }) }
}
