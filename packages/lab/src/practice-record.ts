export type ReuseSetting = 'P0' | `P1:${number}` | 'P2' | 'P3' | 'P4'

/** An operator's provider file (JSON) for one profile of a practice provider: discovered endpoints, its class, its API. */
export function practiceRecord(practiceUrl: string, profile: string, reuse: ReuseSetting): unknown {
  const issuer = `${practiceUrl}/${profile}`
  const [name, window = '0'] = reuse.split(':')
  return {
    id: `practice-${profile}`,
    name: `Practice ${profile}`,
    discovery: { kind: 'oidc', issuer },
    authorize: { defaultScopes: ['openid', 'notes:read'] },
    token: { clientAuth: 'basic' },
    reuse: { class: name, windowSeconds: Number(window), evidence: 'the practice provider says so' },
    rotation: name === 'P0' ? 'never' : 'always',
    revoke: {},
    account: [{ from: 'id_token', claim: 'sub', label: 'email' }],
    api: { base: issuer },
  }
}
