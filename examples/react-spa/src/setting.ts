import { cookieSession, createEvergrant, type Evergrant } from '@evergrant/sdk/browser'

/** What this application needs to know of where it runs: its server says so in `/config.json`. */
export interface Setting {
  /** The person's session. One for the whole page. */
  readonly evergrant: Evergrant
  /** Where Evergrant is. */
  readonly evergrantUrl: string
  /** Slug of the integration that people connect here. */
  readonly integration: string
}

export async function readSetting(): Promise<Setting> {
  const response = await fetch('/config.json')
  const { evergrantUrl, integration }: Omit<Setting, 'evergrant'> = await response.json()
  // `origins`: who gets the access token besides Evergrant. Nobody else ever does.
  const evergrant = createEvergrant({ baseUrl: evergrantUrl, session: cookieSession(), origins: [location.origin] })
  return { evergrant, evergrantUrl, integration }
}
