import type { ConnectionDetails } from '../../core/connection/connection-service.ts'
import { scopesToAsk } from '../../core/provider/authorize.ts'
import type { ReconnectMode } from '../../core/provider/reconnect-modes.ts'
import type { ProviderRecord } from '../../core/provider/record.ts'
import type { ConnectionReport, ReportedStatus } from '../../core/session/connection-report.ts'
import { scopeWords } from '../connect/scope-words.ts'
import { modesOf } from '../connection-view.ts'
import { type Html, html } from '../html.ts'
import { act } from './form-html.ts'

export interface ShownConnection {
  readonly details: ConnectionDetails
  readonly report: ConnectionReport
  readonly record: ProviderRecord | undefined
}

const STATUS_WORDS: Readonly<Record<ReportedStatus, { readonly text: string; readonly look: 'good' | 'bad' | '' }>> = {
  valid: { text: 'Works', look: 'good' },
  expiring: { text: 'Ends soon', look: '' },
  refreshing: { text: 'Being retried', look: '' },
  needs_reauth: { text: 'Needs you', look: 'bad' },
  unavailable: { text: 'Not available', look: '' },
  disconnected: { text: 'Disconnected', look: '' },
}

/** What the person gave access to, how it is, and what they can do about it. `base`: the page's own path. `mode`: what a reconnect from there proves. */
export function connectionList(shown: readonly ShownConnection[], base: string, mode: ReconnectMode): Html {
  const live = shown.filter(({ report }) => report.status !== 'disconnected')
  const over = shown.filter(({ report }) => report.status === 'disconnected')
  if (shown.length === 0)
    return html`<p class="lead">You have not connected anything yet.</p><p class="soft">When an application asks for access to an account of yours, it will be listed here, and you can end it here.</p>`
  return html`${live.length === 0 ? html`<p>Nothing is connected at the moment.</p>` : html`<ul class="items">${live.map((one) => item(one, base, mode))}</ul>`}
${over.length === 0 ? null : html`<details><summary>Disconnected (${over.length})</summary><ul class="items">${over.map((one) => ended(one))}</ul></details>`}`
}

function item(shown: ShownConnection, base: string, mode: ReconnectMode): Html {
  const { report, record, details } = shown
  const modes = modesOf(details)
  const { text, look } = STATUS_WORDS[report.status]
  return html`<li id="${report.id}">
<div class="item-head"><h2>${report.provider}</h2><span class="badge ${look}">${text}</span></div>
<p class="soft account">${report.account ?? 'An account without a name'}</p>
${report.message === null ? null : html`<p>${report.title === null ? null : html`<strong>${report.title}.</strong> `}${report.message}</p>`}
${report.expiresAt === null || report.status !== 'expiring' ? null : html`<p class="small">Access ends on ${day(report.expiresAt)} unless you renew it.</p>`}
${report.action === 'reconnect' && modes.length > 0 && !modes.includes(mode) ? html`<p>To reconnect it, open the application that you use it with.</p>` : null}
${permissions(shown, record)}
<div class="actions">
${modes.includes(mode) ? again(report, base) : null}
<a class="button danger" href="${base}/connections/${report.id}/disconnect">Disconnect<span class="unseen"> ${report.provider} ${report.account ?? ''}</span></a>
</div>
</li>`
}

/** The link of the connection where it has one; else a reconnect that begins here. */
function again({ id, provider, status, action, reconnectUrl }: ConnectionReport, base: string): Html | null {
  const here = `${base}/connections/${id}/reconnect`
  if (status === 'expiring') return act(here, 'Renew now', 'primary')
  if (status !== 'needs_reauth' || action !== 'reconnect') return null
  const words = `Reconnect ${provider}`
  return reconnectUrl === null ? act(here, words, 'primary') : html`<a class="button primary" href="${pathOnly(reconnectUrl)}">${words}</a>`
}

function ended({ report, details }: ShownConnection): Html {
  const { disconnectedAt } = details.row.connection
  return html`<li><p class="account"><strong>${report.provider}</strong> ${report.account ?? ''}</p><p class="small soft">${disconnectedAt === null ? 'Disconnected' : `Disconnected on ${day(disconnectedAt)}`}</p></li>`
}

function permissions({ details }: ShownConnection, record: ProviderRecord | undefined): Html | null {
  const granted = details.row.connection.scopes ?? (record === undefined ? details.integration.scopes : scopesToAsk({ record }, details.integration.scopes))
  if (granted.length === 0) return null
  const words = granted.map((scope) => scopeWords(record?.id ?? '', scope, record?.scopes ?? {}))
  return html`<details class="small"><summary>What the application may do</summary><ul class="plain">${words.map((one) => html`<li>${one.scope === null ? html`<code>${one.words}</code>` : one.words}</li>`)}</ul></details>`
}

export function disconnectQuestion({ report }: ShownConnection, application: string, base: string): Html {
  return html`<h1>Disconnect ${report.provider}?</h1>
<p class="lead">${application} loses its access to <strong>${report.account ?? `your ${report.provider} account`}</strong> at once, and ${report.provider} is told where it can be. What was stored elsewhere is not deleted by this.</p>
<p>To connect it again later, ${application} will ask you for access anew.</p>
<div class="actions">${act(`${base}/connections/${report.id}/disconnect`, `Disconnect ${report.provider}`, 'danger')}<a class="button" href="${base}">Keep it</a></div>`
}

export function day(at: number): string {
  return new Date(at).toLocaleDateString('en-GB', { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })
}

/** Our own page, so the address needs no host. */
function pathOnly(url: string): string {
  const { pathname, search } = new URL(url)
  return pathname + search
}
