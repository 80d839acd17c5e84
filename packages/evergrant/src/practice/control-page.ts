import type { GrantView, PracticeControl } from './control.ts'
import { escapeHtml, page } from './page-frame.ts'

const MOST_SHOWN = 60

/** The page for a newcomer: what was granted, and three things to try. */
export function controlPage(control: PracticeControl, issuer: (profile: string) => string): string {
  const grants = [...control.grants()].sort((left, right) => right.consentedAt - left.consentedAt)
  const list = grants
    .slice(0, MOST_SHOWN)
    .map((grant) => grantCard(grant, control.now()))
    .join('')
  const empty = '<div class="card"><p>Nobody has granted anything yet. Connect an application to one of the profiles below; its grant appears here.</p></div>'
  const more = grants.length > MOST_SHOWN ? `<p class="soft">${grants.length - MOST_SHOWN} older grants are not shown.</p>` : ''
  const profiles = Object.keys(control.profiles())
    .map((name) => profileCard(control, name, issuer(name)))
    .join('')
  return page(
    'Practice provider',
    'wide',
    `<div class="card"><h1>Practice provider</h1>
<p>An OAuth server for rehearsals. Grant access, take it away, make it fail, and watch what your application does about it.</p>
<p class="soft">Client id <code>practice</code>, client secret <code>practice-secret</code>. This page reloads every 5 seconds.</p></div>
<h2>Grants</h2><div class="grid">${list || empty}</div>${more}<p></p>
<h2>Profiles</h2><div class="grid">${profiles}</div>`,
    5,
  )
}

function button(action: string, name: string, value: string, label: string): string {
  return `<form method="post" action="/control/press/${action}"><input type="hidden" name="${name}" value="${escapeHtml(value)}"><button class="small">${label}</button></form>`
}

function grantCard(grant: GrantView, now: number): string {
  const left = Math.round((grant.accessExpiresAt - now) / 1000)
  const state = grant.revoked ? `<span class="ended">ended: ${escapeHtml(grant.revoked.cause)}</span>` : '<span class="live">live</span>'
  const last = grant.presentations.at(-1)
  const buttons = grant.revoked
    ? ''
    : `<div class="row">${button('expire', 'grant', grant.id, 'Expire the access token')}${button('revoke', 'grant', grant.id, 'Revoke this grant')}</div>`
  return `<section class="card"><h2>${escapeHtml(grant.account)} at <code>${escapeHtml(grant.profile)}</code></h2>${state}
<dl><dt>client</dt><dd>${escapeHtml(grant.client)}</dd><dt>scopes</dt><dd>${escapeHtml(grant.scopes.join(', ') || 'none')}</dd>
<dt>generation</dt><dd>${grant.generation}</dd><dt>access token</dt><dd>${left > 0 ? `${left} s left` : 'expired'}</dd>
<dt>refreshes</dt><dd>${grant.refreshRequests}${grant.overlaps > 0 ? `, <span class="ended">${grant.overlaps} overlapping</span>` : ''}</dd>
<dt>last decision</dt><dd>${last ? escapeHtml(last.decision) : 'none yet'}</dd><dt>API calls</dt><dd>${grant.apiCalls.length}</dd></dl>${buttons}</section>`
}

const CLASS_TEXT: Readonly<Record<string, string>> = {
  P0: 'the same refresh token keeps working',
  P1: 'a replay is answered inside a window',
  P2: 'a replay is answered until the successor is used',
  P3: 'a spent token is refused, the grant lives',
  P4: 'a spent token ends the whole grant',
}

function profileCard(control: PracticeControl, name: string, issuer: string): string {
  const settings = control.profile(name)
  const { refresh, exchange } = control.counts(name)
  const troubled = control.faults().some(({ spec }) => spec.profile === name)
  const buttons = troubled ? button('well', 'profile', name, 'Be well again') : button('unavailable', 'profile', name, 'Answer 503 for a minute')
  return `<section class="card"><h2><code>${escapeHtml(name)}</code></h2>${troubled ? '<span class="ended">faults are set</span>' : '<span class="live">well</span>'}
<dl><dt>class</dt><dd>${settings.reuse}: ${CLASS_TEXT[settings.reuse] ?? ''}</dd><dt>issuer</dt><dd><code>${escapeHtml(issuer)}</code></dd>
<dt>access token</dt><dd>${settings.accessSeconds} s</dd><dt>token requests</dt><dd>${exchange} exchanges, ${refresh} refreshes</dd></dl><div class="row">${buttons}</div></section>`
}
