import { isSessionAnswer } from './answers.ts'
import { nothing } from './clock.ts'
import type { Core, SessionMode } from './core.ts'
import { jsonOf, posted } from './exchange.ts'
import { authorizedFetch } from './request.ts'

/** Other tabs answer from memory, so a tab that is alone does not wait long. */
const OFFER_MS = 300
const GIFT_MS = 10_000
/** Tabs are numbers below 1. */
const NOBODY = 1

interface Message {
  readonly step?: 'want' | 'offer' | 'take' | 'give'
  readonly from: number
  readonly to: number
  readonly gift?: unknown
}

/**
 * For pages on another site than Evergrant, where its cookie does not travel. The refresh credential is held in memory, so a
 * reload asks another tab for a session of its own, and with no other tab the person signs in again.
 */
export function bearerSession({ refreshToken }: { readonly refreshToken?: string } = {}): SessionMode {
  let held = refreshToken
  return {
    mode: 'bearer',
    body: () => (held ? { refresh_token: held } : null),
    keep: (next) => {
      held = next
    },
    branch: (core) => answerTabs(core, () => held),
  }
}

function answerTabs(core: Core, held: () => string | undefined): () => Promise<unknown> {
  const { tabs, random, after, api } = core
  const me = random()
  let giver = 0
  let take = nothing as (gift: unknown) => void
  const post = (step: Message['step'], to: number, gift?: unknown): void => tabs?.post({ step, from: me, to, gift })
  tabs?.listen((data) => {
    const { step, from, to, gift } = (data ?? {}) as Message
    if (step === 'want' && held()) post('offer', from)
    if (to !== me) return
    if (step === 'offer' && !giver) {
      // The first offer is taken, so that one tab opens one session.
      giver = from
      post('take', from)
    }
    if (step === 'take') {
      void authorizedFetch(core, `${api}auth/branch`, posted({ refresh_token: held() }))
        .then(jsonOf)
        .catch(nothing)
        .then((child) => post('give', from, child))
    }
    if (step === 'give') take(gift)
  })
  return () =>
    new Promise((resolve, reject) => {
      giver = 0
      // Where somebody offered, a person is signed in: nothing, or what is no session, is trouble on the way.
      const taken: typeof take = (gift) => (isSessionAnswer(gift) ? resolve(gift) : reject())
      take = taken
      post('want', 0)
      after(OFFER_MS, () => {
        if (giver || take !== taken) return
        // Whoever offers later would open a session for nobody.
        giver = NOBODY
        resolve(null)
      })
      after(GIFT_MS, reject)
    })
}
