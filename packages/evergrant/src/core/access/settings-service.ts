import type { Actor } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import { newId, type OrganizationId } from '../ids.ts'
import type { Clock, Entropy } from '../time.ts'
import { isColour, READABLE, readability, readableAccent } from './accent.ts'
import type { Organizations } from './organization.ts'
import type { OrganizationSettings, SettingsChange } from './organization-settings.ts'

interface SettingsPorts {
  readonly organizations: Pick<Organizations, 'settings' | 'saveSettings'>
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
}

interface SettingsCaller {
  readonly organization: OrganizationId
  readonly actor: Actor
}

/** 64 KiB of picture, in base64. */
const LOGO_MAX = Math.ceil((64 * 1_024) / 3) * 4
const LOGO = /^data:image\/(png|jpeg|webp);base64,([A-Za-z0-9+/]+={0,2})$/
/** How the pictures begin, in base64: what says it is a PNG is one. */
const BEGINNINGS: Readonly<Record<string, string>> = { png: 'iVBORw0KGgo', jpeg: '/9j/', webp: 'UklGR' }
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be in a line
const CONTROL = /[\u0000-\u001f\u007f\ud800-\udfff\u202a-\u202e\u2066-\u2069]/u
const MAIL = /^[^\s@<>"',;:\\]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+$/i
const ADDRESS = /^https:\/\/[a-z0-9.-]+(:\d{1,5})?([/?#][^\s"<>\\]*)?$/i

/** Branding of the connect pages, and what is said to end users. */
export class OrganizationSettingsService {
  readonly #ports: SettingsPorts

  constructor(ports: SettingsPorts) {
    this.#ports = ports
  }

  get({ organization }: Pick<SettingsCaller, 'organization'>): Promise<OrganizationSettings> {
    return this.#ports.organizations.settings(organization)
  }

  /** What is not named stays. @throws Fault `invalid_request` naming the field */
  async change({ organization, actor }: SettingsCaller, wanted: SettingsChange): Promise<OrganizationSettings> {
    const { organizations, clock, entropy } = this.#ports
    const change = checked(wanted)
    const event = {
      id: newId('evt', entropy),
      organization,
      type: 'organization.updated' as const,
      at: clock.wall(),
      actor,
      connection: null,
      subject: organization,
      data: { settings: Object.keys(change).sort() },
    }
    return organizations.saveSettings(organization, change, event)
  }
}

function checked(wanted: SettingsChange): SettingsChange {
  if (wanted.logo != null) checkLogo(wanted.logo)
  const { supportEmail, supportUrl, privacyUrl } = wanted
  if (supportEmail != null && !MAIL.test(supportEmail)) throw invalid('support_email', 'is no e-mail address. It should look like this: help@example.com')
  for (const [field, value] of [
    ['support_url', supportUrl],
    ['privacy_url', privacyUrl],
  ] as const)
    if (value != null && !ADDRESS.test(value)) throw invalid(field, 'has to be an https:// address, such as https://example.com/help')
  const change = {
    ...wanted,
    applicationName: line('application_name', wanted.applicationName),
    statusText: line('status_text', wanted.statusText),
    accent: wanted.accent == null ? wanted.accent : accentOf(wanted.accent),
  }
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
}

/** Trimmed; nothing but spaces is nothing. */
function line(field: string, text: string | null | undefined): string | null | undefined {
  if (text == null) return text
  if (CONTROL.test(text)) throw invalid(field, 'has a line break or a character that is not shown. Send one line of plain text')
  return text.trim() === '' ? null : text.trim()
}

function accentOf(text: string): string {
  const colour = text.toLowerCase()
  if (!isColour(colour)) throw invalid('accent', 'is no colour. It should look like this: #0b5fbf')
  const reached = readability(colour)
  if (reached >= READABLE) return colour
  throw invalid(
    'accent',
    `${colour} is too light: on our pages its contrast is ${reached.toFixed(1)}:1, and links need ${READABLE}:1 (WCAG 2.2). ${readableAccent(colour)} is the nearest that has it; in dark mode it is made lighter by itself`,
  )
}

function checkLogo(logo: string): void {
  if (logo.length > LOGO_MAX + 40) throw invalid('logo', 'is larger than 64 KiB. Make the picture smaller: it is shown 48 pixels high')
  const [, kind, body] = LOGO.exec(logo) ?? []
  if (kind === undefined || body === undefined || !body.startsWith(BEGINNINGS[kind] ?? ' '))
    throw invalid('logo', 'has to be a PNG, JPEG or WebP picture as a data URL: data:image/png;base64,iVBORw0... An SVG is not taken')
}

function invalid(field: string, what: string): Fault {
  return new Fault('invalid_request', { field: `/${field}`, detail: `\`${field}\` ${what}.` })
}
