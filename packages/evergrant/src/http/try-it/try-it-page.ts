import type { AuditEvent } from '../../core/audit/event.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { fillWords } from '../../core/fault/words.ts'
import type { Page } from '../connect/page-frame.ts'
import { type Html, html } from '../html.ts'
import type { TryItView } from './try-it.ts'

const PROVIDER = { provider: 'Practice provider' }

/** What the last button did, by its name in the address. */
const SAID: Readonly<Record<string, { readonly text: string; readonly tone: 'good' | 'warn' | 'bad' }>> = {
  connected: { text: 'Connected. The token below is stored sealed, and is renewed ahead of time from now on.', tone: 'good' },
  reconnected: { text: 'Connected again, under the same connection id.', tone: 'good' },
  refreshed: { text: 'Refreshed: a new token, and the generation went up by one.', tone: 'good' },
  expired: {
    text: 'The provider ended this access token before its time. An application sees a 401 at its next call, and asks again: press "Ask again after a 401".',
    tone: 'warn',
  },
  healed: { text: 'The refused generation was renewed, once, however many callers had asked.', tone: 'good' },
  revoked: { text: 'The owner removed the access at the provider. Nobody has told us yet: press "Refresh now" and watch the status.', tone: 'warn' },
  failed: { text: 'The provider refused. The status below says what that means and what to do.', tone: 'bad' },
  cancelled: { text: 'You did not finish. Nothing was changed.', tone: 'warn' },
}

/** The development page: the whole life of a connection in five buttons. */
export function tryItPage(view: TryItView, said: string | null): Page {
  const notice = said !== null && Object.hasOwn(SAID, said) ? SAID[said] : undefined
  return {
    title: 'Evergrant: try it',
    wide: true,
    body: html`<h1>Connect once. Stay connected.</h1>
<p class="lead">This page plays an application. The practice provider on this machine plays the service that it connects to. Nothing here needs an account anywhere.</p>
${notice === undefined ? null : html`<div class="notice ${notice.tone}" role="status"><p>${notice.text}</p></div>`}
<div class="columns">
${view.connection === null ? firstCard(view) : connectionCard(view)}
${timelineCard(view)}
</div>
<p class="small soft">API reference: <a href="/docs/api">/docs/api</a>${view.practiceUrl === null ? null : html`. Faults on command: <a href="${view.practiceUrl}">the practice provider's own page</a>`}. This page exists only with <code>--development</code>.</p>`,
  }
}

function firstCard(view: TryItView): Html {
  return html`<section class="card" aria-labelledby="first">
<h2 id="first">1. Connect</h2>
<p>You are signed in to the application as <strong>${view.owner}</strong>. Connect your practice account:</p>
<ol class="steps"><li>our page says who asks for what,</li><li>the provider asks you,</li><li>the application confirms that it was you.</li></ol>
<div class="actions">${button('connect', 'Connect practice account', 'primary')}</div>
</section>`
}

function connectionCard(view: TryItView): Html {
  const { connection, status, generation, token, fault } = view
  const broken = status === 'needs_reauth'
  return html`<section class="card" aria-labelledby="connection">
<h2 id="connection">Your connection <span class="badge ${status === 'active' ? 'good' : broken ? 'bad' : ''}">${status}</span></h2>
${fault === null ? null : html`<div class="notice ${broken ? 'bad' : ''}"><p><strong>${fillWords(FAULTS[fault.code].title, PROVIDER)}</strong></p><p>${fillWords(FAULTS[fault.code].endUser, { ...PROVIDER, account: connection?.accountLabel ?? connection?.account ?? null })}</p><p class="small"><code>${fault.code}</code>${fault.providerCode === null ? null : html`, because the provider said <code>${fault.providerCode}</code>`}</p></div>`}
<dl class="facts">
<div><dt>Id</dt><dd class="mono">${connection?.id}</dd></div>
<div><dt>Account</dt><dd>${connection?.accountLabel ?? connection?.account ?? 'unknown'}</dd></div>
<div><dt>Access token</dt><dd class="mono">${token?.masked ?? 'none to give'}</dd></div>
<div><dt>Expires</dt><dd>${token === null ? 'n/a' : token.expiresAt === null ? 'never' : inWords(token.expiresAt - view.now)}</dd></div>
<div><dt>Generation</dt><dd>${generation}</dd></div>
</dl>
<div class="actions">
${broken ? button('reconnect', 'Reconnect', 'primary') : button('refresh', 'Refresh now', 'primary')}
${broken ? null : html`${button('expire', 'Expire it at the provider', '')}${button('ask-again', 'Ask again after a 401', '')}${button('revoke', 'Revoke at the provider', 'danger')}${button('reconnect', 'Reconnect', '')}`}
</div>
</section>`
}

function button(step: string, text: string, kind: string): Html {
  return html`<form method="post" action="/try/${step}"><button class="button ${kind}" type="submit">${text}</button></form>`
}

function timelineCard(view: TryItView): Html {
  return html`<section class="card" aria-labelledby="timeline">
<h2 id="timeline">What happened</h2>
${view.events.length === 0 ? html`<p class="soft">Nothing yet. Every step is written down here as an event.</p>` : html`<ol class="timeline">${view.events.map(eventLine)}</ol>`}
</section>`
}

function eventLine(event: AuditEvent): Html {
  const at = new Date(event.at).toISOString()
  const facts = ['generation', 'code', 'provider_code', 'was'].flatMap((name) => {
    const value = event.data[name]
    return typeof value === 'string' || typeof value === 'number' ? [`${name.replaceAll('_', ' ')} ${value}`] : []
  })
  return html`<li><time datetime="${at}">${at.slice(11, 19)}</time><span>${EVENT_WORDS[event.type] ?? event.type}${facts.length === 0 ? null : html`<br><span class="small soft">${facts.join(', ')}</span>`}</span></li>`
}

const EVENT_WORDS: Readonly<Record<string, string>> = {
  'connection.created': 'Connection made',
  'connection.reconnected': 'Connected again',
  'connection.refreshed': 'Token renewed',
  'connection.refresh_failed': 'A renewal failed',
  'connection.suspect': 'A renewal got no answer; it will be looked into',
  'connection.needs_reauth': 'The grant is over: the owner has to reconnect',
  'connection.recovered': 'Recovered by itself',
  'connect.session_created': 'Reconnect link made',
  'connect.started': 'Sign-in started',
  'connect.completed': 'Sign-in confirmed by the application',
  'connect.failed': 'Sign-in failed',
  'connect.refused': 'Sign-in refused',
  'connect.account_mismatch': 'Signed in with another account; nothing was changed',
}

function inWords(ms: number): string {
  if (ms <= 0) return 'now'
  const minutes = Math.round(ms / 60_000)
  if (minutes < 1) return `in ${Math.round(ms / 1_000)} seconds`
  return minutes === 1 ? 'in 1 minute' : minutes < 120 ? `in ${minutes} minutes` : `in ${Math.round(minutes / 60)} hours`
}
