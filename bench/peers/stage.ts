import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { at, textAt } from '../../packages/lab/src/http.ts'
import { type PracticeProcess, startPracticeProcess } from '../../packages/lab/src/practice-process.ts'
import type { ReuseSetting } from '../../packages/lab/src/practice-record.ts'
import { withPostgres } from '../postgres.ts'
import type { Grant } from './peer.ts'

/** What all candidates share: one PostgreSQL server with a database each, and one strict provider. */
export class Stage {
  readonly practice: PracticeProcess
  readonly postgresPid: number
  readonly providersDir: string
  readonly #url: string
  #databases = 0
  #grants = 0

  private constructor(practice: PracticeProcess, url: string, postgresPid: number, providersDir: string) {
    this.practice = practice
    this.#url = url
    this.postgresPid = postgresPid
    this.providersDir = providersDir
  }

  static async run<Result>(work: (stage: Stage) => Promise<Result>): Promise<Result> {
    return await withPostgres(async (url, { pid }) => {
      const practice = await startPracticeProcess()
      const providersDir = mkdtempSync(join(tmpdir(), 'evergrant-peers-'))
      try {
        return await work(new Stage(practice, url, pid, providersDir))
      } finally {
        await practice.stop()
        rmSync(providersDir, { recursive: true, force: true })
      }
    })
  }

  issuer(profile: string): string {
    return `${this.practice.url}/${profile}`
  }

  async newDatabase(): Promise<string> {
    this.#databases += 1
    const name = `peer_${this.#databases}`
    const client = new pg.Client({ connectionString: this.#url })
    await client.connect()
    await client.query(`create database ${name}`)
    await client.end()
    return this.#url.replace(/\/bench$/, `/${name}`)
  }

  /** A profile of its own, so that counts and faults of two candidates never mix. */
  async profile(name: string, reuse: ReuseSetting): Promise<string> {
    const [kind, window = '10'] = reuse.split(':')
    const made = await this.practice.control.post(`/profiles/${name}`, { reuse: kind, window_seconds: Number(window) })
    if (made.status !== 200) throw new Error(made.text)
    return name
  }

  async grant(profile: string, accessSeconds: number): Promise<Grant> {
    this.#grants += 1
    const account = `account-${this.#grants}`
    const issued = await this.practice.control.post('/grants', { profile, account, access_seconds: accessSeconds })
    if (issued.status !== 200) throw new Error(issued.text)
    return {
      id: textAt(issued, 'grant'),
      account,
      accessToken: textAt(issued, 'access_token'),
      refreshToken: textAt(issued, 'refresh_token'),
      expiresAt: new Date(Date.now() + accessSeconds * 1_000).toISOString(),
    }
  }

  async fault(profile: string, fault: Readonly<Record<string, unknown>>): Promise<void> {
    const set = await this.practice.control.post('/faults', { profile, step: 'token.refresh', ...fault })
    if (set.status !== 200) throw new Error(set.text)
  }

  async heal(): Promise<void> {
    await this.practice.control.call('DELETE', '/faults')
    await this.practice.control.post('/release')
  }

  async hanging(): Promise<number> {
    const held = at((await this.practice.control.get('/held')).body, 'held')
    return Array.isArray(held) ? held.length : 0
  }

  /** Refresh requests that reached the provider, and whether the grant still lives there. */
  async truth(grant: Grant): Promise<{ readonly refreshes: number; readonly alive: boolean }> {
    const { body } = await this.practice.control.get(`/grants/${grant.id}`)
    return { refreshes: Number(at(body, 'refresh_requests')), alive: at(body, 'state') === 'live' }
  }

  /** Whether the provider's API takes a token now. */
  async works(profile: string, token: string): Promise<boolean> {
    const response = await fetch(`${this.issuer(profile)}/api/me`, { headers: { authorization: `Bearer ${token}` } })
    return response.status === 200
  }
}
