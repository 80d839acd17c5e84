import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { ConnectionId } from '../core/ids.ts'
import type { PushedCodes } from '../core/push/push-ports.ts'
import type { defineProvider } from '../providers/define.ts'
import { type ApiAnswer, type ApiLab, createApiLab } from './api-lab.ts'
import type { LabOptions } from './engine-lab.ts'

type Draft = Parameters<typeof defineProvider>[0]

/** An API lab whose provider has an API on this machine, and pushes. */
export interface PushLab extends ApiLab {
  /** What the API answers next to a call that proves a token: 200 until a test says otherwise. */
  readonly api: { status: number; body: string; headers: Record<string, string>; calls: number }
  /** A connection of another account at the same integration. */
  connect(account: string): Promise<ConnectionId>
  stateOf(connection: ConnectionId): Promise<string>
  eventsOf(type: string): Promise<readonly { readonly connection_id: string | null; readonly data: Record<string, unknown> }[]>
  /** A push as the provider sends it. */
  push(url: string, body: string | Buffer, headers?: Readonly<Record<string, string>>): Promise<ApiAnswer>
  /** Sets the push secret and answers what is registered at the provider. */
  register(secret?: string): Promise<{ readonly path: string; readonly secret: string }>
  close(): Promise<void>
}

export async function createPushLab(
  push: Draft['push'],
  options: LabOptions & { readonly checks?: boolean; readonly codes?: PushedCodes } = {},
): Promise<PushLab> {
  const api = { status: 200, body: '{"ok":true}', headers: {} as Record<string, string>, calls: 0 }
  const server = createServer((_request, response) => {
    api.calls += 1
    response.writeHead(api.status, { 'content-type': 'application/json', ...api.headers }).end(api.body)
  })
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
  const base = `http://127.0.0.1:${port}`
  const check = options.checks === false ? null : { request: { url: `${base}/me` } }
  const lab = await createApiLab({ reuse: 'P0', ...options, record: { push: push ?? null, api: { base }, check, ...options.record } })
  const path = (url: string) => url.replace('https://evergrant.example', '')
  return {
    ...lab,
    api,
    connect: async (account) => {
      const made = await lab.call('POST', '/api/v1/connections', {
        body: {
          integration: 'scripted',
          owner: `owner of ${account}`,
          account,
          access_token: 'at-1',
          refresh_token: 'rt-1',
          expires_at: '2036-02-01T00:00:00Z',
        },
      })
      return made.json.id
    },
    stateOf: async (connection) => (await lab.call('GET', `/api/v1/connections/${connection}`)).json.status,
    eventsOf: async (type) => (await lab.call('GET', `/api/v1/events?type=${type}`)).json.items,
    push: async (url, body, headers = {}) => {
      const answer = await lab.app.inject({ method: 'POST', url, payload: body, headers: { 'content-type': 'application/json', ...headers } })
      const isJson = /json/.test(String(answer.headers['content-type'] ?? ''))
      return { status: answer.statusCode, headers: answer.headers, text: answer.body, json: isJson && answer.body !== '' ? JSON.parse(answer.body) : null }
    },
    register: async (given) => {
      const set = await lab.call('POST', `/api/v1/integrations/scripted/push-secret`, { body: given === undefined ? {} : { secret: given } })
      if (set.status !== 201) throw new Error(set.text)
      return { path: path(set.json.url), secret: set.json.secret ?? given }
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** A header as Stripe writes it. */
export function stripeHeader(body: string, secret: string, at: number): string {
  const t = Math.floor(at / 1_000)
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`
}
