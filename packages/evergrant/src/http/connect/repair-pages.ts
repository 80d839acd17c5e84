import type { Approval } from '../../core/connect/admin-approval.ts'
import type { ConnectView } from '../../core/connect/connect-view.ts'
import { html } from '../html.ts'
import type { Look, Page } from './page-frame.ts'
import { cardPage, strong } from './page-parts.ts'
import { dayIn } from './words/languages.ts'
import { causeOf, plain, say } from './words/say.ts'

type Names = Pick<ConnectView, 'application' | 'provider' | 'account'>

/** Before a grant that its provider has ended is given up for good. Looking at it changes nothing. */
export function disconnectPage(
  { application, provider, account }: Names,
  look: Look,
  { action, back }: { readonly action: string; readonly back: string },
): Page {
  const { words } = look
  const title = plain(words, words.disconnectTitle, { P: provider })
  const text = say(words, words.disconnectText, { App: application, A: account === null ? null : strong(account) })
  return cardPage(
    application,
    look,
    title,
    html`<p class="lead">${text}</p>
<p>${say(words, words.disconnectLater, { App: application })}</p>
<div class="actions">
<form method="post" action="${action}"><input type="hidden" name="step" value="disconnect"><button class="button danger" type="submit">${causeOf(words, 'connection_revoked')?.secondary}</button></form>
<a class="button" href="${back}">${words.keepIt}</a>
</div>`,
  )
}

export function disconnectedPage({ application, provider }: Names, look: Look): Page {
  const { words } = look
  const title = plain(words, words.disconnected, { P: provider })
  const text = say(words, words.disconnectedText, { App: application })
  return cardPage(application, look, title, html`<p class="lead">${text}</p>\n<p>${words.closeTab}</p>`)
}

/** Somebody would rather not allow more now. */
export function laterPage({ application }: Names, look: Look, { back, until }: { readonly back: string; readonly until: number }): Page {
  const { words } = look
  const { laterTitle: title } = words
  const text = say(words, words.laterText, { date: dayIn(words.tag, until) })
  return cardPage(
    application,
    look,
    title,
    html`<p class="lead">${text}</p>
<p>${words.closeTab}</p>
<div class="actions"><a class="button" href="${back}">${words.tryAgain}</a></div>`,
  )
}

/** For the administrator who comes back from the provider. */
export function approvalPage({ application, provider, approved }: Approval, look: Look): Page {
  const { words } = look
  const title = plain(words, approved ? words.approved : words.notApproved, { P: provider })
  const text = say(words, approved ? words.approvedText : words.notApprovedText, { P: provider, App: application })
  return cardPage(application, look, title, html`<p class="lead">${text}</p>`)
}
