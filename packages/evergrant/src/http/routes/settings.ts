import { type Static, Type } from 'typebox'
import type { OrganizationSettings, SettingsChange } from '../../core/access/organization-settings.ts'
import { actorOf, callerOf } from '../authentication.ts'
import { requireRecent } from '../governing.ts'
import { type App, nullable, PROBLEMS } from '../schema.ts'
import type { Services } from '../services.ts'

const text = (maxLength: number, description: string) => nullable(Type.String({ maxLength, description }))

/** Null takes a value away. */
const FIELDS = {
  application_name: text(100, 'What the connect pages call the application; null: the name of the organization.'),
  logo: text(88_000, 'PNG, JPEG or WebP of at most 64 KiB, as a `data:` URL.'),
  accent: text(7, '`#rrggbb`, dark enough for links on white; lighter by itself in dark mode.'),
  support_email: text(254, 'Whom end users write to.'),
  support_url: text(2_000, 'Where end users find help.'),
  privacy_url: text(2_000, 'What you do with their data.'),
  status_text: text(500, 'Shown on every connect page while something is down: one line of plain text.'),
  owner_mail: Type.Boolean({ description: 'Whether Evergrant itself writes to end users whose connection needs them.' }),
  digest: Type.Boolean({ description: 'Whether new mail channels send one letter a day.' }),
}
const SettingsView = Type.Object(FIELDS)
const SettingsBody = Type.Partial(Type.Object(FIELDS), { additionalProperties: false, minProperties: 1 })

/** Branding of the connect pages, and what is said to end users. */
export function settingsRoutes(app: App, { settings, clock }: Pick<Services, 'settings' | 'clock'>): void {
  app.get(
    '/api/v1/settings',
    {
      config: { access: 'connections:read' },
      schema: { summary: 'Read the settings of the organization', tags: ['organizations'], response: { 200: SettingsView, ...PROBLEMS } },
    },
    async (request) => settingsView(await settings.get(callerOf(request))),
  )
  app.patch(
    '/api/v1/settings',
    {
      config: { access: 'admin' },
      schema: {
        summary: 'Change the settings of the organization',
        description: 'What is left out stays; null takes a value away. Counts for the next page that is opened.',
        tags: ['organizations'],
        body: SettingsBody,
        response: { 200: SettingsView, ...PROBLEMS },
      },
    },
    async (request) => {
      const caller = callerOf(request)
      requireRecent(caller, clock)
      return settingsView(await settings.change({ organization: caller.organization, actor: actorOf(caller) }, changeOf(request.body)))
    },
  )
}

function settingsView(settings: OrganizationSettings) {
  const { applicationName, logo, accent, supportEmail, supportUrl, privacyUrl, statusText, ownerMail, digest } = settings
  return {
    application_name: applicationName,
    logo,
    accent,
    support_email: supportEmail,
    support_url: supportUrl,
    privacy_url: privacyUrl,
    status_text: statusText,
    owner_mail: ownerMail,
    digest,
  }
}

function changeOf(body: Static<typeof SettingsBody>): SettingsChange {
  const named = {
    applicationName: body.application_name,
    logo: body.logo,
    accent: body.accent,
    supportEmail: body.support_email,
    supportUrl: body.support_url,
    privacyUrl: body.privacy_url,
    statusText: body.status_text,
    ownerMail: body.owner_mail,
    digest: body.digest,
  }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
}
