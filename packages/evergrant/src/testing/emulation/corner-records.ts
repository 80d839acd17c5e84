import type { ProviderRecord } from '../../core/provider/record.ts'
import { defineProvider, type ProviderDraft } from '../../providers/define.ts'

/** Corners of the record language that no provider of the catalogue needs. They make the same round trip. */
function corner(id: string, draft: Partial<ProviderDraft>): ProviderRecord {
  const host = `https://${id}.example`
  return defineProvider({
    id,
    name: id,
    rotation: 'always',
    account: [{ from: 'answer', path: 'user.id' }],
    revoke: { url: `${host}/revoke`, clientAuth: 'none' },
    ...draft,
    authorize: { url: `${host}/authorize`, ...draft.authorize },
    token: { url: `${host}/token`, ...draft.token },
  })
}

const sample = (count: number) => ({ access_token: `access-${count}`, refresh_token: `refresh-${count}`, expires_in: 3_600, user: { id: 'account-1' } })
const beside = (count: number) => ({
  'header:X-Subject-Token': `access-${count}`,
  'cookie:renewal': `refresh-${count}`,
  'cookie:renewal;max-age': '86400',
  expires_in: 3_600,
  user: { id: 'account-1' },
})

export const cornerRecords: readonly ProviderRecord[] = [
  corner('header-and-cookie', {
    answer: { paths: { accessToken: 'header:X-Subject-Token', refreshToken: 'cookie:renewal', refreshExpiresIn: 'cookie:renewal;max-age' } },
    samples: { exchange: beside(1), refresh: beside(2) },
  }),
  corner('signed-ed25519', {
    token: {
      clientAuth: 'none',
      signature: {
        algorithm: 'ed25519',
        text: '{method}\n{host}\n{path}\n{timestamp}\n{body_sha256}',
        encoding: 'base64',
        header: 'X-Signature',
        timestampHeader: 'X-Timestamp',
      },
    },
    samples: { exchange: sample(1), refresh: sample(2) },
  }),
  corner('signed-aws', {
    variables: { region: { label: 'Region', pattern: '[a-z0-9-]+', example: 'eu-west-1' } },
    token: { clientAuth: 'none', bodyFormat: 'json', awsSignature: { service: 'execute-api', region: '{region}' }, headers: { 'x-amz-target': 'Tokens.Get' } },
    samples: { exchange: sample(1), refresh: sample(2) },
  }),
]
