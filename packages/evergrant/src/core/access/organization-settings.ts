/** What an organization says of itself to the people who connect their accounts. */
export interface OrganizationSettings {
  /** What the connect pages call the application; null: the organization's name. */
  readonly applicationName: string | null
  /** A PNG, JPEG or WebP picture as a `data:` URL. No SVG: it is a document that may hold a script. */
  readonly logo: string | null
  /** `#rrggbb` in lower case; readable on our pages. */
  readonly accent: string | null
  readonly supportEmail: string | null
  readonly supportUrl: string | null
  readonly privacyUrl: string | null
  /** Shown to end users while something is down; null: nothing is said. */
  readonly statusText: string | null
  /** Whether Evergrant itself writes to end users whose connection needs them. */
  readonly ownerMail: boolean
  /** Whether new mail channels of operators gather what happened into one letter a day. */
  readonly digest: boolean
}

export type SettingsChange = Partial<OrganizationSettings>

export const SETTINGS_DEFAULTS: OrganizationSettings = {
  applicationName: null,
  logo: null,
  accent: null,
  supportEmail: null,
  supportUrl: null,
  privacyUrl: null,
  statusText: null,
  ownerMail: false,
  digest: false,
}
