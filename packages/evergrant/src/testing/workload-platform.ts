import { createServer, type Server } from 'node:http'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

/** A platform that gives its workloads identity tokens and publishes its keys, over real HTTP. */
export interface WorkloadPlatform {
  readonly issuer: string
  /** How often its documents were asked for. */
  asked: number
  /** Answers with this status instead, until it is null. */
  broken: number | null
  /** Makes another key, and publishes it beside the others. */
  rotate(): Promise<void>
  token(claims?: Readonly<Record<string, unknown>>, header?: Readonly<Record<string, unknown>>): Promise<string>
  close(): Promise<void>
}

export async function startWorkloadPlatform(now: () => number): Promise<WorkloadPlatform> {
  const keys: { kid: string; jwk: JWK; privateKey: CryptoKey }[] = []
  const rotate = async (): Promise<void> => {
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    const kid = `key-${keys.length + 1}`
    keys.push({ kid, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }, privateKey })
  }
  await rotate()
  const server: Server = createServer((request, response) => {
    platform.asked += 1
    const body = request.url === '/jwks' ? { keys: keys.map(({ jwk }) => jwk) } : { issuer: platform.issuer, jwks_uri: `${platform.issuer}/jwks` }
    response.writeHead(platform.broken ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const platform: WorkloadPlatform = {
    issuer: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    asked: 0,
    broken: null,
    rotate,
    token: async (claims = {}, header = {}) => {
      const key = keys.at(-1)
      if (key === undefined) throw new Error('the platform has no key')
      const seconds = Math.floor(now() / 1_000)
      const all = {
        iss: platform.issuer,
        sub: 'repo:acme/weather:ref:refs/heads/main',
        repository: 'acme/weather',
        iat: seconds,
        nbf: seconds,
        exp: seconds + 600,
        ...claims,
      }
      return new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid: key.kid, ...header }).sign(key.privateKey)
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return platform
}
