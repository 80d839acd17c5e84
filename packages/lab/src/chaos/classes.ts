/** One practice profile for each reuse class, as the provider behaves and as the catalogue record describes it. */
interface ReuseProfile {
  readonly profile: string
  readonly behaves: 'P0' | 'P1' | 'P2' | 'P3' | 'P4'
  readonly described: 'P0' | 'P1' | 'P2' | 'P3' | 'P4' | 'PU'
  /** Of the P1 window. */
  readonly windowSeconds: number
}

/** `p1s`: a window that a restart does not fit into. `pu`: a provider that nobody has described; it behaves like the worst. */
export const PROFILES: readonly ReuseProfile[] = [
  { profile: 'p0', behaves: 'P0', described: 'P0', windowSeconds: 0 },
  { profile: 'p1', behaves: 'P1', described: 'P1', windowSeconds: 30 },
  { profile: 'p1s', behaves: 'P1', described: 'P1', windowSeconds: 2 },
  { profile: 'p2', behaves: 'P2', described: 'P2', windowSeconds: 0 },
  { profile: 'p3', behaves: 'P3', described: 'P3', windowSeconds: 0 },
  { profile: 'p4', behaves: 'P4', described: 'P4', windowSeconds: 0 },
  { profile: 'pu', behaves: 'P4', described: 'PU', windowSeconds: 0 },
]

export const PROFILE_NAMES: readonly string[] = PROFILES.map(({ profile }) => profile)

export function profileOf(name: string): ReuseProfile {
  const found = PROFILES.find(({ profile }) => profile === name)
  if (found === undefined) throw new RangeError(`there is no profile ${name}`)
  return found
}

/** Where a second presentation never costs anything, no answer can be lost for good. */
export function canLose(name: string): boolean {
  const { behaves } = profileOf(name)
  return behaves !== 'P0' && behaves !== 'P2'
}

/** A provider file whose token endpoint is reached through a port of this machine: each node has a line of its own. */
export function providerFile({ profile, described, windowSeconds }: ReuseProfile, practiceUrl: string, port: number): unknown {
  return {
    id: `practice-${profile}`,
    name: `Practice ${profile}`,
    authorize: { url: `${practiceUrl}/${profile}/authorize`, defaultScopes: ['notes:read'] },
    token: { url: `http://127.0.0.1:${port}/${profile}/token`, clientAuth: 'basic' },
    reuse: { class: described, windowSeconds, evidence: 'the practice provider says so' },
    rotation: described === 'P0' ? 'never' : 'always',
    account: [{ from: 'answer', path: 'body.account' }],
  }
}
