import autocannon from 'autocannon'
import { startBareServer } from '../bare-process.ts'
import { median } from '../figures.ts'
import { installed } from '../peers/install.ts'
import { startBetterAuth } from '../peers/programs.ts'
import { withPostgres } from '../postgres.ts'
import { type Member, signedInCrowd } from './crowd.ts'
import { type Store, withServer } from './serving.ts'

const CONNECTIONS = 32

/** Requests per second, medians of alternating rounds. */
export interface ValidateRow {
  readonly name: string
  readonly perSecond: number
  /** Of the bare server. */
  readonly ofFloor: number
}

interface Candidate {
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/** `GET auth/validate` on each store, better-auth's `get-session` where it is installed, and the bare server, taking turns. */
export async function benchValidate(options: { readonly short: boolean; readonly stores: readonly Store[] }): Promise<readonly ValidateRow[]> {
  const bare = await startBareServer()
  const candidates: Candidate[] = [{ name: 'bare node:http', url: `${bare.url}/`, headers: {} }]
  const shape = options.short ? { rounds: 2, seconds: 2 } : { rounds: 4, seconds: 3 }
  try {
    return await withOurs(options.stores, candidates, () => withPeers(candidates, () => inTurns(candidates, shape)))
  } finally {
    bare.stop()
  }
}

async function withOurs<Result>(stores: readonly Store[], candidates: Candidate[], work: () => Promise<Result>): Promise<Result> {
  const [store, ...others] = stores
  if (store === undefined) return await work()
  return await withServer(store, async (server) => {
    const [member] = await signedInCrowd(server, 1)
    candidates.push({ name: `Evergrant ${store}`, url: `${server.url}/api/v1/auth/validate`, headers: bearer(member as Member) })
    return await withOurs(others, candidates, work)
  })
}

const bearer = ({ accessToken }: Member) => ({ authorization: `Bearer ${accessToken}` })

/** As it comes, with a look at the database for each request; and with its signed cookie, which sees a sign-out when the cookie ends. */
async function withPeers<Result>(candidates: Candidate[], work: () => Promise<Result>): Promise<Result> {
  if (!installed()) {
    console.log('better-auth is not installed; npm run bench -- peers installs it')
    return await work()
  }
  return await withPostgres((first) => withPeer(first, false, candidates, () => withPostgres((second) => withPeer(second, true, candidates, work))))
}

async function withPeer<Result>(databaseUrl: string, cookieCache: boolean, candidates: Candidate[], work: () => Promise<Result>): Promise<Result> {
  const peer = await startBetterAuth({ databaseUrl, issuer: 'http://127.0.0.1:9', nodes: 1, encrypt: false, cookieCache, direct: false })
  try {
    const [url = ''] = peer.urls
    const signedUp = await fetch(`${url}/api/auth/sign-up/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify({ email: 'bench@example.com', password: 'bench-password-1', name: 'Bench' }),
    })
    if (!signedUp.ok) throw new Error(`better-auth: ${signedUp.status} ${await signedUp.text()}`)
    const cookie = signedUp.headers.getSetCookie().map((line) => line.split(';')[0])
    const name = `better-auth get-session${cookieCache ? ', cookie cache' : ''}`
    candidates.push({ name, url: `${url}/api/auth/get-session`, headers: { cookie: cookie.join('; ') } })
    return await work()
  } finally {
    await peer.stop()
  }
}

async function inTurns(candidates: readonly Candidate[], shape: { readonly rounds: number; readonly seconds: number }): Promise<readonly ValidateRow[]> {
  const found = new Map(candidates.map(({ name }) => [name, { rates: [] as number[], ratios: [] as number[] }]))
  // The first round only warms up.
  for (let round = 0; round <= shape.rounds; round += 1) {
    let floor = Number.NaN
    for (const [index, candidate] of candidates.entries()) {
      const rate = await requestsPerSecond(candidate, shape.seconds)
      if (index === 0) floor = rate
      if (round === 0) continue
      found.get(candidate.name)?.rates.push(rate)
      found.get(candidate.name)?.ratios.push(rate / floor)
    }
  }
  return [...found].map(([name, { rates, ratios }]) => ({ name, perSecond: median(rates), ofFloor: median(ratios) }))
}

async function requestsPerSecond({ url, headers, name }: Candidate, seconds: number): Promise<number> {
  const result = await autocannon({ url, headers: { ...headers }, connections: CONNECTIONS, duration: seconds })
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${name}: ${result.non2xx} refused, ${result.errors} failed`)
  return result.requests.average
}
