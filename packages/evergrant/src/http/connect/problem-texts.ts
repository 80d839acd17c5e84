import type { ConnectView } from '../../core/connect/connect-view.ts'
import type { FaultCode } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { fillWords } from '../../core/fault/words.ts'
import { type Html, html } from '../html.ts'
import type { PageWords, Problem } from './words/page-words.ts'
import { bodyOf, causeOf, plain, say } from './words/say.ts'

interface Names {
  readonly provider: string | null
  readonly account: string | null
  readonly application?: string | null
}

interface Texts {
  readonly title: string
  readonly text: Html
  readonly next: Html | null
  /** What the one button of a cause says; of some it has words of its own. */
  readonly primary: string | null
}

/** What our own trouble is to whoever waits: all the same. */
const BUSY: ReadonlySet<FaultCode> = new Set(['draining', 'overloaded', 'store_unavailable', 'seal_key_missing'])

/** What a page says of a failure, with the account that somebody signed in with where that is the matter. */
export function failureWords(code: FaultCode, view: ConnectView, words: PageWords): Texts {
  const told = problemTexts(code, view, words)
  const other = code === 'account_mismatch' ? view.fault?.providerText : null
  const cause = causeOf(words, code)
  if (other == null || cause === undefined) return told
  return { ...told, text: say(words, bodyOf(cause, new Set(['B'])), { A: view.account ?? words.otherAccount, B: other, P: view.provider }) }
}

/** By the words of the pages, else those of the SDK's components, else those of the fault table, which are English. */
export function problemTexts(code: FaultCode, { provider, account, application = null }: Names, words: PageWords): Texts {
  const places = { P: provider, A: account, App: application ?? words.application }
  const own = problemOf(BUSY.has(code) ? 'overloaded' : code, words)
  const cause = causeOf(words, code)
  const title = own?.title ?? cause?.title
  const text = own?.text ?? (cause === undefined ? undefined : bodyOf(cause, new Set()))
  if (title === undefined || text === undefined) return englishTexts(code, { provider, account }, words)
  return {
    title: plain(words, title, places),
    text: say(words, text, places),
    next: own?.next === undefined ? null : say(words, own.next, places),
    primary: cause?.primary == null ? null : plain(words, cause.primary, places),
  }
}

function problemOf(code: FaultCode, { problems }: PageWords): Problem | undefined {
  const known: Partial<Record<FaultCode, Problem>> = problems
  return known[code]
}

/** Codes that no connect flow ends with, but a sign-in through a provider may. Said to be English, so that it is read aloud as that. */
function englishTexts(code: FaultCode, { provider, account }: Names, words: PageWords): Texts {
  const row = FAULTS[code]
  const names = { ...(provider === null ? {} : { provider }), account }
  const text = fillWords(row.endUser, names)
  return { title: fillWords(row.title, names), text: words.tag === 'en' ? html`${text}` : html`<span lang="en">${text}</span>`, next: null, primary: null }
}
