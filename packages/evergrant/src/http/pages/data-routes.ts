import { requireRecentProof } from '../../core/session/recent-proof.ts'
import { personActor } from '../../core/session/session-events.ts'
import type { EndedGrant, OwnerErased } from '../../core/user/owner-data.ts'
import { ownerOf } from '../../core/user/user.ts'
import { takeSessionCookie } from '../auth/session-cookie.ts'
import { sendPage } from '../connect/page-frame.ts'
import { type Html, html } from '../html.ts'
import { exportView } from '../owner-view.ts'
import type { App } from '../schema.ts'
import { act, field } from './form-html.ts'
import { sendMe } from './me-routes.ts'
import type { PageDesk } from './page-desk.ts'

const PUBLIC = { config: { access: 'public' as const } }
const SECTION = { current: '/me/data', title: 'Your data' } as const
/** Typed by hand: nobody erases themselves by a slip of the finger. */
const WORD = 'erase'

/** What is held about the person, and its end. Both need a fresh proof of identity. */
export function dataRoutes(app: App, desk: PageDesk): void {
  const { services, publicUrl } = desk.parts
  const { clock, ownerData } = services
  app.get('/me/data', PUBLIC, async (request, reply) => sendMe({ desk, person: await desk.person(request), request, reply }, SECTION, overview()))
  app.post('/me/data/export', PUBLIC, async (request, reply) => {
    desk.form(request)
    const person = await desk.person(request)
    requireRecentProof(person, clock.wall())
    const exported = exportView(await ownerData.export(person.session.organization, ownerOf(person.user), personActor(person.user.id)), clock.wall())
    return reply
      .type('application/json; charset=utf-8')
      .header('content-disposition', 'attachment; filename="my-data.json"')
      .send(JSON.stringify(exported, null, 2))
  })
  app.get('/me/data/erase', PUBLIC, async (request, reply) => {
    const person = await desk.person(request)
    requireRecentProof(person, clock.wall())
    return sendMe({ desk, person, request, reply }, { ...SECTION, title: 'Erase me' }, question(false))
  })
  app.post('/me/data/erase', PUBLIC, async (request, reply) => {
    const form = desk.form(request)
    const person = await desk.person(request)
    requireRecentProof(person, clock.wall())
    if ((form['word'] ?? '').trim().toLowerCase() !== WORD)
      return sendMe({ desk, person, request, reply }, { ...SECTION, title: 'Erase me', status: 400 }, question(true))
    const { organization } = person.session
    const governor = { organization, actor: personActor(person.user.id), role: person.role, user: person.user.id }
    const erased = await ownerData.erasePerson(governor, person.user.id)
    takeSessionCookie(reply, publicUrl)
    return sendPage(reply, { title: 'You are erased', body: html`<div class="card">${farewell(erased)}</div>` })
  })
}

function overview(): Html {
  return html`<h1>Your data</h1>
<h2>Take it with you</h2>
<p>Everything that is held about you here, as one file: connections, devices, and what happened with them. No password and no key is in it.</p>
<div class="actions">${act('/me/data/export', 'Export my data')}</div>
<h2>Erase me</h2>
<p>Your connections are ended at their providers, your devices are signed out, and your name goes. Nobody can undo this.</p>
<div class="actions"><a class="button danger" href="/me/data/erase">Erase me</a></div>`
}

function question(wrong: boolean): Html {
  const refused = wrong ? { title: '', text: `Type the word ${WORD} to go on.`, status: 400, field: '/word' } : null
  return html`<h1>Erase everything about you?</h1>
<p class="lead">This cannot be undone. Applications lose their access to your accounts, and you cannot sign in here any more.</p>
<form method="post" action="/me/data/erase">
${field({ name: 'word', label: `Type the word "${WORD}"`, autocomplete: 'off', maxLength: 20 }, refused)}
<div class="actions"><button class="button danger" type="submit">Erase me now</button><a class="button" href="/me/data">Keep my account</a></div>
</form>`
}

const GRANTS: Readonly<Record<EndedGrant, string>> = {
  done: 'took its access back',
  failed: 'refused to end the access: remove it in your account there',
  not_answered: 'did not answer in time: look into your account there, and remove the access if it is still listed',
  kept_by_sibling: 'keeps it, because another connection uses the same access',
  unsupported: 'offers no way to end it from here: remove it in your account there',
  ended_before: 'was disconnected before',
}

function farewell({ connections }: OwnerErased): Html {
  return html`<h1>You are erased</h1>
<p class="lead">Nothing about you is left here but numbers and times that name nobody.</p>
${connections.length === 0 ? null : html`<h2>Your connections</h2><ul class="plain">${connections.map(({ provider, grant }) => html`<li><strong>${provider}</strong> ${GRANTS[grant]}.</li>`)}</ul>`}
<p>You can close this page.</p>`
}
