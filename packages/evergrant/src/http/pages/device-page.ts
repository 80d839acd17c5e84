import type { Agent } from '../../core/agent/agent.ts'
import { shownUserCode } from '../../core/agent/device-service.ts'
import type { Enrolment } from '../../core/agent/enrolments.ts'
import type { Page } from '../connect/page-frame.ts'
import { type Html, html } from '../html.ts'
import { act, field, refusal } from './form-html.ts'
import type { Refused } from './page-desk.ts'

/** The choice that makes an agent. */
export const NEW_AGENT = 'new'

export interface DeviceFrame {
  readonly application: string
  /** What the person is called. */
  readonly name: string
}

function page({ application, name }: DeviceFrame, title: string, content: Html): Page {
  return {
    title: `${title} - ${application}`,
    body: html`<header class="top"><p class="eyebrow">${application}</p><div class="who"><span>${name}</span>${act('/auth/sign-out', 'Sign out')}</div></header>
<div class="card">
${content}
</div>`,
  }
}

/** Where the code is typed. */
export function codePage(frame: DeviceFrame, typed: string, refused: Refused | null): Page {
  return page(
    frame,
    'Let a program in',
    html`<h1>Let a program in</h1>
<p class="lead">Enter the code that the program shows.</p>
${refusal(refused, ['user_code'])}
<form method="get" action="/device">
${field({ name: 'user_code', label: 'Code', autocomplete: 'off', value: typed, maxLength: 20, focus: true, hint: 'Eight letters, as BCDF-GHJK.' }, refused)}
<div class="actions"><button class="button primary" type="submit">Continue</button></div>
</form>
<p class="small soft after">Nobody but you should have sent you here. If somebody gave you this code, close the page.</p>`,
  )
}

interface DecisionView {
  readonly device: Enrolment
  /** Those that the person may put a machine into. */
  readonly agents: readonly Pick<Agent, 'id' | 'name'>[]
  /** When the machine asked, in words. */
  readonly askedAgo: string
  readonly chosen: string
  readonly newName: string
}

/** Who asks, and the decision. */
export function decisionPage(frame: DeviceFrame, view: DecisionView, refused: Refused | null): Page {
  const { device, agents, askedAgo, chosen, newName } = view
  const { host, platform, address } = device.asked
  const code = shownUserCode(device.userCode ?? '')
  const facts: readonly (readonly [string, string | null])[] = [
    ['Code', code],
    ['Program', device.name],
    ['Machine', host],
    ['Platform', platform],
    ['Address', address],
    ['Asked', askedAgo],
  ]
  return page(
    frame,
    'Let this program in?',
    html`<h1>Let this program in?</h1>
<p class="lead">It will act for ${frame.application} as the agent that you choose, within what that agent may do.</p>
${refusal(refused, ['name'])}
<dl class="facts">${facts.map(([name, value]) => (value === null ? null : html`<div><dt>${name}</dt><dd>${value}</dd></div>`))}</dl>
<div class="notice"><p><strong>Only if you started it yourself, just now,</strong> and its screen shows this code. The machine says its name and platform itself; nobody has checked them.</p></div>
<form method="post" action="/device/allow">
<input type="hidden" name="user_code" value="${code}">
<label for="agent">Agent</label>
<select id="agent" name="agent">${agents.map(({ id, name }) => html`<option value="${id}"${id === chosen ? html` selected` : null}>${name}</option>`)}<option value="${NEW_AGENT}"${chosen === NEW_AGENT ? html` selected` : null}>A new agent</option></select>
${field({ name: 'name', label: 'Name of the new agent', autocomplete: 'off', value: newName, maxLength: 100, optional: true, hint: 'Only for a new one. It may use nothing until you say what.' }, refused)}
<div class="actions"><button class="button primary" type="submit">Allow</button><button class="button danger" type="submit" formaction="/device/deny">Deny</button></div>
</form>`,
  )
}

const ENDS = {
  allowed: { title: 'Allowed', lead: 'The program goes on by itself in a few seconds. You can close this page.' },
  denied: { title: 'Denied', lead: 'The program was told, and got nothing. If you did not start it, nothing more is to be done.' },
} as const

type DeviceEnd = keyof typeof ENDS

export function isDeviceEnd(text: string | undefined): text is DeviceEnd {
  return text !== undefined && Object.hasOwn(ENDS, text)
}

export function endPage(frame: DeviceFrame, end: DeviceEnd): Page {
  const { title, lead } = ENDS[end]
  return page(frame, title, html`<h1>${title}</h1><p class="lead" role="status">${lead}</p><p><a href="/device">Enter another code</a></p>`)
}
