import { randomBytes } from 'node:crypto'
import { at, JsonClient, type JsonReply, textAt } from '../../packages/lab/src/http.ts'
import type { ServerProcess } from '../../packages/lab/src/server-process.ts'

/** Somebody who is signed in, as their browser holds it: a cookie, and an access token in memory. */
export interface Member {
  readonly owner: string
  cookie: string
  accessToken: string
}

const AT_ONCE = 2

/** Makes `count` people and signs them in. Slow on purpose of the server's: each needs two password hashes. */
export async function signedInCrowd(server: ServerProcess, count: number): Promise<Member[]> {
  const admin = await server.client()
  const members: Member[] = []
  while (members.length < count) {
    const next = Math.min(AT_ONCE, count - members.length)
    members.push(...(await Promise.all(Array.from({ length: next }, () => join(server, admin)))))
  }
  return members
}

async function join(server: ServerProcess, admin: JsonClient): Promise<Member> {
  const email = `${randomBytes(6).toString('hex')}@example.com`
  const password = `bench ${randomBytes(9).toString('base64url')}`
  const made = await admin.post('/users', { email, password, name: 'Bench', role: 'member' })
  if (made.status >= 300) throw new Error(`users: ${made.status} ${made.text}`)
  const signedIn = await browserOf(server, '').post('/auth/login', { email, password })
  if (signedIn.status !== 200) throw new Error(`sign-in: ${signedIn.status} ${signedIn.text}`)
  return { owner: textAt(signedIn, 'user.owner'), cookie: cookieOf(signedIn) ?? '', accessToken: textAt(signedIn, 'access_token') }
}

/** One refresh, as the browser client sends it. */
export async function renew(server: ServerProcess, member: Member): Promise<JsonReply> {
  const reply = await browserOf(server, member.cookie).post('/auth/refresh')
  const accessToken = at(reply.body, 'access_token')
  if (reply.status === 200 && typeof accessToken === 'string') {
    member.accessToken = accessToken
    member.cookie = cookieOf(reply) ?? member.cookie
  }
  return reply
}

export function apiOf(server: ServerProcess, { accessToken }: Member): JsonClient {
  return new JsonClient(`${server.url}/api/v1`, { authorization: `Bearer ${accessToken}` })
}

function browserOf(server: ServerProcess, cookie: string): JsonClient {
  return new JsonClient(`${server.url}/api/v1`, { origin: server.url, 'evergrant-client': '1', ...(cookie === '' ? {} : { cookie }) })
}

function cookieOf({ headers }: JsonReply): string | undefined {
  return headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .find((pair) => pair?.includes('evergrant_session='))
}
