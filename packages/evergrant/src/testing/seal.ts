import type { Seal } from '../core/seal/seal.ts'
import { Secret } from '../core/seal/secret.ts'
import { createAesSeal } from '../seal/aes-seal.ts'
import { createKeyring } from '../seal/keyring.ts'
import { systemEntropy } from '../system.ts'

/** The real seal with fixed keys: what one test process sealed, another can open. */
export function testSeal(keyId = 'test'): Seal {
  const key = new Secret(Uint8Array.from({ length: 32 }, (_, index) => index + 1))
  const root = new Secret(Uint8Array.from({ length: 32 }, (_, index) => 255 - index))
  return createAesSeal({ keyring: createKeyring([{ id: keyId, key }]), root, entropy: systemEntropy })
}
