// Golden vectors, one file for each version of the policy: fixed facts, and the exact result. Whoever changes a number makes a version.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { TrustFacts } from './facts.ts'
import { TRUST_POLICIES, TRUST_POLICY_VERSION, type TrustPolicy, trustPolicy } from './policy.ts'
import { score, type TrustScore } from './score.ts'

interface Vectors {
  readonly policy_version: number
  readonly policy: TrustPolicy
  readonly vectors: readonly { readonly name: string; readonly now: number; readonly facts: TrustFacts; readonly result: TrustScore }[]
}

const vectorsOf = (version: number): Vectors =>
  JSON.parse(readFileSync(new URL(`../../../../../../docs/reference/trust-vectors-${version}.json`, import.meta.url), 'utf8'))

test('each version of the policy has its own vectors, and its numbers are those that they were made with', () => {
  expect(TRUST_POLICIES.map(({ version }) => version)).toEqual(TRUST_POLICIES.map((_, index) => index + 1))
  expect(TRUST_POLICY_VERSION).toBe(TRUST_POLICIES.length)
  for (const policy of TRUST_POLICIES) {
    const { policy_version: version, policy: numbers, vectors } = vectorsOf(policy.version)
    expect(version).toBe(policy.version)
    expect(JSON.parse(JSON.stringify(policy))).toEqual(numbers)
    expect(vectors.length).toBeGreaterThanOrEqual(10)
    expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length)
  }
})

describe.each(TRUST_POLICIES.map(({ version }) => version))('version %i', (version) => {
  test.each(vectorsOf(version).vectors)('$name', ({ now, facts, result }) => {
    expect(JSON.stringify(score(facts, now, version))).toBe(JSON.stringify(result))
  })
})

test('a version that never was is refused', () => {
  expect(() => trustPolicy(TRUST_POLICY_VERSION + 1)).toThrow('there is no version 2 of the trust score')
})
