import type { RaceOptions } from '../../packages/sdk/src/node/agent/testing/race.ts'
import { openDoor } from '../../packages/sdk/src/node/agent/testing/serve-fake.ts'
import { AgentWorld } from '../agent-world.ts'

/** Headers of one connection, which do not go through a door; the body is plain here whatever it was. */
const OF_ONE_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'content-length', 'content-encoding', 'host']

/**
 * The real server for the race: two nodes over one PostgreSQL database, or one on the embedded one, behind a door that passes each request to the next
 * node. Time passes for the processes alone: a token is due whenever they find it so.
 */
export function realServer(databaseUrl: string | null): NonNullable<RaceOptions['serve']> {
  return async (wire) => {
    let turn = 0
    let urls: readonly string[] = []
    const door = await openDoor(wire, async (path, init) => {
      const headers = [...new Headers(init.headers)].filter(([name]) => !OF_ONE_HOP.includes(name))
      const answer = await fetch(`${urls[turn++ % urls.length]}${path}`, { ...init, headers })
      const kept = [...answer.headers].filter(([name]) => !OF_ONE_HOP.includes(name))
      return new Response(await answer.text(), { status: answer.status, headers: kept })
    })
    const world = await AgentWorld.open({ databaseUrl, publicUrl: door.url })
    urls = world.urls
    const installations = async () => (await world.operate('GET', `installations?agent=${world.agent}`)).items as readonly { readonly id: string }[]
    const standings = async () => Promise.all((await installations()).map(({ id }) => world.standing(id)))
    const generation = async () => (await standings())[0]?.generation ?? 0
    return {
      url: door.url,
      code: () => world.code(),
      generation,
      // Each new credential is a generation of its own: one that was taken back counts, too.
      rotations: generation,
      locked: async () => (await standings()).filter(({ status }) => status !== 'active').length,
      close: async () => {
        await door.close()
        await world.close()
      },
    }
  }
}
