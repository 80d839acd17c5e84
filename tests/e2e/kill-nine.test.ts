import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { at, textAt } from '../../packages/lab/src/http.ts'
import { Workbench } from '../../packages/lab/src/workbench.ts'

const ROUNDS = 20

// The server is killed while a refresh is under way, on the embedded database, and started again on the same data.
describe('kill -9 in the middle of a refresh', () => {
  let bench: Workbench
  beforeAll(async () => {
    bench = await Workbench.start()
  })
  afterEach(() => bench.heal())
  afterAll(() => bench?.dispose())

  /** Kills the server while the provider holds the request, lets the provider go on, and starts the server again. */
  async function killDuring(profile: string, when: 'before' | 'after', accessSeconds = 600) {
    const held = await bench.hold(profile, accessSeconds)
    await bench.fault(profile, { kind: 'hang', when, times: 1 })
    const pending = bench.refresh(held).catch(() => 'gone')
    await expect.poll(() => bench.hanging()).toBe(1)
    await bench.server.kill()
    await pending
    await bench.heal()
    await bench.server.start()
    return held
  }

  test.each([
    ['p0', 'before' as const, 600],
    ['p0', 'after' as const, 600],
    ['p2', 'after' as const, 600],
    // A strict provider is asked again only shortly before the old access token ends.
    ['p4', 'before' as const, 25],
  ])(
    'at %s, killed %s the provider had spent the token: the grant lives and is refreshed again',
    { timeout: 120_000 },
    async (profile, when, accessSeconds) => {
      const held = await killDuring(profile, when, accessSeconds)
      expect((await bench.token(held)).status).toBe(200)
      await expect.poll(async () => (await bench.refresh(held)).status, { timeout: 90_000, interval: 500 }).toBe(200)
      const token = textAt(await bench.token(held), 'access_token')
      expect(await bench.grantBehind(profile, token)).toBe(held.grant)
      expect(await bench.truth(held)).toMatchObject({ state: 'live', overlaps: 0 })
    },
  )

  test('at P4, killed after the provider had spent the token: the old access token is served to its end, nothing is sent twice in haste', async () => {
    const held = await killDuring('p4', 'after')
    expect((await bench.token(held)).body).toMatchObject({ access_token: held.accessToken })
    expect(await bench.works('p4', held.accessToken)).toBe(200)
    expect((await bench.show(held)).body).not.toMatchObject({ status: 'needs_reauth' })
    expect(await bench.truth(held)).toMatchObject({ state: 'live', refresh_requests: 1 })
  })

  test(`${ROUNDS} kills right after an answered refresh lose nothing at P4`, { timeout: 240_000 }, async () => {
    const held = await bench.hold('p4', 3600)
    for (let round = 1; round <= ROUNDS; round += 1) {
      const refreshed = await bench.refresh(held)
      expect(refreshed.status, refreshed.text).toBe(200)
      await bench.server.kill()
      await bench.server.start()
      const token = await bench.token(held)
      expect(at(token.body, 'generation')).toBe(round + 1)
      expect(await bench.works('p4', textAt(token, 'access_token'))).toBe(200)
    }
    expect(await bench.truth(held)).toMatchObject({ state: 'live', generation: ROUNDS + 1, overlaps: 0, refresh_requests: ROUNDS })
  })
})
