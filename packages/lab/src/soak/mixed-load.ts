import type { Arena } from '../chaos/arena.ts'
import type { Dice } from '../chaos/dice.ts'
import type { Strike } from '../chaos/strike.ts'
import { TROUBLES } from '../chaos/trouble-strikes.ts'
import { at } from '../http.ts'
import { rest } from '../until.ts'

/** Trouble that leaves the processes alive: memory and files are only comparable within one life. */
const BEARABLE = [
  'half-open link to the provider',
  'answers lost on the way',
  'connections to the provider reset in the answer',
  'slow provider',
  'half-open link to the database',
  'database restart',
]
const BETWEEN_TROUBLES_MS = 2_000
const BETWEEN_CHANGES_MS = 40

/** Everything but token reads: people who change, list, renew and reconnect; and trouble every few seconds. */
export class MixedLoad {
  changes = 0
  troubles = 0
  readonly #arena: Arena
  readonly #strikes: readonly Strike[]
  #going = true
  #loops: Promise<void>[] = []

  constructor(arena: Arena) {
    this.#arena = arena
    const store = arena.postgres === null ? 'sqlite' : 'postgres'
    this.#strikes = TROUBLES.filter(({ name, stores }) => BEARABLE.includes(name) && stores.includes(store))
  }

  start(dice: Dice): void {
    this.#loops = [this.#change(dice.apart(1)), this.#trouble(dice.apart(2))]
  }

  async stop(): Promise<void> {
    this.#going = false
    await Promise.all(this.#loops)
  }

  async #change(dice: Dice): Promise<void> {
    while (this.#going) {
      await this.#changeOnce(dice).catch(() => undefined)
      this.changes += 1
      await rest(BETWEEN_CHANGES_MS)
    }
  }

  async #changeOnce(dice: Dice): Promise<void> {
    const { api } = dice.pick(this.#arena.nodes)
    const { connection, profile, owner } = dice.pick(this.#arena.subjects)
    switch (dice.between(0, 5)) {
      case 0:
        await api.get('/connections?limit=50')
        return
      case 1:
        await api.call('PATCH', `/connections/${connection}`, { body: { metadata: { note: String(dice.between(0, 9)) } } })
        return
      case 2:
        await api.post(`/connections/${connection}/refresh`)
        return
      case 3:
        await api.get(`/token?integration=${profile}&owner=${owner}`)
        return
      case 4:
        await api.post('/connect/sessions', { integration: profile, owner })
        return
      default:
        await api.get(`/connections/con_${'0'.repeat(8)}-0000-7000-8000-${String(dice.between(0, 999_999)).padStart(12, '0')}/token`)
    }
  }

  async #trouble(dice: Dice): Promise<void> {
    while (this.#going) {
      await rest(BETWEEN_TROUBLES_MS)
      if (!this.#going) return
      await dice.pick(this.#strikes).run(this.#arena, dice)
      await this.#arena.mend()
      this.troubles += 1
      await this.#regrantEnded()
    }
  }

  async #regrantEnded(): Promise<void> {
    for (const subject of this.#arena.subjects) {
      const shown = await this.#arena.first.api.get(`/connections/${subject.connection}`).catch(() => null)
      if (at(shown?.body, 'status') === 'needs_reauth') await this.#arena.regrant(subject)
    }
  }
}
