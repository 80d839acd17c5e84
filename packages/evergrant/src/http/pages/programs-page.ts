import type { Installation } from '../../core/agent/installation.ts'
import type { SdkToken } from '../../core/agent/sdk-token.ts'
import type { Instant } from '../../core/time.ts'
import { type Html, html } from '../html.ts'
import { day } from './connections-page.ts'
import { act } from './form-html.ts'

export interface ShownProgram {
  readonly installation: Installation
  readonly head: SdkToken
  readonly agentName: string
}

interface Standing {
  readonly text: string
  readonly look: 'good' | 'bad' | ''
  /** What there is to know or to do; null: nothing. */
  readonly note: string | null
}

const BASE = '/me/programs'

export function programList(shown: readonly ShownProgram[], now: Instant): Html {
  const live = shown.filter(({ installation }) => installation.status !== 'retired')
  const over = shown.filter(({ installation }) => installation.status === 'retired')
  if (shown.length === 0)
    return html`<h1>Your programs</h1>
<p class="lead">No program of yours is enrolled.</p>
<p class="soft">When one is enrolled on a machine, it will be listed here, and you can stop it here.</p>`
  return html`<h1>Your programs</h1>
<p class="lead">Machines on which a program of yours is enrolled.</p>
<p class="soft"><strong>Rotate</strong> replaces its token, and it goes on by itself. <strong>Cut off</strong> ends it, and only a new enrolment brings it back.</p>
${live.length === 0 ? html`<p>Nothing is enrolled at the moment.</p>` : html`<ul class="items">${live.map((one) => item(one, now))}</ul>`}
${live.length < 2 ? null : html`<div class="actions">${act(`${BASE}/rotate`, 'Rotate all')}<a class="button danger" href="${BASE}/cut-off">Cut off all</a></div>`}
${over.length === 0 ? null : html`<details><summary>Ended (${over.length})</summary><ul class="items">${over.map(ended)}</ul></details>`}`
}

function item({ installation, head, agentName }: ShownProgram, now: Instant): Html {
  const { text, look, note } = standingOf(installation, head, now)
  const { id, name, lastSeenAt, address, createdAt } = installation
  return html`<li id="${id}">
<div class="item-head"><h2>${agentName}</h2><span class="badge ${look}">${text}</span></div>
<p class="soft account">${machineOf(installation)}</p>
${note === null ? null : html`<p>${note}</p>`}
<p class="small soft">Enrolled on ${day(createdAt)}${lastSeenAt === null ? ', never seen since' : `, last seen on ${day(lastSeenAt)}`}${address === null ? null : html`, from ${address}`}. Generation ${head.generation}${recoveredOf(head)}.</p>
<div class="actions">
${installation.status === 'locked' ? null : act(`${BASE}/${id}/rotate`, html`Rotate<span class="unseen"> ${agentName} on ${name}</span>`)}
<a class="button danger" href="${BASE}/${id}/cut-off">Cut off<span class="unseen"> ${agentName} on ${name}</span></a>
</div>
</li>`
}

function standingOf({ status, lock, rekeyUntil }: Installation, head: SdkToken, now: Instant): Standing {
  if (status === 'locked') return { text: 'Locked', look: 'bad', note: lock?.message ?? 'It was locked for safety.' }
  if (rekeyUntil !== null && now < rekeyUntil) return { text: 'Unlocked', look: '', note: 'It goes on as soon as it brings a new key.' }
  if (head.state === 'revoked') return { text: 'Rotated', look: '', note: 'It fetches a new token when it runs next.' }
  if (now >= head.expiresAt) return { text: 'Away', look: '', note: 'Its token is over by time. It recovers when it runs next, as its policy allows.' }
  return { text: 'Works', look: 'good', note: null }
}

function recoveredOf({ metadata, createdAt }: SdkToken): string {
  return metadata.source === 'token_recovery' ? `, recovered on ${day(createdAt)}` : ''
}

function machineOf({ name, hints: { host, platform } }: Installation): string {
  return [name, ...(host === null || host === name ? [] : [host]), ...(platform === null ? [] : [platform])].join(', ')
}

function ended({ installation, head, agentName }: ShownProgram): Html {
  return html`<li><p class="account"><strong>${agentName}</strong> ${machineOf(installation)}</p><p class="small soft">${head.revokedAt === null ? 'Ended' : `Ended on ${day(head.revokedAt)}`}</p></li>`
}

export function cutOffQuestion({ installation, agentName }: ShownProgram): Html {
  return html`<h1>Cut off ${agentName}?</h1>
<p class="lead">The program on <strong>${installation.name}</strong> loses its access at once, and nothing heals that. Only a new enrolment brings it back.</p>
<p>If you only want fresh tokens, choose Rotate: it goes on by itself.</p>
<div class="actions">${act(`${BASE}/${installation.id}/cut-off`, 'Cut it off', 'danger')}<a class="button" href="${BASE}">Keep it</a></div>`
}

export function cutOffAllQuestion(count: number): Html {
  return html`<h1>Cut off all your programs?</h1>
<p class="lead">${count === 1 ? 'One machine loses' : `${count} machines lose`} access at once, and nothing heals that. Each has to be enrolled again.</p>
<div class="actions">${act(`${BASE}/cut-off`, 'Cut all off', 'danger')}<a class="button" href="${BASE}">Keep them</a></div>`
}
